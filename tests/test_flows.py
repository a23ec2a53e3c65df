"""The flows on a real Prefect engine with its embedded server: the same tables, the same errors, artifacts to look at."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from prose_data.config import Config, dump_config, parse_config
from prose_data.errors import BudgetReached, InputError
from prose_data.runs import Run
from prose_data.stages import run_all

ROOT = Path(__file__).resolve().parents[1]
TINY: dict[str, Any] = {
    "seeds": [0],
    "users": {"count": 2},
    "samples": {"per_user": 2},
    "methods": ["no_learning", "prose", "oracle"],
    "metrics": ["ppcm"],
    "shards": {"users": 1},
}


def _config(**changes: Any) -> Config:
    return parse_config({**TINY, **changes}, "test")


def _parts(run: Run) -> dict[str, bytes]:
    tables = ("users", "documents", "samples", "inferences", "scores", "failures")
    return {f"{t}/{path.name}": path.read_bytes() for t in tables for path in run.parts(t)}


async def _seen() -> tuple[list[str], dict[str, list[Any]]]:
    """Return the names of all task runs, and the artifacts by key."""
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        tasks = [run.name for run in await client.read_task_runs()]
        artifacts: dict[str, list[Any]] = {}
        for artifact in await client.read_artifacts():
            artifacts.setdefault(str(artifact.key), []).append(artifact.data)
    return tasks, artifacts


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the system does not show processes")
def test_a_server_left_behind_is_ended_and_no_other_process(tmp_path: Path) -> None:
    from flows.pipeline import end_leftover

    # Like a killed process, the one in the middle leaves its child behind.
    middle = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]], stdout=-3); print(child.pid)"
    code = "import time; time.sleep(60)"

    def left(word: str, **environment: str) -> int:
        command = [sys.executable, "-c", middle, code, word]
        shown = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        return int(shown)

    def runs(pid: int) -> bool:
        try:
            return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False

    word, mark = "prefect.server.api.server:create_app", {"PREFECT__SERVER_EPHEMERAL": "1"}
    server = left(word, PREFECT_HOME=str(tmp_path), **mark)
    others = [
        left(word, PREFECT_HOME=str(tmp_path / "other"), **mark),
        left(word, PREFECT_HOME=str(tmp_path)),  # started by hand, to look at the run
        left("else", PREFECT_HOME=str(tmp_path), **mark),
    ]
    child = subprocess.Popen([sys.executable, "-c", code, word], env={"PREFECT_HOME": str(tmp_path), **mark})
    try:
        end_leftover(tmp_path)
        until = time.monotonic() + 10
        while runs(server) and time.monotonic() < until:
            time.sleep(0.01)
        assert not runs(server)
        assert all(map(runs, others)) and child.poll() is None
    finally:
        for pid in filter(runs, (server, *others)):
            os.kill(pid, signal.SIGKILL)
        child.kill()
        child.wait()


@pytest.mark.slow
def test_the_pipeline_with_its_engine(tmp_path: Path) -> None:
    """One server serves all that needs one, as its start takes most of the time."""
    from flows.pipeline import run_pipeline, server_of

    heard: list[tuple[str, int, int]] = []
    run = run_pipeline(_config(), tmp_path / "run", progress=lambda *now: heard.append(now))
    plain = asyncio.run(run_all(_config(), tmp_path / "plain"))
    assert _parts(run) == _parts(plain)
    assert heard[-1] == ("score", 12, 12) and ("infer", 6, 6) in heard
    assert (run.path / "manifest.json").exists() and (run.path / "report.md").exists()

    with server_of(run.path):
        tasks, artifacts = asyncio.run(_seen())
    stages = ("synthesize", "infer", "score")
    assert sorted(tasks) == sorted(f"{stage} shard {shard}" for stage in stages for shard in (0, 1))
    assert [artifacts[stage] for stage in stages] == [[100.0]] * 3
    (table,) = artifacts["headline"]
    assert {row["method"] for row in json.loads(table)} == {"no_learning", "prose", "oracle"}
    assert all(isinstance(row["ppcm"], float) for row in json.loads(table))
    (shown,) = artifacts["report"]
    assert shown.strip() == (run.path / "report.md").read_text().strip()

    with pytest.raises(BudgetReached, match="max_requests"):
        run_pipeline(_config(budget={"max_requests": 25}), tmp_path / "stopped")
    resumed = run_pipeline(_config(), tmp_path / "stopped")
    assert _parts(resumed) == _parts(plain)

    samples = resumed.part("samples", 1)
    samples.write_bytes(samples.read_bytes()[:-9])
    resumed.part("inferences", 1).unlink()
    with pytest.raises(InputError, match="is damaged"):
        run_pipeline(_config(), tmp_path / "stopped", stages=["infer"])
    with pytest.raises(InputError, match="another configuration"):
        run_pipeline(_config(seeds=[1]), tmp_path / "stopped")


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.pipeline import run_pipeline

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/api"
    with (
        temporary_settings({PREFECT_API_URL: url}),
        pytest.raises(InputError, match=f"{url} cannot be reached"),
    ):
        run_pipeline(_config(), tmp_path / "run")


@pytest.mark.slow
def test_an_interrupt_ends_a_flow_as_it_ends_any_program(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from pathlib import Path
        from flows.pipeline import run_pipeline
        from prose_data.runs import config_from_yaml
        progress = lambda *now: print(*now, flush=True)
        try:
            run_pipeline(config_from_yaml(Path(sys.argv[1]).read_text(), "config"), Path(sys.argv[2]), progress=progress)
        except KeyboardInterrupt:
            sys.exit(130)
    """
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(_config(users={"count": 400}, shards={"users": 400})))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path), str(tmp_path / "run")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("synthesize")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == ""
