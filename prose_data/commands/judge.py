"""`prose-data judge`: how far a judge can be believed, and the labels of people by which that is told."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prose_data.commands.driving import with_store
from prose_data.commands.outcomes import end
from prose_data.errors import InputError

if TYPE_CHECKING:
    from prose_data.calibration.gold import Gold, Pair
    from prose_data.config import Config
    from prose_data.runs import Run

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Calibrate the judge against texts of which the answer is known, or let people label some.",
    epilog="Example: prose-data judge calibrate my.yaml",
)


@app.command(
    epilog="Examples: prose-data judge calibrate my.yaml --judge gpt --judge qwen · "
    "prose-data judge calibrate runs/first --gold runs/first/labels/ann.jsonl"
)
def calibrate(
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG-OR-RUN",
            help="A YAML configuration, or a finished run whose means are then corrected too; default the quickstart.",
        ),
    ] = None,
    gold: Annotated[
        list[Path] | None,
        typer.Option(
            "--gold",
            help="Labelled texts, JSON Lines; several files go together. Default: texts in which a measure decides, by the "
            "simulated writer or from the run's samples.",
        ),
    ] = None,
    judges: Annotated[
        list[str] | None,
        typer.Option(
            "--judge", metavar="NAME", help="A name among models; several are compared. Default: the role's."
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", min=1, max=100, help="Independent replies on each text and component.")
    ] = 2,
    texts: Annotated[
        int,
        typer.Option(
            "--texts", min=1, max=1000, help="Without --gold: texts with, and without, each component."
        ),
    ] = 10,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to write; default runs/<name>-judge.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the configuration."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", help="Request store, so that nothing is asked twice.")
    ] = None,
    offline: Annotated[
        bool | None,
        typer.Option(
            "--offline/--no-offline",
            help="Every reply comes from the request store; one that is missing stops.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")
    ] = False,
) -> None:
    """Ask the judge about texts whose answer is known, and say how far it agrees and what sways it.

    Writes judge.json and judge.md. Run again on the same folder, it asks an endpoint for nothing that it has read.
    """
    import asyncio

    from rich.console import Console

    from prose_data.calibration.run import Plan
    from prose_data.calibration.run import calibrate as ask_and_write
    from prose_data.llm.meter import Meter
    from prose_data.progress import shown_progress

    chosen = tuple(judges or ())
    if len(set(chosen)) < len(chosen):
        raise InputError(
            f"--judge {', '.join(chosen)}: a judge is there twice; --repeats asks one several times"
        )
    run, config, folder = _target(target, sets)
    config = with_store(config, store, offline)
    folder = out or folder
    plan = Plan(config, chosen or (config.roles.judge,), tuple(gold or ()), repeats, texts, run)
    meter = Meter(plan.config.budget)
    errors = Console(stderr=True, force_terminal=sys.stderr.isatty())
    with shown_progress(errors, meter, ("score",)) as progress:
        result = asyncio.run(ask_and_write(plan, folder, meter, progress))
    _show(result, folder, as_json)
    lost = max(
        (one["unreadable"] + one["failed"]) / max(1, one["asked"]) for one in result["judges"].values()
    )
    end(lost, plan.config.budget.max_failures, str(folder))


def _target(target: Path | None, sets: list[str] | None) -> "tuple[Run | None, Config, Path]":
    """Return the run that the arguments name, if it is one, the configuration, and the folder to write by default."""
    from prose_data.config import load_config
    from prose_data.runs import load_run

    if target is None or not target.is_dir():
        config = load_config(target, sets or ())
        return None, config, Path("runs") / f"{config.name}-judge"
    if sets:
        raise InputError(
            f"{target}: is a run folder, so --set does not go with it; give a configuration file"
        )
    run = load_run(target)
    named = target if target.name not in ("", "..") else target.resolve()
    return run, run.config, named.with_name(f"{named.name}-judge")


def _show(result: dict[str, object], folder: Path, as_json: bool) -> None:
    import json

    from rich.console import Console

    from prose_data.calibration.results import JUDGE
    from prose_data.calibration.text import REPORT, print_result

    if as_json:
        typer.echo(json.dumps({"folder": str(folder), **result}))
        return
    console = Console()
    print_result(console if console.is_terminal else Console(width=160), result)
    for word, name in (("report", REPORT), ("numbers", JUDGE)):
        typer.echo(f"{word:<8} {folder / name}")


@app.command(
    epilog="Examples: prose-data judge label runs/first --who ann · prose-data judge label runs/first --page label.html"
)
def label(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder, scored by ppcm.")],
    count: Annotated[int, typer.Option("--n", min=1, max=100_000, help="How many texts are drawn.")] = 50,
    who: Annotated[
        str, typer.Option("--who", metavar="NAME", help="Who labels; it stands in the labels.")
    ] = "anonymous",
    page: Annotated[
        Path | None,
        typer.Option(
            "--page", help="Write an HTML page to label on, instead of asking here; it needs no server."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="JSON Lines file to add the labels to; default RUN/labels/<who>.jsonl."),
    ] = None,
) -> None:
    """Let a person label some of a run's judged texts without knowing method, truth or verdict.

    Texts are drawn evenly over methods, components and verdicts. Every answer is saved at once; run again, it goes on.
    """
    from prose_data.calibration.drawing import draw, rated
    from prose_data.runs import land, load_run
    from prose_data.streams import digest

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", who):
        raise InputError(f"--who {who}: must be letters, digits, dots, - and _, a letter or digit first")
    run = load_run(folder)
    seed = run.config.seeds[0]
    pairs = [item.pair for item in draw(rated(run), count, seed)]
    pairs.sort(key=lambda pair: digest("label order", seed, who, *pair))
    if page is None:
        _label_here(pairs, who, out or folder / "labels" / f"{who}.jsonl")
        return
    if out is not None:
        raise InputError(f"--out {out}: the page saves by download, so --out does not go with --page")
    from prose_data.calibration.page import label_page

    html = label_page(pairs, who)
    land(page, lambda file: file.write(html.encode()))
    typer.echo(f"{len(pairs):,} texts to label in {page}")


def _label_here(pairs: "list[Pair]", who: str, out: Path) -> None:
    """Ask at the terminal, and keep every answer in `out` at once."""
    from rich.console import Console

    from prose_data.calibration.form import ask_person
    from prose_data.calibration.gold import Gold, write_gold

    others, labels = _before(out, pairs, who)

    def save(pair: "Pair", degree: int) -> None:
        labels[pair] = degree
        own = [
            Gold(*pair, labels[pair], origin="terminal", who=who, drawn=len(pairs))
            for pair in pairs
            if pair in labels
        ]
        write_gold(out, [*others, *own])

    ask_person(Console(), pairs, dict(labels), _keys(), save)
    typer.echo(
        f"{len(labels):,} of {len(pairs):,} texts labelled by {who}" + (f", in {out}" if labels else "")
    )


def _before(out: Path, pairs: "list[Pair]", who: str) -> "tuple[list[Gold], dict[Pair, int]]":
    """Return what `out` holds already: labels of others, and those of `who` by pair."""
    from prose_data.calibration.gold import read_gold

    held = read_gold([out]) if out.exists() else []
    own = {item.pair: item for item in held if item.who == who}
    if any(item.drawn != len(pairs) for item in own.values()) or not own.keys() <= set(pairs):
        raise InputError(
            f"{out}: holds labels of another draw; go on with the same --n, or name another --out"
        )
    return [item for item in held if item.who != who], {pair: int(item.label) for pair, item in own.items()}


def _keys() -> Iterator[str]:
    """Yield what is typed, one key at a time, until there is no more."""
    while True:
        try:
            key = typer.getchar() if sys.stdin.isatty() else sys.stdin.read(1)
        except EOFError:
            return
        if not key:
            return
        if not key.startswith("\x1b"):  # arrows and the like come as several characters
            yield from key.lower()
