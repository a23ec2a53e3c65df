"""Real clusters of two workers: the same bytes from every engine, a worker killed midway, and clusters that are not there."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import distributed
import pytest

from prose_data.config import Config, parse_config
from prose_data.errors import InputError
from prose_data.llm.store import key_of
from prose_data.runs import Run
from prose_data.stages import run_all
from tests.counted import counted
from tests.test_spread import SMALL, config_at, parts

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Prefect server for all runs here, as its start takes longer than they do."""
    from flows.pipeline import server_of  # first: it makes Prefect quiet

    from prefect.client.orchestration import get_client  # isort: skip
    from prefect.settings import PREFECT_API_URL, temporary_settings  # isort: skip

    with server_of(tmp_path_factory.mktemp("server")):
        with get_client(sync_client=True) as client:
            url = str(client.api_url)
        with temporary_settings({PREFECT_API_URL: url}):
            yield


class Dask:
    """A scheduler and two workers as processes of their own, without anybody who starts them again."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack, self._file = stack, folder / "scheduler.json"
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        while not self._file.exists():
            time.sleep(0.05)
        self.address = str(json.loads(self._file.read_text())["address"])
        self.workers = [self._start("dask_worker", "--no-nanny", "--nthreads", "1") for _ in range(2)]
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", "--scheduler-file", str(self._file)]
        process = subprocess.Popen(
            [*command, *words, "--no-dashboard"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DASK_LOGGING__DISTRIBUTED": "critical"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    with ExitStack() as stack:
        yield Dask(tmp_path_factory.mktemp("dask"), stack)


@contextmanager
def beside(work: Any) -> Iterator[None]:
    """Do `work` in a thread while the context is open."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def run_on(engine: Any, config: Config, out: Path, **where: Any) -> Run:
    from flows.pipeline import run_pipeline

    changed = config.model_copy(update={"engine": parse_config({"engine": where}, "test").engine})
    return run_pipeline(changed, out, engine=engine)


@pytest.mark.slow
def test_every_engine_writes_the_same_bytes(server: None, dask: Dask, tmp_path: Path) -> None:
    config = parse_config(SMALL, "test")
    plain = parts(asyncio.run(run_all(config, tmp_path / "plain")))
    assert parts(run_on("prefect", config, tmp_path / "prefect")) == plain
    assert parts(run_on("dask", config, tmp_path / "dask", address=dask.address)) == plain
    assert parts(run_on("ray", config, tmp_path / "ray", workers=2)) == plain


def _kill_a_ray_worker() -> None:
    """Kill one of the Ray workers that do a task just now: Ray calls such a process after its task, and its agents so, too."""
    busy = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if re.match(rb"ray::(?!IDLE|\w+Agent)", (process / "cmdline").read_bytes()):
                busy.append(int(process.name))
    os.kill(min(busy), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_worker_that_is_killed_loses_its_shard_and_nothing_that_was_paid(
    engine: str, server: None, dask: Dask, tmp_path: Path
) -> None:
    with counted(latency=0.05) as endpoint:
        config = config_at(endpoint, {"concurrency": 4})
        stored: set[str] = set()
        asked = len(endpoint.asked)

        def kill() -> None:
            nonlocal asked
            endpoint.wait_for(60, seconds=180)  # in the middle of infer; Ray takes a while to start
            if engine == "dask":
                dask.workers[0].send_signal(signal.SIGKILL)
                dask.workers[0].wait()
            else:
                _kill_a_ray_worker()
            stored.update(path.stem for path in (tmp_path / "run" / "store").rglob("*.json"))
            asked = endpoint.asked.total()

        where: dict[str, Any] = {"address": dask.address} if engine == "dask" else {"workers": 2}
        with beside(kill):
            run = run_on(engine, config, tmp_path / "run", **where)
        assert run.finished and endpoint.asked.total() > asked > 50

        repeated = {body for body, times in endpoint.asked.items() if times > 1}
        keys = {key_of(json.loads(body), "openai").hex(): body for body in endpoint.asked}
        replies = {path.stem for path in (tmp_path / "run" / "store").rglob("*.json")}
        assert replies == set(keys)
        assert len(repeated) <= 2 and not {keys[name] for name in stored} & repeated  # in flight when it died

        plain = asyncio.run(run_all(config, tmp_path / "plain"))
    assert parts(run) == parts(plain)


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_cluster_that_does_not_answer_is_named(engine: str, server: None, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InputError, match=f"engine.address {address}: no cluster answers there"):
        run_on(engine, parse_config(SMALL, "test"), tmp_path / "run", address=address)


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_an_engine_that_is_not_installed_is_named(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.cluster import require

    monkeypatch.setattr("flows.cluster.find_spec", lambda name: None)
    with pytest.raises(InputError, match=rf"--engine {engine}: is not installed; pip install"):
        require(engine, None)
