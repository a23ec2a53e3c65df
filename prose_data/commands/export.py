"""`prose-data export`: training rows of ICA and PBA for TRL from preference pairs; a run in the forms of other tools."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from prose_data.commands.outcomes import print_json

# Here, as the command line imports nothing before a command needs it; a test holds them equal to what they name.
FormName = Literal["lm-eval", "inspect"]


class ExportGroup(TyperGroup):
    """`export RUN --form …` beside `export FILE`: whatever names no command is for the one that has its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments left over, with the name of the command put first where none is named."""
        if args and args[0] not in (*self.commands, "--help"):
            of_a_run = any(word.partition("=")[0] == "--form" for word in args)
            args = ["results" if of_a_run else "rows", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ExportGroup,
    add_completion=False,
    no_args_is_help=True,
    help="Write training rows from preference pairs, or a run's results for other evaluation tools.",
    epilog="Examples: prose-data export runs/mine --form inspect --out logs · "
    "prose-data export runs/alignx --kind dpo --prompt pba --out dpo.parquet",
)


@app.command(
    "results",
    epilog="Examples: prose-data export runs/mine --form lm-eval --out results.json · "
    "prose-data export runs/mine --form inspect --out logs, then inspect view --log-dir logs",
)
def export_results(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    form: Annotated[
        FormName,
        typer.Option(
            "--form", help="lm-eval: results.json of lm-evaluation-harness; inspect: a log per method."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", help="The .json file of lm-eval, or the folder for Inspect's .eval files."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the files as one JSON object.")] = False,
) -> None:
    """Write a run's means with standard errors by user; for Inspect every draft with its document, truth and scores, too."""
    from prose_data.report.exports import export_run

    files = export_run(run, form, out)
    if as_json:
        print_json({"form": form, "files": [str(file) for file in files]})
        return
    for file in files:
        typer.echo(str(file))


@app.command("rows", epilog="Example: prose-data export runs/alignx/records --prompt pba --out dpo.parquet")
def export_rows(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A .json, .jsonl or .parquet file, a folder of Parquet parts, or hf://datasets/OWNER/NAME.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The .jsonl or .parquet file to write.")],
    kind: Annotated[
        Literal["dpo", "sft", "bridge"],
        typer.Option(
            "--kind",
            help="dpo: prompt, chosen, rejected; sft: prompt and chosen; bridge: a history and its profile.",
        ),
    ] = "dpo",
    prompt: Annotated[
        Literal["ica", "pba"], typer.Option("--prompt", help="What the prompt shows of the user.")
    ] = "ica",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all draws.")] = 0,
    share: Annotated[
        float | None,
        typer.Option("--share", min=0, max=1, help="Take a drawn share of the rows; 0.07 as published."),
    ] = None,
    hold_out: Annotated[
        int,
        typer.Option("--hold-out", min=0, max=89, help="Keep so many drawn dimensions out of all rows."),
    ] = 0,
    split: Annotated[str, typer.Option("--split", help="Split of a data set on the hub.")] = "train",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Read the first rows only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """Write training rows whose prompts are those that scoring uses, with the vectors they were built from."""
    from prose_data.alignx.exports import Recipe
    from prose_data.alignx.exports import export as write

    counts = write(file, out, Recipe(kind, prompt, seed, share, hold_out), split, limit)
    if as_json:
        print_json({"out": str(out), **counts})
        return
    typer.echo(f"{counts['rows']:,} rows in {out}")
    for word in ("not_in_subset", "held_out", "no_history", "empty_profile"):
        if counts[word]:
            typer.echo(f"{counts[word]:>12,} {word.replace('_', ' ')}")
