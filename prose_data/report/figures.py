"""Figures of a report, each as SVG (for the page) and PNG (for slides), drawn without a network or a display."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prose_data.report.basis import CEILING, DIGITS, FLOOR, Summary
from prose_data.report.prelude import figure_name
from prose_data.report.protocols import figured
from prose_data.runs import land

if TYPE_CHECKING:
    import altair as alt

FIGURES = "figures"
_INK, _PAPER = "#1f2328", "#ffffff"
_CELL = 64  # pixels
_WIDE, _HIGH, _LINE = 520, 360, 16  # pixels of a plot of curves, and of a line of its labels
# Okabe and Ito's colours, which eyes of every kind tell apart; yellow is left out, as it is faint on paper.
_HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def draw(summary: Summary, folder: Path) -> dict[str, str]:
    """Write the figures that `report.md` of `summary` links to below the run folder `folder`, and return their SVGs by
    name."""
    drawn: dict[str, str] = {}
    found = summary["sweep"]
    made_by = f"{summary['models']['inferrer']} infers" + (", simulated" if summary["simulated"] else "")
    for metric in found["metrics"] if found else ():
        drawn[f"sweep_{metric}"] = save(
            heat_map(found, metric, made_by), folder / FIGURES / f"sweep_{metric}"
        )
    for task, of_task in (summary["prelude"] or {"tasks": {}})["tasks"].items():
        writes = f"{summary['models']['writer']} writes, {made_by}"
        name = figure_name(task)
        drawn[name] = save(cost_curves(of_task, task, writes), folder / FIGURES / name)
    for section in figured(summary["protocols"]):
        name = section["figure"]
        drawn[name] = save(learning_curves(section, made_by), folder / FIGURES / name)
    return drawn


def save(chart: "alt.LayerChart", path: Path) -> str:
    """Write `chart` to `path`.svg and `path`.png, each whole or not at all, and return the SVG."""
    import vl_convert

    drawn = io.StringIO()
    chart.save(drawn, format="svg")
    svg = drawn.getvalue()
    png = vl_convert.svg_to_png(svg, scale=2)  # as Altair makes it, which would draw the chart once more
    land(path.with_name(f"{path.name}.svg"), lambda file: file.write(svg.encode()))
    land(path.with_name(f"{path.name}.png"), lambda file: file.write(png))
    return svg


def heat_map(found: Mapping[str, Any], metric: str, made_by: str) -> "alt.LayerChart":
    """Return the grid of one metric, steps S by threshold v, each value printed in its cell; `made_by` is the subtitle.

    The colours run from light to dark in one hue, for eyes of every kind, and span at least one 95 % interval, so that
    chance does not look like a landscape. On its own paper the figure is the same on a light and on a dark page.
    """
    import altair as alt

    rows = [
        {"S": str(steps), "v": f"{threshold:g}", **estimate}
        for steps, line in zip(found["steps"], found["metrics"][metric]["values"], strict=True)
        for threshold, estimate in zip(found["thresholds"], line, strict=True)
        if estimate
    ]
    low, high = _span(rows)
    dark = low + 0.65 * (high - low)  # from here on paper reads better than ink
    across = alt.X("v:O", sort=None, title="threshold v").axis(labelAngle=0, orient="top")
    down = alt.Y("S:O", sort=None, title="steps S").axis(titleAngle=0, titleAlign="right", titleX=-16)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=across, y=down)
    cells = base.mark_rect(stroke=_PAPER, strokeWidth=2).encode(
        color=alt.Color("mean:Q", legend=None).scale(scheme="blues", domain=[low, high])
    )
    number = base.mark_text(fontSize=14).encode(
        text=alt.Text("mean:Q", format=f".{DIGITS.get(metric, 2)}f"),
        color=alt.condition(f"datum.mean > {dark}", alt.value(_PAPER), alt.value(_INK)),
    )
    size = {"width": alt.Step(_CELL), "height": alt.Step(_CELL * 0.75)}
    title = alt.Title(f"PROSE: mean {metric}", subtitle=made_by, anchor="start", offset=12)
    chart: alt.LayerChart = alt.LayerChart(layer=[cells, number]).properties(**size, title=title)
    return styled(chart)


def _span(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the ends of the colour scale: the means' own range, or about its middle the widest interval if that is more."""
    means = [row["mean"] for row in rows]
    widest = max(row["high"] - row["low"] if row["low"] is not None else 0.0 for row in rows)
    missing = max(0.0, widest - (max(means) - min(means)))
    return min(means) - missing / 2, max(means) + missing / 2


def cost_curves(found: Mapping[str, Any], task: str, made_by: str) -> "alt.LayerChart":
    """Return what editing has cost by each round, a line per method with its name at the end; `made_by` is the subtitle."""
    curves = {
        method: list(enumerate([0.0, *of_method["curve"]])) for method, of_method in found["methods"].items()
    }
    axes = "round", "cumulative cost, word tokens", ",.0f"
    return _curves(curves, axes, f"Cost of editing: {task}", made_by, (0, found["rounds"]))


def learning_curves(section: Mapping[str, Any], made_by: str) -> "alt.LayerChart":
    """Return a metric by the number of samples seen, a line per method with its name at the end; `made_by` is the subtitle.

    `section` is one of `protocols` whose columns are numbers of samples.
    """
    curves = {
        method: [
            (int(column), value["mean"])
            for column, value in zip(section["columns"], values, strict=True)
            if value
        ]
        for method, values in section["rows"].items()
    }
    seen = [number for curve in curves.values() for number, _ in curve]
    axes = "samples seen", section["metric"], ".2~f"
    return _curves(curves, axes, section["title"], made_by, (min(seen), max(seen)))


def _curves(
    curves: Mapping[str, Sequence[tuple[int, float]]],
    axes: tuple[str, str, str],
    title: str,
    made_by: str,
    span: tuple[int, int],
) -> "alt.LayerChart":
    """Return a line per method; `axes` are the titles across and up and the form of numbers, `span` the ends across.

    Floor and ceiling are dashed, and so are methods that have to share a colour with another one.
    """
    import altair as alt

    others = [method for method in curves if method not in (FLOOR, CEILING)]
    hues = {method: _HUES[place % len(_HUES)] for place, method in enumerate(others)}
    plain = set(others[: len(_HUES)])
    curves = {
        method: curve for method, curve in curves.items() if curve
    }  # those without keep their colours free
    rows = [
        {"method": method, "x": number, "y": value}
        for method, curve in curves.items()
        for number, value in curve
    ]
    ends = {method: curve[-1][1] for method, curve in curves.items()}
    values = [0.0, *(value for curve in curves.values() for _, value in curve)]
    high = max(values) - min(values) or 1.0
    names = [
        {"method": method, "x": curves[method][-1][0], "y": value}
        for method, value in _apart(ends, high * _LINE / _HIGH).items()
    ]
    colour = alt.Color("method:N", legend=None).scale(
        domain=list(curves), range=[hues.get(method, _INK) for method in curves]
    )
    dash = alt.StrokeDash("method:N", legend=None).scale(
        domain=list(curves), range=[[1, 0] if method in plain else [5, 4] for method in curves]
    )
    across = alt.X("x:Q", title=axes[0]).axis(tickMinStep=1).scale(domain=list(span), nice=False)
    up = alt.Y("y:Q", title=axes[1]).axis(grid=True, format=axes[2])
    lines = alt.Chart(alt.InlineData(values=rows)).mark_line(strokeWidth=2, clip=False)
    labels = alt.Chart(alt.InlineData(values=names)).mark_text(align="left", dx=6, fontSize=12)
    layers = [
        lines.encode(x=across, y=up, color=colour, strokeDash=dash),
        labels.encode(x=across, y=up, text="method:N", color=colour),
    ]
    heading = alt.Title(title, subtitle=made_by, anchor="start", offset=12)
    chart: alt.LayerChart = alt.LayerChart(layer=layers).properties(width=_WIDE, height=_HIGH, title=heading)
    return styled(chart)


def _apart(ends: Mapping[str, float], gap: float) -> dict[str, float]:
    """Return the values, from the lowest up, each at least `gap` above the one before."""
    placed: dict[str, float] = {}
    last = -math.inf
    for name in sorted(ends, key=lambda name: ends[name]):
        last = placed[name] = max(ends[name], last + gap)
    return placed


def styled(chart: "alt.LayerChart") -> "alt.LayerChart":
    """Return `chart` as all figures look: on its own paper, without lines that say nothing."""
    import altair as alt

    inks: dict[str, Any] = {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 13, "titleFontSize": 13}
    styled: alt.LayerChart = chart.configure(
        background=_PAPER,
        padding=12,
        font="sans-serif",
        axis=alt.AxisConfig(domain=False, ticks=False, grid=False, titleFontWeight="normal", **inks),
        title=alt.TitleConfig(fontSize=15, color=_INK, subtitleColor=_INK, subtitleFontSize=12),
        view=alt.ViewConfig(stroke=None),
    )
    return styled
