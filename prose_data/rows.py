"""Rows of somebody's own files: JSON, Parquet, CSV, or a folder of text files, each with the place it is from."""

import io
import json
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from prose_data.errors import InputError

_READABLE = "a .jsonl, .parquet or .csv file, a .json file of one list, or a folder of .txt and .md files"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its fields by column, and `place` for errors ("notes.jsonl, line 3")."""

    place: str
    fields: Mapping[str, Any]

    def text(self, column: str) -> str:
        """Return the text in `column`; raises InputError if it is missing, no text, or empty."""
        if column not in self.fields:
            raise InputError(
                f"{self.place}: there is no field {column!r}; it has {', '.join(self.fields) or 'none'}"
            )
        value = self.fields[column]
        if not isinstance(value, str | None):
            shown = reprlib.repr(value)
            raise InputError(f"{self.place}: {column} is {shown}; it must be a text")
        if value is None or not value.strip():
            raise InputError(f"{self.place}: {column} is empty; it must hold a text")
        return value

    def text_or(self, column: str, default: str) -> str:
        """Return the text in `column`, or `default` where the column is missing or holds null."""
        return default if self.fields.get(column) is None else self.text(column)


def read_rows(path: Path, limit: int | None = None) -> Iterator[Row]:
    """Yield the rows of a file or folder in order, at most `limit`; empty lines of JSON Lines are skipped.

    A text file is a row of `document_id` (path in the folder), `source` (its sub-folder, if any) and `text`.
    Raises InputError naming file and line where something cannot be read, or where there is no row at all.
    """
    if path.is_dir():
        rows = _folder(path)
    elif not path.exists():
        raise InputError(f"{path}: no such file or folder; it must be {_READABLE}")
    elif path.suffix.lower() in (".jsonl", ".ndjson"):
        rows = _json_lines(path)
    elif path.suffix.lower() == ".json":
        rows = _json_list(path)
    elif path.suffix.lower() in (".parquet", ".csv"):
        rows = _table(path, limit)
    else:
        raise InputError(f"{path}: cannot be read as rows; it must be {_READABLE}")
    empty = True
    for row in islice(rows, limit):
        empty = False
        yield row
    if empty:
        raise InputError(f"{path}: is empty; it must hold at least one row")


def read_text(path: Path) -> str:
    """Return a UTF-8 text file (byte order mark dropped); raises InputError if it is binary, not UTF-8 or unreadable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if b"\0" in data:
        raise InputError(f"{path}: is a binary file; it must be a UTF-8 text file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: is not UTF-8; save the file as UTF-8") from None


def _json_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        yield _object(_json(line, place), place)


def _json_list(path: Path) -> Iterator[Row]:
    found = _json(read_text(path), str(path))
    if not isinstance(found, list):
        raise InputError(f"{path}: must hold a JSON list of objects, not {type(found).__name__}")
    for number, fields in enumerate(found, 1):
        yield _object(fields, f"{path}, row {number}")


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column" if error.lineno > 1 else "column"
        raise InputError(f"{place}: is not valid JSON ({error.msg} at {where} {error.colno})") from None
    except (ValueError, RecursionError):
        raise InputError(f"{place}: holds a number or a nesting that is too long to be read") from None


def _object(fields: Any, place: str) -> Row:
    if not isinstance(fields, dict):
        raise InputError(
            f"{place}: must be a JSON object with a field per column, not {type(fields).__name__}"
        )
    return Row(place, fields)


def _table(path: Path, limit: int | None) -> Iterator[Row]:
    try:
        if path.suffix.lower() == ".csv":
            frame = pl.read_csv(io.BytesIO(read_text(path).encode()), infer_schema=False, n_rows=limit)
        else:
            frame = pl.read_parquet(path, n_rows=limit)
    except pl.exceptions.NoDataError:
        return
    except (pl.exceptions.PolarsError, OSError) as error:
        kind = path.suffix[1:].lower()
        detail = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: cannot be read as a {kind} file ({detail})") from None
    for number, fields in enumerate(frame.iter_rows(named=True), 1):
        yield Row(f"{path}, row {number}", fields)


def _folder(path: Path) -> Iterator[Row]:
    files = sorted(
        (file for file in path.rglob("*") if file.suffix.lower() in (".txt", ".md") and file.is_file()),
        key=lambda file: file.relative_to(path).as_posix(),
    )
    if not files:
        raise InputError(f"{path}: holds no .txt or .md file; it must be {_READABLE}")
    for file in files:
        inner = file.relative_to(path)
        source = inner.parts[0] if len(inner.parts) > 1 else None
        yield Row(str(file), {"document_id": inner.as_posix(), "source": source, "text": read_text(file)})
