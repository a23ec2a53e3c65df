"""`prose-data ablate`: PROSE in full and without each of its parts, as one run."""

from typing import Annotated

import typer

from prose_data.commands.driving import run_with
from prose_data.commands.options import Json, Runner, Sets, Settings


def ablate(
    config: Settings = None,
    out: Annotated[
        str | None, typer.Option("--out", help="The run folder or its URL; default runs/<name>-ablation.")
    ] = None,
    sets: Sets = None,
    engine: Runner = "prefect",
    as_json: Json = False,
) -> None:
    """Run PROSE in full and without each of its parts, and print what each part is worth.

    The configuration's methods are replaced; no_learning and oracle are there for the scale.

    It is an ordinary run: run again on the same folder, it resumes.
    """
    from prose_data.methods import ORACLE
    from prose_data.report.ablation import ABLATIONS, FULL
    from prose_data.report.basis import FLOOR

    run_with((FLOOR, FULL, *ABLATIONS, ORACLE), "ablation", config, out, sets, engine, as_json)
