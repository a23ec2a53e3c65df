"""The options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Engine = Literal["prefect", "plain", "dask", "ray"]
Settings = Annotated[
    Path | None, typer.Argument(metavar="CONFIG", help="A YAML configuration; default the quickstart.")
]
Target = Annotated[
    Path | None, typer.Argument(metavar="RUN-OR-CONFIG", help="A run folder, or a YAML configuration.")
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="DIR-OR-URL",
        help="The run folder, or its URL in an object store, s3://… ; default runs/<name of the configuration>.",
    ),
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
    str | None,
    typer.Option(
        "--store",
        metavar="FILE-OR-FOLDER/-OR-URL",
        help="Request store, so that nothing is asked twice; several runs may share one, several machines a FOLDER/ or URL.",
    ),
]
Offline = Annotated[
    bool | None,
    typer.Option(
        "--offline/--no-offline", help="Every reply comes from the request store; one that is missing stops."
    ),
]
Runner = Annotated[
    Engine,
    typer.Option(
        "--engine",
        help="prefect: as Prefect flows; plain: the same without Prefect; dask, ray: shards on the cluster at engine.address.",
    ),
]
