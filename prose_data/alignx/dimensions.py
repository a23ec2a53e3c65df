"""The 90 dimensions of AlignX: their order, poles and groups, read from `data/alignx/dimensions.tsv`.

A vector says which of two responses a user prefers: 1 the one with more of the positive pole, 0 the one with more of
the negative pole, 0.5 no preference. Which pole is the positive one is arbitrary for some.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from prose_data.errors import InputError
from prose_data.paths import DATA

COUNT = 90
POSITIVE, NEUTRAL, NEGATIVE = 1.0, 0.5, 0.0
_COLUMNS = ["index", "name", "positive_pole", "negative_pole", "group", "theory"]

Vector = tuple[float, ...]  # 90 values of 1, 0.5 or 0
Pole = tuple[int, bool]  # a dimension's index, and whether it is its positive pole


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: its place in the vector, the labels of its poles as in a profile, group and theory as published."""

    index: int
    name: str
    positive: str
    negative: str
    group: str
    theory: str


def _load() -> tuple[Dimension, ...]:
    lines = (DATA / "alignx" / "dimensions.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    dimensions = tuple(Dimension(int(row[0]), *row[1:]) for row in rows[1:])
    if rows[0] != _COLUMNS or [dimension.index for dimension in dimensions] != list(range(COUNT)):
        raise ValueError(f"dimensions.tsv must hold {', '.join(_COLUMNS)} of dimensions 0 to {COUNT - 1}")
    return dimensions


DIMENSIONS = _load()
NEUTRAL_VECTOR: Vector = (NEUTRAL,) * COUNT


def check_vector(values: Any, place: str) -> Vector:
    """Return `values` (a list, tuple or array) as a vector.

    Raises InputError naming `place` if they are not 90 values of 1, 0.5 or 0.
    """
    if hasattr(values, "tolist"):  # an array, as Parquet gives them
        values = values.tolist()
    if not isinstance(values, list | tuple):
        raise InputError(f"{place}: must be a list of {COUNT} numbers, not {type(values).__name__}")
    if len(values) != COUNT:
        raise InputError(f"{place}: has {len(values)} values and must have {COUNT}, one per dimension")
    for index, value in enumerate(values):
        if isinstance(value, bool) or value not in (POSITIVE, NEUTRAL, NEGATIVE):
            raise InputError(f"{place}: value {index} is {value!r} and must be 1, 0.5 or 0")
    return tuple(map(float, values))


def mirrored(vector: Vector) -> Vector:
    """Return the vector of the opposite preference: x becomes 1 - x."""
    return tuple(1.0 - value for value in vector)


def poles_of(vector: Iterable[float]) -> tuple[Pole, ...]:
    """Return the poles that `vector` has, by index; none where it is neutral throughout."""
    return tuple((index, value == POSITIVE) for index, value in enumerate(vector) if value != NEUTRAL)


def vector_of(poles: Iterable[Pole]) -> Vector:
    """Return the vector that has these poles and is neutral elsewhere."""
    values = [NEUTRAL] * COUNT
    for index, positive in poles:
        values[index] = POSITIVE if positive else NEGATIVE
    return tuple(values)


def opposite(poles: Iterable[Pole]) -> tuple[Pole, ...]:
    """Return the other pole of each dimension."""
    return tuple((index, not positive) for index, positive in poles)


def label(pole: Pole) -> str:
    """Return the label of a pole, as profiles hold it."""
    dimension = DIMENSIONS[pole[0]]
    return dimension.positive if pole[1] else dimension.negative


@cache
def meanings() -> Mapping[Pole, str]:
    """Return what each pole means, in words of our own, from `data/alignx/meanings.tsv`."""
    lines = (DATA / "alignx" / "meanings.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {(int(index), value == "1"): text for index, value, text in (line.split("\t") for line in lines)}
