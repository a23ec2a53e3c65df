"""What the second version of a data set sends, at the stand-in hub: one in a hundred of the published set's records, in a row,
is another. Only what lies around the change is made, since all other files are the same.

The client library keeps its chunks in a folder instead of a server, which grows by just what would have been sent.
"""

import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.alignx import running, watched
from bench.children import child
from bench.speed import scratch
from bench.values import Figure, Setup, Unusable
from prose_data.hub.files import describe
from prose_data.hub.folder import build_folder
from prose_data.hub.upload import Version, upload_folder
from prose_data.runs import load_run
from tests.hub_server import TOKEN, Hub
from tests.hub_session import at_hub

RECORDS = 30_000
_PUBLISHED = 1_311_622


def sent_again(setup: Setup) -> Figure:
    """Measure the share of the published set's bytes that is sent when one record in a hundred, in a row, is another."""
    number = setup.some(RECORDS, 4_000)
    changed = round(_PUBLISHED / 100 * number / RECORDS)
    with scratch() as folder:
        run, other = folder / "run", folder / "other"
        with running(run, number) as process:
            watched(process, "synthesize")
        _others(other, changed)
        first = _built(run, folder / "first")
        start = number // 4 + 300
        _replace(run, other, list(range(start, start + changed)))
        second = _built(run, folder / "second")
        whole = describe(second).bytes / number * changed * 100  # the set of which these are one in a hundred
        chunks, files = _added(first, second, folder / "chunks") / whole, _changed(first, second) / whole
    absolute = (
        f"{changed:,} records of a set of {changed * 100:,} ({whole / 1e6:,.0f} MB) changed in a row: {chunks:.1%} of its "
        f"bytes as chunks (Xet), {files:.1%} as whole files (LFS)"
    )
    print(f"  {absolute}", flush=True)
    return Figure(chunks, absolute)


def _others(folder: Path, number: int) -> None:
    """Make `number` records of another seed."""
    sets = ("seeds=[97]", f"alignx.records={number}", "alignx.test=0")
    words = [word for one in sets for word in ("--set", one)]
    command = ("-m", "prose_data", "synthesize", "alignx_full", "--out", folder, "--json", *words)
    with child(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        printed, _, _ = watched(process, "synthesize")
    if json.loads(printed)["checks"]["records"] != number:
        raise Unusable("records are missing")


def _built(run: Path, to: Path) -> Path:
    return build_folder(load_run(run)).rename(to)


def _replace(run: Path, other: Path, rows: list[int]) -> None:
    """Put the rows of the run in folder `other`, in order, in the place of the rows of `run` with these numbers."""
    for table in ("records", "users"):
        news = pa.concat_tables([pq.read_table(part) for part in sorted((other / table).glob("part-*"))])
        parts = sorted((run / table).glob("part-*"))
        before = taken = 0
        for part in parts:
            old = pq.read_table(part)
            here = [row - before for row in rows if before <= row < before + old.num_rows]
            if here:
                order = list(range(old.num_rows))
                for number, row in enumerate(here, taken):
                    order[row] = old.num_rows + number
                whole = pa.concat_tables([old, news]).take(pa.array(order))
                pq.write_table(whole, part, compression="zstd")
            before += old.num_rows
            taken += len(here)


def _added(first: Path, second: Path, chunks: Path) -> int:
    """Return the bytes that the client's store of chunks grows by with the second version."""
    chunks.mkdir()
    with at_hub(Hub(chunks)):
        _publish(first)
        before = _stored(chunks)
        _publish(second)
    return _stored(chunks) - before


def _changed(first: Path, second: Path) -> int:
    """Return the bytes of the files that the second version does not share with the first."""
    before = describe(first).files
    return sum(file.bytes for path, file in describe(second).files.items() if before.get(path) != file)


def _publish(folder: Path) -> None:
    if not upload_folder(Version(folder, describe(folder), "team/again"), TOKEN).changed:
        raise Unusable("the second version is the first")


def _stored(chunks: Path) -> int:
    return sum(path.stat().st_size for path in chunks.rglob("*") if path.is_file())
