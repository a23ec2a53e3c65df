"""`prose-data report`: a run's report, or what changes from one run to another."""

from pathlib import Path
from typing import Annotated

import typer

from prose_data.commands.driving import need, print_report, target_of
from prose_data.commands.options import Json, Out, Sets, Target
from prose_data.commands.outcomes import print_json
from prose_data.errors import InputError


def report(
    target: Target = None,
    other: Annotated[
        Path | None, typer.Argument(metavar="OTHER", help="A second run folder, to compare the two.")
    ] = None,
    out: Out = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Write a finished run's report (report/index.html, report.md, summary.json) and print the headline table; of two runs
    print what changes from the first to the second."""
    from prose_data.runs import load_run

    if target is not None and other is not None:
        if out is not None or sets:
            raise InputError(
                f"{other}: two runs are compared as they are, so --out and --set do not go with them"
            )
        _compare(target, other, as_json)
        return

    with target_of(target, out, sets) as (_, folder):
        for table, command in (("samples", "synthesize"), ("inferences", "infer"), ("scores", "score")):
            need(folder, table, command)
        print_report(load_run(folder), as_json)


def _compare(one: Path, other: Path, as_json: bool) -> None:
    """Print what changes from one run to another."""
    from rich.console import Console

    from prose_data.report.comparison import compare, print_comparison
    from prose_data.runs import load_run

    for folder in (one, other):
        need(folder, "scores", "score")
    found = compare(load_run(one), load_run(other))
    if as_json:
        print_json(found)
        return
    console = Console()
    print_comparison(console if console.is_terminal else Console(width=160), found)
