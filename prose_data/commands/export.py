"""`prose-data export`: training rows of ICA and PBA for TRL, from records and other preference pairs with a history."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
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
        from prose_data.cli import _print_json

        _print_json({"out": str(out), **counts})
        return
    typer.echo(f"{counts['rows']:,} rows in {out}")
    for word in ("not_in_subset", "held_out", "no_history", "empty_profile"):
        if counts[word]:
            typer.echo(f"{counts[word]:>12,} {word.replace('_', ' ')}")
