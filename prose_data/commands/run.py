"""`prose-data run`, and its stages `synthesize`, `infer` and `score` one by one."""

from pathlib import Path
from typing import Annotated

import typer

from prose_data.commands.driving import drive, one_stage, print_report, target_of, with_store
from prose_data.commands.options import Json, Kept, Offline, Out, Runner, Sets, Target
from prose_data.commands.outcomes import end
from prose_data.commands.own import infer_texts
from prose_data.errors import InputError


def run(
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG",
            help="A YAML configuration, or a run folder to go on with; default the quickstart.",
        ),
    ] = None,
    out: Out = None,
    sets: Sets = None,
    store: Kept = None,
    offline: Offline = None,
    engine: Runner = "prefect",
    as_json: Json = False,
) -> None:
    """Make users, samples, inferences, scores and the report. Run again on the same folder, it resumes."""
    with target_of(target, out, sets, store, offline) as (config, folder):
        finished = drive(config, folder, ("synthesize", "infer", "score"), engine)
        print_report(finished, as_json)


def synthesize(
    target: Target = None,
    out: Out = None,
    sets: Sets = None,
    store: Kept = None,
    offline: Offline = None,
    engine: Runner = "prefect",
    as_json: Json = False,
) -> None:
    """Make users, documents and samples; where the space is alignx, records in the published form."""
    with target_of(target, out, sets, store, offline) as (config, folder):
        if config.space == "alignx":
            from prose_data.commands.alignx import synthesize_records

            share = synthesize_records(config, folder, as_json)
            end(share, config.budget.max_failures, f"{folder}/failures")
            return
        one_stage("synthesize", config, folder, engine, as_json)


def infer(
    target: Target = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="The run folder or its URL; with --samples the JSON Lines file to write, default none.",
        ),
    ] = None,
    sets: Sets = None,
    store: Kept = None,
    offline: Offline = None,
    engine: Runner = "prefect",
    as_json: Json = False,
    samples: Annotated[
        Path | None,
        typer.Option(
            "--samples",
            help="Your own texts: a folder of .txt and .md files, or a .jsonl, .csv or .parquet file.",
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option("--method", help="With --samples: the method, for example prose.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="With --samples: configuration with the models; default the quickstart."
        ),
    ] = None,
) -> None:
    """Run all methods over a run's samples; or, with --samples, one method over somebody's own writing."""
    if samples is None:
        strangers = [name for name, value in (("--method", method), ("--config", config)) if value]
        if strangers:
            raise InputError(f"{strangers[0]}: goes with --samples only")
        with target_of(target, out, sets, store, offline) as (settled, folder):
            one_stage("infer", settled, folder, engine, as_json)
        return
    if target is not None:
        raise InputError(f"{target}: give either a run or --samples, not both; models come from --config")
    if method is None:
        raise InputError("--method: say which method, for example --method prose")
    from prose_data.config import load_config

    settings = with_store(load_config(config, sets or ()), store, offline)
    infer_texts(samples, method, settings, None if out is None else Path(out), as_json)


def score(
    target: Target = None,
    out: Out = None,
    sets: Sets = None,
    store: Kept = None,
    offline: Offline = None,
    engine: Runner = "prefect",
    as_json: Json = False,
) -> None:
    """Score a run's inferences."""
    with target_of(target, out, sets, store, offline) as (config, folder):
        one_stage("score", config, folder, engine, as_json)
