"""The text of a card: what the data set is, how it was made, what is wrong with it, how to load it and make it again.

Whatever comes from a configuration, a document or a model is escaped, so that it is text and nothing else.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from prose_data.config import Config
from prose_data.errors import printable
from prose_data.hub.card import Card
from prose_data.hub.configs import LABELS
from prose_data.hub.licences import Licence
from prose_data.hub.loading import examples
from prose_data.hub.origin import own_files
from prose_data.hub.parquet import HubConfig
from prose_data.report.basis import Summary, named, show
from prose_data.report.text import HEADLINE

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$:@-])")
_SOURCES = 20  # origins of documents that are listed


@dataclass(frozen=True, slots=True)
class Told:
    """What the text of a card is made from.

    `summary` is None for a run of space alignx. `listed` is whether the space is a public list, by which task and source
    say what a user holds; `repeated` is by table the number of texts that another row has too.
    """

    config: Config
    manifest: Mapping[str, Any]
    summary: Summary | None
    notice: str | None
    configs: Sequence[HubConfig]
    licence: Licence
    figures: Sequence[str]
    listed: bool
    repeated: Mapping[str, int]


def escaped(text: str) -> str:
    """Return `text` on one line, so that Markdown shows it as it stands."""
    return _MARKUP.sub(r"\\\1", printable(text))


def text_of(told: Told, card: Card) -> str:
    """Return the Markdown behind the YAML part of a card."""
    parts = [f"**{told.notice}**"] if told.notice else []
    parts += [f"# {escaped(card.title)}"]
    parts += [escaped(paragraph) for paragraph in card.description.split("\n\n") if paragraph.strip()]
    parts += [
        what(told),
        *_contents(told),
        *_results(told),
        *_made(told),
        *_known(told),
        *_licence(told.licence),
    ]
    parts += [*_load(told, card), *_again(told, card)]
    return "\n\n".join(parts) + "\n"


def what(told: Told) -> str:
    """Return in a paragraph what the data set is."""
    if told.summary is None:
        return (
            "Choices between two responses, each with a user's history and a 90-dimension preference direction, in the "
            "record format published as AlignX (arXiv 2503.15463)."
        )
    return (
        f"{told.summary['users']:,} users of the space {_space(told)} with preferences in how they write, "
        "the texts that they wrote, what methods inferred of these preferences from the texts, and how much of them was "
        "recovered."
    )


def _space(told: Told) -> str:
    return escaped(PurePath(told.config.space).name)


def _contents(told: Told) -> list[str]:
    rows = []
    for config in told.configs:
        splits = ", ".join(
            f"{split} {sum(file.rows for file in files):,}" for split, files in config.splits.items()
        )
        rows.append([f"`{config.name}`", splits, config.about])
    labels = ", ".join(f"`{config.name}`" for config in told.configs if config.name in LABELS)
    parts = ["## Configs", _table(["config", "rows", "what"], rows)]
    parts.append(
        f"{labels} tell what users really hold; no other config does, so that nobody trains on labels by accident. "
        + _labels(told)
    )
    for config in told.configs:
        lines = [f"- `{name}`: {sentence}" for name, sentence in config.columns.items()]
        parts.append(
            f"<details><summary>Columns of {config.name}</summary>\n\n" + "\n".join(lines) + "\n\n</details>"
        )
    return parts


def _labels(told: Told) -> str:
    if told.summary is None:
        return (
            "The directions in `alignx` are part of the published format: that of a target is the label itself, and those "
            "of the history's items describe the texts that a user wrote or chose."
        )
    return (
        "In `scores` a true component is an id, which `components` resolves, and a verdict that names one is null; the "
        "oracle's inferences, which state the truth, are in `oracle`."
    )


def _results(told: Told) -> list[str]:
    if told.summary is None:
        return _checks(told.manifest["checks"])
    methods = told.summary["methods"]
    shown = [metric for metric in HEADLINE if any(metric in row for row in methods.values())]
    rows = [
        [escaped(named(method)), *(show(row[metric], metric) for metric in shown)]
        for method, row in methods.items()
    ]
    parts = [
        "## Results",
        "Means over users and demonstrations, in brackets 95 % intervals from resampling users; n of N where values are "
        "missing.",
        _table(["method", *map(escaped, shown)], rows),
    ]
    return parts + [f"![{name.replace('_', ' ')}](figures/{name}.png)" for name in told.figures]


def _checks(checks: Mapping[str, Any]) -> list[str]:
    surface, distinct = checks["surface"], checks["distinct"]
    rows = [
        ["records", f"{checks['records']:,}"],
        ["different choices", f"{distinct['choices']:,}"],
        ["different directions", f"{distinct['vectors']:,}"],
        ["the longer response is the chosen one", f"{surface['longer']:.1%}"],
        ["right by the length that goes with the target's poles", f"{surface['longer_by_pole']:.1%}"],
        ["right by the first word", f"{surface['first_word']:.1%}"],
    ]
    return [
        "## Checks",
        "A rule that only looks at the surface should be right in half of all rows.",
        _table(["", ""], rows),
    ]


def _made(told: Told) -> list[str]:
    manifest = told.manifest
    made_by = f"prose-data {manifest['version']}" + (
        f", commit {manifest['commit']}" if manifest["commit"] else ""
    )
    roles = [[role, escaped(model)] for role, model in manifest["models"].items()]
    seeds = told.config.seeds if told.summary else [told.config.users.seed]
    prompts = ", ".join(f"{name} `{value[:8]}`" for name, value in sorted(manifest["prompts"].items()))
    return [
        "## How it was made",
        f"{made_by}; seeds {', '.join(map(str, seeds))}; everything else is in `config.yaml` and `manifest.json`.",
        _table(["role", "model"], roles),
        *_samples(told),
        *_failures(manifest),
        f"<details><summary>Prompts, by the start of their hash</summary>\n\n{prompts}\n\n</details>",
    ]


def _samples(told: Told) -> list[str]:
    if told.summary is None or not told.summary["samples"]["wanted"]:
        return []
    counts = told.summary["samples"]
    share = {key: counts[key] / counts["wanted"] for key in ("first", "rewritten", "refused")}
    reasons = ", ".join(f"{escaped(reason)} {number:,}" for reason, number in counts["rejected"].items())
    return [
        f"Of {counts['wanted']:,} samples, {share['first']:.1%} were accepted at the first writing, "
        f"{share['rewritten']:.1%} after rewriting, {share['refused']:.1%} never."
        + (f" Writings rejected, by reason: {reasons}." if reasons else "")
    ]


def _failures(manifest: Mapping[str, Any]) -> list[str]:
    rows = [
        [stage, escaped(reason), f"{number:,}"]
        for stage, reasons in manifest["failures"].items()
        for reason, number in reasons.items()
    ]
    lost = f"{manifest['failed_share']:.2%} of the rows are missing because something failed."
    return [lost, _table(["stage", "what went wrong", "times"], rows)] if rows else ["Nothing failed."]


def _known(told: Told) -> list[str]:
    found = [
        f"{count:,} rows of `{table}` have a text that another row has too."
        for table, count in told.repeated.items()
    ]
    if told.summary is None:
        found += _known_of_records(told.manifest["checks"])
    elif told.listed:
        found.append(
            f"In the space {_space(told)} a user's task and source decide what they hold, and the list is "
            "public: do not give them to a model that is to be tested."
        )
    if told.summary is not None:
        found.append(
            "A component's id is a hash of its text, so that whoever has a list of components can tell which it is."
        )
    found.append(
        "No text was written by a person."
        if not told.licence.documents
        else "No text but the documents can have been written by a person."
    )
    return ["## Duplicates, leaks and limits", "\n".join(f"- {sentence}" for sentence in found)]


def _known_of_records(checks: Mapping[str, Any]) -> list[str]:
    near = checks["near_duplicates"]
    return [
        f"{checks['duplicate_rows']['count']:,} rows repeat another row; near-duplicates: {near['posts']:,} posts, "
        f"{near['replies']:,} responses and comments.",
        "The demographic information describes the user whose choice is the target, and is nearly as good as its direction: "
        "report results with it apart from those with comments and pairs alone.",
        *(f"Found by the checks: {escaped(problem)}" for problem in checks["problems"]),
    ]


def _licence(licence: Licence) -> list[str]:
    parts = [
        "## Licence",
        f"`{licence.identifier}`: {licence.reason} Models that wrote texts may have terms of their own.",
    ]
    if licence.documents:
        rows = [[escaped(origin), escaped(words), f"{count:,}"] for origin, words, count in licence.documents]
        left = len(rows) - _SOURCES
        parts.append(_table(["origin of the documents", "licence", "documents"], rows[:_SOURCES]))
        parts += [f"{left:,} more are in `documents`."] if left > 0 else []
    return parts


def _load(told: Told, card: Card) -> list[str]:
    code = [f"```python\n{code}```" for code in examples(told.configs, card.repo).values()]
    return ["## How to load it", *([] if card.repo else ["In the run's folder:"]), *code]


def _again(told: Told, card: Card) -> list[str]:
    command = "run" if told.summary else "synthesize"
    lines = [
        f"prose-data {command} config.yaml --out again",
        f"prose-data publish again --repo {card.repo or 'OWNER/NAME'} --dry-run    # writes again/hub, sends nothing",
    ]
    parts = ["## How to make it again", "```sh\n" + "\n".join(lines) + "\n```"]
    if not told.notice:
        parts.append(
            "Addresses of endpoints are not part of `config.yaml`: `--set models.NAME.base_url=…` names yours."
        )
    if files := own_files(told.config):
        parts.append(f"Files of the publisher's own are not part of this: {', '.join(map(escaped, files))}.")
    return parts


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
