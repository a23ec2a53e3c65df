"""Means and their 95 % intervals, from resampling users: the rows of one user are no independent observations.

Every estimate is a ratio of sums over users (a mean is a sum of values over a count of rows), so one bootstrap
serves all: a few thousand of them are one matrix product, taken in blocks of draws so that memory stays flat. The
percentiles are widened for few users as Hesterberg ("What Teachers Should Know About the Bootstrap", 2014, section
4.3) does, because the plain ones cover too little: about 88 % with the nine users of PLUME. With fewer than eight no
percentile reaches far enough (50 % with two users), so there Student's interval stands in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from prose_data.streams import numpy_stream

Array = NDArray[np.float64]

DRAWS = 2000
LEVEL = 0.95
_FEW = 8  # users below whom the interval is Student's
_BLOCK = 2**22  # weights of a block: 32 MB while it is multiplied, 4 MB while it is kept
_KEPT = 32  # blocks that are kept for the next estimate with as many users


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` rows with its 95 % interval; `low` and `high` are None with fewer than two users."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """What is estimated: the sum of `top` over the sum of `bottom`, each with one number per user in order of their ids.

    Of a mean, these are the sum of a user's values and the number of their rows; `n` are the rows of all of them.
    """

    top: Array
    bottom: Array
    n: int

    @property
    def users(self) -> int:
        """The number of users."""
        return len(self.top)

    @property
    def value(self) -> float | None:
        """The ratio itself; None where it has no bottom."""
        total = float(self.bottom.sum())
        return None if not self.users or abs(total) < 1e-12 else float(self.top.sum()) / total


def ratio(users: pl.Series, top: Array, bottom: Array) -> Ratio:
    """Return the ratio of these rows' sums; the order of rows does not matter."""
    owner = users.rank("dense").to_numpy().astype(np.intp) - 1
    order = np.lexsort((bottom, top, owner))  # sums of floats depend on their order
    owner, count = owner[order], users.n_unique()
    tops, bottoms = (
        np.bincount(owner, weights=part[order], minlength=count).astype(np.float64) for part in (top, bottom)
    )
    return Ratio(tops, bottoms, len(owner))


def estimates(ratios: Sequence[Ratio | None]) -> list[Estimate | None]:
    """Return each ratio with its interval, None for none or one without a bottom.

    No interval with fewer than two users, or where some draw of users turns the bottom's sign around, as the ratio then
    has no meaning. All ratios over equally many users share their draws.
    """
    found: list[Estimate | None] = [None] * len(ratios)
    for places in _by_users(ratios):
        chosen = [one for place in places if (one := ratios[place]) is not None]
        for place, one, (low, high) in zip(places, chosen, _intervals(chosen), strict=True):
            assert one.value is not None
            found[place] = Estimate(one.value, low, high, one.n)
    return found


def standard_errors(ratios: Sequence[Ratio | None]) -> list[float | None]:
    """Return each ratio's standard error: the standard deviation over the same draws of users that its interval is from,
    times sqrt(n / (n - 1)) for n users, without which it is too small.

    None where `estimates` gives no interval.
    """
    found: list[float | None] = [None] * len(ratios)
    for places in _by_users(ratios):
        chosen = [one for place in places if (one := ratios[place]) is not None]
        count = chosen[0].users
        if count < 2:
            continue
        drawn, sound = _drawn(chosen)
        spread = drawn.std(axis=0) * sqrt(count / (count - 1))
        for number, place in enumerate(places):
            found[place] = float(spread[number]) if sound[number] else None
    return found


def _by_users(ratios: Sequence[Ratio | None]) -> list[list[int]]:
    """Return the places of the ratios that have a value, those over equally many users together."""
    found: dict[int, list[int]] = {}
    for place, one in enumerate(ratios):
        if one is not None and one.value is not None:
            found.setdefault(one.users, []).append(place)
    return list(found.values())


def _intervals(ratios: Sequence[Ratio]) -> list[tuple[float | None, float | None]]:
    """Return low and high of each of some ratios over equally many users."""
    count = ratios[0].users
    if count < 2:
        return [(None, None)] * len(ratios)
    drawn, sound = _drawn(ratios)
    if count < _FEW:
        tops, bottoms = (
            np.stack(part, axis=1) for part in zip(*((r.top, r.bottom) for r in ratios), strict=True)
        )
        low, high = _students(tops, bottoms)
    else:
        tail = _tail(count)
        low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return [
        (float(low[place]), float(high[place])) if sound[place] else (None, None)
        for place in range(len(ratios))
    ]


def _drawn(ratios: Sequence[Ratio]) -> tuple[Array, NDArray[np.bool_]]:
    """Return what each of some ratios over equally many users is in each draw, shape (DRAWS, ratios), and which of them
    keep the sign of their bottom in all draws; the others have no meaning."""
    tops = np.stack([one.top for one in ratios], axis=1)
    shared: dict[bytes, int] = {}  # most bottoms are the same numbers of rows
    of = [shared.setdefault(one.bottom.tobytes(), len(shared)) for one in ratios]
    bottoms = np.stack([np.frombuffer(bottom) for bottom in shared], axis=1)
    sums = np.concatenate([tops, bottoms], axis=1)
    drawn = np.concatenate([block @ sums for block in _weights(ratios[0].users)])
    top, bottom = drawn[:, : len(ratios)], drawn[:, len(ratios) :]
    sound: NDArray[np.bool_] = (bottom * bottoms.sum(axis=0) > 0).all(axis=0)[of]
    return top / np.where(sound, bottom[:, of], 1.0), sound


def _students(tops: Array, bottoms: Array) -> tuple[Array, Array]:
    """Return low and high of each column's ratio, linear in what users differ by."""
    count = len(tops)
    ratios = tops.sum(axis=0) / bottoms.sum(axis=0)
    spread = np.sqrt(count / (count - 1) * np.square(tops - ratios * bottoms).sum(axis=0))
    half = special.stdtrit(count - 1, (1 + LEVEL) / 2) * spread / np.abs(bottoms.sum(axis=0))
    return ratios - half, ratios + half


def _weights(count: int) -> Iterator[Array]:
    """Yield how often each of `count` users occurs in each draw: blocks that together have the shape (DRAWS, count)."""
    rows = max(1, _BLOCK // count)
    for first in range(0, DRAWS, rows):
        yield _block(count, first, min(rows, DRAWS - first)).astype(np.float64)


@lru_cache(maxsize=_KEPT)
def _block(count: int, first: int, rows: int) -> NDArray[np.uint8]:
    drawn = numpy_stream(0, "bootstrap", count, first).integers(count, size=(rows, count), dtype=np.int32)
    return np.stack([np.bincount(draw, minlength=count).astype(np.uint8) for draw in drawn])


def _tail(count: int) -> float:
    """Return the share to cut at each end so that an interval from `count` users is as wide as Student's."""
    student = special.stdtrit(count - 1, (1 + LEVEL) / 2)
    return float(special.ndtr(-student * sqrt(count / (count - 1))))
