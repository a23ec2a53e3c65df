"""The usual questions about frames of values, answered one at a time; many at once are `estimates` of a `Panel`."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl

from prose_data.stats.panel import beside
from prose_data.stats.resampling import Estimate, Ratio, estimates, ratio

# Numbers of samples at which a long learning curve is told.
_POINTS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of seeds' means, their sample standard deviation `sd` (PRELUDE, arXiv 2404.15269) and its standard error
    `se` (PROSE, arXiv 2505.23815); both None with one seed. What users differ by is in neither."""

    mean: float
    sd: float | None
    se: float | None
    seeds: int


def mean_of(values: pl.DataFrame) -> Ratio | None:
    """Return the mean of the rows of `values` (columns user_id, value) as a ratio; None if there are none."""
    if not values.height:
        return None
    return ratio(values["user_id"], values["value"].to_numpy(), np.ones(values.height))


def mean_interval(values: pl.DataFrame) -> Estimate | None:
    """Return the mean of the rows of `values` (columns user_id, value); None if there are none.

    A user with more rows weighs more, as in the papers' mean over demonstrations; with equally many rows per user
    this is the mean of the users' means. The order of rows does not matter.
    """
    return estimates([mean_of(values)])[0]


def paired_difference(one: pl.DataFrame, other: pl.DataFrame) -> Estimate | None:
    """Return the mean of `one` - `other` over the cells (user_id, seed, document_id) that both have; None if there are none."""
    return estimates([beside({"one": one, "other": other}).difference(("one",), ("other",))])[0]


def gap_closed(method: pl.DataFrame, floor: pl.DataFrame, ceiling: pl.DataFrame) -> Estimate | None:
    """Return the share of the way from `floor` to `ceiling` that `method` goes, over the cells that all three have.

    0 is the floor and 1 the ceiling; outside of that is possible. None where floor and ceiling are equal; no interval
    where resampling users turns the two around, as the share then has no meaning.
    """
    sides = beside({"method": method, "floor": floor, "ceiling": ceiling})
    return estimates([sides.gap(("method",), ("floor",), ("ceiling",))])[0]


def learning_curve(values: pl.DataFrame) -> dict[int, Estimate]:
    """Return the mean of the rows of `values` (columns user_id, step, value) at each step, in order of steps."""
    by_step = by_steps(values, sorted(values["step"].unique().to_list()))
    found = estimates(list(by_step.values()))
    return {step: one for step, one in zip(by_step, found, strict=True) if one is not None}


def by_steps(values: pl.DataFrame, steps: Sequence[int]) -> dict[int, Ratio | None]:
    """Return the mean of the rows at each of `steps` as a ratio."""
    parts = values.partition_by("step", as_dict=True)
    return {step: mean_of(parts[step,]) if (step,) in parts else None for step in steps}


def curve_points(steps: Sequence[int]) -> list[int]:
    """Return at which of `steps` a curve is told: all of up to a dozen, else 0, 1, 2, 3, 5, 10, 20, 50, … and the last."""
    if len(steps) <= len(_POINTS):
        return sorted(steps)
    return sorted({step for step in steps if step in _POINTS} | {max(steps)})


def over_seeds(values: pl.DataFrame) -> Spread | None:
    """Return the spread of the seeds' means of `values` (columns seed, value); None if there are no rows."""
    if not values.height:
        return None
    ordered = values.select("seed", "value").sort("seed", "value")  # sums of floats depend on their order
    means = ordered.group_by("seed", maintain_order=True).agg(pl.col("value").mean())["value"].to_numpy()
    sd = float(means.std(ddof=1)) if len(means) > 1 else None
    return Spread(float(means.mean()), sd, None if sd is None else sd / sqrt(len(means)), len(means))


def cost_per_point(
    method: pl.DataFrame,
    floor: pl.DataFrame,
    cost: pl.DataFrame,
    floor_cost: pl.DataFrame,
) -> Ratio | None:
    """Return what `method` costs beyond `floor` for each point that its value is above it, as a ratio over users.

    Values (columns user_id, seed, value) are averaged per user and seed, costs have one row of them; counted are users
    and seeds that have all four. None where there are none.
    """
    on = ["user_id", "seed"]
    gained, paid = (
        one.group_by(on).agg(pl.col("value").sort().mean()).join(
            other.group_by(on).agg(other=pl.col("value").sort().mean()), on=on
        ).select(*on, value=pl.col("value") - pl.col("other"))
        for one, other in ((method, floor), (cost, floor_cost))
    )  # fmt: skip
    both = paid.join(gained, on=on, suffix="_gained")
    if not both.height:
        return None
    return ratio(both["user_id"], both["value"].to_numpy(), both["value_gained"].to_numpy())
