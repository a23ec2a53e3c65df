"""Training rows of ICA and PBA in the form that TRL reads (AlignX, on building a training row).

Of each target k comments and m pairs are drawn, both from 0 to 4 and independently; where both are 0, up to 4 of each are
kept. ICA's prompt shows the texts, PBA's the profile of exactly these items, by the very functions that scoring uses.
The target's direction and DEMO enter no prompt. What is drawn depends on a row's content and the seed alone, so neither
the order of rows nor their neighbours change it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Literal

from prose_data.alignx.dimensions import NEUTRAL_VECTOR, label, poles_of
from prose_data.alignx.novel import HeldOut, held_out, touches, without
from prose_data.alignx.persona import Persona
from prose_data.alignx.predicting import predict_messages
from prose_data.alignx.profile import ABOVE, BELOW, Threshold, aggregate, to_text
from prose_data.alignx.readers import rows_in, target_in
from prose_data.alignx.targets import Target
from prose_data.alignx.templates import ica_messages, pba_messages
from prose_data.errors import InputError
from prose_data.runs import land
from prose_data.streams import digest, stream

Kind = Literal["dpo", "sft", "bridge"]
Prompt = Literal["ica", "pba"]
SHARE = 0.07  # of the rows, in the published subset
MOST = 4  # items of each kind in a training row
_BATCH = 1000  # rows of a Parquet row group


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is exported: `dpo` (prompt, chosen, rejected), `sft` (prompt, completion) or `bridge` (persona to profile).

    `share`: the named draw of the rows, None for all. `hold_out`: so many dimensions stay out of targets and histories.
    """

    kind: Kind = "dpo"
    prompt: Prompt = "ica"
    seed: int = 0
    share: float | None = None
    hold_out: int = 0
    above: Threshold = ABOVE
    below: Threshold = BELOW

    @property
    def subset(self) -> str:
        """The name of the draw, as rows state it: "full", or "subset-0.07-seed-0"."""
        return "full" if self.share is None else f"subset-{self.share:g}-seed-{self.seed}"


def drawn_history(target: Target, seed: int) -> Persona:
    """Return the items of a target's history that its training row shows, in the order of the history."""
    draws = stream(seed, "training row", _content(target))
    comments, pairs = target.persona.comments, target.persona.pairs
    have = (len(comments), len(pairs))
    counts = [min(draws.randint(0, MOST), count) for count in have]
    if not any(counts):
        counts = [min(MOST, count) for count in have]
    places = [sorted(draws.sample(range(there), count)) for there, count in zip(have, counts, strict=True)]
    return replace(
        target.persona,
        demographic="",
        comments=tuple(comments[place] for place in places[0]),
        pairs=tuple(pairs[place] for place in places[1]),
    )


def in_subset(target: Target, share: float, seed: int) -> bool:
    """Return whether a target is in the draw of `share` of all rows, each with that chance whatever the others are."""
    return int(digest("subset", seed, _content(target)), 16) < share * 2**64


def training_row(target: Target, recipe: Recipe) -> dict[str, Any]:
    """Return a target's row, fit for JSON: what TRL reads, and beside it what both prompts can be built from again."""
    shown = drawn_history(target, recipe.seed)
    if not shown.directed and (recipe.prompt == "pba" or recipe.kind == "bridge"):
        raise InputError(
            f"{target.target_id}: its history has no directions, which a profile is added up from"
        )
    profile = aggregate(shown.directions, recipe.above, recipe.below)
    if recipe.kind == "bridge":
        labels = json.dumps({"components": [label(pole) for pole in poles_of(profile)]}, ensure_ascii=False)
        asked: dict[str, Any] = {"prompt": predict_messages(shown), "completion": [_said(labels)]}
    else:
        ica = recipe.prompt == "ica"
        prompt = ica_messages(target.prompt, shown) if ica else pba_messages(target.prompt, to_text(profile))
        answers = (
            {"chosen": [_said(target.chosen)], "rejected": [_said(target.rejected)]}
            if recipe.kind == "dpo"
            else {"completion": [_said(target.chosen)]}
        )
        asked = {"prompt": prompt, **answers}
    return asked | {
        "id": target.target_id,
        "subset": recipe.subset,
        "profile": to_text(profile),
        "thresholds": "{}/{} {}/{}".format(*recipe.above, *recipe.below),
        "comments": len(shown.comments),
        "pairs": len(shown.pairs),
        "direction": list(target.direction or NEUTRAL_VECTOR),
        "history": [list(direction) for direction in shown.directions],
    }


def training_rows(
    targets: Iterable[Target], recipe: Recipe, counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `recipe`, and count in `counts` what came of the targets:

    rows, not_in_subset, held_out (the target shows a dimension that is), no_history (nothing is left to show), and
    empty_profile among the rows.
    """
    novel = held_out(recipe.seed, recipe.hold_out)
    for target in targets:
        kept, reason = _kept(target, recipe, novel)
        if kept is None:
            counts[reason] += 1
            continue
        row = training_row(kept, recipe)
        counts["rows"] += 1
        counts["empty_profile"] += not row["profile"]
        yield row


def export(
    source: str, out: Path, recipe: Recipe, split: str = "train", limit: int | None = None
) -> Counter[str]:
    """Write the rows of the targets in `source` (see `readers`) to `out`, .jsonl or .parquet, whole or not at all.

    Returns the counts of `training_rows`. Raises InputError as the readers do.
    """
    if out.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"{out}: must end in .jsonl or .parquet")
    counts: Counter[str] = Counter()
    targets = (_identified(target_in(row, "")) for row in rows_in(source, split, limit))
    rows = training_rows(targets, recipe, counts)
    first = next(rows, None)
    if first is None:
        left = ", ".join(f"{reason} {count:,}" for reason, count in counts.items())
        raise InputError(f"{source}: no row is left to export ({left})")
    rows = chain([first], rows)
    write = _write_parquet if out.suffix == ".parquet" else _write_lines
    land(out, lambda file: write(rows, file))
    return counts


def _kept(target: Target, recipe: Recipe, novel: HeldOut) -> tuple[Target | None, str]:
    """Return the target as far as it may be shown, or why it may not."""
    if recipe.share is not None and not in_subset(target, recipe.share, recipe.seed):
        return None, "not_in_subset"
    if novel and target.direction is not None and touches(target.direction, novel):
        return None, "held_out"
    if novel:
        target = replace(target, persona=without(target.persona, novel))
    return (target, "") if target.persona.items else (None, "no_history")


def _content(target: Target) -> str:
    """Return a digest of all that a target's row says, apart from its id and its user."""
    persona = target.persona
    texts = [target.prompt, target.chosen, target.rejected, persona.demographic]
    texts += [text for item in persona.comments for text in (item.prompt, item.comment)]
    texts += [text for item in persona.pairs for text in (item.prompt, item.chosen, item.rejected)]
    return digest(*texts)


def _identified(target: Target) -> Target:
    """Return a target under its own id, or else one that follows from its content, not from its place in the file."""
    return target if target.target_id else replace(target, target_id=_content(target))


def _said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _write_lines(rows: Iterable[Mapping[str, Any]], file: IO[bytes]) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n")


def _write_parquet(rows: Iterator[Mapping[str, Any]], file: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    batch = list(islice(rows, _BATCH))
    schema = pa.Table.from_pylist(batch).schema
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            batch = list(islice(rows, _BATCH))
