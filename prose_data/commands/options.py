"""The options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Engine = Literal["prefect", "plain"]
Settings = Annotated[
    Path | None, typer.Argument(metavar="CONFIG", help="A YAML configuration; default the quickstart.")
]
Target = Annotated[
    Path | None, typer.Argument(metavar="RUN-OR-CONFIG", help="A run folder, or a YAML configuration.")
]
Out = Annotated[
    Path | None, typer.Option("--out", help="The run folder; default runs/<name of the configuration>.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override one key of the configuration, for example samples.per_user=3.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")
]
Kept = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Request store, so that nothing is asked twice; several runs may share one."
    ),
]
Offline = Annotated[
    bool | None,
    typer.Option(
        "--offline/--no-offline", help="Every reply comes from the request store; one that is missing stops."
    ),
]
Runner = Annotated[
    Engine, typer.Option("--engine", help="prefect: as Prefect flows; plain: the same without Prefect.")
]
