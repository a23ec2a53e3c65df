"""`prose-data power`: how many users it takes to find a difference between two methods, foreseen from a pilot run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prose_data.commands.options import Json
from prose_data.errors import InputError

if TYPE_CHECKING:
    from prose_data.runs import Run
    from prose_data.stats import Ratio

_USERS = (10, 20, 50, 100, 200, 500, 1000)


def power(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The pilot: the folder of a run with scores.")],
    metric: Annotated[str, typer.Option("--metric", help="The metric, as the report names it.")] = "ppcm",
    one: Annotated[str, typer.Option("--one", help="The method that may be better.")] = "prose",
    other: Annotated[str, typer.Option("--other", help="The method to compare it with.")] = "icl",
    difference: Annotated[
        float | None,
        typer.Option("--difference", help="A difference of their means that is worth finding; not 0."),
    ] = None,
    probability: Annotated[
        float, typer.Option("--power", min=0.1, max=0.999, help="With what probability it is to be found.")
    ] = 0.8,
    as_json: Json = False,
) -> None:
    """Say from a pilot run how many users it takes to find a difference between two methods. Sends nothing.

    A difference is found where the paired test over users rejects at 5 %.

    Each user has as many documents and seeds as in the pilot.

    The difference that the pilot itself shows is no good plan: it may be chance.
    """
    from prose_data.runs import load_run

    if difference == 0:
        raise InputError("--difference 0: no number of users finds what is not there; give another one")
    found = foreseen(load_run(run), metric, one, other, difference, probability)
    if as_json:
        import json

        typer.echo(json.dumps(found))
        return
    for line in _lines(found):
        typer.echo(line)


def foreseen(
    run: "Run", metric: str, one: str, other: str, difference: float | None, probability: float
) -> dict[str, Any]:
    """Return what a run says as a pilot: its paired difference, the spread of its users, the smallest difference that so
    many users find with `probability` (`detectable`), and how many users `difference` takes (`needed`).

    Raises InputError for methods or a metric that the run has not, and where its users can't tell their spread.
    """
    from prose_data.report.basis import optional, rounded
    from prose_data.stats import estimates
    from prose_data.stats.power import detectable, pilot, users_needed

    pair = _pair(run, metric, one, other)
    known = pilot(pair)
    if known is None:
        raise InputError(
            f"{run.path}: can't be a pilot for {metric} of {one} and {other}, as it takes three users, not all of whom "
            f"differ alike, and here are {pair.users}"
        )
    needed = None
    if difference is not None:
        spreads = (known.sd, *known.sd_range)
        users, low, high = (users_needed(difference, sd, probability) for sd in spreads)
        needed = {"difference": difference, "users": users, "low": low, "high": high}
    numbers = sorted({known.users, *_USERS})
    return {
        "metric": metric,
        "one": one,
        "other": other,
        "power": probability,
        "pilot": {
            "users": known.users,
            "difference": optional(estimates([pair])[0]),
            "sd": rounded(known.sd),
            "sd_low": rounded(known.sd_range[0]),
            "sd_high": rounded(known.sd_range[1]),
        },
        "detectable": [
            {"users": users, "difference": rounded(detectable(known.sd, users, probability))}
            for users in numbers
        ],
        "needed": needed,
    }


def _pair(run: "Run", metric: str, one: str, other: str) -> "Ratio":
    """Return the paired difference of two methods in a metric."""
    import polars as pl

    from prose_data.stats import panel
    from prose_data.stats.values import AVM, HALVES, per_inference

    for option, method in (("--one", one), ("--other", other)):
        if method not in run.config.methods:
            raise InputError(
                f"{option} {method}: is no method of {run.path}; it has {', '.join(run.config.methods)}"
            )
    if one == other:
        raise InputError(f"--one and --other: are both {one}; name two methods")
    asked = HALVES if metric == AVM else (metric,)
    scores = run.scan("scores").filter(pl.col("metric").is_in(asked), pl.col("method").is_in([one, other]))
    values = per_inference(scores.collect(), run.scan("inferences").drop("draft", "description").collect())
    sides = panel(values.filter(metric=metric), ["method"])
    pair = sides.difference((one,), (other,))
    if pair is None:
        there = run.scan("scores").select(pl.col("metric").unique().sort()).collect()["metric"]
        raise InputError(
            f"--metric {metric}: {run.path} has no values of it for both {one} and {other}; its metrics are "
            f"{', '.join(there)}"
        )
    return pair


def _lines(found: dict[str, Any]) -> list[str]:
    """Return what was foreseen in words."""
    from prose_data.report.basis import show

    pilot, metric = found["pilot"], found["metric"]

    def number(value: float) -> str:
        return f"{value:,.4g}"

    lines = [
        f"Pilot: {found['one']} - {found['other']} in {metric} is {show(pilot['difference'], '', signed=True)} over "
        f"{pilot['users']} users.",
        f"Users differ in it by {number(pilot['sd'])} (standard deviation; with 95 % probability "
        f"{number(pilot['sd_low'])} to {number(pilot['sd_high'])}).",
        f"With probability {found['power']:g},",
        *(
            f"{line['users']:>8,} users find a difference of {number(line['difference'])}"
            for line in found["detectable"]
        ),
    ]
    needed = found["needed"]
    if needed:
        users, low, high = (
            "more than ten million" if needed[key] is None else f"{needed[key]:,}"
            for key in ("users", "low", "high")
        )
        lines.append(
            f"A difference of {needed['difference']:g} takes {users} users ({low} to {high}, as the pilot leaves their "
            "spread open)."
        )
    return lines
