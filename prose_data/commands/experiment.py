"""`prose-data experiment`: one of the three experiments of AlignX's paper, records included."""

from pathlib import Path
from typing import Annotated

import typer

from prose_data.commands.options import Json, Sets
from prose_data.commands.outcomes import end, print_json
from prose_data.errors import InputError, printable


def experiment(
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG",
            help="alignx_history, alignx_novel, alignx_control, or a configuration of your own.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="The run folder; default runs/<name of the configuration>.")
    ] = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Make the configured records, as far as they are missing, and run an experiment on them.

    history: fewer items of the user's history are shown. novel: dimensions are held out of every history. control: one
    direction of what a reader or writer is told is turned around.
    """
    import asyncio
    import sys

    from rich.console import Console

    from prose_data.alignx.experiments import experiment_markdown, run_and_write
    from prose_data.alignx.synthesis import synthesize
    from prose_data.config import load_config
    from prose_data.llm.meter import Meter
    from prose_data.progress import shown_progress

    settings = load_config(config, sets or ())
    if settings.space != "alignx":
        raise InputError(f"{config}: the space is {settings.space}, and experiments need space alignx")
    folder = out or Path("runs") / settings.name
    console, meter = Console(stderr=True, force_terminal=sys.stderr.isatty()), Meter(settings.budget)
    with shown_progress(console, meter, ("synthesize", "score")) as show:
        run = synthesize(settings, folder, lambda done, total: show("synthesize", done, total), meter)
        summary, scores = asyncio.run(
            run_and_write(run, lambda done, total: show("score", done, total), meter)
        )
    if as_json:
        print_json({"folder": str(folder), **summary})
    else:
        typer.echo(f"{experiment_markdown(summary)}\nsaved in {folder}")
    for failure in scores.failures:
        typer.echo(printable(f"{failure.reason}: {failure.message}"), err=True)
    end(scores.failed_share, settings.budget.max_failures, "the lines above")
