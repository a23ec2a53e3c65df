"""The statistics in `summary.json`: comparisons in pairs, shares of the gap, learning curves, seeds, cost per point.

Estimates are JSON values (`basis.plain`), null where there is none; all of one kind are made at once.
"""

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeVar

import polars as pl

from prose_data.report.basis import CEILING, FLOOR, LOWER_IS_BETTER, Cells, optional, plain, rounded
from prose_data.stats import (
    Estimate,
    Panel,
    Ratio,
    by_steps,
    compared,
    cost_per_point,
    curve_points,
    estimates,
    mean_of,
    over_seeds,
)

_PAID = ("calls", "tokens", "cost_usd")

K = TypeVar("K", bound=Hashable)


def estimated(ratios: Mapping[K, Ratio | None]) -> dict[K, Estimate | None]:
    """Return the estimate of each ratio."""
    return dict(zip(ratios, estimates(list(ratios.values())), strict=True))


def paired(methods: Sequence[str], metrics: Sequence[str], panel: Panel) -> list[dict[str, Any]]:
    """Return the difference of each two methods (the later one minus the earlier) in each metric both have.

    `mean`, `low`, `high` and `n`; the p-value `p` of the permutation test, and `p_holm`, corrected for all pairs of the same
    metric; the effect size `effect`, Hedges' g with `low` and `high`.
    """
    there = [
        (metric, one, other, difference)
        for metric in metrics
        for other, one in combinations(methods, 2)
        if (difference := panel.difference((one, metric), (other, metric))) is not None
    ]
    found = compared([line[3] for line in there], [line[0] for line in there])
    return [
        {
            "metric": metric,
            "one": one,
            "other": other,
            **plain(comparison.difference),
            "p": rounded(comparison.p),
            "p_holm": rounded(comparison.p_holm),
            "effect": comparison.effect and plain(comparison.effect),
        }
        for (metric, one, other, _), comparison in zip(there, found, strict=True)
    ]


def gaps(methods: Sequence[str], metrics: Sequence[str], panel: Panel) -> dict[str, dict[str, Any]]:
    """Return per method and metric the share of the way from floor to ceiling, where both are there.

    Null where the ceiling is not better than the floor beyond doubt, as there is then no way to go (one user leaves no doubt).
    """
    ratios = {
        (method, metric): panel.gap((method, metric), (FLOOR, metric), (CEILING, metric))
        for method in methods
        for metric in metrics
        if {(method, metric), (FLOOR, metric), (CEILING, metric)} <= panel.rows.keys()
    }

    def sound(key: tuple[str, str], estimate: Estimate | None) -> bool:
        ratio, sign = ratios[key], -1 if key[1] in LOWER_IS_BETTER else 1
        if ratio is None or estimate is None or sign * float(ratio.bottom.sum()) <= 0:
            return False
        return estimate.low is not None or ratio.users == 1

    found = {key: one if sound(key, one) else None for key, one in estimated(ratios).items()}
    return {
        method: {metric: optional(found[method, metric]) for metric in metrics if (method, metric) in found}
        for method in methods
        if method not in (FLOOR, CEILING)
    }


def curves(methods: Sequence[str], metrics: Sequence[str], cells: Cells) -> dict[str, dict[str, Any]]:
    """Return per metric the `steps` at which its learning curves are told, and per method an estimate for each of them."""
    steps: dict[str, list[int]] = {}
    ratios: dict[tuple[str, str, int], Ratio | None] = {}
    for metric in metrics:
        frames = {method: cells[method, metric] for method in methods if (method, metric) in cells}
        seen = {step for frame in frames.values() for step in frame["step"].unique()}
        steps[metric] = curve_points(sorted(seen))
        for method, frame in frames.items():
            points = by_steps(frame, steps[metric])
            ratios |= {(metric, method, step): point for step, point in points.items()}
    found = estimated(ratios)
    return {
        metric: {
            "steps": steps[metric],
            "methods": {
                method: [optional(found[metric, method, step]) for step in steps[metric]]
                for method in methods
                if (method, metric) in cells
            },
        }
        for metric in metrics
    }


def spreads(methods: Sequence[str], metrics: Sequence[str], cells: Cells) -> dict[str, dict[str, Any]]:
    """Return per method and metric `mean`, `sd` and `se` over the seeds, and their number (`stats.Spread`)."""
    return {
        method: {
            metric: plain(spread)
            for metric in metrics
            if (method, metric) in cells and (spread := over_seeds(cells[method, metric]))
        }
        for method in methods
    }


def costs_per_point(methods: Sequence[str], metric: str, cells: Cells, costs: Cells) -> dict[str, Any]:
    """Return what each method costs beyond the floor, per user and seed, for each point by which it is better in `metric`.

    Null for a method that is not better, beyond doubt, and where a price is unknown; no methods without a floor.
    """
    floor, sign = cells.get((FLOOR, metric)), -1 if metric in LOWER_IS_BETTER else 1
    ratios: dict[tuple[str, str], Ratio | None] = {}
    for method in methods if floor is not None else ():
        values = cells.get((method, metric))
        if method != FLOOR and values is not None and floor is not None:
            better, least = (frame.with_columns(value=pl.col("value") * sign) for frame in (values, floor))
            ratios |= {
                (method, cost): cost_per_point(
                    better, least, _paid(costs, method, cost), _paid(costs, FLOOR, cost)
                )
                for cost in _PAID
            }
    found: dict[str, dict[str, Any]] = {}
    for (method, cost), one in estimated(ratios).items():
        sound = one is not None and one.low is not None and _gains(ratios[method, cost])
        found.setdefault(method, {})[cost] = optional(one) if sound else None
    return {"metric": metric, "methods": found}


def _gains(ratio: Ratio | None) -> bool:
    """Return whether the points gained are above 0; an interval of the ratio says that this is beyond doubt."""
    return ratio is not None and float(ratio.bottom.sum()) > 0


def _paid(costs: Cells, method: str, cost: str) -> pl.DataFrame:
    if cost != "tokens":
        return costs[method, cost]
    prompt, completion = costs[method, "prompt_tokens"], costs[method, "completion_tokens"]
    both = prompt.join(completion, on=["user_id", "seed"], suffix="_completion")
    return both.select("user_id", "seed", value=pl.col("value") + pl.col("value_completion"))


def means(
    methods: Sequence[str], metrics: Sequence[str], panel: Panel, costs: Cells
) -> dict[tuple[str, str], Estimate | None]:
    """Return the mean of each method in each metric, and of its costs per user and seed."""
    ratios = {(m, metric): panel.mean((m, metric)) for m in methods for metric in metrics}
    return estimated(ratios | {key: mean_of(frame) for key, frame in costs.items()})


def parts(
    methods: Sequence[str], main: str, cells: Cells, tasks: Mapping[str, str], kinds: Sequence[str]
) -> dict[str, Any]:
    """Return what the metric `main` is in parts, per method: `by_step`, a list over the numbers of samples seen;
    `after_first`, without the drafts before the first sample; `by_task`, for each of `kinds` (`tasks` has each user's)."""
    frames = {method: cells[method, main] for method in methods if (method, main) in cells}
    steps = sorted({step for frame in cells.values() for step in frame["step"].unique()})
    schema = {"user_id": pl.String, "task": pl.String}
    of_task = pl.DataFrame({"user_id": tasks.keys(), "task": tasks.values()}, schema=schema)
    ratios: dict[tuple[str, str | int], Ratio | None] = {}
    for method, frame in frames.items():
        ratios |= {(method, step): one for step, one in by_steps(frame, steps).items()}
        ratios[method, ""] = mean_of(frame.filter(pl.col("step") > 0))
        for kind in kinds:
            ratios[method, kind] = mean_of(frame.join(of_task.filter(task=kind), on="user_id", how="semi"))
    found = estimated(ratios)

    def of(method: str, part: str | int) -> dict[str, Any] | None:
        return optional(found.get((method, part)))

    return {
        "by_step": {method: [of(method, step) for step in steps] for method in methods},
        "after_first": {method: of(method, "") for method in methods},
        "by_task": {method: {kind: of(method, kind) for kind in kinds} for method in methods},
    }
