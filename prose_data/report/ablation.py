"""The ablation table: PROSE in full, then without each of its parts, in paired differences."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from prose_data.report.basis import CEILING, FLOOR, Cells, grid, named, optional, show
from prose_data.stats import mean_interval, paired_difference

FULL = "prose"
# What each ablation goes without, in the order of the table (arXiv 2505.23815, section on ablations).
ABLATIONS: Mapping[str, str] = {
    "prose_nv": "no verification",
    "prose_sc": "one candidate",
    "prose_1sc": "one step",
    "prose_1nc": "one step, no candidate",
    "prose_1sc_ap_nv": "one step, no verification",
    "prose_breakdown_each": "breakdown after each step",
    "prose_no_breakdown": "no breakdown",
}
_WHAT = {FLOOR: "learns nothing", FULL: "in full", **ABLATIONS, CEILING: "told the truth"}
SCORES = ("ppcm", "recovery_f1")
_METRICS = (*SCORES, "tokens", "calls")


def ablation(methods: Sequence[str], cells: Cells, costs: Cells) -> list[dict[str, Any]] | None:
    """Return one row per method of the table, None for a run without full PROSE or without an ablation of it.

    A row has `method`, `what` it is, and per metric `value` and `difference` to full PROSE (null for itself). Tokens and
    calls are sums over a user's steps and are paired by user and seed; scores by the document as well.
    """
    if FULL not in methods or not any(method in ABLATIONS for method in methods):
        return None
    return [
        {
            "method": method,
            "what": what,
            **{metric: _compared(method, metric, cells, costs) for metric in _METRICS},
        }
        for method, what in _WHAT.items()
        if method in methods
    ]


def ablation_table(
    rows: Sequence[Mapping[str, Any]], compared: Sequence[str] = _METRICS
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table as text, with a difference for each metric of `compared`.

    A metric that no row has is left out.
    """
    metrics = [metric for metric in _METRICS if any(row[metric]["value"] for row in rows)]
    header, lines = ["method"], [[named(row["method"])] for row in rows]
    for metric in metrics:
        header += [metric, "difference"] if metric in compared else [metric]
        for row, line in zip(rows, lines, strict=True):
            value, difference = row[metric]["value"], row[metric]["difference"]
            line.append(show(value and {**value, "low": None}, metric))
            if metric in compared:
                line.append(show(difference, metric, signed=True))
    return [*header, "what it is"], [[*line, row["what"]] for row, line in zip(rows, lines, strict=True)]


def ablation_parts(rows: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """Return the report's section on the ablations, nothing where there are none."""
    if rows is None:
        return []
    return [
        "## Ablations of PROSE",
        f"Each difference is the method's value minus that of `{FULL}`, over the same users, seeds and documents, with its "
        "95 % interval: a score below 0 is what the missing part is worth. Tokens (prompt and completion) and calls are sums "
        "per user.",
        grid(*ablation_table(rows)),
    ]


def _compared(method: str, metric: str, cells: Cells, costs: Cells) -> dict[str, Any]:
    """Return a method's `value` in a metric and its paired `difference` to full PROSE, each None where undefined."""
    ours, full = _values(method, metric, cells, costs), _values(FULL, metric, cells, costs)
    if ours is None:
        return {"value": None, "difference": None}
    compared = None if full is None or method == FULL else paired_difference(ours, full)
    return {"value": optional(mean_interval(ours)), "difference": optional(compared)}


def _values(method: str, metric: str, cells: Cells, costs: Cells) -> pl.DataFrame | None:
    """Return what is compared: a row per user, seed and document, the latter empty for what is summed per user."""
    if metric == "tokens":
        prompt, completion = costs[method, "prompt_tokens"], costs[method, "completion_tokens"]
        sums = prompt.join(completion, on=["user_id", "seed"], suffix="_completion")
        return sums.select(
            "user_id", "seed", document_id=pl.lit(""), value=pl.col("value") + pl.col("value_completion")
        )
    if metric == "calls":
        return costs[method, metric].with_columns(document_id=pl.lit(""))
    return cells.get((method, metric))
