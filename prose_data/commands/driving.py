"""What the commands that make a run share: which run is meant, doing its stages, and saying what came of it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from prose_data.commands.options import Engine
from prose_data.commands.outcomes import end, print_json
from prose_data.errors import InputError
from prose_data.places import is_url

if TYPE_CHECKING:
    from prose_data.config import Config
    from prose_data.runs import Run
    from prose_data.values import Stage


@contextmanager
def target_of(
    target: Path | None,
    out: str | None,
    sets: list[str] | None,
    store: str | None = None,
    offline: bool | None = None,
) -> "Iterator[tuple[Config, Path]]":
    """Give the configuration and the run folder that the arguments name: a folder is a run, a file a configuration."""
    if target is not None and target.is_dir():
        from prose_data.runs import load_run

        if out is not None or sets:
            raise InputError(
                f"{target}: is a run folder, so --out and --set do not go with it; give a configuration file"
            )
        yield with_store(load_run(target).config, store, offline), target
        return
    from prose_data.config import load_config

    config = with_store(load_config(target, sets or ()), store, offline)
    with folder_at(out, config.name) as folder:
        yield config, folder


@contextmanager
def folder_at(out: str | None, name: str) -> Iterator[Path]:
    """Give the run folder that --out names, by default runs/NAME; of a URL its mirror, which is pushed in the end."""
    if out is None:
        yield Path("runs") / name
    elif not is_url(out):
        yield Path(out)
    else:
        from prose_data.remote import mirrored

        with mirrored(out) as folder:
            yield folder


def with_store(config: "Config", store: str | None, offline: bool | None) -> "Config":
    """Return `config` with the request store and the mode that the command line names, as far as it does."""
    from prose_data.config.loading import anchored

    changes: dict[str, Any] = {}
    if store is not None:
        changes["store"] = anchored(store, Path.cwd())
    if offline is not None:
        changes["offline"] = offline
    return config.model_copy(update=changes)


def drive(config: "Config", folder: Path, stages: "tuple[Stage, ...]", engine: Engine) -> "Run":
    """Do `stages` of a run, as far as they are missing, and return it; progress goes to stderr."""
    from rich.console import Console

    from prose_data.llm.meter import Meter
    from prose_data.progress import shown_progress
    from prose_data.runs import Run

    console = Console(stderr=True, force_terminal=sys.stderr.isatty())  # not by FORCE_COLOR, which CI sets
    meter = Meter(config.budget)
    with shown_progress(console, meter, stages, Run(folder, config)) as show:
        if engine != "plain":
            from flows.pipeline import run_pipeline

            return run_pipeline(config, folder, show, stages, meter, engine)
        import asyncio

        from prose_data.stages import run_all

        return asyncio.run(run_all(config, folder, show, stages, meter))


def need(folder: Path, table: str, command: str) -> None:
    """Raise InputError if the run in `folder` lacks `table`, naming the command that makes it."""
    if not any((folder / table).glob("part-*.parquet")):
        raise InputError(
            f"{folder}: has no {table} yet; run prose-data {command} with the same arguments first"
        )


def one_stage(stage: "Stage", config: "Config", folder: Path, engine: Engine, as_json: bool) -> None:
    """Do one stage of a run, print how many rows it made, and end by the share of failures."""
    before: dict[Stage, tuple[str, str]] = {
        "infer": ("samples", "synthesize"),
        "score": ("inferences", "infer"),
    }
    if stage in before:
        need(folder, *before[stage])
    finished = drive(config, folder, (stage,), engine)
    from prose_data.runs import OWN_TABLE, failed_share

    table, share = OWN_TABLE[stage], failed_share(finished)
    counts = {table: finished.count(table), "failures": finished.count("failures")}
    if as_json:
        print_json({"folder": str(folder), "stage": stage, **counts, "failed_share": share})
    else:
        typer.echo(f"{counts[table]:,} rows in {folder / table}, {counts['failures']:,} failures so far")
    end(share, finished.config.budget.max_failures, f"{folder}/failures")


def print_report(finished: "Run", as_json: bool) -> None:
    """Write the report, print the headline table and where everything is, and end by the share of failures."""
    from rich.console import Console

    from prose_data.report import PAGE, REPORT, SUMMARY, make_report
    from prose_data.report.text import print_headline
    from prose_data.runs import failed_share

    summary, share = make_report(finished), failed_share(finished)
    places = {
        "page": finished.path / PAGE,
        "report": finished.path / REPORT,
        "summary": finished.path / SUMMARY,
        "tables": finished.path,
    }
    if as_json:
        print_json(
            {**{word: str(place) for word, place in places.items()}, "failed_share": share, "result": summary}
        )
    else:
        console = Console()
        print_headline(console if console.is_terminal else Console(width=160), summary)
        for word, place in places.items():
            typer.echo(f"{word:<8} {place}")
    end(share, finished.config.budget.max_failures, f"{finished.path / REPORT}")


def run_with(
    methods: Sequence[str],
    suffix: str,
    settings: Path | None,
    out: str | None,
    sets: list[str] | None,
    engine: Engine,
    as_json: bool,
) -> None:
    """Make the run of a configuration with these methods in place of its own, named and by default placed behind
    `suffix`, and report it; on a folder that holds a part of it already, it goes on there."""
    from prose_data.config import load_config
    from prose_data.runs import STAGES

    if settings is not None and settings.is_dir():
        raise InputError(
            f"{settings}: is a run folder; give a configuration, or go on with prose-data run {settings}"
        )
    config = load_config(settings, sets or ())
    config = config.model_copy(update={"name": f"{config.name}-{suffix}", "methods": tuple(methods)})
    with folder_at(out, config.name) as folder:
        print_report(drive(config, folder, STAGES, engine), as_json)
