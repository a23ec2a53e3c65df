"""`prose-data score pairs`: which of two responses methods take for the preferred one, on files of preference pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from prose_data.commands.outcomes import end, print_json
from prose_data.errors import InputError, printable

if TYPE_CHECKING:
    from prose_data.alignx.predicting import Method
    from prose_data.alignx.scoring import Scores

# Here, as the command line imports nothing before a command needs it; a test holds them equal to what they name.
FormName = Literal["demo", "ugc", "pair", "mixed"]
MetricName = Literal["selection", "letters", "direction", "margin"]
FormatName = Literal["chatml", "llama3"]


class ScoreGroup(TyperGroup):
    """`score pairs FILE` beside `score RUN`: whatever does not name another command is for the stage."""

    default = "run"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments left over, with the name of the stage put first where no command is named."""
        if not args or args[0] not in self.commands:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def score_pairs(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A .json, .jsonl or .parquet file, a folder of Parquet parts, or hf://datasets/OWNER/NAME.",
        ),
    ],
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method", help="May be given several times; methods are compared in pairs. Default ica."
        ),
    ] = None,
    metric: Annotated[MetricName, typer.Option("--metric", help="What is scored.")] = "selection",
    persona: Annotated[FormName, typer.Option("--persona", help="What is shown of the user.")] = "mixed",
    items: Annotated[
        int | None, typer.Option("--items", min=0, help="Show at most so many history items, the latest.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Split of a data set on the hub.")] = "train",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Take the first rows only.")] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            help="With --metric margin or letters: key in models; default roles.writer, for letters roles.judge.",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            help="With --metric margin: the untuned model; without it the policy is compared with itself and no persona.",
        ),
    ] = None,
    chat_format: Annotated[
        FormatName, typer.Option("--format", help="With --metric margin or letters: the models' chat format.")
    ] = "chatml",
    config: Annotated[
        Path | None, typer.Option("--config", help="Configuration with the models; default the quickstart.")
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override one key of it.")
    ] = None,
    store: Annotated[str | None, typer.Option("--store", help="Request store to keep replies in.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A .parquet or .jsonl file for the rows, one per measured value."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")
    ] = False,
) -> None:
    """Score methods on preference pairs: AlignX, P-Soups, PRISM, UF-P-4 files, or your own.

    Selection asks for a letter in both orders; letters compares the probabilities of both letters instead. Direction
    compares predicted profiles with what the history shows. Margin compares log-probabilities of policy and reference.
    The rules that need no model stand beside them.
    """
    import asyncio
    import sys

    from rich.console import Console

    from prose_data.alignx.letters import score_letters
    from prose_data.alignx.margin import open_scorers
    from prose_data.alignx.pair_report import markdown, summarize, to_frame
    from prose_data.alignx.readers import read_targets
    from prose_data.alignx.scoring import (
        Asking,
        Showing,
        Tick,
        rule_scores,
        score_direction,
        score_margin,
        score_selection,
    )
    from prose_data.config import load_config
    from prose_data.llm.door import open_door
    from prose_data.llm.meter import Meter
    from prose_data.progress import shown_progress
    from prose_data.report.summary import simulated_notice

    if out is not None and out.suffix not in (".parquet", ".jsonl"):
        raise InputError(f"--out {out}: must end in .parquet or .jsonl")
    if reference and metric != "margin":
        raise InputError("--reference: goes with --metric margin only")
    if policy and metric not in ("margin", "letters"):
        raise InputError("--policy: goes with --metric margin or letters only")
    settings = load_config(config, sets or ())
    chosen = _methods(methods or ["ica"])
    targets, left_out = read_targets(file, split, limit)
    showing = Showing(persona, items)
    kept = store or settings.store
    console, meter = Console(stderr=True, force_terminal=sys.stderr.isatty()), Meter(settings.budget)

    async def go(tick: Tick) -> "Scores":
        async with open_door(settings, kept, meter) as door:
            asking = Asking(settings, door, tick)
            if metric in ("selection", "direction"):
                score = score_selection if metric == "selection" else score_direction
                return await score(targets, chosen, showing, asking)
            scored = policy or (settings.roles.judge if metric == "letters" else settings.roles.writer)
            names = [scored, *([reference] if reference else [])]
            async with open_scorers(settings, names, chat_format, kept, meter) as scorers:
                weigh = score_letters if metric == "letters" else score_margin
                return await weigh(targets, chosen, showing, asking, *scorers)

    with shown_progress(console, meter, ("score",)) as show:
        scores = asyncio.run(go(lambda done, total: show("score", done, total)))
    rules = rule_scores(targets, showing) if metric != "direction" else []
    summary: dict[str, Any] = {
        "file": file,
        "notice": simulated_notice(settings)
        if metric in ("selection", "direction") or "pba" in chosen
        else None,
        "metric": metric,
        "persona": persona,
        "items": items,
        "left_out": len(left_out),
        **summarize(targets, [showing.of(target) for target in targets], scores, rules),
    }
    if out is not None:
        _write_rows(out, to_frame([*scores.rows, *rules]))
    if as_json:
        print_json(summary)
    else:
        typer.echo("\n\n".join(filter(None, [summary["notice"], markdown(summary)])))
        if out is not None:
            typer.echo(f"saved in {out}")
    for reason, message in [*left_out, *((failure.reason, failure.message) for failure in scores.failures)]:
        typer.echo(printable(f"{reason}: {message}"), err=True)
    end(scores.failed_share, settings.budget.max_failures, "the lines above")


def _methods(names: list[str]) -> "list[Method]":
    from prose_data.alignx.predicting import METHODS

    for name in names:
        if name not in METHODS:
            raise InputError(f"--method {name}: is not a method; use {', '.join(METHODS)}")
    return [method for method in METHODS if method in names]


def _write_rows(out: Path, frame: Any) -> None:
    from prose_data.runs import land

    if out.suffix == ".parquet":
        land(out, lambda file: frame.write_parquet(file, compression="zstd"))
    else:
        land(out, frame.write_ndjson)
