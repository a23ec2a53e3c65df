"""`report.md` and the terminal's table from a summary.

No text that a model wrote is shown: only names from the configuration, numbers, and the reasons of failures.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prose_data.report.ablation import SCORES, ablation_parts, ablation_table
from prose_data.report.basis import CEILING, COSTS, DASH, FLOOR, Summary, cell, grid, named, show
from prose_data.report.prelude import cost_table, prelude_parts
from prose_data.report.protocols import protocol_parts
from prose_data.report.settings import settings_line
from prose_data.report.sweep import sweep_parts, sweep_sentence, sweep_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STEP_COLUMNS = 10
HEADLINE = ("ppcm", "recovery_f1", "identification", "edit_distance", "description_length", "calls")


def print_headline(console: "Console", summary: Summary) -> None:
    """Print the notice of a simulated model, and as much as the console is wide of what the run is about: the ablations
    and the sweep that it holds, and the headline metrics, unless these two have all of its methods."""
    if summary["notice"]:
        console.print(summary["notice"], style="yellow", soft_wrap=True, highlight=False)
    rows, found = summary["ablation"], summary["sweep"]
    told = {row["method"] for row in rows or ()} | set(found["methods"] if found else ())
    if not told >= set(summary["methods"]):
        print_table(console, *_headline(summary))
    if rows:
        title = "Ablations of PROSE: differences to prose in full, with 95 % intervals"
        print_table(console, *ablation_table(rows, SCORES), title)
    for task, of_task in (summary["prelude"] or {"tasks": {}})["tasks"].items():
        print_table(console, *cost_table(of_task), f"Cost of editing: {task}, {of_task['rounds']} rounds")
    for metric in found["metrics"] if found else ():
        print_table(console, *sweep_table(found, metric), f"PROSE: {metric} by steps S and threshold v")
        console.print(sweep_sentence(found, metric), highlight=False)


def _headline(summary: Summary) -> tuple[list[str], list[list[str]]]:
    methods = summary["methods"]
    shown = [metric for metric in HEADLINE if any(metric in row for row in methods.values())]
    rows = [
        [named(method), *(show(row[metric], metric) for metric in shown)] for method, row in methods.items()
    ]
    return ["method", *shown], rows


def print_table(
    console: "Console", header: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None
) -> None:
    """Print a table, with fewer columns where the console is too narrow for all."""
    columns, endless = len(header), console.options.update(width=10_000)
    table = _table(header, rows, title)
    while columns > 2 and console.measure(table, options=endless).maximum > console.width:
        columns -= 1
        table = _table(header[:columns], [row[:columns] for row in rows], title)
    console.print(table)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column(header[0])
    for column in header[1:]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def markdown(summary: Summary) -> str:
    """Return the text of `report.md`."""
    methods, main = summary["methods"], summary["main_metric"]
    scored = [metric for metric in next(iter(methods.values())) if metric not in COSTS]
    parts = [summary["notice"]] if summary["notice"] else []
    parts += [
        f"# {cell(summary['name'])}",
        f"Users: {summary['users']:,} of the space {cell(summary['space'])}. Seeds: {len(summary['seeds'])}. "
        "Means over users and demonstrations, in brackets the 95 % interval from resampling users; "
        f"{DASH} where a metric is undefined for a method; n of N where values are missing.",
        "## Scores",
        grid(["method", *scored], [[named(m), *(show(r[k], k) for k in scored)] for m, r in methods.items()]),
    ]
    gaps = summary["gap_closed"]
    bounded = [metric for metric in scored if any(metric in row for row in gaps.values())]
    if bounded:
        parts += [
            "## Share of the gap closed",
            f"0 is {FLOOR} (the floor), 1 is {CEILING} (the ceiling).",
            grid(
                ["method", *bounded], [[m, *(show(r.get(k), "") for k in bounded)] for m, r in gaps.items()]
            ),
        ]
    if summary["expected"]:
        parts += [
            "## The expected order",
            "A line holds, or does not hold, only where the interval of the paired difference leaves no doubt.",
            grid(
                ["expected", "metric", "difference", "verdict"],
                [
                    [
                        f"{e['one']} {e['sign']} {e['other']}",
                        e["metric"],
                        show(e["difference"], ""),
                        e["verdict"],
                    ]
                    for e in summary["expected"]
                ],
            ),
        ]
    parts += [*ablation_parts(summary["ablation"]), *sweep_parts(summary["sweep"])]
    parts += prelude_parts(summary["prelude"])
    parts += protocol_parts(summary["protocols"])
    parts += _by_step(summary)
    kinds = list(next(iter(summary["by_task"].values())))
    if len(kinds) > 1:
        parts += [
            f"## {main} by kind of writing",
            grid(
                ["method", *kinds],
                [[m, *(show(e, main) for e in row.values())] for m, row in summary["by_task"].items()],
            ),
        ]
    parts += [
        "## Cost per user",
        f"Sums over a user's steps, means over seeds; {DASH} where the price of a model is unknown.",
        grid(
            ["method", *COSTS],
            [[m, *(show({**r[k], "failed": 0}, k) for k in COSTS)] for m, r in methods.items()],
        ),
        *_provenance(summary),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _by_step(summary: Summary) -> list[str]:
    """Return the part on the main metric by samples seen; of many steps some that follow each other share a column."""
    main = summary["main_metric"]
    steps = max(map(len, summary["by_step"].values()), default=0)
    size = -(-steps // STEP_COLUMNS)
    starts = range(0, steps, max(1, size))
    columns = [
        f"{start}–{min(steps, start + size) - 1}" if min(steps, start + size) - 1 > start else str(start)
        for start in starts
    ]
    rows = [
        [
            method,
            *(show(_mean(estimates[start : start + size]), main) for start in starts),
            show(summary["after_first"][method], main),
        ]
        for method, estimates in summary["by_step"].items()
    ]
    return [f"## {main} by number of samples seen", grid(["method", *columns, "without 0"], rows)]


def _mean(estimates: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """Return the mean over all rows of several estimates, without an interval; None where there is none."""
    there = [estimate for estimate in estimates if estimate]
    n = sum(estimate["n"] for estimate in there)
    total = sum(estimate["mean"] * estimate["n"] for estimate in there)
    return {"mean": total / n, "low": None, "high": None, "n": n} if n else None


def _provenance(summary: Summary) -> list[str]:
    """Return the parts of the report on samples, failures, models and how the run was made."""
    counts, models = summary["samples"], summary["models"]
    wanted = max(1, counts["wanted"])
    same = [role for role in ("human", "writer") if models[role] == models["judge"]]
    parts = []
    if counts["wanted"]:  # not so where users answer drafts
        parts += [
            "## Samples",
            f"Of {counts['wanted']} samples, {counts['first'] / wanted:.1%} were accepted at the first writing, "
            f"{counts['rewritten'] / wanted:.1%} after rewriting, {counts['refused'] / wanted:.1%} never.",
        ]
    if counts["rejected"]:
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in counts["rejected"].items())
        parts.append(f"Writings rejected, by reason: {cell(reasons)}.")
    parts.append("## Failures")
    if summary["failures"]:
        rows = [[f["stage"], f["reason"], str(f["lost"]), str(f["noted"])] for f in summary["failures"]]
        parts += [
            "Lost: a row is missing for it. Noted: something went wrong without costing a row.",
            grid(["stage", "reason", "lost", "noted"], rows),
        ]
    else:
        parts.append("None.")
    replies = summary["replies"]
    parts.append(
        f"Of {replies['first']:,} replies, {replies['corrected']:,} could not be read and got one correction turn; "
        f"{replies['unreadable']:,} stayed unreadable."
    )
    parts += ["## Models", grid(["role", "model"], [[role, model] for role, model in models.items()])]
    if same:
        parts.append(
            f"The judge is the same model as the {' and the '.join(same)}: it may favour its own writing."
        )
    prompts = ", ".join(f"{name} {value[:8]}" for name, value in sorted(summary["prompts"].items()))
    return [
        *parts,
        "## How this was made",
        f"prose-data {summary['version']}, configuration in `config.yaml`, seeds {', '.join(map(str, summary['seeds']))}.",
        cell(settings_line(summary["prose"])),
        f"Prompts: {cell(prompts)}." if prompts else "",
    ]
