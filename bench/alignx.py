"""AlignX by the simulated model: records a second, memory over all processes, the checks, and a kill in the middle.

`share` of 200,000 records; the published set has 1,311,622.
"""

import hashlib
import json
import re
import signal
import subprocess
import threading
import time
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from random import Random

from bench.children import child
from bench.speed import scratch
from bench.values import Figure, Setup, Unusable

RECORDS = 200_000
KILLED = 20_000
_BEAT = 0.1  # seconds between two looks at the memory


def records_a_second(setup: Setup) -> Figure:
    """Measure records a second over a whole run, written, validated and checked."""
    number, seconds, _, _, absolute = _run(setup)
    return Figure(number / seconds, absolute)


def memory(setup: Setup) -> Figure:
    """Measure the peak memory of all processes of a run together."""
    _, _, peak, _, absolute = _run(setup)
    return Figure(peak, absolute)


def checks(setup: Setup) -> Figure:
    """Measure the seconds that all checks of a finished data set would take at the published size."""
    number, _, _, seconds, absolute = _run(setup)
    return Figure(seconds / number * 1_311_622, absolute)


@cache
def _run(setup: Setup) -> tuple[int, float, float, float, str]:
    """Return records, seconds, peak MB, seconds of the checks alone, and a sentence of it."""
    number = setup.some(RECORDS, 4_000)
    with scratch() as folder:
        seconds, peak, growth = _synthesized(folder / "run", number)
        (folder / "run" / "manifest.json").unlink()
        again, _, _ = _synthesized(folder / "run", number)  # nothing but the checks is missing
        size = sum(path.stat().st_size for path in (folder / "run" / "records").iterdir())
    absolute = (
        f"{number:,} records in {seconds:.0f} s, checks of that {again:.0f} s; {peak:.0f} MB at most, "
        f"{growth:+.0f} MB in the second half, checks included; {size / number / 1000:.2f} kB a record on disk"
    )
    print(f"  {absolute}", flush=True)
    return number, seconds, peak, again, absolute


def resumed(setup: Setup) -> Figure:
    """Count the files that differ between a run that was killed and resumed, and one that was not."""
    number = setup.some(KILLED, 4_000)
    with scratch() as folder:
        seconds, _, _ = _synthesized(folder / "whole", number)
        delay = Random(number).uniform(0.2, 0.7) * seconds
        with running(folder / "killed", number) as process:
            time.sleep(delay)
            if process.poll() is not None:
                raise Unusable("the run was over before it could be killed")
            process.send_signal(signal.SIGKILL)
        landed = len(list((folder / "killed" / "records").glob("part-*.parquet")))
        _synthesized(folder / "killed", number)
        whole, killed = _files(folder / "whole"), _files(folder / "killed")
    differing = [name for name in whole | killed if whole.get(name) != killed.get(name)]
    absolute = (
        f"{len(whole)} files of {number:,} records; killed after {delay:.1f} s with {landed} shards landed"
    )
    return Figure(len(differing), absolute)


def _files(folder: Path) -> dict[str, str]:
    """Return the hash of each part, and of the manifest's checks."""
    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.glob("*/part-*.parquet")
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    checks = json.dumps(manifest["checks"]).replace(str(folder), "")
    return found | {"manifest.json": hashlib.sha256(checks.encode()).hexdigest()}


def running(folder: Path, number: int) -> AbstractContextManager[subprocess.Popen[str]]:
    """Return the context of a process that makes the data set."""
    size = min(10_000, max(1_000, number // 8))
    sets = (f"alignx.records={number}", "alignx.test=0", f"shards.users={size}")
    words = [word for one in sets for word in ("--set", one)]
    command = ("-m", "prose_data", "synthesize", "alignx_full", "--out", folder, "--json", *words)
    return child(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _synthesized(folder: Path, number: int) -> tuple[float, float, float]:
    """Return seconds of a run, peak MB of all its processes, and by how much that of its second half is above the first's."""
    with running(folder, number) as process:
        printed, seconds, beats = watched(process, "synthesize")
    if json.loads(printed)["checks"]["records"] != number:
        raise Unusable("records are missing")
    first = max((size for at, size in beats if at < seconds / 2), default=0.0)
    second = max((size for at, size in beats if at >= seconds / 2), default=0.0)
    return seconds, max(first, second), second - first


def watched(process: subprocess.Popen[str], who: str) -> tuple[str, float, list[tuple[float, float]]]:
    """Return what a process printed, the seconds until its end, and MB of it and its children at seconds on the way."""
    beats: list[tuple[float, float]] = []
    over = threading.Event()
    began = time.monotonic()

    def watch() -> None:
        while not over.wait(_BEAT):
            beats.append((time.monotonic() - began, _megabytes(process.pid)))

    watching = threading.Thread(target=watch)
    watching.start()
    printed, said = process.communicate()
    seconds = time.monotonic() - began
    over.set()
    watching.join()
    if process.returncode:
        raise Unusable(f"{who} ended with exit code {process.returncode}: {said[-500:]}")
    return printed, seconds, beats


def _megabytes(parent: int) -> float:
    """Return the memory of a process and its children, each page that several share counted once per process."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            found = dict(re.findall(r"^(Pid|PPid|VmRSS):\s+(\d+)", status.read_text(), re.MULTILINE))
        except OSError:  # it has ended
            continue
        if str(parent) in (found.get("Pid"), found.get("PPid")):
            total += int(found.get("VmRSS", 0)) / 1000
    return total
