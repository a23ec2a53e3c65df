"""Power: how many users it takes to find a difference between two methods, foreseen from a pilot run.

The test is the paired one on users' mean differences, its power that of the non-central t distribution (Cohen,
"Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988, chapter 2). Each user is taken to have as many
documents and seeds as in the pilot.
"""

from dataclasses import dataclass
from math import isnan, sqrt

from scipy import special

from prose_data.stats.resampling import LEVEL, Ratio

ALPHA = 1 - LEVEL
WANTED = 0.8
_MOST = 10_000_000  # users


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a pilot says: how far `users` users' mean differences spread about their mean, and where with 95 % probability
    the true spread lies, as (low, high)."""

    users: int
    mean: float
    sd: float
    sd_range: tuple[float, float]


def pilot(difference: Ratio) -> Pilot | None:
    """Return what a paired difference says as a pilot; None with fewer than three users, or if all differ alike."""
    each, free = difference.top / difference.bottom, difference.users - 1
    if free < 2 or float(each.std(ddof=1)) <= 1e-9 * max(1.0, abs(float(each.mean()))):
        return None
    sd = float(each.std(ddof=1))
    low, high = (sd * sqrt(free / float(special.chdtri(free, share))) for share in (ALPHA / 2, 1 - ALPHA / 2))
    return Pilot(difference.users, float(each.mean()), sd, (low, high))


def power(difference: float, sd: float, users: int) -> float:
    """Return the probability, 0 to 1, that so many users (at least two) show a true `difference` at the level of 5 %."""
    free, shift = users - 1, difference / sd * sqrt(users)
    limit = float(special.stdtrit(free, 1 - ALPHA / 2))
    return 1 - _below(limit, free, shift) + _below(-limit, free, shift)


def users_needed(difference: float, sd: float, wanted: float = WANTED) -> int | None:
    """Return the fewest users who show a true `difference` (not 0) with probability `wanted`; None for over ten million."""
    low, high = 1, 2
    while power(difference, sd, high) < wanted:
        low, high = high, high * 2
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(difference, sd, middle) >= wanted else (middle, high)
    return high


def detectable(sd: float, users: int, wanted: float = WANTED) -> float:
    """Return the smallest true difference, above 0, that so many users (at least two) show with probability `wanted`."""
    low, high = 0.0, sd
    while power(high, sd, users) < wanted:
        low, high = high, high * 2
    while high - low > 1e-6 * sd:
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, sd, users) >= wanted else (middle, high)
    return high


def _below(limit: float, free: int, shift: float) -> float:
    """Return the probability that the non-central t is below `limit`; scipy has no number for what is next to nothing."""
    found = float(special.nctdtr(free, shift, limit))
    return 0.0 if isnan(found) else found
