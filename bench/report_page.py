"""How long the whole report of a run with 100,000 inferences takes.

python -m bench.report_page RUN

is the process that is measured: it makes the report and prints the seconds.
"""

import subprocess
import sys
import time
from pathlib import Path

from bench.children import child
from bench.speed import scratch
from bench.summary import MANIFEST, write_run
from bench.values import Figure, Setup, Unusable
from prose_data.report import PAGE, make_report
from prose_data.runs import MANIFEST as FILE
from prose_data.runs import load_run, write_json

INFERENCES = 100_000
_SCORES = 17  # per inference


def seconds(setup: Setup) -> Figure:
    """Measure the seconds from a run's tables on disk to its report with summary, figures and page."""
    with scratch() as folder:
        rows, users = write_run(folder / "run", setup.some(INFERENCES * _SCORES, 10_000))
        write_json(folder / "run" / FILE, MANIFEST)
        with child("-m", "bench.report_page", folder / "run", stdout=subprocess.PIPE) as process:
            printed, _ = process.communicate()
        if process.returncode:
            raise Unusable(f"the report ended with exit code {process.returncode}")
        size = (folder / "run" / PAGE).stat().st_size / 1e6
    return Figure(float(printed), f"{rows:,} scores of {users:,} users; a page of {size:.2f} MB")


def main() -> None:
    """Make the report of a run and print the seconds."""
    run = load_run(Path(sys.argv[1]))
    began = time.perf_counter()
    make_report(run)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
