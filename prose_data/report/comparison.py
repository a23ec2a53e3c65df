"""Two runs beside each other: the methods and metrics that both have, in pairs where user, seed and document agree."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from prose_data.config import ROLES
from prose_data.errors import InputError
from prose_data.report.basis import COSTS, DASH, named, optional, plain, rounded, show
from prose_data.report.statistics import estimated
from prose_data.report.summary import METRICS, simulated_notice
from prose_data.report.text import print_table
from prose_data.runs import Run
from prose_data.stats import compared, panel
from prose_data.stats.values import per_inference

if TYPE_CHECKING:
    from rich.console import Console

_ONE, _OTHER = "one", "other"


def compare(one: Run, other: Run) -> dict[str, Any]:
    """Return what changes from `one` to `other`: `name`, `path`, `models` and `notice` of each (null where no model is
    simulated), and `rows`, one per method and metric that both have.

    A row has the mean in each run, and the paired `difference`, `other` minus `one`, with `p` and, corrected for all methods
    in the metric, `p_holm`; null where no user, seed and document are in both. Raises InputError for runs without a method
    and metric in common.
    """
    runs = {_ONE: one, _OTHER: other}
    values = pl.concat([_values(run).with_columns(run=pl.lit(side)) for side, run in runs.items()])
    sides = panel(values, ["run", "method", "metric"])
    order = {metric: place for place, metric in enumerate(METRICS)}
    metrics = sorted(set(values["metric"]), key=lambda metric: (order.get(metric, len(order)), metric))
    shared = [
        (metric, method)
        for metric in metrics
        for method in one.config.methods
        if {(_ONE, method, metric), (_OTHER, method, metric)} <= sides.rows.keys()
    ]
    if not shared:
        raise InputError(f"{one.path} and {other.path}: have no method with a metric in common")
    means = estimated({(side, *key): sides.mean((side, key[1], key[0])) for key in shared for side in runs})
    paired = {
        (metric, method): difference
        for metric, method in shared
        if (difference := sides.difference((_OTHER, method, metric), (_ONE, method, metric))) is not None
    }
    tested = dict(zip(paired, compared(list(paired.values()), [metric for metric, _ in paired]), strict=True))
    rows = []
    for metric, method in shared:
        found = tested.get((metric, method))
        rows.append(
            {
                "method": method,
                "metric": metric,
                **{side: optional(means[side, metric, method]) for side in runs},
                "difference": found and plain(found.difference),
                "p": found and rounded(found.p),
                "p_holm": found and rounded(found.p_holm),
            }
        )
    return {**{side: _origin(run) for side, run in runs.items()}, "rows": rows}


def print_comparison(console: "Console", found: Mapping[str, Any]) -> None:
    """Print what each run is, and the table."""
    for side in (_ONE, _OTHER):
        run = found[side]
        models = ", ".join(f"{role} {model}" for role, model in run["models"].items())
        console.print(
            f"{side}: {run['path']} ({run['name']}; {models})", soft_wrap=True, highlight=False, markup=False
        )
        if run["notice"]:
            console.print(run["notice"], style="yellow", soft_wrap=True, highlight=False)
    title = (
        "other − one, paired where user, seed and document agree, with 95 % intervals; costs are per draft"
    )
    print_table(console, *comparison_table(found["rows"]), title)


def comparison_table(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table as text."""
    lines = [
        [
            row["metric"],
            named(row["method"]),
            show(row[_ONE], row["metric"]),
            show(row[_OTHER], row["metric"]),
            show(row["difference"], row["metric"], signed=True),
            DASH if row["p_holm"] is None else f"{row['p_holm']:.3g}",
        ]
        for row in rows
    ]
    return ["metric", "method", _ONE, _OTHER, "difference", "p (Holm)"], lines


def _values(run: Run) -> pl.DataFrame:
    """Return a run's values per inference and metric, its costs among them."""
    inferences = run.scan("inferences").collect()
    columns = ("inference_id", "metric", "component", "value")
    scores = per_inference(run.scan("scores").select(columns).collect(), inferences)
    cells = ["user_id", "method", "seed", "step", "document_id"]
    costs = inferences.select(*cells, *(pl.col(cost).cast(pl.Float64) for cost in COSTS)).unpivot(
        COSTS, index=cells, variable_name="metric", value_name="value"
    )
    return pl.concat([scores.select(costs.columns), costs.drop_nulls("value")])


def _origin(run: Run) -> dict[str, Any]:
    roles = {role: run.config.model_of(role).model for role in ROLES}
    return {
        "name": run.config.name,
        "path": str(run.path),
        "models": roles,
        "notice": simulated_notice(run.config),
    }
