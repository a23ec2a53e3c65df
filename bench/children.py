"""The processes of a measurement: endpoint, floor and engine, each a fresh one, none of which outlives the measurement."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from bench.values import Setup, Unusable

ROOT = Path(__file__).resolve().parents[1]
OWN_ENDPOINT = ROOT / "bench" / "endpoint.py"
_PATIENCE = 30.0  # seconds until an endpoint must answer
_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running endpoint."""

    port: int

    def get(self, path: str) -> Any:
        """Return what it answers to GET."""
        with _OPENER.open(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """Set its counters to zero."""
        request = Request(f"http://127.0.0.1:{self.port}/reset", data=b"", method="POST")
        with _OPENER.open(request, timeout=60):
            pass


@dataclass(frozen=True, slots=True)
class Took:
    """What a client took: `rate` in requests/s, `cpu_ms` a request, `wall` in seconds."""

    rate: float
    cpu_ms: float
    wall: float


@dataclass(frozen=True, slots=True)
class Asked(Took):
    """What the engine took, how much memory at most, the replies by source and the failures by reason."""

    peak_mb: float
    replies: Mapping[str, int]
    failures: Mapping[str, int]


def environment() -> dict[str, str]:
    """Return the environment without keys, proxies and switches of Python that would change what is measured."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONDEVMODE")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in left_out and not name.startswith("OPENAI_") and not name.lower().endswith("_proxy")
    }


@contextmanager
def child(*command: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command from the repository's root while the context is open, and kill it then if it still runs.

    It has a session of its own: Ctrl-C reaches this process alone, which then stops its children.
    """
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env=environment(),
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def endpoint(script: Path, **switches: float) -> Iterator[Endpoint]:
    """Serve `script` on a free port while the context is open; `error_rate=0.1` is its switch --error-rate 0.1.

    A switch that is True stands alone.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [f"--{name.replace('_', '-')}={value}" for name, value in switches.items() if value is not True]
    words += [f"--{name}" for name, value in switches.items() if value is True]
    with child(script, "--port", str(port), *words) as process:
        running = Endpoint(port)
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                running.get("/count")
                break
            except URLError:
                if process.poll() is not None or time.monotonic() > until:
                    raise Unusable(f"{script} does not serve") from None
                time.sleep(0.05)
        yield running


def floor(setup: Setup, at: Endpoint, number: int, concurrency: int) -> Took:
    """Return what the bare client took for `number` requests."""
    words = ("--port", str(at.port), "-n", str(number), "-c", str(concurrency))
    with child(setup.floor, *words, stdout=subprocess.PIPE) as process:
        printed = _finished(process, "the floor")
    found = dict(re.findall(r"(\S+)=([0-9.]+)", printed))
    return Took(float(found["req/s"]), float(found["cpu_ms/req"]), float(found["wall"]))


@contextmanager
def engine(
    at: Endpoint, numbers: str, concurrency: int, store: Path | None, log: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run the engine while the context is open."""
    files = [word for name, file in (("--store", store), ("--log", log)) if file for word in (name, file)]
    words = ("--port", str(at.port), "--numbers", numbers, "-c", str(concurrency), *files)
    with child("-m", "bench.engine", *words, stdout=subprocess.PIPE) as process:
        yield process


def asked(process: subprocess.Popen[str]) -> Asked:
    """Wait for an engine and return what it took."""
    found = json.loads(_finished(process, "the engine"))
    number = sum(found["replies"].values()) + sum(found["failures"].values())
    wall, used = found["wall"], found["cpu"]
    return Asked(
        number / wall, used / number * 1000, wall, found["peak_mb"], found["replies"], found["failures"]
    )


def ask(at: Endpoint, numbers: str | int, concurrency: int, store: Path | None) -> Asked:
    """Run the engine for this many requests, or for ranges of numbers, and return what it took."""
    ranges = f"0:{numbers}" if isinstance(numbers, int) else numbers
    with engine(at, ranges, concurrency, store) as process:
        return asked(process)


def answered(took: Asked, number: int) -> Asked:
    """Return `took` when all `number` requests were answered by the endpoint; raises Unusable."""
    if took.replies != {"endpoint": number}:
        raise Unusable(f"of {number} requests: replies {dict(took.replies)}, failures {dict(took.failures)}")
    return took


def stop_on_termination() -> None:
    """Let SIGTERM and a closed terminal end this process by way of the contexts that stop its children."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, _: sys.exit(128 + number))


def _finished(process: subprocess.Popen[str], who: str) -> str:
    printed, _ = process.communicate()
    if process.returncode:
        raise Unusable(f"{who} ended with exit code {process.returncode}")
    return str(printed)
