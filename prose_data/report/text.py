"""`report.md` and the terminal's table from a summary.

No text that a model wrote is shown: only names from the configuration, numbers, and the reasons of failures.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prose_data.report.summary import CEILING, COSTS, FLOOR, Summary

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

HEADLINE = ("ppcm", "recovery_f1", "identification", "edit_distance", "description_length", "calls")
DIGITS = {"edit_distance": 1, "description_length": 0, "calls": 1, "prompt_tokens": 0, "completion_tokens": 0}
DIGITS |= {"cost_usd": 4}
DASH = "–"


def headline_table(summary: Summary, columns: int = len(HEADLINE)) -> "Table":
    """Return the first `columns` headline metrics of all methods as a table for the terminal."""
    from rich.table import Table

    shown = [metric for metric in HEADLINE if any(metric in row for row in summary["methods"].values())][
        :columns
    ]
    table = Table()
    table.add_column("method")
    for metric in shown:
        table.add_column(metric, justify="right")
    for method, row in summary["methods"].items():
        table.add_row(_named(method), *(show(row[metric], metric) for metric in shown))
    return table


def print_headline(console: "Console", summary: Summary) -> None:
    """Print the notice of a simulated model and as many headline metrics as the console is wide."""
    if summary["notice"]:
        console.print(summary["notice"], style="yellow", soft_wrap=True, highlight=False)
    columns, endless = len(HEADLINE), console.options.update(width=10_000)
    while (
        columns > 1
        and console.measure(headline_table(summary, columns), options=endless).maximum > console.width
    ):
        columns -= 1
    console.print(headline_table(summary, columns))


def show(estimate: Mapping[str, Any] | None, metric: str) -> str:
    """Return an estimate as `0.83 [0.79, 0.87]`, with `n of N` where something is missing; a dash where undefined."""
    if estimate is None or (estimate["mean"] is None and not estimate.get("failed")):
        return DASH
    digits = DIGITS.get(metric, 2)
    failed, n = estimate.get("failed", 0), estimate["n"]

    def number(value: float) -> str:
        return f"{round(value, digits) + 0.0:.{digits}f}"  # never -0.00

    text = DASH if estimate["mean"] is None else number(estimate["mean"])
    if estimate["low"] is not None:
        text += f" [{number(estimate['low'])}, {number(estimate['high'])}]"
    return f"{text} ({n} of {n + failed})" if failed else text


def markdown(summary: Summary) -> str:
    """Return the text of `report.md`."""
    methods, main = summary["methods"], summary["main_metric"]
    scored = [metric for metric in next(iter(methods.values())) if metric not in COSTS]
    parts = [summary["notice"]] if summary["notice"] else []
    parts += [
        f"# {_cell(summary['name'])}",
        f"Users: {summary['users']:,} of the space {_cell(summary['space'])}. Seeds: {len(summary['seeds'])}. "
        "Means over users and demonstrations, in brackets the 95 % interval from resampling users; "
        f"{DASH} where a metric is undefined for a method; n of N where values are missing.",
        "## Scores",
        _grid(
            ["method", *scored], [[_named(m), *(show(r[k], k) for k in scored)] for m, r in methods.items()]
        ),
    ]
    gaps = summary["gap_closed"]
    bounded = [metric for metric in scored if any(metric in row for row in gaps.values())]
    if bounded:
        parts += [
            "## Share of the gap closed",
            f"0 is {FLOOR} (the floor), 1 is {CEILING} (the ceiling).",
            _grid(
                ["method", *bounded], [[m, *(show(r.get(k), "") for k in bounded)] for m, r in gaps.items()]
            ),
        ]
    if summary["expected"]:
        parts += [
            "## The expected order",
            "A line holds, or does not hold, only where the interval of the paired difference leaves no doubt.",
            _grid(
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
    steps = max(map(len, summary["by_step"].values()), default=0)
    parts += [
        f"## {main} by number of samples seen",
        _grid(
            ["method", *map(str, range(steps)), "without 0"],
            [
                [
                    m,
                    *(show(e and {**e, "low": None}, main) for e in row),
                    show(summary["after_first"][m], main),
                ]
                for m, row in summary["by_step"].items()
            ],
        ),
    ]
    kinds = list(next(iter(summary["by_task"].values())))
    if len(kinds) > 1:
        parts += [
            f"## {main} by kind of writing",
            _grid(
                ["method", *kinds],
                [[m, *(show(e, main) for e in row.values())] for m, row in summary["by_task"].items()],
            ),
        ]
    parts += [
        "## Cost per user",
        f"Sums over a user's steps, means over seeds; {DASH} where the price of a model is unknown.",
        _grid(
            ["method", *COSTS],
            [[m, *(show({**r[k], "failed": 0}, k) for k in COSTS)] for m, r in methods.items()],
        ),
        *_provenance(summary),
    ]
    return "\n\n".join(parts) + "\n"


def _provenance(summary: Summary) -> list[str]:
    """Return the parts of the report on samples, failures, models and how the run was made."""
    counts, models = summary["samples"], summary["models"]
    wanted = max(1, counts["wanted"])
    same = [role for role in ("human", "writer") if models[role] == models["judge"]]
    parts = [
        "## Samples",
        f"Of {counts['wanted']} samples, {counts['first'] / wanted:.1%} were accepted at the first writing, "
        f"{counts['rewritten'] / wanted:.1%} after rewriting, {counts['refused'] / wanted:.1%} never.",
    ]
    if counts["rejected"]:
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in counts["rejected"].items())
        parts.append(f"Writings rejected, by reason: {_cell(reasons)}.")
    parts.append("## Failures")
    if summary["failures"]:
        rows = [[f["stage"], f["reason"], str(f["lost"]), str(f["noted"])] for f in summary["failures"]]
        parts += [
            "Lost: a row is missing for it. Noted: something went wrong without costing a row.",
            _grid(["stage", "reason", "lost", "noted"], rows),
        ]
    else:
        parts.append("None.")
    replies = summary["replies"]
    parts.append(
        f"Of {replies['first']:,} replies, {replies['corrected']:,} could not be read and got one correction turn; "
        f"{replies['unreadable']:,} stayed unreadable."
    )
    parts += ["## Models", _grid(["role", "model"], [[role, model] for role, model in models.items()])]
    if same:
        parts.append(
            f"The judge is the same model as the {' and the '.join(same)}: it may favour its own writing."
        )
    prompts = ", ".join(f"{name} {value[:8]}" for name, value in sorted(summary["prompts"].items()))
    return [
        *parts,
        "## How this was made",
        f"prose-data {summary['version']}, configuration in `config.yaml`, seeds {', '.join(map(str, summary['seeds']))}.",
        f"Prompts: {_cell(prompts)}." if prompts else "",
    ]


def _named(method: str) -> str:
    return method + {FLOOR: " (floor)", CEILING: " (ceiling)"}.get(method, "")


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is to the left, all others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    """Return `text` so that it can neither end a cell nor start markup."""
    return "".join(f"\\{c}" if c in "\\`*|<!" else c for c in " ".join(text.split()))
