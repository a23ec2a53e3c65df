"""Direction recovery: how well predicted profiles hit the targets' directions. Nobody has published this number yet.

Most targets are neutral on most dimensions, so that saying nothing is right nearly always: each dimension's accuracy stands
against that of its most frequent value, and F1 looks at the entries that are not neutral.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from prose_data.alignx.dimensions import NEGATIVE, NEUTRAL, POSITIVE, Vector
from prose_data.stats import Estimate, mean_interval


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is recovered of the 90 dimensions over the targets of one method.

    accuracy:  the mean over dimensions, with its interval over users
    gain:      the same less the majority baseline's
    by_dimension: accuracy less the majority baseline's, per dimension
    majority:  the majority baseline's accuracy, per dimension
    macro_f1:  the mean F1 over all poles that some target has; None where none has one
    above:     on how many dimensions the interval of the gain lies above 0
    """

    accuracy: Estimate
    gain: Estimate
    by_dimension: tuple[Estimate, ...]
    majority: tuple[float, ...]
    macro_f1: float | None
    above: int


def recovery(users: Sequence[str], predicted: Sequence[Vector], true: Sequence[Vector]) -> Recovery | None:
    """Return how well `predicted` recovers `true`, both one vector per target of `users`; None without targets.

    The majority baseline knows each dimension's most frequent value in these very targets; of two that are equally
    frequent it takes the neutral one.
    """
    if not users:
        return None
    guess, truth = np.asarray(predicted), np.asarray(true)
    hits = (guess == truth).astype(float)
    usual = np.stack([(truth == value).mean(axis=0) for value in (NEUTRAL, POSITIVE, NEGATIVE)])
    best = np.asarray((NEUTRAL, POSITIVE, NEGATIVE))[usual.argmax(axis=0)]
    gains = hits - (truth == best)
    by_dimension = tuple(_mean(users, gains[:, index]) for index in range(gains.shape[1]))
    return Recovery(
        accuracy=_mean(users, hits.mean(axis=1)),
        gain=_mean(users, gains.mean(axis=1)),
        by_dimension=by_dimension,
        majority=tuple(usual.max(axis=0).tolist()),
        macro_f1=_macro_f1(guess, truth),
        above=sum(estimate.low is not None and estimate.low > 0 for estimate in by_dimension),
    )


def _mean(users: Sequence[str], values: NDArray[np.float64]) -> Estimate:
    estimate = mean_interval(pl.DataFrame({"user_id": users, "value": values}))
    assert estimate is not None
    return estimate


def _macro_f1(guess: NDArray[np.float64], truth: NDArray[np.float64]) -> float | None:
    scores = []
    for value in (POSITIVE, NEGATIVE):
        told, there = guess == value, truth == value
        both = (told & there).sum(axis=0)
        some = there.any(axis=0)
        scores.extend((2 * both[some] / (told.sum(axis=0) + there.sum(axis=0))[some]).tolist())
    return float(np.mean(scores)) if scores else None
