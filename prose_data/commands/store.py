"""`prose-data store`: what a request store holds, made smaller, or written out to be read elsewhere."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from prose_data.errors import InputError, printable

if TYPE_CHECKING:
    from prose_data.llm.store_tools import Stats

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Look into the request store, prune it, or export what it holds.",
    epilog="Example: prose-data store stats runs/first",
)

StorePath = Annotated[
    Path, typer.Argument(metavar="STORE-OR-RUN", help="A request store's file, or a run folder.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(
    epilog="Examples: prose-data store stats runs/first · prose-data store stats shared.sqlite --json"
)
def stats(path: StorePath, as_json: Json = False) -> None:
    """Count replies and tokens by model, and say how old they are and how large the file is. Changes nothing."""
    import json
    from dataclasses import asdict

    from prose_data.llm.store_tools import stats as count

    file = _file(path)
    found = count(file)
    if as_json:
        data = asdict(found) | {"oldest": _date(found.oldest), "newest": _date(found.newest)}
        typer.echo(json.dumps({"store": str(file), **data}))
    else:
        _show(file, found)


@app.command(
    epilog="Examples: prose-data store prune shared.sqlite --older-than 30d --dry-run · "
    "prose-data store prune runs/first --model sim-weak"
)
def prune(
    path: StorePath,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Replies older than this, for example 30d or 12h."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Replies of this model, by the name that stats shows.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove replies for which all the given conditions hold, and make the file smaller.

    They are asked for again when they are needed again. Replies from before dates were kept are older than any age.
    """
    from prose_data.llm.store_tools import prune as remove

    age = None if older_than is None else _age(older_than)
    file = _file(path)
    done = remove(file, age, model, dry_run)
    if dry_run:
        typer.echo(f"would remove {done.removed:,} of {done.removed + done.stay:,} replies from {file}")
        return
    typer.echo(
        f"removed {done.removed:,} of {done.removed + done.stay:,} replies from {file}: "
        f"{_bytes(done.before)} before, {_bytes(done.after)} after"
    )


@app.command(
    epilog="Examples: prose-data store export runs/first > replies.jsonl · "
    "prose-data store export shared.sqlite --out replies.parquet"
)
def export(
    path: StorePath,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A .jsonl or .parquet file to write; default JSON Lines on stdout."),
    ] = None,
) -> None:
    """Write all replies with their requests, ordered by key, as JSON Lines or Parquet."""
    from prose_data.llm.store_tools import export_store

    file = _file(path)
    if out is None:
        stdout = typer.get_binary_stream("stdout")
        export_store(file, stdout, "jsonl")
        stdout.flush()  # a full disk is an error here, and only a note at the end of the program
        return
    if out.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"--out {out}: must end in .jsonl or .parquet")
    if out.is_dir():
        raise InputError(f"--out {out}: is a folder; name the file to write")
    if out.resolve() == file.resolve():
        raise InputError(f"--out {out}: is the request store itself; name another file")
    from prose_data.runs import land

    count = 0

    def write(target: IO[bytes]) -> None:
        nonlocal count
        count = export_store(file, target, "parquet" if out.suffix == ".parquet" else "jsonl")

    land(out, write)
    typer.echo(f"{count:,} replies in {out}")


def _file(path: Path) -> Path:
    """Return the store's file that `path` names: itself, or the one of a run. Raises InputError if there is none."""
    if not path.is_dir():
        return path
    from prose_data.llm.reply_folder import is_reply_folder
    from prose_data.runs import load_run

    kept = load_run(path).store
    if is_reply_folder(kept):
        raise InputError(
            f"{kept}: is a reply folder, one JSON file per reply; these commands are for request stores of one file"
        )
    file = Path(kept)
    if not file.exists():
        raise InputError(
            f"{path}: the run has no request store ({file} is not there); simulated models leave none"
        )
    return file


def _age(text: str) -> float:
    """Return the seconds that `text` names, such as 30d or 12h."""
    match = re.fullmatch(r"(\d{1,9})([smhdw])", text)
    if match is None:
        raise InputError(
            f"--older-than {text}: must be a number with s, m, h, d or w, for example 30d or 12h"
        )
    return int(match[1]) * _SECONDS[match[2]]


def _date(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _show(file: Path, found: "Stats") -> None:
    """Print the counts; models' names come from endpoints and are printed as plain text."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not found.replies:
        typer.echo(f"{file} holds no replies")
    else:
        table = Table(box=None, pad_edge=False)
        table.add_column("model", overflow="fold")
        table.add_column("rung")
        for name in ("replies", "prompt tokens", "completion tokens"):
            table.add_column(name, justify="right")
        for part in found.parts:
            counts = (part.replies, part.prompt_tokens, part.completion_tokens)
            cells = [Text(printable(part.model)), Text(printable(part.rung))]
            table.add_row(*cells, *(f"{count:,}" for count in counts))
        console = Console()
        console = console if console.is_terminal else Console(width=160)
        console.print(table)
        models = len({part.model for part in found.parts})
        typer.echo(f"{found.replies:,} replies of {models} {'model' if models == 1 else 'models'}")
        typer.echo(f"{_date(found.oldest) or 'unknown'} to {_date(found.newest) or 'unknown'}")
    typer.echo(f"{_bytes(found.size)} in {file}")
    if found.open_batches:
        typer.echo(f"{found.open_batches:,} open batches with {found.batched_requests:,} requests")
