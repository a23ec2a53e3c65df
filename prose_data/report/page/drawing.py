"""The page's figures as they stand in it: SVG inside a figure, each also written as SVG and PNG below `figures/`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prose_data.report.basis import Summary
from prose_data.report.page.charts import forest, offers, pairs, pareto, recovery_map
from prose_data.report.page.html import Html, element, text

if TYPE_CHECKING:
    import altair as alt

_MOST_CURVES = 12  # methods whose lines can be told apart
_WITH_CURVES = ("ppcm", "recovery_f1", "edit_distance")
_ID = re.compile(r'(\bid="|url\(#)')
_BEGIN = re.compile(r"<svg\b[^>]*?(?= width=)")


def figures(
    summary: Summary, shares: Sequence[Mapping[str, Any]], drawn: Mapping[str, str], folder: Path
) -> dict[str, Html]:
    """Return all figures of the page by name; `drawn` are SVGs that are written already, `shares` those of components
    named (`charts.recovered`). The others are drawn, and written below the run folder `folder`."""
    from prose_data.report.figures import FIGURES, save

    words: dict[str, str] = {}
    svgs = dict(drawn)
    for name, (chart, shows) in charts(summary, shares).items():
        svgs[name], words[name] = save(chart, folder / FIGURES / name), shows
    return {name: inlined(name, svg, words.get(name, name)) for name, svg in svgs.items()}


def charts(summary: Summary, shares: Sequence[Mapping[str, Any]]) -> "dict[str, tuple[alt.LayerChart, str]]":
    """Return the page's own charts by name, each with what it shows in words; those that the run has the rows for."""
    from prose_data.report.figures import learning_curves

    metric = summary["main_metric"]
    made_by = ", ".join(f"{role} {model}" for role, model in summary["models"].items())
    found: dict[str, tuple[alt.LayerChart, str]] = {}
    if compared := pairs(summary):
        words = (
            f"Differences in {metric} between methods with their intervals; the table has the same numbers."
        )
        found["differences"] = forest(compared, metric, made_by), words
    for name, section in _curves(summary).items():
        found[name] = (
            learning_curves(section, made_by),
            f"{section['title']}; the table has the same numbers.",
        )
    if offered := offers(summary):
        words = f"{metric} of each method by {offered[0]} per user; the tables have the same numbers."
        found["cost"] = pareto(*offered, metric, made_by), words
    if shares:
        words = "Share of inferences that name each component, by method; the table has the same numbers."
        found["recovery"] = recovery_map(shares, made_by), words
    return found


def inlined(name: str, svg: str, words: str) -> Html:
    """Return an SVG that the program has drawn as a figure named by `words`; its ids are its own in the page."""
    whole = _BEGIN.sub(
        '<svg aria-hidden="true" xmlns="http://www.w3.org/2000/svg"', _ID.sub(rf"\g<1>{name}-", svg), count=1
    )
    links = f"Also as figures/{name}.svg and .png in the run's folder."
    picture = element("div", Html(whole), class_="drawing", role="img", aria_label=words, tabindex="0")
    return element("figure", picture, element("figcaption", text(links)), class_=name.partition("_")[0])


def _curves(summary: Summary) -> dict[str, dict[str, Any]]:
    """Return, by the name of its figure, the learning curve of each metric that is looked at first, in the form of a
    protocol's section."""
    swept = set(summary["sweep"]["methods"] if summary["sweep"] else ())
    methods = [method for method in summary["methods"] if method not in swept][:_MOST_CURVES]
    found = {}
    for metric in dict.fromkeys((summary["main_metric"], *_WITH_CURVES)):
        curve = summary["curves"].get(metric)
        if curve is None or len(curve["steps"]) < 2:
            continue
        none = [None] * len(curve["steps"])
        rows = {m: curve["methods"].get(m, none) for m in methods}
        if any(any(points) for points in rows.values()):
            title = f"{metric} by samples seen"
            found[f"curve_{metric}"] = {
                "title": title,
                "metric": metric,
                "columns": curve["steps"],
                "rows": rows,
            }
    return found
