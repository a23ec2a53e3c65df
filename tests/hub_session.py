"""What tests of the hub share: the real client pointed at the stand-in, a clock that sleeping moves, folders to send."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from prose_data.hub import session
from tests.hub_server import Hub, serving


class Clock:
    """Time that passes by itself and, at once, by sleeping."""

    def __init__(self) -> None:
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def now(self) -> float:
        return _monotonic() + self.slept


_monotonic = time.monotonic


@contextmanager
def at_hub(hub: Hub) -> Iterator[Clock]:
    """Serve `hub` and make the client library of this process talk to it, without real waiting."""
    clock = Clock()
    with serving(hub) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", url)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "HF_HUB_DISABLE_XET", hub.chunks is None)
        patch.setattr(time, "sleep", clock.sleep)
        patch.setattr(session, "time", SimpleNamespace(monotonic=clock.now))
        yield clock


def folder_of(path: Path, **files: bytes) -> Path:
    """Write a small data set folder: a card, a table, a picture, and `files` (config=bytes), and return it."""
    written = {
        "README.md": b"---\npretty_name: Small\n---\n# Small\n",
        "config.yaml": b"name: small\n",
        "figures/scores.png": b"\x89PNG" + bytes(range(256)),
        **{f"{name}/train-00000-of-00001.parquet": data for name, data in files.items()},
    }
    for name, data in written.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path
