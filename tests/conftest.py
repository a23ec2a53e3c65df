"""For all tests: no network but loopback, no telemetry, no keys from the machine's environment."""

import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

os.environ |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PREFECT_API_URL"):
    os.environ.pop(name, None)

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as of a job in the background; what tests start would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else "localhost"  # a path is a Unix socket
    if host not in ("localhost", "::1") and not str(host).startswith("127."):
        raise OSError(f"tests may not connect to {host}")
    _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _loopback_only)
    yield
    patch.undo()
