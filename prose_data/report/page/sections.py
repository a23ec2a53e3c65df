"""The page's sections from a summary: what is found first, then how it was made."""

from collections.abc import Mapping, Sequence
from typing import Any

from prose_data.calibration.flags import flag_sentence
from prose_data.calibration.text import agreement_table, correction_table, sway_table
from prose_data.report.ablation import ablation_table
from prose_data.report.basis import CEILING, COSTS, DASH, FLOOR, Summary, named, show
from prose_data.report.page.html import Html, element, folded, joined, paragraph, section, table, text
from prose_data.report.prelude import cost_table
from prose_data.report.protocols import protocol_table
from prose_data.report.settings import settings_line
from prose_data.report.sweep import sweep_sentence, sweep_table
from prose_data.report.text import HEADLINE

Figures = Mapping[str, Html]  # by name: each as it stands in the page


def head(summary: Summary) -> Html:
    """Return the notice of a simulated model, the title and what was run."""
    parts = [element("p", text(summary["notice"]), class_="notice", role="note")] if summary["notice"] else []
    seeds = ", ".join(map(str, summary["seeds"]))
    about = (
        f"{summary['users']:,} users of the space {summary['space']}, seeds {seeds}, {len(summary['methods'])} methods; "
        f"made with prose-data {summary['version']}."
    )
    return joined([*parts, element("h1", text(summary["name"])), paragraph(about)])


def scores(summary: Summary, same: Sequence[str]) -> Html:
    """Return the headline table, and all metrics behind it; `same` are the roles that the judge's model plays as well."""
    methods = summary["methods"]
    there = [metric for metric in next(iter(methods.values())) if metric not in COSTS]
    first = [metric for metric in HEADLINE if metric in (*there, *COSTS)] or there
    note = (
        f"Means with their 95 % intervals from resampling users. {FLOOR} is the floor, {CEILING} the ceiling. {DASH}: not "
        "defined for this method. (n of N): values are missing, and the mean is of the n that are there."
    )
    parts = [paragraph(note), table(*_grid(methods, first), "Methods by metrics")]
    if sentence := flag_sentence(same):
        parts.insert(0, element("p", text(sentence), class_="flag"))
    if rest := [metric for metric in (*there, *COSTS) if metric not in first]:
        parts.append(
            folded("All other metrics", table(*_grid(methods, rest), "Methods by all other metrics"))
        )
    if gaps := _gaps(summary, first):
        parts.append(folded("Share of the gap closed between floor and ceiling", gaps))
    if summary["expected"]:
        rows = [
            [
                f"{e['one']} {e['sign']} {e['other']}",
                e["metric"],
                show(e["difference"], "", signed=True),
                e["verdict"],
            ]
            for e in summary["expected"]
        ]
        header = ["expected", "metric", "difference", "verdict"]
        parts.append(folded("The expected order", table(header, rows, "Orders that the papers report")))
    return section("scores", "Scores", *parts)


def compared(summary: Summary, figures: Figures) -> Html:
    """Return the paired differences in the main metric."""
    main = summary["main_metric"]
    rows = [
        [
            f"{p['one']} − {p['other']}",
            show(p, main, signed=True),
            DASH if p["p_holm"] is None else f"{p['p_holm']:.3g}",
            show(p["effect"] and {**p["effect"], "mean": p["effect"]["g"], "n": p["n"]}, "", signed=True),
        ]
        for p in summary["paired"]
        if p["metric"] == main
    ]
    if not rows:
        return Html("")
    note = (
        "Each line is one method minus another over the same users, seeds and documents. Where the interval holds 0 the "
        "point is hollow. p is of the permutation test, corrected by Holm for all pairs; the effect is Hedges' g."
    )
    whole = table(["pair", "difference", "p", "effect"], rows, f"Differences in {main}")
    return section(
        "differences",
        f"Differences in {main}",
        paragraph(note),
        *_some(figures, "differences"),
        folded("As a table", whole),
    )


def learning(summary: Summary, figures: Figures) -> Html:
    """Return the learning curves."""
    parts: list[Html] = []
    for metric, curve in summary["curves"].items():
        if f"curve_{metric}" in figures:
            rows = [[named(m), *(show(e, metric) for e in points)] for m, points in curve["methods"].items()]
            whole = table(["method", *map(str, curve["steps"])], rows, f"{metric} by samples seen")
            parts += [figures[f"curve_{metric}"], folded(f"{metric} as a table", whole)]
    note = "By the number of a user's samples that a method had seen before it wrote the draft."
    return section("learning", "Learning curves", paragraph(note), *parts) if parts else Html("")


def cost(summary: Summary, figures: Figures) -> Html:
    """Return what quality costs."""
    note = (
        "Means per user and seed, of all calls. On the front: no other method is as good for less. The ceiling is told the "
        "truth, so it competes with nobody."
    )
    whole = table(*_grid(summary["methods"], [*COSTS]), "Cost per user")
    return section(
        "cost", "Cost against quality", paragraph(note), *_some(figures, "cost"), folded("As a table", whole)
    )


def recovery(rows: Sequence[Mapping[str, Any]], figures: Figures) -> Html:
    """Return what share of inferences names each component."""
    if not rows:
        return Html("")
    methods = list(dict.fromkeys(row["method"] for row in rows))
    value = {(row["component"], row["method"]): row for row in rows}
    lines = [
        [component, *(_share(value.get((component, method))) for method in methods)]
        for component in dict.fromkeys(row["component"] for row in rows)
    ]
    note = "Whether the inferred description names a true component, over users, seeds and steps; the darker, the more often."
    whole = table(
        ["component", *methods], lines, "Share of inferences that name the component, and their number"
    )
    return section(
        "recovery",
        "Recovery by component",
        paragraph(note),
        *_some(figures, "recovery"),
        folded("As a table", whole),
    )


def special(summary: Summary, figures: Figures) -> Html:
    """Return what only some runs have: ablations, a sweep, the cost of editing, harder protocols."""
    parts: list[Html] = []
    if summary["ablation"]:
        note = "Each difference is to prose in full, over the same users, seeds and documents."
        whole = table(*ablation_table(summary["ablation"]), "Ablations of PROSE")
        parts.append(section("ablation", "Ablations of PROSE", paragraph(note), whole))
    if found := summary["sweep"]:
        grids = [
            part
            for metric in found["metrics"]
            for part in (
                paragraph(sweep_sentence(found, metric)),
                *_some(figures, f"sweep_{metric}"),
                folded(f"{metric} as a table", table(*sweep_table(found, metric), f"{metric} by S and v")),
            )
        ]
        parts.append(section("sweep", "Sweep of PROSE's steps and threshold", *grids))
    for task, of_task in (summary["prelude"] or {"tasks": {}})["tasks"].items():
        whole = table(*cost_table(of_task), f"Cost of editing, {of_task['rounds']} rounds")
        parts.append(
            section(
                f"editing-{task}", f"Cost of editing: {task}", *_some(figures, f"edit_cost_{task}"), whole
            )
        )
    for number, told in enumerate(summary["protocols"]):
        header, rows = protocol_table(told)
        grid = [table(header, rows, told["title"])] if rows else []
        parts.append(
            section(
                f"protocol-{number}",
                told["title"],
                paragraph(told["note"]),
                *_some(figures, told.get("figure", "")),
                *grid,
            )
        )
    return joined(parts)


def failures(summary: Summary) -> Html:
    """Return what was lost, by reason."""
    replies = summary["replies"]
    note = (
        f"Of {replies['first']:,} replies, {replies['corrected']:,} could not be read and got one correction turn; "
        f"{replies['unreadable']:,} stayed unreadable."
    )
    rows = [[f["stage"], f["reason"], f"{f['lost']:,}", f"{f['noted']:,}"] for f in summary["failures"]]
    header = ["stage", "reason", "lost", "noted"]
    whole = (
        table(header, rows, "Lost: a row is missing. Noted: it cost no row.") if rows else paragraph("None.")
    )
    return section("failures", "Failures", paragraph(note), whole)


def judged(result: Mapping[str, Any] | None) -> Html:
    """Return how far the judge can be believed, where it was calibrated."""
    if result is None:
        note = "The judge was not calibrated; prose-data judge calibrate says how far it can be believed."
        return section("judge", "Judge calibration", paragraph(note))
    found = dict(result)
    flagged = [
        element("p", text(f"{name}: {judge['flag']}"), class_="flag")
        for name, judge in found["judges"].items()
        if judge["flag"]
    ]
    parts = [
        table(*agreement_table(found), f"Judges against {found['gold']['items']:,} labels"),
        *flagged,
        table(*sway_table(found), "What sways them"),
    ]
    if found["corrected"]:
        parts.append(table(*correction_table(found), "Means of the run, raw and corrected"))
    return section("judge", "Judge calibration", *parts)


def made(summary: Summary, configuration: str, libraries: Mapping[str, str]) -> Html:
    """Return models, samples, versions, prompts and the configuration."""
    counts = summary["samples"]
    written = (
        f"Of {counts['wanted']:,} samples {counts['first']:,} were accepted at the first writing, {counts['rewritten']:,} "
        f"after rewriting, {counts['refused']:,} never."
    )
    versions = [
        ["prose-data", summary["version"]],
        *([name, number] for name, number in sorted(libraries.items())),
    ]
    prompts = [[name, value[:12]] for name, value in sorted(summary["prompts"].items())]
    parts = [
        *([paragraph(written)] if counts["wanted"] else []),
        *([paragraph(line)] if (line := settings_line(summary["prose"])) else []),
        table(["role", "model"], [[role, model] for role, model in summary["models"].items()], "Models"),
        folded("Configuration", element("pre", text(configuration), tabindex="0")),
        folded("Versions", table(["library", "version"], versions, "Versions")),
    ]
    if prompts:
        parts.append(folded("Prompts", table(["prompt", "hash"], prompts, "Prompts and their hashes")))
    return section("made", "How this was made", *parts)


def _grid(
    methods: Mapping[str, Mapping[str, Any]], metrics: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    rows = [[named(m), *(show({"failed": 0, **row[k]}, k) for k in metrics)] for m, row in methods.items()]
    return ["method", *metrics], rows


def _gaps(summary: Summary, metrics: Sequence[str]) -> Html | None:
    gaps = summary["gap_closed"]
    bounded = [metric for metric in metrics if any(metric in row for row in gaps.values())]
    if not bounded:
        return None
    rows = [[m, *(show(row.get(k), "") for k in bounded)] for m, row in gaps.items()]
    return table(["method", *bounded], rows, "0 is the floor, 1 the ceiling")


def _share(row: Mapping[str, Any] | None) -> str:
    return DASH if row is None else f"{row['value']:.2f} ({row['n']:,})"


def _some(figures: Figures, name: str) -> list[Html]:
    return [figures[name]] if name in figures else []
