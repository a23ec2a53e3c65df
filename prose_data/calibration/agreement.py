"""Agreement beyond chance: Cohen's kappa of two raters, Krippendorff's alpha of any number with gaps.

All functions take any number of tables at once, on the leading axes, so that a bootstrap is one call.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from prose_data.calibration.resampling import Array

Scale = Literal["nominal", "ordinal"]


def kappa(tables: Array, scale: Scale) -> Array:
    """Return Cohen's kappa of `tables` (..., k, k), counts by first and second rater; NaN where chance alone agrees fully.

    Ordinal categories weigh a disagreement by its squared distance (Cohen, 1968), nominal ones weigh each alike.
    """
    steps = np.arange(tables.shape[-1])
    apart = (steps[:, None] - steps) ** 2 if scale == "ordinal" else (steps[:, None] != steps)
    total = tables.sum(axis=(-2, -1))
    by_chance = tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :]
    observed = (apart * tables).sum(axis=(-2, -1))
    result: Array = 1 - observed * total / (apart * by_chance).sum(axis=(-2, -1))
    return result


def coincidences(units: Sequence[Sequence[int]], categories: int) -> Array:
    """Return the coincidence matrix of each unit (units, k, k): its pairs of values by different raters.

    A unit holds the values of those who rated it, as category numbers; with fewer than two it says nothing.
    """
    found = np.zeros((len(units), categories, categories))
    for place, values in enumerate(units):
        if len(values) < 2:
            continue
        counts = np.bincount(values, minlength=categories).astype(np.float64)
        found[place] = (np.outer(counts, counts) - np.diag(counts)) / (len(values) - 1)
    return found


def alpha(matrices: Array, scale: Scale) -> Array:
    """Return Krippendorff's alpha ("Computing Krippendorff's Alpha-Reliability", 2011) of summed coincidence matrices
    (..., k, k); NaN where only one category was ever used."""
    held = matrices.sum(axis=-1)
    total = held.sum(axis=-1)
    if scale == "ordinal":
        middle = held.cumsum(axis=-1) - held / 2
        apart = (middle[..., :, None] - middle[..., None, :]) ** 2
    else:
        apart = 1.0 - np.eye(held.shape[-1])
    observed = (matrices * apart).sum(axis=(-2, -1)) / total
    expected = (held[..., :, None] * held[..., None, :] * apart).sum(axis=(-2, -1)) / (total * (total - 1))
    result: Array = 1 - observed / expected
    return result
