"""The data set folder of an AlignX run: seconds and memory, for the published size from `share` of 200,000 records.

python -m bench.hub RUN

is the process that is measured.
"""

import subprocess
import sys
from functools import cache
from pathlib import Path

from bench.alignx import running, watched
from bench.children import child
from bench.speed import scratch
from bench.values import Figure, Setup
from prose_data.hub.folder import build_folder
from prose_data.runs import load_run

RECORDS = 200_000
_PUBLISHED = 1_311_622


def seconds(setup: Setup) -> Figure:
    """Measure the seconds from a finished run to its data set folder, at the published size."""
    number, took, _, absolute = _built(setup)
    return Figure(took / number * _PUBLISHED, absolute)


def memory(setup: Setup) -> Figure:
    """Measure the most memory of all processes that make the folder."""
    _, _, most, absolute = _built(setup)
    return Figure(most, absolute)


@cache
def _built(setup: Setup) -> tuple[int, float, float, str]:
    """Return records, seconds, peak MB, and a sentence of it."""
    number = setup.some(RECORDS, 4_000)
    with scratch() as folder:
        with running(folder / "run", number) as process:
            watched(process, "synthesize")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with child("-m", "bench.hub", folder / "run", **pipes) as process:
            _, took, beats = watched(process, "bench.hub")
        files = [path for path in (folder / "run" / "hub").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
    most = max(megabytes for _, megabytes in beats)
    absolute = (
        f"{number:,} records in {took:.0f} s, start of the program included; {most:.0f} MB at most; {len(files)} files of "
        f"{size / 1e6:,.0f} MB"
    )
    print(f"  {absolute}", flush=True)
    return number, took, most, absolute


if __name__ == "__main__":  # its worker processes import this module too
    build_folder(load_run(Path(sys.argv[1])))
