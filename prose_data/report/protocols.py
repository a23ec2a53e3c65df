"""What the harder protocols show: one short section each, made from saved rows, for the runs that have the protocol."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import polars as pl

from prose_data.config import Config
from prose_data.report.basis import Cells, cell, grid, named, optional, show
from prose_data.spaces import load_space
from prose_data.stats import mean_interval

if TYPE_CHECKING:
    from prose_data.report.summary import Tables
    from prose_data.runs import Run

# Numbers of samples at which a learning curve is told; longer ones go on with 50, 100, 200, …
CURVE = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
_LONG = 10  # samples from which learning gets a section of its own

# A section is {"title", "note", "metric", "columns", "rows": {method: [estimate or None or text, one per column]}}. All
# columns are about its metric, in brief: the page leaves the intervals out for want of room; or, where that is "", about
# their own. Some have a "figure", the name of a file without its ending.
Section = dict[str, Any]
Rows = Mapping[str, Sequence[Mapping[str, Any] | str | None]]
_OF_USER = ["user_id", "seed", "document_id"]


def beside(run: "Run") -> dict[str, pl.DataFrame]:
    """Return the tables that only some protocols have to have looked at: `truths`, the `documents`' words, and the counts
    of `related` samples."""
    protocol, frames = run.config.protocol, {}
    if run.config.varies:
        frames["truths"] = run.scan("truths").collect()
    if protocol.parts > 1:
        words = pl.col("text").str.count_matches(r"\S+")
        frames["documents"] = run.scan("documents").select("document_id", words=words).collect()
    if run.config.serves.users != 1:
        frames["related"] = pl.DataFrame(run.read_counts("related-*"), schema=["right", "found"])
    return frames


def protocols(config: Config, tables: "Tables", cells: Cells, costs: Cells) -> list[Section]:
    """Return the sections on what makes this run harder than the published benchmarks; none for a plain run."""
    rows = tables.scores
    if config.varies or config.serves.users != 1:
        rows = rows.join(tables.inferences.select("inference_id", "document_id"), on="inference_id")
    sections: list[Section] = []
    if config.protocol.drift is not None and tables.truths is not None:
        sections += _drift(config, rows, tables.truths, config.protocol.drift.step)
    if config.protocol.conflict is not None and tables.truths is not None:
        sections += _conflict(config, rows, tables.truths)
    if config.serves.users != 1:
        sections += _mixed(config, rows, cells, tables.related)
    if config.protocol.documents == "topic":
        sections += _distractor(config, tables, cells)
    if config.samples.per_user > _LONG and config.serves.users == 1 and not config.varies:
        sections += _curves(config, cells)
    if config.protocol.parts > 1 and tables.documents is not None:
        sections += _long(config, tables, tables.documents, costs)
    return sections + _paraphrased(config)


def figured(sections: Sequence[Section]) -> list[Section]:
    """Return the sections that have a figure."""
    return [section for section in sections if "figure" in section]


def protocol_parts(sections: Sequence[Section]) -> list[str]:
    """Return the parts of `report.md` that tell the sections."""
    parts = []
    for section in sections:
        header, rows = protocol_table(section)
        parts += [f"## {section['title']}", cell(section["note"])]
        parts += [grid(header, rows)] if rows else []
        parts += [f"![{section['title']}](figures/{section['figure']}.svg)"] if "figure" in section else []
    return parts


def protocol_table(section: Section) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a section's table as text; no rows where it has only words."""
    rows = [
        [
            named(method),
            *(
                _text(value, section["metric"], column)
                for value, column in zip(values, section["columns"], strict=True)
            ),
        ]
        for method, values in section["rows"].items()
    ]
    return ["method", *section["columns"]], rows


def _text(value: Mapping[str, Any] | str | None, metric: str, column: str) -> str:
    if isinstance(value, str):
        return value
    return show(value and {**value, "low": None} if metric else value, metric or column)


def _section(
    title: str,
    note: str,
    columns: Sequence[str],
    rows: Rows,
    metric: str = "",
) -> list[Section]:
    """Return the section, without methods for which nothing of it is defined; none if that are all of them."""
    there = {method: list(values) for method, values in rows.items() if any(values)}
    section = {"title": title, "note": note, "metric": metric, "columns": list(columns), "rows": there}
    return [section] if there else []


def _drift(config: Config, rows: pl.DataFrame, truths: pl.DataFrame, step: int) -> list[Section]:
    """Return how recovery, drafts, and what is stated of new and dropped components go on after the change."""
    before = truths.filter(pl.col("step") == 0).select("user_id", "seed", before="components")
    since = truths.select(*_OF_USER, since=pl.col("step") - step).join(before, on=["user_id", "seed"])
    rows = rows.join(since, on=_OF_USER).filter(pl.col("since") >= -1)
    new = (pl.col("since") >= 0) & ~pl.col("before").list.contains(pl.col("component"))
    points = sorted(rows["since"].unique().to_list())
    columns = ["before" if point < 0 else str(point) for point in points]

    def course(keep: pl.Expr) -> dict[str, list[dict[str, Any] | None]]:
        return {
            method: [_mean(rows, keep, pl.col("method") == method, pl.col("since") == p) for p in points]
            for method in config.methods
        }

    stated, dropped = course((pl.col("metric") == "recovered") & new), course(pl.col("metric") == "stale")
    after = "by samples seen since the change (before: at the last document before it)"
    half: Rows = {
        method: [*values, _half_way(points, values, dropped[method])]
        for method, values in stated.items()
        if any(values)
    }
    return [
        *(
            section
            for metric in ("recovery_f1", "ppcm")
            for section in _section(
                f"Drift: {metric}", f"{after.capitalize()}.", columns, course(_is(metric)), metric
            )
        ),
        *_section(
            "Drift: new components stated",
            f"Share of the new components that are stated, {after}; half-way: at how many samples first more of the new "
            "than of the dropped ones are.",
            [*columns, "half-way"],
            half,
            "recovered",
        ),
        *_section(
            "Drift: dropped components still stated",
            f"Share of the components no longer held that are stated, {after}.",
            columns,
            dropped,
            "stale",
        ),
    ]


def _half_way(
    points: Sequence[int],
    stated: Sequence[Mapping[str, Any] | None],
    dropped: Sequence[Mapping[str, Any] | None],
) -> str:
    """Return the first number of samples since the change at which more new than dropped components are stated."""
    for point, new, old in zip(points, stated, dropped, strict=True):
        if new and old and new["mean"] > old["mean"]:
            return str(point)
    return f"not by {points[-1]}"


def _conflict(config: Config, rows: pl.DataFrame, truths: pl.DataFrame) -> list[Section]:
    """Return which value of a contested component is stated, and how often an uncontested one is."""
    pairs = (
        truths.explode("components", "told")
        .filter(pl.col("components") != pl.col("told"))
        .select("user_id", "seed", contested="components", rival="told")
        .unique(maintain_order=True)
    )
    heldout = config.samples.heldout > 0
    late = pl.col("own") >= config.samples.per_user if heldout else pl.col("step") > 0
    rows = rows.join(truths.select(*_OF_USER, own="step"), on=_OF_USER).filter(late)
    stated = rows.filter(_is("recovered")).select("inference_id", contested="component", ours="value")
    against = rows.filter(_is("rival")).select("inference_id", rival="component", theirs="value")
    both = (
        rows.select("inference_id", "user_id", "seed", "method")
        .unique(maintain_order=True)
        .join(pairs, on=["user_id", "seed"])
        .join(stated, on=["inference_id", "contested"])
        .join(against, on=["inference_id", "rival"])
    )
    free = rows.filter(_is("recovered")).join(
        pairs, left_on=["user_id", "seed", "component"], right_on=["user_id", "seed", "contested"], how="anti"
    )
    outcomes = [(1, 0), (0, 1), (1, 1), (0, 0)]
    table = {}
    for method in config.methods:
        mine = both.filter(method=method)
        shares = [
            mine.select("user_id", value=((pl.col("ours") == a) & (pl.col("theirs") == b)).cast(pl.Float64))
            for a, b in outcomes
        ]
        table[method] = [
            *(optional(mean_interval(share)) for share in shares),
            _mean(free, pl.col("method") == method),
        ]
    when = "after all samples, at heldout documents" if heldout else "from the first sample on"
    return _section(
        "Conflict: what is stated of a contested component",
        f"Shares {when}: the value that the majority of a user's texts shows, that of the minority, both or neither; and "
        "how often a component is stated on which all texts agree.",
        ["majority", "minority", "both", "neither", "uncontested"],
        table,
    )


def _mixed(config: Config, rows: pl.DataFrame, cells: Cells, related: pl.DataFrame | None) -> list[Section]:
    """Return what is stated of the user's own components and of those of others in the same audience."""

    def counted(metric: str, method: str) -> dict[str, Any] | None:
        mine = rows.filter(_is(metric), pl.col("method") == method, pl.col("step") > 0)
        sums = mine.group_by("inference_id", "user_id").agg(pl.col("value").sum()).sort("inference_id")
        return optional(mean_interval(sums))

    late = pl.col("step") > 0
    table = {
        method: [
            _cell(cells, method, "recovery_f1", late),
            counted("recovered", method),
            counted("crosstalk", method),
            _cell(cells, method, "crosstalk", late),
        ]
        for method in config.methods
    }
    told = "not told" if config.serves.source == "unknown" else "told"
    right, found = (0, 0) if related is None else (int(related[key].sum()) for key in ("right", "found"))
    share = f"; {right / found:.0%} of them are the user's own" if found else ""
    return _section(
        "Users served together",
        f"From the first sample on. Methods are {told} whose a document is, and find related samples by "
        f"{config.retrieves.by}{share}. Own, others': how many of the user's own components, and of those of the others "
        "served with them, are stated for a user; crosstalk: the share of the others'.",
        ["recovery_f1", "own", "others'", "crosstalk"],
        table,
    )


def _distractor(config: Config, tables: "Tables", cells: Cells) -> list[Section]:
    """Return topic leak, and drafts on the topic learned from against drafts on others."""
    heldout = tables.samples.filter(pl.col("split") == "heldout").select(_OF_USER)
    table = {}
    for method in config.methods:
        ppcm = cells.get((method, "ppcm"))
        inside, outside = None, None
        if ppcm is not None:
            inside = mean_interval(ppcm.filter(pl.col("step") > 0).join(heldout, on=_OF_USER, how="anti"))
            outside = mean_interval(ppcm.join(heldout, on=_OF_USER, how="semi"))
        leak = _cell(cells, method, "topic_leak", pl.lit(True))
        table[method] = [leak, optional(inside), optional(outside)]
    return _section(
        "Distractor topics",
        "Topic leak: share of stated components that hold a word of what the documents are about. ppcm after the first "
        "sample, on further documents about the topic that is learned from, and on heldout ones of other sources.",
        ["topic_leak", "ppcm, same topic", "ppcm, other sources"],
        table,
    )


def _curves(config: Config, cells: Cells) -> list[Section]:
    """Return learning curves: means at chosen numbers of samples, two of them with a figure."""
    seen = [n for n in CURVE if n <= config.samples.per_user]
    sections = [
        section
        for metric in ("recovery_f1", "ppcm", "topic_leak", "description_length")
        for section in _section(
            f"Learning curve: {metric}",
            "By the number of samples seen.",
            [str(n) for n in seen],
            {m: [_cell(cells, m, metric, pl.col("step") == n) for n in seen] for m in config.methods},
            metric,
        )
    ]
    drawn = {metric: {"figure": f"learning_{metric}"} for metric in ("recovery_f1", "ppcm")}
    return [{**section, **drawn.get(section["metric"], {})} for section in sections]


def _long(config: Config, tables: "Tables", documents: pl.DataFrame, costs: Cells) -> list[Section]:
    """Return how long the documents are, and what prompts that makes."""
    used = documents.join(tables.inferences.select("document_id"), on="document_id", how="semi")
    words: list[int] = used["words"].to_list() or [0]
    table = {
        method: [_cell(costs, method, kind, pl.lit(True)) for kind in ("prompt_tokens", "completion_tokens")]
        for method in config.methods
    }
    return _section(
        "Long documents",
        f"Each document is {config.protocol.parts} of a source, joined: {fmean(words):,.0f} words on average, "
        f"{min(words):,} to {max(words):,}. Tokens per user and seed.",
        ["prompt_tokens", "completion_tokens"],
        table,
    )


def _paraphrased(config: Config) -> list[Section]:
    """Return the notice that the run's space, if it is a bundled one, says another one in other words."""
    if config.space.endswith((".yaml", ".yml")):  # a file that need no longer be there
        return []
    space = load_space(config.space)
    note = f"The components of {space.name} are those of {space.paraphrases} in other words; compare with a run of that."
    section = {"title": "Paraphrased components", "note": note, "metric": "", "columns": [], "rows": {}}
    return [section] if space.paraphrases else []


def _is(metric: str) -> pl.Expr:
    return pl.col("metric") == metric


def _mean(rows: pl.DataFrame, *keep: pl.Expr) -> dict[str, Any] | None:
    """Return the mean of the kept rows, of which those of one inference are averaged first."""
    kept = rows.filter(*keep).group_by("inference_id", "user_id").agg(pl.col("value").mean())
    return optional(mean_interval(kept.sort("inference_id")))


def _cell(cells: Cells, method: str, metric: str, keep: pl.Expr) -> dict[str, Any] | None:
    frame = cells.get((method, metric))
    return None if frame is None else optional(mean_interval(frame.filter(keep)))
