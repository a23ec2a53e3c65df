"""`prose-data sweep`: PROSE with every number of steps and every threshold of a grid, as one run."""

from itertools import product
from typing import Annotated

import typer

from prose_data.commands.driving import run_with
from prose_data.commands.options import Json, Runner, Sets, Settings
from prose_data.errors import InputError


def sweep(
    config: Settings = None,
    out: Annotated[
        str | None, typer.Option("--out", help="The run folder or its URL; default runs/<name>-sweep.")
    ] = None,
    sets: Sets = None,
    steps: Annotated[
        str, typer.Option("--steps", metavar="S,S", help="Numbers of refinement steps S, from 1 to 20.")
    ] = "2,3,4,5",
    thresholds: Annotated[
        str,
        typer.Option(
            "--thresholds", metavar="V,V", help="Thresholds v for the mean vote, at least -2, below 2."
        ),
    ] = "0,0.25,0.5,0.75,1",
    engine: Runner = "prefect",
    as_json: Json = False,
) -> None:
    """Run PROSE with each pair of steps S and threshold v, and print the grids of scores.

    The configuration's methods are replaced by prose:steps=S,threshold=V; the report has heat maps.

    It is an ordinary run: run again on the same folder, it resumes.
    """
    pairs = product(_numbers("--steps", steps), _numbers("--thresholds", thresholds))
    methods = [f"prose:steps={s},threshold={v}" for s, v in pairs]
    if len(methods) < 2:
        raise InputError("--steps and --thresholds: one setting alone is no sweep; list more of one")
    run_with(methods, "sweep", config, out, sets, engine, as_json)


def _numbers(option: str, listed: str) -> list[str]:
    """Return the numbers of a list such as 0,0.25 in their shortest spelling; their range is checked with the methods."""
    numbers = []
    for part in listed.split(","):
        try:
            number = f"{float(part) + 0.0:g}"  # never -0
        except ValueError:
            raise InputError(f"{option} {listed}: {part!r} is not a number") from None
        if number in numbers:
            raise InputError(f"{option} {listed}: {number} is there twice")
        numbers.append(number)
    return numbers
