"""Configs of a data set folder that are made from frames: one schema, sorted by key, a part of the rows in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from prose_data.hub.parquet import HubConfig, Layout, Written, file_name, regrouped, write_file

LAYOUT = Layout(group=10_000, file=100_000)
TRAIN, TEST = "train", "test"
_AT_ONCE = 200_000  # rows that are sorted in memory
_TYPES = {pl.String(): pa.string(), pl.Int64(): pa.int64(), pl.Float64(): pa.float64()}


@dataclass(frozen=True, slots=True)
class Table:
    """What is to become a config: its rows by split, its key, and a sentence for it and for each column."""

    name: str
    about: str
    key: tuple[str, ...]
    columns: dict[str, str]
    frames: dict[str, pl.LazyFrame]


def write_table(table: Table, folder: Path) -> HubConfig:
    """Write a config's files into `folder`, sorted by key, and return it."""
    schema = arrow_schema(next(iter(table.frames.values())).collect_schema())
    splits = {split: _write_split(table, split, schema, folder) for split in table.frames}
    return HubConfig(table.name, table.about, schema, table.columns, splits)


def arrow_schema(columns: Mapping[str, pl.DataType]) -> pa.Schema:
    """Return the Arrow types that `datasets` gives to columns of these types when it reads them."""
    return pa.schema([(name, _arrow_type(kind)) for name, kind in columns.items()])


def _arrow_type(kind: pl.DataType) -> pa.DataType:
    if isinstance(kind, pl.List):
        return pa.list_(_arrow_type(_made(kind.inner)))
    if isinstance(kind, pl.Array):
        return pa.list_(_arrow_type(_made(kind.inner)), kind.size)
    return _TYPES[kind]


def _made(kind: Any) -> pl.DataType:
    made: pl.DataType = kind() if isinstance(kind, type) else kind
    return made


def _write_split(table: Table, split: str, schema: pa.Schema, folder: Path) -> tuple[Written, ...]:
    frame = table.frames[split]
    count = -(-_count(frame) // LAYOUT.file)
    rows = _cast(_in_order(frame, table.key), schema)
    files = []
    for number in range(count):
        name = file_name(table.name, split, number, count)
        files.append(write_file(folder, name, schema, islice(rows, LAYOUT.file // LAYOUT.group), LAYOUT))
    return tuple(files)


def _cast(frames: Iterable[pl.DataFrame], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of `frames` a row group at a time, copied, so that what lies behind a null does not count."""
    parts = (part for frame in frames for part in frame.iter_slices(LAYOUT.group))
    tables = (part.to_arrow().cast(schema) for part in parts)
    return regrouped((table.take(pa.array(range(table.num_rows))) for table in tables), LAYOUT.group)


def _in_order(frame: pl.LazyFrame, key: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows of `frame` in order of its key; of a large one, as many at a time as go into memory."""
    first = frame.select(key[0]).collect().to_series().sort()
    cuts = first.gather_every(_AT_ONCE)[1:].unique(maintain_order=True).to_list()
    for low, high in pairwise([None, *cuts, None]):
        part = frame if low is None else frame.filter(pl.col(key[0]) >= low)
        yield (part if high is None else part.filter(pl.col(key[0]) < high)).sort(key).collect()


def _count(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect().item())
