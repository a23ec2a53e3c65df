"""Measure the rows of the table, print them, and write results.json and RESULTS.md beside this file.

python -m bench [--only NAME-OR-PATTERN] [--yardstick FOLDER]

Exit codes: 0 all goals reached; 1 some not; 2 a measurement did not come about.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from bench.children import stop_on_termination
from bench.report import line, write
from bench.rows import ROWS, selected
from bench.values import Figure, Setup, Unusable

HERE = Path(__file__).resolve().parent


def setup_of(yardstick: Path | None) -> tuple[Setup, str]:
    """Return what to measure against, and its name: the scripts in `yardstick`, else the repository's own."""
    share = float(os.environ.get("BENCH_SHARE", "1"))
    if yardstick is None:
        return Setup(
            HERE / "endpoint.py", HERE / "floor.py", share
        ), "`bench/endpoint.py` and `bench/floor.py`"
    scripts = Setup(yardstick / "mock_llm.py", yardstick / "client_floor.py", share)
    for script in (scripts.endpoint, scripts.floor):
        if not script.is_file():
            raise Unusable(
                f"{script}: no such file; leave --yardstick out to use the repository's own scripts"
            )
    return scripts, "`mock_llm.py` and `client_floor.py`, which are not part of this repository"


def measure(name: str, setup: Setup) -> Figure:
    """Return what a row found, and print it."""
    began = time.monotonic()
    figure = ROWS[name].measure(setup)
    print(f"{line(name, figure)} ({time.monotonic() - began:.0f} s)", flush=True)
    return figure


def run(only: str, yardstick: Path | None) -> int:
    """Measure the rows that `only` chooses, one after the other, and write each when it is there."""
    setup, against = setup_of(yardstick)
    code = 0
    for name in selected(only):
        what = (ROWS[name].measure.__doc__ or "").partition("\n")[0]
        print(f"{name}: {what}", flush=True)
        try:
            figure = measure(name, setup)
        except Unusable as error:
            print(f"error: {name}: {error}", file=sys.stderr)
            code = 2
            continue
        if not ROWS[name].reached(figure.value):
            code = code or 1
        if setup.share == 1:
            write(HERE, {name: figure}, against)
    if setup.share != 1:
        print("BENCH_SHARE is set: a trial, nothing is written")
    return code


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the engine.")
    parser.add_argument("--only", default="", help="a row's name, or a pattern such as 'memory-*'")
    parser.add_argument("--yardstick", default="", help="folder of mock_llm.py and client_floor.py")
    options = parser.parse_args()
    stop_on_termination()
    try:
        return run(options.only, Path(options.yardstick).resolve() if options.yardstick else None)
    except Unusable as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
