"""The page's own figures: differences in pairs, cost against quality, and what is recovered of each component.

They wear few colours, which the page's style sheet exchanges on dark paper, and say everything in words or shapes too.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from prose_data.report.basis import CEILING, FLOOR, LOWER_IS_BETTER, Summary
from prose_data.report.figures import styled

if TYPE_CHECKING:
    import altair as alt

INK, PAPER, BLUE = "#1f2328", "#ffffff", "#0072b2"
_MOST_PAIRS, _MOST_COMPONENTS, _MOST_METHODS = 28, 60, 16
_ON_LIGHT, _ON_DARK = "#101418", "#fcfcfc"  # words in coloured cells stay as they are on any paper
_WIDE = 420


def pairs(summary: Summary) -> list[dict[str, Any]]:
    """Return the differences in the main metric that are drawn: all pairs, or where these are many, those to the floor."""
    found = [p for p in summary["paired"] if p["metric"] == summary["main_metric"] and p["low"] is not None]
    if len(found) > _MOST_PAIRS:
        found = [p for p in found if FLOOR in (p["one"], p["other"])]
    return found[:_MOST_PAIRS]


def forest(found: Sequence[Mapping[str, Any]], metric: str, made_by: str) -> "alt.LayerChart":
    """Return a line per pair: the mean difference and its 95 % interval, hollow where that holds 0."""
    import altair as alt

    rows = [
        {
            "pair": f"{p['one']} − {p['other']}",
            "low": p["low"],
            "high": p["high"],
            "mean": p["mean"],
            "clear": p["low"] > 0 or p["high"] < 0,
        }
        for p in found
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("pair:N", sort=None, title=None).axis(labelLimit=320)
    )
    across = alt.X("low:Q", title=f"difference in {metric}").axis(grid=True)
    zero = (
        alt.Chart(alt.InlineData(values=[{"zero": 0}]))
        .mark_rule(stroke=INK, strokeDash=[4, 3])
        .encode(x="zero:Q")
    )
    lines = base.mark_rule(stroke=BLUE, strokeWidth=2).encode(x=across, x2="high:Q")
    points = base.mark_point(size=70, stroke=BLUE, strokeWidth=2, opacity=1).encode(
        x="mean:Q", fill=alt.condition("datum.clear", alt.value(BLUE), alt.value(PAPER))
    )
    title = _title(f"Differences in {metric}, users in pairs", made_by)
    chart: alt.LayerChart = alt.LayerChart(layer=[zero, lines, points])
    return styled(chart.properties(width=_WIDE, height=alt.Step(20), title=title))


def offers(summary: Summary) -> tuple[str, list[dict[str, Any]]] | None:
    """Return what is paid for, and per method `paid` per user, `mean` with its interval, and whether it is on the `front`.

    The price where all are known and one is above 0, else tokens. The ceiling is told the truth, so it is on no front.
    None where fewer than two methods can be placed.
    """
    metric, methods = summary["main_metric"], summary["methods"]
    scored = {name: row for name, row in methods.items() if row.get(metric, {}).get("mean") is not None}
    priced = all(row["cost_usd"]["mean"] is not None for row in scored.values())
    priced = priced and any(row["cost_usd"]["mean"] > 0 for row in scored.values())
    what, keys = (
        ("US dollars", ("cost_usd",)) if priced else ("tokens", ("prompt_tokens", "completion_tokens"))
    )
    placed = [
        {"method": name, **row[metric], "paid": sum(row[key]["mean"] for key in keys)}
        for name, row in scored.items()
        if all(row[key]["mean"] is not None for key in keys)
    ]
    sign = -1 if metric in LOWER_IS_BETTER else 1
    rivals = [one for one in placed if one["method"] != CEILING]
    for one in placed:
        one["front"] = one in rivals and not any(
            other["paid"] <= one["paid"]
            and sign * other["mean"] >= sign * one["mean"]
            and (other["paid"], other["mean"]) != (one["paid"], one["mean"])
            for other in rivals
        )
    return (what, placed) if len(placed) > 1 else None


def pareto(what: str, placed: Sequence[Mapping[str, Any]], metric: str, made_by: str) -> "alt.LayerChart":
    """Return a point per method, what it costs per user across and its mean up, and the front as a line."""
    import altair as alt

    low, high = min(one["paid"] for one in placed), max(one["paid"] for one in placed)
    wide = low > 0 and high > 8 * low
    across = (
        alt.X("paid:Q", title=f"{what} per user")
        .scale(
            type="log" if wide else "linear",
            zero=False,
            nice=False,
            domain=[low * 0.85, high * (1.6 if wide else 1.15)],
        )
        .axis(format="~s", tickCount=5)
    )
    up = alt.Y("mean:Q", title=metric).scale(zero=False).axis(grid=True)
    data = alt.Chart(alt.InlineData(values=[dict(one) for one in placed]))
    front = (
        data.transform_filter("datum.front")
        .mark_line(stroke=BLUE, strokeWidth=1.5, strokeDash=[5, 4], interpolate="step-after")
        .encode(x=across, y=up, order="paid:Q")
    )
    spans = (
        data.transform_filter("datum.low !== null")
        .mark_rule(stroke=INK, opacity=0.5)
        .encode(x=across, y="low:Q", y2="high:Q")
    )
    points = data.mark_point(size=90, stroke=BLUE, strokeWidth=2, opacity=1).encode(
        x=across, y=up, fill=alt.condition("datum.front", alt.value(BLUE), alt.value(PAPER))
    )
    names = data.mark_text(align="left", dx=9, dy=-7, fontSize=12, fill=INK).encode(
        x=across, y=up, text="method:N"
    )
    title = _title(f"{metric} by what a user costs; filled: on the front", made_by)
    chart: alt.LayerChart = alt.LayerChart(layer=[front, spans, points, names])
    return styled(chart.properties(width=_WIDE + 60, height=300, title=title))


def recovered(scores: pl.DataFrame, methods: Sequence[str]) -> list[dict[str, Any]]:
    """Return per component and method the share of inferences that name the component, and their number `n`.

    `scores` are the rows of the metric `recovered`. Components that the most inferences are about come first; of many
    only those.
    """
    if not scores.height:
        return []
    kept = [method for method in methods if (scores["method"] == method).any()][:_MOST_METHODS]
    order = scores.group_by("component").len().sort(["len", "component"], descending=[True, False])
    chosen = order["component"].head(_MOST_COMPONENTS).to_list()
    means = (
        scores.filter(pl.col("component").is_in(chosen), pl.col("method").is_in(kept))
        .group_by("component", "method")
        .agg(pl.col("value").mean().round(4), n=pl.len())
    )
    level = dict(means.group_by("component").agg(pl.col("value").mean()).iter_rows())
    rows = means.sort("component", "method").to_dicts()
    return sorted(
        rows,
        key=lambda row: (-round(level[row["component"]], 6), row["component"], kept.index(row["method"])),
    )


def recovery_map(rows: Sequence[Mapping[str, Any]], made_by: str) -> "alt.LayerChart":
    """Return the grid of components by methods, the share printed in each cell, best recovered first."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=[dict(row) for row in rows])).encode(
        x=alt.X("method:N", sort=None, title=None).axis(orient="top", labelAngle=-40, labelLimit=160),
        y=alt.Y("component:N", sort=None, title=None).axis(labelLimit=330),
    )
    cells = base.mark_rect(stroke=PAPER, strokeWidth=1).encode(
        color=alt.Color("value:Q", legend=None).scale(scheme="blues", domain=[0, 1])
    )
    numbers = base.mark_text(fontSize=12).encode(
        text=alt.Text("value:Q", format=".2f"),
        color=alt.condition("datum.value > 0.6", alt.value(_ON_DARK), alt.value(_ON_LIGHT)),
    )
    title = _title("Share of inferences that name the component", made_by)
    chart: alt.LayerChart = alt.LayerChart(layer=[cells, numbers])
    return styled(chart.properties(width=alt.Step(56), height=alt.Step(22), title=title))


def _title(words: str, made_by: str) -> "alt.Title":
    import altair as alt

    return alt.Title(words, subtitle=made_by, anchor="start", offset=12)
