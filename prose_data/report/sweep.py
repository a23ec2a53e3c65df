"""The sweep's grids: PROSE with every number of steps S (rows) and threshold v (columns) that a run holds."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from prose_data.config import Config
from prose_data.methods.named import base, configured, parameters
from prose_data.report.basis import LOWER_IS_BETTER, Cells, grid, optional, show
from prose_data.stats import Estimate, mean_interval, paired_difference

SWEPT = "prose"


def sweep(config: Config, cells: Cells, main: str) -> dict[str, Any] | None:
    """Return the grids of `main` and recovery_f1, None for a run with fewer than two settings of S and v.

    `methods` names the settings. `metrics` has per metric `values` (an estimate per row and column, null where a setting
    is missing), the `best` setting, and how many of the other settings are `not_separated` from it by the interval of
    their paired difference.
    """
    names: dict[tuple[int, float], str] = {}
    for name in config.methods:
        if base(name) == SWEPT and set(parameters(name)) == {"steps", "threshold"}:
            prose = configured(name, config).prose
            if prose.steps is not None and prose.threshold is not None:
                names[prose.steps, prose.threshold] = name
    if len(names) < 2:
        return None
    steps, thresholds = sorted({s for s, _ in names}), sorted({v for _, v in names})
    metrics = [
        m for m in dict.fromkeys((main, "recovery_f1")) if any((n, m) in cells for n in names.values())
    ]
    return {
        "methods": list(names.values()),
        "steps": steps,
        "thresholds": thresholds,
        "metrics": {metric: _grid_of(metric, names, steps, thresholds, cells) for metric in metrics},
    }


def sweep_table(found: Mapping[str, Any], metric: str) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of one metric's grid as text."""
    header = ["S", *(f"v = {threshold:g}" for threshold in found["thresholds"])]
    values = found["metrics"][metric]["values"]
    rows = [
        [str(steps), *(show(estimate, metric) for estimate in row)]
        for steps, row in zip(found["steps"], values, strict=True)
    ]
    return header, rows


def sweep_parts(found: Mapping[str, Any] | None) -> list[str]:
    """Return the report's section on the sweep with its figures, nothing where there is none."""
    if found is None:
        return []
    parts = [
        "## Sweep of PROSE's steps and threshold",
        "S is the most steps of refinement; a component stays where its mean vote (-2 to 2) is above v.",
    ]
    for metric in found["metrics"]:
        parts += [
            f"### {metric}",
            f"![Heat map of {metric} by steps S and threshold v; the table below has the same "
            f"numbers.](figures/sweep_{metric}.svg)",
            grid(*sweep_table(found, metric)),
            sweep_sentence(found, metric),
        ]
    return parts


def sweep_sentence(found: Mapping[str, Any], metric: str) -> str:
    """Return what the grid says about the best setting."""
    seen = found["metrics"][metric]
    others = sum(estimate is not None for row in seen["values"] for estimate in row) - 1
    best = f"S = {seen['best']['steps']}, v = {seen['best']['threshold']:g}"
    return (
        f"Best {metric}: {best}. Not separated from it (the 95 % interval of the paired difference holds 0): "
        f"{seen['not_separated']} of the {others} other settings."
    )


def _grid_of(
    metric: str,
    names: Mapping[tuple[int, float], str],
    steps: Sequence[int],
    thresholds: Sequence[float],
    cells: Cells,
) -> dict[str, Any]:
    frames = {setting: cells[name, metric] for setting, name in names.items() if (name, metric) in cells}
    estimates = {setting: mean_interval(frame) for setting, frame in frames.items()}
    sign = -1 if metric in LOWER_IS_BETTER else 1
    means = {setting: sign * estimate.mean for setting, estimate in estimates.items() if estimate}
    best = max(sorted(means), key=lambda setting: means[setting])
    differences = [paired_difference(frames[other], frames[best]) for other in means if other != best]
    values = {(s, v): optional(estimates.get((s, v))) for s, v in product(steps, thresholds)}
    return {
        "values": [[values[s, v] for v in thresholds] for s in steps],
        "best": {"steps": best[0], "threshold": best[1]},
        "not_separated": sum(not _separated(difference) for difference in differences),
    }


def _separated(difference: Estimate | None) -> bool:
    if difference is None or difference.low is None or difference.high is None:
        return False
    return difference.low > 0 or difference.high < 0
