"""Which of a run's judged texts a person is to label: spread evenly over methods, components and verdicts.

A text and a component are labelled once, however many methods came to the same draft. The chance of each pair to be
drawn is known exactly, so that labels can stand for the whole run again.
"""

from dataclasses import dataclass
from math import ceil

import polars as pl

from prose_data.calibration.gold import Pair
from prose_data.errors import InputError
from prose_data.runs import Run
from prose_data.streams import digest, stream


@dataclass(frozen=True, slots=True)
class Drawn:
    """A text and a component to be labelled; `weight` is how many such pairs of the run it stands for, `rows` how many
    scores are about this one, `user_id` the user of the first of them."""

    pair: Pair
    weight: float
    rows: int
    user_id: str


def rated(run: Run) -> pl.DataFrame:
    """Return a finished run's PPCM scores with the text that each is about.

    Columns method, user_id, component, value, judge, text. Raises InputError where the run is not finished or has none.
    """
    if not run.finished:
        raise InputError(f"{run.path}: is not finished; run prose-data run {run.path} to go on with it first")
    scores = run.scan("scores").filter(pl.col("metric") == "ppcm")
    drafts = run.scan("inferences").select("inference_id", text="draft")
    columns = ("method", "user_id", "component", "value", "judge", "text")
    rows = scores.join(drafts, on="inference_id").sort("inference_id", "component").select(columns).collect()
    if rows.is_empty():
        raise InputError(
            f"{run.path}: has no scores of ppcm to calibrate; add ppcm to metrics and score a new run"
        )
    return rows


def draw(rows: pl.DataFrame, count: int, seed: int) -> list[Drawn]:
    """Return `count` pairs of `rows` (see `rated`), or all if there are fewer, in an order that says nothing.

    Verdict class (for, neither, against) and methods make strata with equally many pairs each, as far as they have so
    many; within, systematic sampling spreads them over components (Cochran, "Sampling Techniques", chapter 8).
    """
    pairs = (
        rows.group_by("text", "component")
        .agg(
            rows=pl.len(),
            user_id=pl.col("user_id").min(),
            methods=pl.col("method").unique().sort().str.join(" "),
            verdict=pl.col("value").mean().round().sign(),
        )
        .sort("text", "component")
    )
    names = [
        digest("label", seed, component, text)
        for text, component in pairs.select("text", "component").iter_rows()
    ]
    pairs = pairs.with_columns(name=pl.Series(names)).sort("verdict", "methods", "component", "name")
    sizes = pairs.group_by("verdict", "methods", maintain_order=True).len()["len"].to_list()
    chances = [
        chance for size, chance in zip(sizes, _chances(sizes, count), strict=True) for _ in range(size)
    ]
    start = stream(seed, "label", "start", count).random()
    drawn, reached = [], 0.0
    for row, chance in zip(pairs.iter_rows(named=True), chances, strict=True):
        before, reached = reached, round(reached + chance, 9)
        if ceil(reached - start) > ceil(before - start):
            pair = row["text"], row["component"]
            drawn.append((row["name"], Drawn(pair, 1 / chance, row["rows"], row["user_id"])))
    return [item for _, item in sorted(drawn, key=lambda found: found[0])]


def _chances(sizes: list[int], count: int) -> list[float]:
    """Return the chance of a member of each stratum, so that `count` are drawn, equally many of each where it has them."""
    left, open_sizes = float(count), sorted(sizes)
    each = 0.0
    for place, size in enumerate(open_sizes):
        each = left / (len(open_sizes) - place)
        if size > each:
            break
        left -= size
        each = float(size)
    return [min(1.0, each / size) for size in sizes]
