"""A Prefect server of our own, for a schedule where none is configured: a child process whose database is in a folder.

Its death is seen by the closing of a pipe that it inherited, so that an event loop can watch it. What a killed process
left behind is recognised by an environment variable that children hand down, and ended.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from prose_data.errors import InputError

_MARK = "PROSE_DATA_SERVES"
_PORT = 4200  # where people look for a Prefect server
_START_SECONDS = 180  # ten to thirty, most of it imports
_LEASES = "prefect.server.concurrency.lease_storage.filesystem"  # a limit's slots survive a restart
_END_SECONDS = 20


class LocalServer:
    """A Prefect server on this machine's own address: `url` of its API, and `closed`, readable once it has ended."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._port = free_port(_PORT)
        self.url = f"http://127.0.0.1:{self._port}/api"
        self._start()

    def _start(self) -> None:
        self.closed, kept = os.pipe()
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PREFECT_API_URL", "PREFECT_PROFILE")
        } | {
            "PREFECT_HOME": str(self._home),
            "PREFECT_UI_STATIC_DIRECTORY": str(self._home / "ui"),
            "PREFECT_UI_API_URL": self.url,
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": _LEASES,
        }
        command = [
            sys.executable,
            "-m",
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(self._port),
        ]
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[kept],
                start_new_session=True,  # Ctrl-C is for us, who end it last
            )
        os.close(kept)

    def wait(self) -> None:
        """Return as soon as it answers. Raises InputError if it ends, or takes too long."""
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health", timeout=5, trust_env=False).is_success:
                    return
            time.sleep(0.2)
        raise InputError(
            f"Prefect: the server of {self._home} does not start; {self._home / 'server.log'} says why"
        )

    def again(self) -> None:
        """Start it again at the same address, once it has ended."""
        os.close(self.closed)
        self._process.wait()
        self._start()

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self.closed)


@contextmanager
def local_server(home: Path) -> Iterator[LocalServer]:
    """Run a server whose database is in `home`, for as long as this goes on. Raises InputError if it does not start."""
    home.mkdir(parents=True, exist_ok=True)
    server = LocalServer(home)
    try:
        server.wait()
        yield server
    finally:
        server.end()


@contextmanager
def marked(folder: Path) -> Iterator[None]:
    """End the processes that a killed one, which had marked `folder`, left behind, and mark those started from now on.

    The caller holds the folder's lock. Where the system does not show processes (no /proc), they are left alone.
    """
    mark = os.fsencode(f"{_MARK}={folder}")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # somebody else's, or gone by now
            if mark in (process / "environ").read_bytes().split(b"\0") and int(process.name) != os.getpid():
                os.kill(int(process.name), signal.SIGKILL)
    os.environ[_MARK] = str(folder)
    try:
        yield
    finally:
        del os.environ[_MARK]


def free_port(wanted: int) -> int:
    """Return `wanted` if nothing listens there on this machine, else a port that is free now."""
    for port in (wanted, 0):
        with suppress(OSError), socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind(("127.0.0.1", port))
            return int(candidate.getsockname()[1])
    raise InputError("no port is free on 127.0.0.1")
