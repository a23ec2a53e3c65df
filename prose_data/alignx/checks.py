"""What a data set's manifest says of its quality: surface rules, balance, coverage, duplicates, and what must not be.

A rule that guesses the choice from the surface should be right in half of all rows; it counts 1/2 where it cannot tell,
and what it has to learn it learns in the other half of the rows.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from prose_data.alignx.dimensions import COUNT, DIMENSIONS
from prose_data.alignx.likeness import alike
from prose_data.alignx.tally import Tally, examine, merged
from prose_data.workers import Spread

SLACK = (
    0.02  # by which a surface rule may differ from 1/2, and a pole from half of its dimension, beyond chance
)
NEAR_DUPLICATES = 0.01  # largest share of nearly equal texts
ENOUGH = 2_000  # rows from which every pole has to be there

Numbers = NDArray[np.int64]
Parts = Sequence[tuple[Path, Path | None]]


def check_parts(parts: Parts, spread: Spread = map) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return what all checks find in parts of records, each with the part of its users if there is one, as plain data,
    and the correlations of the users' dimensions.

    `problems` in it lists what should not be. Every part is read once. Raises InputError naming file and row for a row
    that is no record.
    """
    ends: list[int] = []

    def counted() -> Iterator[Tally]:
        for tally in spread(_examined, parts):
            ends.append(len(tally.listed["key"]) + (ends[-1] if ends else 0))
            yield tally

    def place(row: int) -> str:
        part = bisect_right(ends, row)
        return f"{parts[part][0]}, row {row - (ends[part - 1] if part else 0) + 1}"

    whole = merged(counted())
    return findings(whole, place), correlations(whole.summed["products"])


def _examined(part: tuple[Path, Path | None]) -> Tally:
    return examine(*part)


def findings(tally: Tally, place: Callable[[int], str]) -> dict[str, Any]:
    """Return what `check_parts` finds, from the counts of all rows; `place` names the file and row of one, from 0."""
    listed, rows = tally.listed, len(tally.listed["key"])
    distinct, first = np.unique(listed["key"], return_index=True)
    again = np.setdiff1d(np.arange(rows), first)
    found: dict[str, Any] = {
        "records": rows,
        "items": dict(zip(("comments", "pairs"), tally.summed["items"].tolist(), strict=True)),
        "characters": _means(tally.summed["characters"], rows),
        "distinct": {"choices": len(distinct), "vectors": len(np.unique(listed["vector"]))},
        "surface": {
            "longer": _share(listed["longer"]),
            "wordier": _share(listed["wordier"]),
            "longer_by_pole": longer_by_pole(tally),
            "first_word": first_word(listed["first"]),
        },
        "duplicate_rows": {"count": len(again), "first": place(int(again[0])) if len(again) else ""},
        "near_duplicates": {"posts": alike(listed["posts"]), "replies": alike(listed["replies"])},
        "bad": {what: {"count": count, "first": place} for what, (count, place) in tally.bad.items()},
        "dimensions": _dimensions(tally),
    }
    return found | {"problems": problems(found)}


def correlations(products: Numbers) -> pl.DataFrame:
    """Return the correlation of each two dimensions over users, by their signs; `products` as in a tally."""
    users = products[-1, -1]
    means = products[-1, :COUNT] / max(1, users)
    shared = products[:COUNT, :COUNT] / max(1, users) - np.outer(means, means)
    spread = np.sqrt(np.diag(shared))
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = shared / np.outer(spread, spread)
    first, second = np.triu_indices(COUNT, 1)
    frame = pl.DataFrame({"first": first, "second": second, "correlation": matrix[first, second]})
    return frame.filter(pl.col("correlation").is_finite())


def first_word(words: NDArray[np.uint64]) -> float:
    """Return how often the rule is right that takes the response whose first word preferred ones have more often."""
    kinds, places = np.unique(words, return_inverse=True)
    chosen, rejected = places.reshape(words.shape).T
    half = np.arange(len(words)) % 2
    points = np.empty(len(words))
    for own in (0, 1):
        learned, asked = half != own, half == own
        won = np.bincount(chosen[learned], minlength=len(kinds))
        met = won + np.bincount(rejected[learned], minlength=len(kinds))
        share = np.where(met > 0, won / np.maximum(met, 1), 0.5)
        points[asked] = 0.5 + 0.5 * np.sign(share[chosen[asked]] - share[rejected[asked]])
    return _rounded(points.mean()) if len(points) else 0.5


def longer_by_pole(tally: Tally) -> float:
    """Return how often the rule is right that knows a target's poles and takes the length that goes with them."""
    rows, codes, longer = tally.listed["row"], tally.listed["code"], tally.listed["longer"]
    half = np.arange(len(longer)) % 2
    points = np.full(len(longer), 0.5)
    for own in (0, 1):
        learned = half[rows] != own
        count = np.bincount(codes[learned], minlength=2 * COUNT)
        lean = np.bincount(codes[learned], longer[rows[learned]], 2 * COUNT) / np.maximum(count, 1)
        expected = np.bincount(rows, lean[codes], len(longer))
        asked = half == own
        points[asked] = 0.5 + 0.5 * np.sign(expected[asked]) * longer[asked]
    return _rounded(points.mean()) if len(points) else 0.5


def problems(found: dict[str, Any]) -> list[str]:
    """Return what is wrong with a data set, a sentence each."""
    rows = found["records"]
    sentences = [
        f"{what}: {one['count']:,} of them, the first in {one['first']}" for what, one in found["bad"].items()
    ]
    for rule, share in found["surface"].items():
        if abs(share - 0.5) > _chance(rows):
            sentences.append(
                f"surface: the rule {rule} is right in {share:.1%} of {rows:,} rows, not in half"
            )
    if again := found["duplicate_rows"]["count"]:
        where = found["duplicate_rows"]["first"]
        sentences.append(f"duplicate_rows: {again:,} rows repeat an earlier one, the first is {where}")
    for kind, texts in (("posts", rows), ("replies", 2 * rows)):
        count = found["near_duplicates"][kind]
        if count > NEAR_DUPLICATES * texts:
            sentences.append(f"near_duplicates: {count:,} of {texts:,} {kind} are nearly equal to another")
    for one in found["dimensions"]:
        count = one["positive"] + one["negative"]
        if rows >= ENOUGH and not (one["positive"] and one["negative"]):
            sentences.append(
                f"coverage: dimension {one['index']} ({one['name']}) lacks a pole in all targets"
            )
        elif count and abs(one["positive"] / count - 0.5) > _chance(count):
            sentences.append(
                f"balance: dimension {one['index']} ({one['name']}) is positive in {one['positive']:,} of {count:,} targets"
            )
    return sentences


def _dimensions(tally: Tally) -> list[dict[str, Any]]:
    """Return of each dimension how many targets have its poles, how many history items show them, and how often the
    chosen response is the longer one there."""
    rows, codes, shown = tally.listed["row"], tally.listed["code"], tally.summed["shown"]
    count = np.bincount(codes, minlength=2 * COUNT)
    longer = np.bincount(codes, 0.5 + 0.5 * tally.listed["longer"][rows], 2 * COUNT)
    share = [_rounded(one / number) if number else None for one, number in zip(longer, count, strict=True)]
    return [
        {
            "index": dimension.index,
            "name": dimension.name,
            "positive": int(count[code + 1]),
            "negative": int(count[code]),
            "shown_positive": int(shown[code + 1]),
            "shown_negative": int(shown[code]),
            "longer_positive": share[code + 1],
            "longer_negative": share[code],
        }
        for code, dimension in zip(range(0, 2 * COUNT, 2), DIMENSIONS, strict=True)
    ]


def _chance(count: int) -> float:
    """Return how far from 1/2 a share of `count` may lie: SLACK, and three standard errors."""
    return SLACK + 1.5 / math.sqrt(max(1, count))


def _share(signs: NDArray[np.int8]) -> float:
    """Return the share of 1, where 0 counts half."""
    return _rounded(float(0.5 + 0.5 * signs.mean())) if len(signs) else 0.5


def _means(sums: Numbers, rows: int) -> dict[str, float]:
    means = (sums / max(1, rows)).round(1).tolist()
    return dict(zip(("prompt", "chosen", "rejected"), means, strict=True))


def _rounded(value: float) -> float:
    return round(float(value), 5)
