"""Is one method better than another? Paired differences by user, with permutation tests, Holm's correction, effect sizes.

A comparison starts from the `Ratio` of a paired difference: the sum of a user's differences over the number of them.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

from prose_data.stats.resampling import LEVEL, Array, Estimate, Ratio, estimates
from prose_data.streams import numpy_stream

FLIPS = 9_999
_EXACT = 14  # users up to whom all flips of signs are gone through: 8,192 of them
_BLOCK = 2**21  # signs of a block: 16 MB
_SAME = 1e-9  # share of the largest sum by which two sums differ from rounding alone
_EQUAL = 1e-12  # the same of two numbers that were not added up over users


@dataclass(frozen=True, slots=True)
class Effect:
    """Hedges' g of paired differences: the mean of the users' over their standard deviation, without its bias for few
    users, with the 95 % interval."""

    g: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired difference: its mean with interval, the p-value of its permutation test, the same after Holm's correction
    for all comparisons that it was made with, and its effect size. None where too few users say nothing."""

    difference: Estimate
    p: float | None
    p_holm: float | None
    effect: Effect | None


def compared(differences: Sequence[Ratio], families: Sequence[Hashable]) -> list[Comparison]:
    """Return the comparison of each difference; Holm corrects for those of the same family, which are shown together."""
    p = sign_flip(differences)
    corrected: list[float | None] = [None] * len(p)
    for family in dict.fromkeys(families):
        tested = {place: one for place, one in enumerate(p) if families[place] == family and one is not None}
        for place, value in zip(tested, holm(list(tested.values())), strict=True):
            corrected[place] = value
    return [
        Comparison(estimate, p[place], corrected[place], effect(differences[place]))
        for place, estimate in enumerate(estimates(differences))
        if estimate is not None
    ]


def sign_flip(differences: Sequence[Ratio]) -> list[float | None]:
    """Return the two-sided p-value of each difference, under the hypothesis that a user's differences may as well have
    the opposite sign; None with fewer than two users.

    All of a user's rows flip together. All flips are gone through for up to 14 users, so that the value is exact; else
    9,999 drawn ones and the one that was observed (Phipson and Smyth, 2010, arXiv 1603.05766), so that it is never 0.
    """
    found: list[float | None] = [None] * len(differences)
    by_users: dict[int, list[int]] = {}
    for place, one in enumerate(differences):
        if one.users > 1:
            by_users.setdefault(one.users, []).append(place)
    for count, places in by_users.items():
        sums = np.stack([differences[place].top for place in places], axis=1)
        values = _exact(sums) if count <= _EXACT else _drawn(sums)
        for place, value in zip(places, values, strict=True):
            found[place] = float(value)
    return found


def _exact(sums: Array) -> Array:
    """Return the p-value of each column; one user keeps the sign, as turning all of them changes no size."""
    turned = np.arange(2 ** (len(sums) - 1))[:, None] >> np.arange(len(sums)) & 1
    total, limits = _observed(sums)
    share: Array = (np.abs(total - 2 * (turned.astype(np.float64) @ sums)) >= limits).mean(axis=0)
    return share


def _drawn(sums: Array) -> Array:
    count, (few, weights) = len(sums), _independent(sums)
    rows, total, limits = max(1, _BLOCK // count), *_observed(sums)
    as_large: NDArray[np.int64] = np.zeros(sums.shape[1], np.int64)
    for first in range(0, FLIPS, rows):
        turned = _turned(count, first, min(rows, FLIPS - first)) @ few @ weights
        as_large += (np.abs(total - 2 * turned) >= limits).sum(axis=0)
    return (1 + as_large) / (1 + FLIPS)


def _independent(sums: Array) -> tuple[Array, Array]:
    """Return some columns of `sums`, and the whole numbers by which they add up to all of them.

    The differences of m methods in pairs are those of m - 1 pairs added up, and what is turned adds up as well. A column
    that does not add up, as other users or drafts are in it, is one of the returned.
    """
    size = max(1, len(sums) // (sums.shape[1] + 8))  # what holds for all users holds for groups of them
    groups = np.add.reduceat(sums, np.arange(0, len(sums), size))
    r, order = linalg.qr(groups, mode="r", pivoting=True)
    steps = np.abs(np.diag(r))
    rank = int((steps > _SAME * steps[0]).sum())
    few, rest = order[:rank], order[rank:]
    sizes = linalg.solve_triangular(r[:rank, :rank], r[:rank, rank:]) if rank else np.zeros((0, len(rest)))
    added = sums[:, few] @ np.rint(sizes)
    apart = np.abs(added - sums[:, rest]).sum(axis=0) > _EQUAL * np.abs(sums[:, rest]).sum(axis=0)
    few = np.concatenate([few, rest[apart]])
    weights = np.zeros((len(few), sums.shape[1]))
    weights[np.arange(len(few)), few] = 1.0
    weights[:rank, rest[~apart]] = np.rint(sizes)[:, ~apart]
    return sums[:, few], weights


def _turned(count: int, first: int, rows: int) -> Array:
    """Return for each of some flips which of `count` users have the opposite sign, as 1 and 0."""
    rng = numpy_stream(0, "sign flips", count, first)
    drawn = rng.integers(256, size=(rows, -(-count // 8)), dtype=np.uint8)
    return np.unpackbits(drawn, axis=1, count=count).astype(np.float64)


def _observed(sums: Array) -> tuple[Array, Array]:
    """Return the total of each column, and how far from 0 a flipped one must be to be as large as that."""
    total: Array = sums.sum(axis=0)
    return total, np.abs(total) - _SAME * np.abs(sums).sum(axis=0)


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for being looked at together (Holm, "A Simple Sequentially Rejective Multiple Test
    Procedure", 1979): whoever rejects what is below 0.05 errs anywhere in 5 % of families at most."""
    order = sorted(range(len(p)), key=lambda place: p[place])
    corrected, highest = [0.0] * len(p), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p[place] * (len(p) - rank)))
        corrected[place] = highest
    return corrected


def effect(difference: Ratio) -> Effect | None:
    """Return the effect size of a paired difference; None with fewer than three users, or if all have the same difference.

    Users count alike, however many rows they have. Bias correction: Hedges ("Distribution Theory for Glass's Estimator of
    Effect Size", 1981), exact; interval: the non-central t distributions whose tails meet what was observed.
    """
    count, each = difference.users, difference.top / difference.bottom
    if count < 3:
        return None
    mean, spread = float(each.mean()), float(each.std(ddof=1))
    if spread <= _SAME * max(1.0, abs(mean)):
        return None
    free, t = count - 1, mean / spread * sqrt(count)
    unbiased = exp(lgamma(free / 2) - lgamma((free - 1) / 2) - log(free / 2) / 2)
    scale, tail = unbiased / sqrt(count), (1 - LEVEL) / 2
    low, high = (float(special.nctdtrinc(free, share, t)) for share in (1 - tail, tail))
    return Effect(scale * t, scale * low, scale * high)
