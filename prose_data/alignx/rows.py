"""Records by the column: rows of a Parquet file checked all at once, as `from_row` checks one, and made into arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from prose_data.alignx.correlation import Signs
from prose_data.alignx.dimensions import COUNT
from prose_data.alignx.record import DEMO, DIRECTION, PAIR, RECORD_SCHEMA, UGC, from_row
from prose_data.errors import InputError

_ROWS = 500  # read at once

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Items:
    """The items of all histories of one kind: the row that each belongs to, its texts by key, and its direction."""

    rows: Rows
    texts: dict[str, pa.StringArray]
    signs: Signs


@dataclass(frozen=True, slots=True)
class Columns:
    """Some rows of a file, by column; signs are 1, 0 and -1 for the values 1, 0.5 and 0."""

    prompt: pa.StringArray
    chosen: pa.StringArray
    rejected: pa.StringArray
    demographic: pa.StringArray
    signs: Signs
    comments: Items
    pairs: Items

    def __len__(self) -> int:
        return len(self.signs)


def read_columns(path: Path) -> Iterator[Columns]:
    """Yield the rows of a Parquet file in order, some thousand at a time.

    Raises InputError naming the file, and the row where it is one row's fault.
    """
    try:
        with pq.ParquetFile(path) as file:
            before = 0
            for batch in file.iter_batches(_ROWS, use_threads=False):  # parts are read side by side
                table = _as_published(pa.Table.from_batches([batch]), path)
                yield check_rows(table, str(path), before)
                before += table.num_rows
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]})") from None


def check_rows(table: pa.Table, place: str, before: int) -> Columns:
    """Return the columns of a table in RECORD_SCHEMA, all of whose rows are records.

    Raises InputError naming `place` and the first row that is none; `before` rows come before the first of `table`.
    """
    found = _columns(table)
    if found is not None:
        return found
    for number, row in enumerate(table.to_pylist(), before + 1):
        from_row(row, f"{place}, row {number}")
    raise InputError(f"{place}: among rows {before + 1} to {before + table.num_rows} one is no record")


def _as_published(table: pa.Table, path: Path) -> pa.Table:
    names, wanted = set(table.column_names), RECORD_SCHEMA.names
    if names != set(wanted):
        odd = sorted(names ^ set(wanted))[0]
        raise InputError(
            f"{path}: {'has the unknown' if odd in names else 'lacks the'} column {odd!r}; a record has "
            f"{', '.join(wanted)}"
        )
    table = table.select(wanted)
    try:
        return table if table.schema.equals(RECORD_SCHEMA) else table.cast(RECORD_SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"{path}: its columns are not of the published types ({str(error).splitlines()[0]})"
        ) from None


def _columns(table: pa.Table) -> Columns | None:
    """Return the columns of `table`; None if some row is no record."""
    parts: dict[str, Any] = {name: table.column(name).combine_chunks() for name in table.column_names}
    signs = _signs(parts[DIRECTION])
    comments, pairs = _items(parts[UGC]), _items(parts[PAIR])
    if signs is None or comments is None or pairs is None:
        return None
    texts = [parts[name] for name in ("prompt", "chosen", "rejected")]
    texts += [*comments.texts.values(), *pairs.texts.values()]
    if any(map(_blank, texts)) or parts[DEMO].null_count or not signs.any(axis=1).all():
        return None
    if _alike(parts["chosen"], parts["rejected"]) or _alike(pairs.texts["chosen"], pairs.texts["rejected"]):
        return None
    known = np.zeros(len(signs), bool)
    known[comments.rows] = known[pairs.rows] = True
    if not (known | ~_blanks(parts[DEMO])).all():
        return None
    return Columns(parts["prompt"], parts["chosen"], parts["rejected"], parts[DEMO], signs, comments, pairs)


def _items(lists: pa.ListArray) -> Items | None:
    """Return the items of a column of lists; None if something in it is missing or is no vector."""
    items = lists.flatten()
    if lists.null_count or items.null_count:
        return None
    signs = _signs(items.field(DIRECTION))
    if signs is None:
        return None
    lengths = np.diff(np.asarray(lists.offsets))
    texts = {field.name: items.field(field.name) for field in items.type if field.name != DIRECTION}
    return Items(np.repeat(np.arange(len(lists)), lengths), texts, signs)


def _signs(vectors: pa.ListArray) -> Signs | None:
    """Return vectors as rows of signs; None if one of them is no vector."""
    flat = vectors.flatten()
    lengths = np.diff(np.asarray(vectors.offsets))
    if vectors.null_count or flat.null_count or not (lengths == COUNT).all():
        return None
    values = np.asarray(flat)
    with np.errstate(invalid="ignore"):  # NaN
        signs = (2 * values - 1).astype(np.int8)
    exact = np.array_equal((1.0 + signs) / 2, values) and bool((abs(signs) <= 1).all())
    return signs.reshape(-1, COUNT) if exact else None


def _blanks(texts: pa.StringArray) -> NDArray[np.bool_]:
    return np.asarray(pc.or_(pc.equal(pc.binary_length(texts), 0), pc.utf8_is_space(texts)).to_numpy(False))


def _blank(texts: pa.StringArray) -> bool:
    return bool(texts.null_count) or bool(_blanks(texts).any())


def _alike(one: pa.StringArray, other: pa.StringArray) -> bool:
    return bool(pc.any(pc.equal(one, other)).as_py())
