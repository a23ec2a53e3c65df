"""Statistics of a run: means with intervals over users, comparisons of methods in pairs, learning curves, and power.

The unit is the user. Everything is drawn from named streams and independent of the order of rows and shards.
"""

from prose_data.stats.comparison import Comparison, Effect, compared, effect, holm, sign_flip
from prose_data.stats.frames import (
    Spread,
    by_steps,
    cost_per_point,
    curve_points,
    gap_closed,
    learning_curve,
    mean_interval,
    mean_of,
    over_seeds,
    paired_difference,
)
from prose_data.stats.panel import CELL, Panel, panel
from prose_data.stats.resampling import DRAWS, Estimate, Ratio, estimates, standard_errors

__all__ = [
    "CELL",
    "DRAWS",
    "Comparison",
    "Effect",
    "Estimate",
    "Panel",
    "Ratio",
    "Spread",
    "by_steps",
    "compared",
    "cost_per_point",
    "curve_points",
    "effect",
    "estimates",
    "gap_closed",
    "holm",
    "learning_curve",
    "mean_interval",
    "mean_of",
    "over_seeds",
    "paired_difference",
    "panel",
    "sign_flip",
    "standard_errors",
]
