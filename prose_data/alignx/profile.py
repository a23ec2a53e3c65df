"""Profiles: the labels of a vector's poles in words and back, and the vector that a history adds up to.

A profile is the labels of all dimensions that are not neutral, ascending, joined by comma and space. Labels hold commas
themselves, so a profile is read from the left, the longest label first, and never split.
"""

from collections.abc import Sequence

import numpy as np

from prose_data.alignx.dimensions import COUNT, DIMENSIONS, NEGATIVE, NEUTRAL, POSITIVE, Vector
from prose_data.errors import InputError

Threshold = tuple[int, int]  # numerator and denominator of a mean between 0 and 1

ABOVE: Threshold = (3, 5)
BELOW: Threshold = (2, 5)
_SEPARATOR = ", "
_LABELS = {
    label: (dimension.index, value)
    for dimension in DIMENSIONS
    for label, value in ((dimension.positive, POSITIVE), (dimension.negative, NEGATIVE))
}
_LONGEST_FIRST = sorted(_LABELS, key=len, reverse=True)


def label_of(index: int, value: float) -> str:
    """Return the label of dimension `index` at 1 or 0; "" at 0.5."""
    if value == NEUTRAL:
        return ""
    return DIMENSIONS[index].positive if value == POSITIVE else DIMENSIONS[index].negative


def to_text(vector: Vector) -> str:
    """Return the profile of `vector`; "" if it is neutral throughout."""
    return _SEPARATOR.join(label for index, value in enumerate(vector) if (label := label_of(index, value)))


def parse(text: str, place: str) -> Vector:
    """Return the vector of a profile, whose labels may be followed by a gloss in brackets.

    Raises InputError naming `place` and the piece that is no label, or a dimension that is there twice.
    """
    values = [NEUTRAL] * COUNT
    at = 0
    text = text.strip()
    while at < len(text):
        label = next((label for label in _LONGEST_FIRST if text.startswith(label, at)), None)
        end = -1 if label is None else _behind_gloss(text, at + len(label))
        if label is None or not (end == len(text) or text.startswith(_SEPARATOR, end)):
            raise InputError(f"{place}: {text[at : at + 60]!r} does not begin with the label of a dimension")
        index, value = _LABELS[label]
        if values[index] != NEUTRAL:
            raise InputError(f"{place}: dimension {index} ({DIMENSIONS[index].name}) is there twice")
        values[index] = value
        at = end + len(_SEPARATOR)
        if at == len(text):
            raise InputError(f"{place}: ends with a comma, behind {label!r}")
    return tuple(values)


def _behind_gloss(text: str, at: int) -> int:
    """Return the place behind the bracketed gloss that begins at `at` or a space later; `at` if there is none; -1 if it
    is not closed."""
    start = at + 1 if text.startswith(" (", at) else at
    if not text.startswith("(", start):
        return at
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return -1


def aggregate(
    vectors: Sequence[Vector],
    positive: Threshold = ABOVE,
    negative: Threshold = BELOW,
    *,
    single_precision: bool = False,
) -> Vector:
    """Return the vector that the vectors of a history add up to (AlignX, release: per dimension the mean).

    A mean of at least `positive` gives 1, of at most `negative` 0, else 0.5; no vectors give 0.5 throughout. Both are
    compared as exact fractions, which treats the poles alike; with `single_precision` as the release does, where 2/5 is
    not at most 0.4. A neutral history stays neutral: the release's fallback, which makes it 90 negative poles, is left out.
    """
    _check_thresholds(positive, negative)
    count = len(vectors)
    if not count:
        return (NEUTRAL,) * COUNT
    sums = np.sum(np.asarray(vectors, dtype=np.float64), axis=0)
    if single_precision:
        means = (sums.astype(np.float32) / np.float32(count)).astype(np.float64)
        above, below = means >= positive[0] / positive[1], means <= negative[0] / negative[1]
    else:
        twice = np.rint(2 * sums).astype(np.int64)  # whole, as values are halves
        above = twice * positive[1] >= 2 * count * positive[0]
        below = twice * negative[1] <= 2 * count * negative[0]
    return tuple(np.where(above, POSITIVE, np.where(below, NEGATIVE, NEUTRAL)).tolist())


def _check_thresholds(positive: Threshold, negative: Threshold) -> None:
    for name, (part, whole) in (("positive", positive), ("negative", negative)):
        if whole <= 0 or not 0 <= part <= whole:
            raise InputError(f"{name} threshold: {part}/{whole} is not between 0 and 1")
    if not 2 * positive[0] > positive[1] or not 2 * negative[0] < negative[1]:
        raise InputError(
            f"thresholds: positive {positive[0]}/{positive[1]} must be above 1/2 and negative "
            f"{negative[0]}/{negative[1]} below it"
        )
