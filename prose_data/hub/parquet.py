"""Parquet files of a data set folder: what they hold decides their bytes, and nothing else does.

Row groups and files end after fixed numbers of rows, pages where the content says (content-defined chunking), so that a
row that changes leaves all other files, and most pages of its own, as they were.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from prose_data.errors import InputError

_OPTIONS = {
    "compression": "zstd",
    "compression_level": 3,
    "use_content_defined_chunking": True,
    "write_page_index": True,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How many rows a row group and a file of a config hold; a file holds whole groups."""

    group: int
    file: int


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the folder: its path within, its rows, their bytes in memory (without the validity bits that a reader
    may add) and on disk."""

    path: str
    rows: int
    memory: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class HubConfig:
    """A config of the data set as written: what it is in a sentence, its columns, each with a sentence, and the files of
    each split."""

    name: str
    about: str
    schema: pa.Schema
    columns: dict[str, str]
    splits: dict[str, tuple[Written, ...]]

    @property
    def rows(self) -> int:
        """The rows of all splits."""
        return sum(file.rows for files in self.splits.values() for file in files)


def file_name(config: str, split: str, number: int, of: int) -> str:
    """Return the path of file `number` (from 0) of a split within the folder."""
    return f"{config}/{split}-{number:05d}-of-{of:05d}.parquet"


def write_file(
    folder: Path, name: str, schema: pa.Schema, tables: Iterable[pa.Table], layout: Layout
) -> Written:
    """Write `tables`, one after the other, as the file `name` of `folder`.

    Raises InputError naming the file when it cannot be written.
    """
    path = folder / name
    rows = memory = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            with pq.ParquetWriter(file, schema, **_OPTIONS) as writer:
                for group in regrouped(tables, layout.group):
                    writer.write_table(group, row_group_size=layout.group)
                    rows += group.num_rows
                    memory += group.nbytes
            file.flush()
            os.fsync(file.fileno())
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Written(name, rows, memory, path.stat().st_size, sha256)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def regrouped(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Yield the rows of `tables` in order, `size` at a time, the last ones fewer; each column is one array.

    The writer's pages would otherwise end where those of the tables that were read do.
    """
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        while table.num_rows:
            taken = table.slice(0, size - count)
            waiting.append(taken)
            count += taken.num_rows
            table = table.slice(taken.num_rows)
            if count == size:
                yield pa.concat_tables(waiting).combine_chunks()
                waiting, count = [], 0
    if count:
        yield pa.concat_tables(waiting).combine_chunks()
