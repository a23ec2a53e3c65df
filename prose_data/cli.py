"""The command line; a command imports what it needs when it is called, so that `--help` is quick.

Exit codes: 0 done; 1 finished with failures above the limit; 2 wrong usage, configuration or input; 3 stopped at the
budget; 130 interrupted.
"""

import errno
import io
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from prose_data import __version__
from prose_data.commands.ablate import ablate
from prose_data.commands.estimate import estimate
from prose_data.commands.experiment import experiment
from prose_data.commands.export import export
from prose_data.commands.fake import fake_llm
from prose_data.commands.judge import app as judge_app
from prose_data.commands.local import local_llm
from prose_data.commands.pairs import ScoreGroup, score_pairs
from prose_data.commands.power import power
from prose_data.commands.store import app as store_app
from prose_data.commands.sweep import sweep
from prose_data.errors import BudgetReached, InputError, printable

if TYPE_CHECKING:
    from prose_data.config import Config
    from prose_data.runs import Run
    from prose_data.values import Stage

FAILURES, USAGE, BUDGET, INTERRUPTED = 1, 2, 3, 130
Engine = Literal["prefect", "plain"]


class _Outcomes(TyperGroup):
    """Turns the errors that are meant for the user into one line on stderr and an exit code; bugs stay visible."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that `ctx` names."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            _stop(f"error: {error}", USAGE)
        except BudgetReached as error:
            _stop(f"stopped: {error}", BUDGET)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            if error.filename is None:  # else Python writes the rest at its end, and fails again
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _stop(f"error: {error.filename or 'the output'}: cannot be written ({error.strerror})", USAGE)
        except KeyboardInterrupt:
            # What a second Ctrl-C broke off is no news.
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            _stop("interrupted; run the same command again to go on where it stopped", INTERRUPTED)


def _stop(message: str, code: int) -> None:
    typer.echo(printable(message), err=True)
    raise typer.Exit(code)


def _interrupt(_: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does, also where the shell has made this process deaf to it."""
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


app = typer.Typer(
    cls=_Outcomes,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Synthesize persona-alignment data sets, infer preferences from writing samples, score what was recovered.",
    epilog="Example: prose-data run --out runs/first",
)

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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"prose-data {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None: ...


@app.command(epilog="Example: prose-data run my.yaml --set samples.per_user=3 --engine plain")
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
    config, folder = _target(target, out, sets, store, offline)
    finished = _drive(config, folder, ("synthesize", "infer", "score"), engine)
    _report(finished, as_json)


@app.command(epilog="Example: prose-data synthesize my.yaml --out runs/mine")
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
    config, folder = _target(target, out, sets, store, offline)
    if config.space == "alignx":
        from prose_data.commands.alignx import synthesize_records

        share = synthesize_records(config, folder, as_json)
        _end(share, config.budget.max_failures, f"{folder}/failures")
        return
    _one_stage("synthesize", config, folder, engine, as_json)


@app.command(
    epilog="Examples: prose-data infer runs/mine · prose-data infer --samples letters --method prose"
)
def infer(
    target: Target = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The run folder; with --samples the JSON Lines file to write, default none."
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
        _one_stage("infer", *_target(target, out, sets, store, offline), engine, as_json)
        return
    if target is not None:
        raise InputError(f"{target}: give either a run or --samples, not both; models come from --config")
    if method is None:
        raise InputError("--method: say which method, for example --method prose")
    from prose_data.config import load_config

    settings = _with_store(load_config(config, sets or ()), store, offline)
    _own(samples, method, settings, out, as_json)


score_app = typer.Typer(cls=ScoreGroup, add_completion=False)
app.add_typer(
    score_app, name="score", help="Score a run's inferences; score pairs: files of preference pairs."
)


@score_app.command(
    "run",
    epilog="Examples: prose-data score runs/mine · prose-data score pairs test.json --method ica --method none",
)
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
    _one_stage("score", *_target(target, out, sets, store, offline), engine, as_json)


@app.command(epilog="Examples: prose-data report runs/mine · prose-data report runs/before runs/after")
def report(
    target: Target = None,
    other: Annotated[
        Path | None, typer.Argument(metavar="OTHER", help="A second run folder, to compare the two.")
    ] = None,
    out: Out = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Write a finished run's report (report/index.html, report.md, summary.json) and print the headline table; of two runs
    print what changes from the first to the second."""
    from prose_data.runs import load_run

    if target is not None and other is not None:
        if out is not None or sets:
            raise InputError(
                f"{other}: two runs are compared as they are, so --out and --set do not go with them"
            )
        _compare(target, other, as_json)
        return

    _, folder = _target(target, out, sets)
    for table, command in (("samples", "synthesize"), ("inferences", "infer"), ("scores", "score")):
        _need(folder, table, command)
    _report(load_run(folder), as_json)


@app.command(epilog="Example: prose-data validate my.yaml --set users.count=100")
def validate(
    config: Annotated[
        Path | None, typer.Argument(help="A YAML configuration; default the quickstart.")
    ] = None,
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Check a configuration and its inputs and say what the run would be. Sends nothing."""
    from prose_data.config import load_config
    from prose_data.stages import check
    from prose_data.users import user_count

    settings = load_config(config, sets or ())
    if settings.space == "alignx":
        from prose_data.commands.alignx import validate_records

        validate_records(settings, as_json)
        return
    ground = check(settings)
    users = user_count(settings, ground.space, ground.kinds)
    samples = users * len(settings.seeds) * settings.rounds
    counts = {"users": users, "documents": len(ground.documents.rows), "seeds": len(settings.seeds)}
    counts |= {
        "samples": samples,
        "methods": len(settings.methods),
        "inferences": samples * len(settings.methods),
    }
    if as_json:
        _print_json({"name": settings.name, **counts})
        return
    typer.echo(f"{config or 'the quickstart'} is valid; the run {settings.name} would be:")
    for word, count in counts.items():
        typer.echo(f"{count:>12,} {word}")


score_app.command(
    "pairs", epilog="Example: prose-data score pairs test.parquet --method none --method pba --method golden"
)(score_pairs)
app.command(epilog="Example: prose-data ablate my.yaml --out runs/parts")(ablate)
app.command(epilog="Example: prose-data sweep my.yaml --steps 1,3,5 --thresholds 0,0.5")(sweep)
app.command(epilog="Example: prose-data estimate my.yaml --set users.count=1000")(estimate)
app.command(epilog="Example: prose-data experiment alignx_history --set alignx.records=100")(experiment)
app.command(epilog="Example: prose-data export runs/alignx/records --prompt pba --out dpo.parquet")(export)
app.command(epilog="Example: prose-data power runs/pilot --one prose --other icl --difference 0.1")(power)
app.command("local-llm", epilog="Example: prose-data local-llm --port 8002")(local_llm)
app.command("fake-llm", epilog="Example: prose-data fake-llm --port 8001 --rate-429 0.1 --latency 0.2")(
    fake_llm
)
app.add_typer(store_app, name="store")
app.add_typer(judge_app, name="judge")


def _target(
    target: Path | None,
    out: Path | None,
    sets: list[str] | None,
    store: Path | None = None,
    offline: bool | None = None,
) -> "tuple[Config, Path]":
    """Return the configuration and the run folder that the arguments name: a folder is a run, a file a configuration."""
    if target is not None and target.is_dir():
        from prose_data.runs import load_run

        if out is not None or sets:
            raise InputError(
                f"{target}: is a run folder, so --out and --set do not go with it; give a configuration file"
            )
        return _with_store(load_run(target).config, store, offline), target
    from prose_data.config import load_config

    config = _with_store(load_config(target, sets or ()), store, offline)
    return config, out or Path("runs") / config.name


def _with_store(config: "Config", store: Path | None, offline: bool | None) -> "Config":
    """Return `config` with the request store and the mode that the command line names, as far as it does."""
    changes: dict[str, Any] = {}
    if store is not None:
        changes["store"] = os.path.normpath(store.absolute())
    if offline is not None:
        changes["offline"] = offline
    return config.model_copy(update=changes)


def _drive(config: "Config", folder: Path, stages: "tuple[Stage, ...]", engine: Engine) -> "Run":
    """Do `stages` of a run, as far as they are missing, and return it; progress goes to stderr."""
    from rich.console import Console

    from prose_data.llm.meter import Meter
    from prose_data.progress import shown_progress
    from prose_data.runs import Run

    console = Console(stderr=True, force_terminal=sys.stderr.isatty())  # not by FORCE_COLOR, which CI sets
    meter = Meter(config.budget)
    with shown_progress(console, meter, stages, Run(folder, config)) as show:
        if engine == "prefect":
            from flows.pipeline import run_pipeline

            return run_pipeline(config, folder, show, stages, meter)
        import asyncio

        from prose_data.stages import run_all

        return asyncio.run(run_all(config, folder, show, stages, meter))


def _need(folder: Path, table: str, command: str) -> None:
    """Raise InputError if the run in `folder` lacks `table`, naming the command that makes it."""
    if not any((folder / table).glob("part-*.parquet")):
        raise InputError(
            f"{folder}: has no {table} yet; run prose-data {command} with the same arguments first"
        )


def _one_stage(stage: "Stage", config: "Config", folder: Path, engine: Engine, as_json: bool) -> None:
    before: dict[Stage, tuple[str, str]] = {
        "infer": ("samples", "synthesize"),
        "score": ("inferences", "infer"),
    }
    if stage in before:
        _need(folder, *before[stage])
    finished = _drive(config, folder, (stage,), engine)
    from prose_data.runs import OWN_TABLE, failed_share

    table, share = OWN_TABLE[stage], failed_share(finished)
    counts = {table: finished.count(table), "failures": finished.count("failures")}
    if as_json:
        _print_json({"folder": str(folder), "stage": stage, **counts, "failed_share": share})
    else:
        typer.echo(f"{counts[table]:,} rows in {folder / table}, {counts['failures']:,} failures so far")
    _end(share, finished.config.budget.max_failures, f"{folder}/failures")


def _report(finished: "Run", as_json: bool) -> None:
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
        _print_json(
            {**{word: str(place) for word, place in places.items()}, "failed_share": share, "result": summary}
        )
    else:
        console = Console()
        print_headline(console if console.is_terminal else Console(width=160), summary)
        for word, place in places.items():
            typer.echo(f"{word:<8} {place}")
    _end(share, finished.config.budget.max_failures, f"{finished.path / REPORT}")


def _compare(one: Path, other: Path, as_json: bool) -> None:
    """Print what changes from one run to another."""
    from rich.console import Console

    from prose_data.report.comparison import compare, print_comparison
    from prose_data.runs import load_run

    for folder in (one, other):
        _need(folder, "scores", "score")
    found = compare(load_run(one), load_run(other))
    if as_json:
        _print_json(found)
        return
    console = Console()
    print_comparison(console if console.is_terminal else Console(width=160), found)


def _end(share: float, limit: float, where: str) -> None:
    """Exit with 1 if more failed than `budget.max_failures` allows."""
    if share > limit:
        _stop(
            f"finished, but {share:.1%} failed, more than budget.max_failures ({limit:.1%}) allows; see {where}",
            FAILURES,
        )


def _own(
    samples: Path,
    method: str,
    settings: "Config",
    out: Path | None,
    as_json: bool,
) -> None:
    import asyncio
    import json

    from rich.console import Console

    from prose_data.own import infer_own, inferring, print_findings, read_texts, to_rows
    from prose_data.report.summary import simulated_notice
    from prose_data.runs import land

    inferring(method, settings)
    authors = read_texts(samples)
    if out is not None and out.is_dir():
        raise InputError(f"--out {out}: is a folder; name the JSON Lines file to write")
    findings = asyncio.run(infer_own(authors, method, settings))
    rows = to_rows(findings)
    notice = simulated_notice(settings) if any(found.calls for found in findings) else None
    if out is not None:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        land(out, lambda file: file.write(lines.encode(errors="replace")))
    if as_json:
        _print_json({"notice": notice, "users": rows})
    else:
        print_findings(Console(), findings, notice)
        if out is not None:
            typer.echo(f"saved in {out}")
    for reason, message in (failure for found in findings for failure in found.failures):
        typer.echo(printable(f"{reason}: {message}"), err=True)
    of = sum(found.of for found in findings)
    lost = of - sum(found.learned for found in findings)
    _end(lost / max(1, of), settings.budget.max_failures, "the lines above")


def _print_json(data: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(data))


def main() -> None:
    """Run the command line; the entry point `prose-data`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows a question mark
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app(prog_name="prose-data")
    finally:  # threads still clean up for a moment; a second Ctrl-C would end that with a traceback
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
