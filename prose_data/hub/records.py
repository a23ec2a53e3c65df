"""The config `alignx` of a data set folder: the records of a run of space alignx, split as their users are.

Every file is a piece of work of its own, done from the run's parts by a worker process, a few hundred rows in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prose_data.alignx.parts import RECORDS, USERS
from prose_data.alignx.record import DEMO, DIRECTION, PAIR, RECORD_SCHEMA, UGC
from prose_data.errors import InputError
from prose_data.hub.parquet import HubConfig, Layout, Written, file_name, write_file
from prose_data.runs import Run
from prose_data.workers import Spread

CONFIG = "alignx"
LAYOUT = Layout(group=2_000, file=10_000)
_ABOUT = (
    "Records in the published AlignX format: seven keys, no user id; row n of a split is of row n of `users`."
)
_COLUMNS = {
    "prompt": "The post.",
    "chosen": "The response that the user prefers.",
    "rejected": "The other response.",
    DIRECTION: "Label: the direction of chosen over rejected in 90 dimensions, each 1, 0.5 (neutral) or 0.",
    DEMO: "The persona in words; may be empty.",
    UGC: "The user's comments on others' posts, each with its direction.",
    PAIR: "The user's choices between two comments by others, each with its direction.",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows `start` to `stop` - 1 of a part of a run."""

    path: Path
    start: int
    stop: int


def write_records(run: Run, folder: Path, spread: Spread) -> HubConfig:
    """Write the config of a run's records into `folder` and return it. Raises InputError naming a file that is damaged."""
    stretches = _stretches(run)
    splits = {}
    for split in sorted(stretches, reverse=True):  # train, then test
        files = _files(stretches[split], LAYOUT.file)
        jobs = [(file_name(CONFIG, split, n, len(files)), file) for n, file in enumerate(files)]
        splits[split] = tuple(spread(partial(_write, folder), jobs))
    return HubConfig(CONFIG, _ABOUT, RECORD_SCHEMA, _COLUMNS, splits)


def _write(folder: Path, job: tuple[str, Sequence[Stretch]]) -> Written:
    name, stretches = job
    tables = (table for stretch in stretches for table in _tables(stretch))
    return write_file(folder, name, RECORD_SCHEMA, tables, LAYOUT)


def _stretches(run: Run) -> dict[str, list[Stretch]]:
    """Return, for each split, where its rows are in the run's parts, in order."""
    found: dict[str, list[Stretch]] = {}
    for path, users in zip(run.parts(RECORDS), run.parts(USERS), strict=True):
        try:
            splits = np.asarray(pq.read_table(users, columns=["split"]).column(0).to_pylist(), dtype=object)
            rows = pq.read_metadata(path).num_rows
        except (OSError, pa.ArrowInvalid, KeyError) as error:
            raise InputError(f"{path} or its users: cannot be read ({str(error).splitlines()[0]})") from None
        if rows != len(splits):
            raise InputError(f"{path}: has {rows} records of {len(splits)} users; make the data set anew")
        ends = [*(np.flatnonzero(splits[1:] != splits[:-1]) + 1).tolist(), rows] if rows else []
        for start, stop in zip([0, *ends[:-1]], ends, strict=False):
            found.setdefault(splits[start], []).append(Stretch(path, start, stop))
    return found


def _files(stretches: Sequence[Stretch], size: int) -> list[list[Stretch]]:
    """Return `stretches` cut into files of `size` rows, the last one shorter."""
    files: list[list[Stretch]] = [[]]
    room = size
    for stretch in stretches:
        start = stretch.start
        while start < stretch.stop:
            if not room:
                files.append([])
                room = size
            taken = min(room, stretch.stop - start)
            files[-1].append(Stretch(stretch.path, start, start + taken))
            start += taken
            room -= taken
    return files


def _tables(stretch: Stretch) -> Iterator[pa.Table]:
    """Yield the rows of a stretch, a row group of its part at a time."""
    try:
        with pq.ParquetFile(stretch.path) as file:
            before = 0
            for number in range(file.num_row_groups):
                after = before + file.metadata.row_group(number).num_rows
                start, stop = max(stretch.start, before), min(stretch.stop, after)
                if start < stop:
                    table = file.read_row_group(number, use_threads=False).select(RECORD_SCHEMA.names)
                    yield table.slice(start - before, stop - start).cast(RECORD_SCHEMA)
                before = after
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise InputError(f"{stretch.path}: cannot be read ({str(error).splitlines()[0]})") from None
