"""What a judge's errors do to a mean, taken back: by its error rates, or by people's labels on some of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from prose_data.calibration.resampling import Array, Share, student
from prose_data.stats import Estimate

_Z = 1.959963984540054  # of a two-sided 95 % interval


def rogan_gladen(raw: Share, sensitivity: Share, specificity: Share) -> Estimate | None:
    """Return the share that would be found without error (Rogan and Gladen, 1978), cut to 0 to 1.

    The interval is Lang and Reiczigel's (2014), which knows that all three are estimates, with effective numbers of
    observations. None for a judge that does no better than chance.
    """
    if sensitivity.mean + specificity.mean <= 1:
        return None
    mean = (raw.mean + specificity.mean - 1) / (sensitivity.mean + specificity.mean - 1)
    q, many = _towards_half(raw, _Z * _Z)
    se, of_present = _towards_half(sensitivity, 2.0)
    sp, of_absent = _towards_half(specificity, 2.0)
    slope = se + sp - 1
    middle = (q + sp - 1) / slope
    present, absent = se * (1 - se) / of_present, sp * (1 - sp) / of_absent
    error = sqrt(q * (1 - q) / many + middle**2 * present + (1 - middle) ** 2 * absent) / slope
    middle += 2 * _Z**2 * (middle * present - (1 - middle) * absent)
    low, high = (min(1.0, max(0.0, middle + sign * _Z * error)) for sign in (-1, 1))
    return Estimate(min(1.0, max(0.0, mean)), low, high, raw.n)


def _towards_half(found: Share, added: float) -> tuple[float, float]:
    """Return a share and its number of observations after `added` more, half of which are hits."""
    many = found.effective + added
    return (found.mean * found.effective + added / 2) / many, many


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a mean: whose each is, the judge's value, and, where somebody labelled it, the label and how many
    rows that one stands for (NaN and 0 elsewhere)."""

    users: Sequence[str]
    judged: Array
    labels: Array
    weights: Array


def slope(rows: Rows) -> float:
    """Return how much of a judged difference is a labelled one, by which predictions are best used (power tuning,
    Angelopoulos et al., arXiv 2311.01453): the weighted regression of labels on verdicts, between 0 and 1."""
    known = rows.weights > 0
    weights, judged, labels = rows.weights[known], rows.judged[known], rows.labels[known]
    if not len(weights):
        return 1.0
    apart = judged - np.average(judged, weights=weights)
    spread = float((weights * apart**2).sum())
    if spread == 0:
        return 1.0
    together = float((weights * apart * (labels - np.average(labels, weights=weights))).sum())
    return min(1.0, max(0.0, together / spread))


def prediction_powered(rows: Rows, used: float) -> Estimate | None:
    """Return the mean that labelling all rows would give: `used` (see `slope`) times the judge's mean over all rows,
    plus what the labelled ones say is missing (prediction-powered inference, Angelopoulos et al., arXiv 2301.09633).

    The interval counts users, not rows; `n` is the number of labelled ones. None without any, no interval where they are
    of one user.
    """
    known = rows.weights > 0
    if not known.any():
        return None
    missing = rows.labels[known] - used * rows.judged[known]
    weights = rows.weights[known] / rows.weights[known].sum()
    rest = float((weights * missing).sum())
    mean = used * float(rows.judged.mean()) + rest
    names, owner = np.unique(np.asarray(rows.users, dtype=np.str_), return_inverse=True)
    labelled, count = len(np.unique(owner[known])), len(names)
    if labelled < 2:
        return Estimate(mean, None, None, int(known.sum()))
    pull = used * (rows.judged - rows.judged.mean()) / len(rows.judged)
    pull[known] += weights * (missing - rest)
    by_user: Array = np.bincount(owner, weights=pull, minlength=count)
    error = sqrt(count / (count - 1) * float((by_user**2).sum())) * student(labelled - 1)
    return Estimate(mean, mean - error, mean + error, int(known.sum()))
