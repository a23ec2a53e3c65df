"""A `prose-data serve` process to test: started in a folder, what it says, and its Prefect server asked and told things."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import yaml

ROOT = Path(__file__).resolve().parents[1]
TINY: dict[str, Any] = {
    "name": "tiny",
    "seeds": [0],
    "users": {"count": 2},
    "samples": {"per_user": 2},
    "methods": ["no_learning", "prose", "oracle"],
    "metrics": ["ppcm"],
    "shards": {"users": 1},
}
PATIENCE = 150  # seconds; what is waited for takes ten to sixty on an idle machine
T = TypeVar("T")


def until(found: Callable[[], T | None], what: str) -> T:
    """Return what `found` returns once that is something; fail naming `what` after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (value := found()) is not None:
            return value
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


class Serving:
    """A `prose-data serve` process in `folder`, its outputs in out.txt and err.txt there."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
        self._at = {name: self._size(name) for name in ("out.txt", "err.txt")}
        command = [sys.executable, "-m", "prose_data", "serve", "tiny.yaml", *options]
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (folder / "out.txt").open("ab") as out, (folder / "err.txt").open("ab") as err:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONPATH": path, **environment},
            )

    def said(self, pattern: str, name: str = "out.txt") -> re.Match[str]:
        """Return the first match of `pattern` in what this process has said since the last match, waiting for it."""

        def look() -> re.Match[str] | None:
            text = (self.folder / name).read_bytes()[self._at[name] :].decode()
            if (found := re.search(pattern, text, re.M)) is not None:
                self._at[name] += len(text[: found.end()].encode())
            elif self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.errors()}")
            return found

        return until(look, f"{pattern} in {name}; stderr: {self.errors()}")

    def errors(self) -> str:
        """Return all that was written to stderr."""
        return (self.folder / "err.txt").read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def children(self) -> list[int]:
        """Return the process ids of its children that are a Prefect server."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in pids if b"server" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def _size(self, name: str) -> int:
        path = self.folder / name
        return path.stat().st_size if path.exists() else 0


@contextmanager
def at(url: str) -> Iterator[Any]:
    """Give a client of the Prefect server at `url`."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
        yield client


def ended(client: Any, run: UUID) -> Any:
    """Return the final state of a flow run, waiting for it."""

    def look() -> Any:
        state = client.read_flow_run(run).state
        return state if state is not None and state.is_final() else None

    return until(look, f"the end of the flow run {run}")
