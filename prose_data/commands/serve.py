"""`prose-data serve`: a run on a schedule."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prose_data.commands.options import Sets, Settings
from prose_data.errors import InputError

if TYPE_CHECKING:
    from prose_data.config import Config


def serve(
    cron: Annotated[
        str, typer.Option("--cron", help="When: minute hour day month weekday, for example '0 6 * * 1'.")
    ],
    config: Settings = None,
    sets: Sets = None,
    timezone: Annotated[
        str, typer.Option("--timezone", help="Where it is that time, for example Europe/Berlin.")
    ] = "UTC",
    runs: Annotated[
        Path, typer.Option("--runs", help="Where RUNS/NAME/2026-11-26T06-00-00Z and so on are made.")
    ] = Path("runs"),
    publish: Annotated[
        str | None,
        typer.Option(
            "--publish", help="OWNER/NAME on the hub, s3://… or file://…; left alone if nothing is new."
        ),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="A data set that is created is private.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Ask the models anew each time; else all runs of a NAME share RUNS/NAME/store.sqlite, and one whose "
            "configuration has not changed costs nothing and is the same.",
        ),
    ] = False,
    on_failure: Annotated[
        str | None,
        typer.Option(
            "--on-failure",
            envvar="PROSE_DATA_ON_FAILURE",
            help="A command that gets a failed run's name, time, folder and error as JSON on standard input, or a URL "
            "that gets them by POST.",
        ),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Make one run at once, too.")] = False,
) -> None:
    """Make a run whenever it is due, each in a dated folder with a comparison to the last one, until Ctrl-C.

    The configuration is read anew each time. One run goes on at a time: one that comes due meanwhile is cancelled. Started
    again after whatever ended it, the command lets the interrupted run go on in its folder; of the runs that came due in
    between it makes the latest. Without PREFECT_API_URL it keeps a Prefect server of its own, its database in
    RUNS/NAME/.prefect.
    """
    settings = _checked(config, sets)
    _check_timezone(timezone)
    if publish is not None:
        from prose_data.hub.publishing import check_target as check_place
        from prose_data.hub.publishing import token_or_error
        from prose_data.places import is_url

        check_place(publish, private)
        if not is_url(publish):
            token_or_error()
    if on_failure is not None:
        from prose_data.alarm import ON_FAILURE, check_target

        check_target(on_failure)
        os.environ[ON_FAILURE] = on_failure
    from flows.serve import Plan, schedule_of
    from flows.serve import serve as serve_plan

    parameters = {
        "config": str(config.resolve())
        if config is not None and config.exists()
        else str(config or "quickstart"),
        "sets": list(sets or ()),
        "runs": str(runs.resolve()),
        "publish": publish,
        "private": private,
        "fresh": fresh,
    }
    serve_plan(Plan(settings.name, schedule_of(cron, timezone), parameters, now))


def _checked(config: Path | None, sets: list[str] | None) -> "Config":
    """Return the configuration, after every check that sends nothing."""
    from prose_data.config import load_config
    from prose_data.stages import check

    settings = load_config(config, sets or ())
    if settings.space != "alignx":
        check(settings)
    return settings


def _check_timezone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"--timezone {name!r}: is not known; use a name such as Europe/Berlin or UTC"
        ) from None
