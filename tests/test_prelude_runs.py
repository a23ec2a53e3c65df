"""Runs of PRELUDE's frameworks: the truth stays with the users, repetitions are equal, and the bounds bound."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prose_data.config import Config, dump_config, parse_config
from prose_data.llm.door import Door
from prose_data.llm.types import Reply, Request, Role
from prose_data.methods import METHODS, ORACLE
from prose_data.runs import Run
from prose_data.stages import run_all, run_stage, started
from prose_data.values import Stage, User

ROOT = Path(__file__).resolve().parents[1]
AGENTS = (
    *("no_learning", "explore_exploit", "continual", "icl_edit", "cot_edit", "cipher_1", "cipher_n"),
    ORACLE,
)
SECRET = "yodel every quozzle backwards"


def test_no_agent_is_told_the_true_components(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret component is planted in every user; only the user, and the oracle's writer, is asked with it."""
    asked: list[tuple[Stage, Role, str, str]] = []
    ask = Door.ask

    async def recorded(self: Door, way: Any, request: Request, stage: Stage, method: str) -> Reply:
        text = "\n".join(message["content"] for message in request.body["messages"])
        asked.append((stage, request.role, method, text))
        return await ask(self, way, request, stage, method)

    monkeypatch.setattr(Door, "ask", recorded)
    methods = [*METHODS, ORACLE]
    config = _small(methods=methods, samples={"per_user": 2}, audience={"users": 2})
    with started(config, tmp_path / "run") as run:
        asyncio.run(run_stage(run, "synthesize"))
        users = run.values(User, 0)
        run.write("users", [replace(user, components=(*user.components, SECRET)) for user in users], 0)
        asyncio.run(run_stage(run, "infer"))
    told = {
        (role, method == ORACLE, SECRET in text) for stage, role, method, text in asked if stage == "infer"
    }
    assert {row for row in told if row[2]} == {
        ("human", False, True),
        ("human", True, True),
        ("writer", True, True),
    }
    assert {role for role, oracle, secret in told if not secret and not oracle} == {"writer", "inferrer"}
    others = run.read("inferences").filter(pl.col("method") != ORACLE)
    assert SECRET not in str(others.to_dicts()) and SECRET not in str(run.read("edits")["learned"].to_list())


def _small(**changes: Any) -> Config:
    fixed: dict[str, Any] = {"space": "prelude", "framework": "prelude", "tasks": ["email"], "seeds": [0]}
    fixed |= {"samples": {"per_user": 3}, "methods": [*AGENTS], "metrics": ["edit_distance", "accuracy"]}
    return parse_config({**fixed, **changes}, "test")


PROCESS = """if True:
    import asyncio, sys
    from pathlib import Path
    from prose_data.runs import config_from_yaml
    from prose_data.stages import run_all

    out, config = map(Path, sys.argv[1:])
    asyncio.run(run_all(config_from_yaml(config.read_text(), str(config)), out))
"""


def _rows(run: Path) -> dict[str, list[dict[str, Any]]]:
    tables = {"edits": "inference_id", "inferences": "inference_id", "scores": ["inference_id", "metric"]}
    return {t: pl.read_parquet(run / t / "*.parquet").sort(key).to_dicts() for t, key in tables.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on the simulated model: two rounds of the four users of email."""
    config = _small(users={"count": 8}, samples={"per_user": 2})
    return asyncio.run(run_all(config, tmp_path_factory.mktemp("whole") / "run"))


def test_the_order_of_hashes_changes_no_byte(whole: Run, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(dump_config(whole.config))
    environment = {**os.environ, "PYTHONHASHSEED": "3"}
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "run"), str(path)]
    subprocess.run(command, cwd=ROOT, env=environment, timeout=120, check=True)
    for table in ("users", "inferences", "edits", "scores", "failures"):
        parts = list((whole.path / table).glob("*.parquet"))
        assert parts
        for part in parts:
            assert (tmp_path / "run" / table / part.name).read_bytes() == part.read_bytes(), table


def test_shards_keep_audiences_whole_and_change_no_row(whole: Run, tmp_path: Path) -> None:
    config = whole.config.model_copy(update={"shards": type(whole.config.shards)(users=1)})
    split = asyncio.run(run_all(config, tmp_path / "run"))
    assert len(split.parts("edits")) == 2 and len(whole.parts("edits")) == 1
    assert _rows(split.path) == _rows(whole.path)


def test_a_run_that_lost_its_edits_makes_them_anew(whole: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.path, folder)
    for table in ("edits", "scores"):
        shutil.rmtree(folder / table)
    (folder / "manifest.json").unlink()
    asyncio.run(run_all(whole.config, folder))
    assert _rows(folder) == _rows(whole.path)


def test_on_the_simulated_model_the_oracle_is_the_floor_of_costs(whole: Run) -> None:
    costs = whole.read("scores").filter(metric="edit_distance").group_by("method").agg(pl.col("value").sum())
    by_method = dict(costs.iter_rows())
    assert min(by_method, key=lambda name: by_method[name]) == ORACLE
    assert by_method[ORACLE] < 0.3 * by_method["no_learning"]
    assert set(whole.read("edits")["outcome"]) >= {"accepted", "edited"}
    right = whole.read("scores").filter(metric="accuracy", method=ORACLE)
    assert (right["value"] == 1).all() and right.height == 16


@pytest.mark.parametrize("framework", ["plume", "prelude", "prelude.no_edit"])
def test_the_framework_is_one_setting(framework: str, tmp_path: Path) -> None:
    config = _small(
        framework=framework, samples={"per_user": 2, "attempts": 8}, methods=["no_learning", "cipher_1"]
    )
    run = asyncio.run(run_all(config, tmp_path / "run"))
    assert run.count("inferences") == 16
    assert (run.count("samples"), run.count("edits")) == ((0, 16) if framework == "prelude" else (8, 0))
    assert bool(run.parts("edits")) == (framework == "prelude")
    steps = Counter(run.read("inferences").filter(method="cipher_1")["step"].to_list())
    assert steps == ({0: 4, 1: 4} if framework == "plume" else dict.fromkeys(range(8), 1))
    assert run.read("scores").filter(metric="edit_distance").height == 16
