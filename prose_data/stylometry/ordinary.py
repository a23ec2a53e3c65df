"""What ordinary writing of a kind looks like: for each habit how much of it, and how far texts differ in it.

The bundled figures are `data/stylometry/ordinary.yaml`. References that a caller brings are counted in with them.
"""

from dataclasses import dataclass
from functools import cache
from typing import get_args

import numpy as np
import yaml

from prose_data.paths import DATA
from prose_data.stylometry.table import TABLE
from prose_data.values import Task

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
WEIGHT = 2.0  # how many reference texts the bundled figures count as much as: kinds of writing differ a lot


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary writing: for each row of the table the mean (hits per 100 words, or share) and the spread.

    `spread` is the shape k of the gamma distribution of rates over texts, or the sum a + b of the beta distribution of
    shares; small where texts differ much.
    """

    mean: Floats
    spread: Floats


@cache
def ordinary(kind: Task | None) -> Ordinary:
    """Return the bundled figures for `kind`; for None in each row those of the kind that has more of it."""
    if kind is None:
        first, *others = (ordinary(one) for one in get_args(Task))
        for other in others:
            more = other.mean > first.mean
            first = Ordinary(
                np.where(more, other.mean, first.mean), np.where(more, other.spread, first.spread)
            )
        return first
    figures = yaml.safe_load((DATA / "stylometry" / "ordinary.yaml").read_text(encoding="utf-8"))
    mean, spread = np.array([figures[name][kind] for name in TABLE], dtype=np.float64).T
    return Ordinary(mean, spread)


def with_references(base: Ordinary, rates: Floats, weights: Floats) -> Ordinary:
    """Return `base` with the references counted in.

    `rates` and `weights` are (references, rows): what each reference has per chance, and how much of a text it is, 0
    where it had no chance, 1 for a whole one.
    """
    mean = (base.mean * WEIGHT + (rates * weights).sum(axis=0)) / (WEIGHT + weights.sum(axis=0))
    return Ordinary(mean, base.spread)
