"""The command line: which commands there are. Each imports what it needs when it is called, so that `--help` is quick."""

import io
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from prose_data import __version__
from prose_data.commands.ablate import ablate
from prose_data.commands.estimate import estimate
from prose_data.commands.experiment import experiment
from prose_data.commands.export import app as export_app
from prose_data.commands.fake import fake_llm
from prose_data.commands.judge import app as judge_app
from prose_data.commands.local import local_llm
from prose_data.commands.outcomes import Outcomes
from prose_data.commands.pairs import ScoreGroup, score_pairs
from prose_data.commands.power import power
from prose_data.commands.publish import publish
from prose_data.commands.report import report
from prose_data.commands.run import infer, run, score, synthesize
from prose_data.commands.serve import serve
from prose_data.commands.store import app as store_app
from prose_data.commands.sweep import sweep
from prose_data.commands.validate import validate

app = typer.Typer(
    cls=Outcomes,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Synthesize persona-alignment data sets, infer preferences from writing samples, score what was recovered.",
    epilog="Example: prose-data run --out runs/first",
)


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


app.command(epilog="Example: prose-data run my.yaml --set samples.per_user=3 --engine plain")(run)
app.command(epilog="Example: prose-data synthesize my.yaml --out runs/mine")(synthesize)
app.command(
    epilog="Examples: prose-data infer runs/mine · prose-data infer --samples letters --method prose"
)(infer)
score_app = typer.Typer(cls=ScoreGroup, add_completion=False)
app.add_typer(
    score_app, name="score", help="Score a run's inferences; score pairs: files of preference pairs."
)
score_app.command(
    "run",
    epilog="Examples: prose-data score runs/mine · prose-data score pairs test.json --method ica --method none",
)(score)
score_app.command(
    "pairs", epilog="Example: prose-data score pairs test.parquet --method none --method pba --method golden"
)(score_pairs)
app.command(epilog="Examples: prose-data report runs/mine · prose-data report runs/before runs/after")(report)
app.command(epilog="Example: prose-data validate my.yaml --set users.count=100")(validate)
app.command(epilog="Example: prose-data ablate my.yaml --out runs/parts")(ablate)
app.command(epilog="Example: prose-data sweep my.yaml --steps 1,3,5 --thresholds 0,0.5")(sweep)
app.command(epilog="Example: prose-data estimate my.yaml --set users.count=1000")(estimate)
app.command(epilog="Example: prose-data experiment alignx_history --set alignx.records=100")(experiment)
app.command(epilog="Example: prose-data power runs/pilot --one prose --other icl --difference 0.1")(power)
app.command(
    epilog="Examples: prose-data publish runs/first --repo OWNER/NAME --dry-run · prose-data publish runs/first --repo s3://bucket/first"
)(publish)
app.command(
    epilog="Example: prose-data serve my.yaml --cron '0 6 * * 1' --timezone Europe/Berlin --publish OWNER/NAME"
)(serve)
app.command("local-llm", epilog="Example: prose-data local-llm --port 8002")(local_llm)
app.command("fake-llm", epilog="Example: prose-data fake-llm --port 8001 --rate-429 0.1 --latency 0.2")(
    fake_llm
)
app.add_typer(export_app, name="export")
app.add_typer(store_app, name="store")
app.add_typer(judge_app, name="judge")


def _interrupt(_: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does, also where the shell has made this process deaf to it."""
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


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
