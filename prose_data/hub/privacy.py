"""What must not be published by mistake: secrets, e-mail addresses and phone numbers in any text of a data set folder.

Every string of every Parquet file is looked at, nested ones too, a batch of rows at a time; text files are looked at by
line. Addresses of domains that nobody can own (RFC 2606: example.com, .test, …) and the phone numbers reserved for fiction
(555-0100 to 555-0199) belong to nobody and are let through. What was found is never shown, only where it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from prose_data.errors import InputError, printable
from prose_data.hub.patterns import SUSPECT, kinds_of

KNOWN = "a key of this machine's environment"  # never meant, whatever is allowed
_ROWS = 4096  # looked at together
_TEXT_FILES = (".md", ".yaml", ".yml", ".json", ".txt", ".csv", ".jsonl")
_LONGEST_KEY = 80  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """One kind of thing in one column of a table (in one text file: column is empty), and the first place it stands at."""

    kind: str
    table: str
    column: str
    texts: int
    first: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        texts = "text" if self.texts == 1 else "texts"
        return f"{self.kind} in {self.table}{column} ({self.texts:,} {texts}, the first at {self.first})"


def scan(folder: Path, known: Sequence[str] = ()) -> tuple[Found, ...]:
    """Return what the texts of a data set folder hold that should not be published, in order of tables and columns.

    `known` are secrets that are looked for as they stand. Raises InputError for a file that cannot be read.
    """
    tally: dict[tuple[str, str, str], tuple[int, str]] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        for table, column, kind, place in _in_file(path, folder, [one for one in known if one]):
            texts, first = tally.get((table, column, kind), (0, place))
            tally[table, column, kind] = texts + 1, first
    return tuple(
        Found(kind, table, column, texts, first) for (table, column, kind), (texts, first) in tally.items()
    )


def refuse(folder: Path, found: Sequence[Found], allowed: bool) -> None:
    """Raise InputError naming what was found, unless that is allowed; keys of the environment never are."""
    left = [one for one in found if one.kind == KNOWN or not allowed]
    if not left:
        return
    shown = "; ".join(map(str, left[:5])) + (f"; and {len(left) - 5} more" if len(left) > 5 else "")
    meant = "" if allowed else ", or use --allow-pii if they are meant to be public"
    raise InputError(f"{folder}: holds {shown}; remove them from the run's texts{meant}")


Hit = tuple[str, str, str, str]  # table, column, kind, place


def _in_file(path: Path, folder: Path, known: Sequence[str]) -> Iterator[Hit]:
    name = path.relative_to(folder).as_posix()
    try:
        if path.suffix == ".parquet":
            yield from _in_parquet(path, name, known)
        elif path.suffix in _TEXT_FILES:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            for number, line in enumerate(lines, 1):
                yield from ((name, "", kind, f"line {number:,}") for kind in _kinds(line, known))
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read ({printable(str(error))[:200]})") from None


def _in_parquet(path: Path, name: str, known: Sequence[str]) -> Iterator[Hit]:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        columns = [field.name for field in schema if _has_text(field.type)]
        key = next((column for column in schema.names if column.endswith("_id")), None)
        before = 0
        for batch in file.iter_batches(_ROWS, columns=[*dict.fromkeys([*columns, *([key] if key else [])])]):
            for column in columns:
                for row, kind in _in_column(batch.column(column), known):
                    keyed = batch.column(key)[row].as_py() if key else None
                    table = name.rpartition("/")[0] or name
                    yield table, column, kind, _place(name, before + row, key, keyed, known)
            before += batch.num_rows


def _in_column(values: pa.Array, known: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield row and kind of what is in a column, each kind once for each row."""
    seen: set[tuple[int, str]] = set()
    for texts, rows in _texts(values, pa.array(range(len(values)), pa.int64())):
        suspect = pc.match_substring_regex(texts, SUSPECT)
        for secret in known:
            suspect = pc.or_(suspect, pc.match_substring(texts, secret))
        at = pc.indices_nonzero(pc.fill_null(suspect, False))
        for text, row in zip(texts.take(at).to_pylist(), rows.take(at).to_pylist(), strict=True):
            for kind in _kinds(text, known):
                if (row, kind) not in seen:
                    seen.add((row, kind))
                    yield row, kind


def _texts(values: pa.Array, rows: pa.Array) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Yield the strings in `values`, however deep, each array with the row that each string is of."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        yield from _texts(values.dictionary_decode(), rows)
    elif _is_text(kind):
        yield values, rows
    elif pa.types.is_map(kind):
        yield from _texts(
            values.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)]))), rows
        )
    elif _is_list(kind) and _has_text(kind.value_type):
        yield from _texts(pc.list_flatten(values), rows.take(pc.list_parent_indices(values)))
    elif pa.types.is_struct(kind):
        for number, field in enumerate(kind):
            if _has_text(field.type):
                yield from _texts(pc.struct_field(values, [number]), rows)


def _has_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_text(kind.value_type)
    if pa.types.is_map(kind):
        return _has_text(kind.key_type) or _has_text(kind.item_type)
    if _is_list(kind):
        return _has_text(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_has_text(field.type) for field in kind)
    return _is_text(kind)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _kinds(text: str, known: Iterable[str]) -> list[str]:
    return [*([KNOWN] if any(secret in text for secret in known) else []), *kinds_of(text)]


def _place(name: str, number: int, key: str | None, value: object, known: Sequence[str]) -> str:
    """Return how to find a row: by its key, or by its number where it has none or the key itself would tell."""
    text = printable(str(value))
    if key is None or value is None or len(text) > _LONGEST_KEY or _kinds(text, known):
        return f"row {number + 1:,} of {name}"
    return f"{key} {text}"
