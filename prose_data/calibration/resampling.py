"""Intervals of what is a function of totals over clusters: texts about one document are no independent observations.

Shares get Wilson's interval with the number of observations that their variance among clusters is worth (Korn and
Graubard, 1998), so that one without any error is not certain; everything else a bootstrap over clusters, its percentiles
widened for few of them (Hesterberg, 2014, section 4.3), or with very few the jackknife.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from prose_data.stats import DRAWS, Estimate
from prose_data.streams import numpy_stream

Array = NDArray[Any]
Function = Callable[[Array], Array]  # totals (draws, cells) -> (draws,); NaN where it is undefined

_Z = 1.959963984540054  # of a two-sided 95 % interval
_GROUPS = 2000  # more clusters than these are resampled in as many groups
_FEW = 8  # clusters below which no percentile reaches far enough
_UNDEFINED = 0.05  # share of draws that may be undefined


@dataclass(frozen=True, slots=True)
class Share(Estimate):
    """A share of `n` observations with its 95 % interval; `effective` is how many independent ones are worth as much."""

    effective: float = 0.0


def share(
    hits: Sequence[bool], clusters: Sequence[str], weights: Sequence[float] | None = None
) -> Share | None:
    """Return the (weighted) share of `hits` that are true, None without any observation."""
    n = len(hits)
    if not n:
        return None
    hit = np.asarray(hits, dtype=np.float64)
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    mean = float((weight * hit).sum() / weight.sum())
    owner, count = _owners(clusters)
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    if count < 2:
        return Share(mean, None, None, n, effective=effective)
    spread: Array = np.bincount(owner, weights=weight * (hit - mean), minlength=count)
    variance = count / (count - 1) * float((spread**2).sum()) / float(weight.sum()) ** 2
    if variance > 0:
        effective = min(effective, mean * (1 - mean) / variance)
    effective *= (_Z / student(count - 1)) ** 2
    low, high = wilson(mean, effective)
    return Share(mean, low, high, n, effective=effective)


def wilson(mean: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval (1927) of a share of `n` independent observations."""
    z = _Z
    middle = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def totals_by(
    clusters: Sequence[str] | Array,
    cells: Sequence[int] | Array,
    size: int,
    weights: Sequence[float] | Array | None = None,
) -> Array:
    """Return how much weight falls into each of `size` cells, by cluster: shape (clusters, size).

    Observation i is in cell `cells[i]`. Clusters come in order of their names, so the order of rows does not matter.
    """
    owner, count = _owners(clusters)
    totals = np.zeros((count, size))
    np.add.at(
        totals, (owner, np.asarray(cells, dtype=np.intp)), 1.0 if weights is None else np.asarray(weights)
    )
    return totals


def of_totals(totals: Array, function: Function, n: int) -> Estimate | None:
    """Return `function` of the summed `totals` (clusters, cells) of `n` observations with its bootstrap interval.

    None where it is undefined. No interval with fewer than two clusters, where it is undefined in many draws, or where all
    draws agree: a judge without an error here is not certain to make none.
    """
    count = len(totals)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(function(totals.sum(axis=0)[None])[0]) if count else np.nan
        if not np.isfinite(value):
            return None
        if count < 2:
            return Estimate(value, None, None, n)
        low, high = (_few if count < _FEW else _many)(totals, function)
    return Estimate(value, low, high, n) if low < high else Estimate(value, None, None, n)


def student(free: int) -> float:
    """Return Student's quantile of a two-sided 95 % interval with `free` degrees of freedom."""
    return float(special.stdtrit(free, 0.975))


def _few(totals: Array, function: Function) -> tuple[float, float]:
    """Return Student's interval by leaving out each cluster in turn (Tukey's jackknife); NaN where that is undefined."""
    count = len(totals)
    without = function(totals.sum(axis=0) - totals)
    error = sqrt((count - 1) / count * float(np.square(without - without.mean()).sum()))
    value, half = float(function(totals.sum(axis=0)[None])[0]), student(count - 1) * error
    return value - half, value + half


def _many(totals: Array, function: Function) -> tuple[float, float]:
    """Return percentiles of the bootstrap; NaN where too many draws are undefined."""
    count = len(totals)
    drawn = function(_weights(count) @ totals)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < (1 - _UNDEFINED) * DRAWS:
        return np.nan, np.nan
    # cut so far out at each end that the interval is as wide as Student's
    tail = float(special.ndtr(-student(count - 1) * sqrt(count / (count - 1))))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _owners(clusters: Sequence[str] | Array) -> tuple[Array, int]:
    """Return the number of each observation's cluster, and how many clusters there are."""
    names, owner = np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)
    if len(names) > _GROUPS:
        group = numpy_stream(0, "calibration", "groups").permutation(len(names)) % _GROUPS
        return group[owner], _GROUPS
    return owner, len(names)


@lru_cache(maxsize=2)
def _weights(count: int) -> Array:
    """Return how often each of `count` clusters occurs in each draw, shape (DRAWS, count)."""
    shares = np.full(count, 1 / count)
    return numpy_stream(0, "calibration", count).multinomial(count, shares, size=DRAWS).astype(np.float64)
