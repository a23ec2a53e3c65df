"""What `ablate` and `sweep` have in common: their options, and one ordinary run with other methods."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from prose_data.errors import InputError

Engine = Literal["prefect", "plain"]
Settings = Annotated[
    Path | None, typer.Argument(metavar="CONFIG", help="A YAML configuration; default the quickstart.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override one key of the configuration, for example 'seeds=[0,1]'.",
    ),
]
Runner = Annotated[
    Engine, typer.Option("--engine", help="prefect: as Prefect flows; plain: the same without Prefect.")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")
]


def run_with(
    methods: Sequence[str],
    suffix: str,
    settings: Path | None,
    out: Path | None,
    sets: list[str] | None,
    engine: Engine,
    as_json: bool,
) -> None:
    """Make the run of a configuration with these methods in place of its own, named and by default placed behind
    `suffix`, and report it; on a folder that holds a part of it already, it goes on there."""
    from prose_data.cli import _drive, _report
    from prose_data.config import load_config
    from prose_data.runs import STAGES

    if settings is not None and settings.is_dir():
        raise InputError(
            f"{settings}: is a run folder; give a configuration, or go on with prose-data run {settings}"
        )
    config = load_config(settings, sets or ())
    config = config.model_copy(update={"name": f"{config.name}-{suffix}", "methods": tuple(methods)})
    folder = out or Path("runs") / config.name
    _report(_drive(config, folder, STAGES, engine), as_json)
