"""The stages: what a method sees and when, what becomes of failures, and that a run may be killed and go on."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import polars as pl
import pytest

from prose_data import stages
from prose_data.config import Config, dump_config, parse_config
from prose_data.errors import BudgetReached, InputError, RequestFailed
from prose_data.llm.door import Door
from prose_data.llm.types import LLM, Reply, Request, Role
from prose_data.methods import METHODS
from prose_data.methods.types import Draft, Entry, Memory, Method, Preference
from prose_data.metrics import METRICS
from prose_data.metrics.types import Case, Finding
from prose_data.runs import STAGES, Run, failed_share, load_run, read_json
from prose_data.simulator.server import Faults, make_app, running
from prose_data.stages import check, infer_shard, run_all, run_stage, score_shard, started
from prose_data.values import Document, Inference, Sample, Stage, User
from prose_data.writing import Example
from tests.fakes import FakeDoor

ROOT = Path(__file__).resolve().parents[1]
REPEATED = ("users", "documents", "samples", "inferences", "scores", "failures")
TINY: dict[str, Any] = {
    "seeds": [0],
    "users": {"count": 2},
    "samples": {"per_user": 2},
    "metrics": ["ppcm", "recovery", "edit_distance"],
    "shards": {"users": 1},
}
SECRET = "yodel every quozzle backwards"


def _config(**changes: Any) -> Config:
    return parse_config({**TINY, **changes}, "test")


def _files(run: Path) -> dict[str, bytes]:
    """Return the content of every part that must be the same in every repetition."""
    paths = [path for table in REPEATED for path in sorted((run / table).glob("*.parquet"))]
    assert len(paths) >= len(REPEATED)
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of two shards on the simulated model."""
    return asyncio.run(run_all(_config(), tmp_path_factory.mktemp("whole") / "run"))


def _nothing() -> None:
    return None


@pytest.fixture
def synthesized(tmp_path: Path) -> Iterator[Run]:
    """A run whose users have their samples: three to learn from and two held out."""
    config = _config(
        users={"count": 1},
        samples={"per_user": 3, "heldout": 2, "attempts": 20},
        methods=["spy"],
        metrics=["spy"],
    )
    patch = pytest.MonkeyPatch()
    patch.setitem(METHODS, "spy", lambda config: Method(_recall, _learn, True))
    patch.setitem(METRICS, "spy", _measure)
    with started(config, tmp_path / "run") as run:
        asyncio.run(run_stage(run, "synthesize"))
        assert run.count("samples") == 5
        yield run
    patch.undo()


async def _recall(memory: Memory, document: Document, llm: LLM) -> Preference:
    return Preference(
        tuple(f"seen {entry.example.document.document_id}" for entry in memory), str(len(memory))
    )


async def _learn(memory: Memory, example: Example, draft: Draft, llm: LLM) -> Memory:
    await llm([{"role": "user", "content": f"learning from {example.text}"}], role="inferrer")
    return (*memory, Entry(example))


async def _measure(case: Case, llm: LLM) -> list[Finding]:
    return [Finding("spy", "", float(case.inference.step), "")]


def test_a_run_has_every_row_and_its_manifest(whole: Run) -> None:
    assert whole.count("users") == 2
    assert whole.count("samples") == 4
    assert whole.count("inferences") == 4 * len(whole.config.methods)
    assert set(whole.read("scores")["metric"]) >= {"ppcm", "recovery_f1", "edit_distance"}
    manifest = read_json(whole.path / "manifest.json")
    assert manifest["rows"] == {table: whole.count(table) for table in manifest["rows"]}
    assert manifest["samples"]["accepted"] == 4
    assert manifest["samples"]["writings"] >= 4
    assert manifest["documents"]["email/ccby"]["read"] >= 12
    assert manifest["prompts"]["write"] and manifest["models"]["judge"] == "sim-strong"
    requests = whole.read("requests")
    counted = manifest["requests"]["infer"]["simulated"]["requests"]
    assert counted == requests.filter(pl.col("stage") == "infer").height > 0
    rungs = [(s, r) for s, counts in manifest["rungs"].items() for r, n in counts.items() for _ in range(n)]
    assert sorted(rungs) == sorted(requests.select("stage", "rung").rows())


def test_progress_counts_units_over_all_shards_also_of_an_earlier_try(whole: Run) -> None:
    heard: list[tuple[str, int, int]] = []
    with started(whole.config, whole.path) as run:
        asyncio.run(run_stage(run, "infer", lambda *now: heard.append(now)))
    assert heard == [("infer", 0, 14), ("infer", 7, 14), ("infer", 14, 14)]


def test_a_draft_comes_before_learning_and_heldout_samples_teach_nothing(synthesized: Run) -> None:
    door = FakeDoor()
    asyncio.run(infer_shard(synthesized, 0, door, _nothing))
    rows = sorted(synthesized.values(Inference), key=lambda row: (row.step, row.document_id))
    assert [row.step for row in rows] == [0, 1, 2, 3, 3]
    samples = sorted(synthesized.values(Sample), key=lambda sample: sample.step)
    order = [sample.document_id for sample in samples]
    for row in rows:
        assert row.components == tuple(f"seen {name}" for name in order[: row.step])
    assert [sample.split for sample in samples] == ["learn"] * 3 + ["heldout"] * 2
    assert [role for _, role, _ in door.asked] == ["writer", "inferrer"] * 3 + ["writer", "writer"]
    heldout = [text for sample in samples[3:] for text in [sample.text]]
    assert not any(text in asked for _, _, asked in door.asked for text in heldout)


def test_a_row_counts_the_calls_of_its_own_step(synthesized: Run) -> None:
    asyncio.run(infer_shard(synthesized, 0, FakeDoor(), _nothing))
    rows = sorted(synthesized.values(Inference), key=lambda row: row.step)
    assert [(row.calls, row.prompt_tokens, row.completion_tokens, row.cost_usd) for row in rows] == [
        (2, 20, 10, 0.5)
    ] * 3 + [(1, 10, 5, 0.25)] * 2
    assert {row.model for row in rows} == {"sim-strong"}


def test_a_failed_draft_costs_the_row_and_a_failed_lesson_does_not(synthesized: Run) -> None:
    calls = 0

    def answer(role: Role, text: str) -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RequestFailed("timeout", "no answer in 5 s")
        if role == "inferrer" and calls == 3:
            raise RequestFailed("http_500", "the endpoint is unwell")
        return '"""A draft."""'

    asyncio.run(infer_shard(synthesized, 0, FakeDoor(answer), _nothing))
    rows = sorted(synthesized.values(Inference), key=lambda row: (row.step, row.document_id))
    assert [row.step for row in rows] == [0, 1, 2, 2]
    assert [row.description for row in rows] == ["0", "0", "1", "1"], "what failed is not remembered"
    failures = {row["reason"]: row for row in synthesized.read("failures").iter_rows(named=True)}
    assert set(failures) == {"timeout", "http_500"}
    ids = {row.inference_id for row in rows}
    assert failures["timeout"]["key"] not in ids and "#" not in failures["timeout"]["key"]
    assert failures["http_500"]["key"] == f"{rows[0].inference_id}#1"
    assert "spy on plume-email-ccby, seed 0, step 0" in failures["timeout"]["message"]
    assert failed_share(synthesized) == 1 / 10


def test_an_empty_draft_is_one_failure(synthesized: Run) -> None:
    asyncio.run(infer_shard(synthesized, 0, FakeDoor(lambda role, text: ""), _nothing))
    assert synthesized.count("inferences") == 0
    failures = synthesized.read("failures")
    assert failures["reason"].to_list() == ["empty_reply"] * 5
    assert failed_share(synthesized) == 5 / 10


def test_failed_and_unreadable_measures_are_failures_and_no_scores(
    synthesized: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def measure(case: Case, llm: LLM) -> list[Finding]:
        if case.inference.step == 0:
            raise RequestFailed("timeout", "no answer")
        if case.inference.step == 1:
            llm.note("unreadable_verdict", "the judge said perhaps")
            return [Finding("spy", "", 1.0, "yes")]
        if case.inference.step == 2:
            return [Finding("spy", "", float("nan"), "")]
        await llm([], role="judge")
        return [Finding("spy", component, 2.0, "") for component in ("a", "b")]

    monkeypatch.setitem(METRICS, "spy", measure)
    asyncio.run(infer_shard(synthesized, 0, FakeDoor(), _nothing))
    asyncio.run(score_shard(synthesized, 0, FakeDoor(), _nothing))
    scores = synthesized.read("scores").sort("step", "component")
    assert scores.select("step", "component", "value", "judge").rows() == [
        (1, "", 1.0, ""),
        (3, "a", 2.0, "sim-strong"),
        (3, "a", 2.0, "sim-strong"),
        (3, "b", 2.0, "sim-strong"),
        (3, "b", 2.0, "sim-strong"),
    ]
    ids = {row.step: row.inference_id for row in synthesized.values(Inference)}
    failures = dict(synthesized.read("failures").select("reason", "key").iter_rows())
    assert failures == {
        "timeout": f"{ids[0]}/spy",
        "unreadable_verdict": f"{ids[1]}/spy#1",
        "not_finite": f"{ids[2]}/spy#1",
    }


def test_no_method_is_told_the_true_components(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret component is planted in every user; of all that is asked in `infer`, only the oracle's drafts hold it."""
    asked: list[tuple[Stage, Role, str]] = []
    ask = Door.ask

    async def recorded(self: Door, way: Any, request: Request, stage: Stage, method: str) -> Reply:
        text = "\n".join(message["content"] for message in request.body["messages"])
        asked.append((stage, request.role, text))
        return await ask(self, way, request, stage, method)

    monkeypatch.setattr(Door, "ask", recorded)
    for name, methods in (("others", [*METHODS]), ("oracle", ["oracle"])):
        asked.clear()
        with started(_config(methods=methods), tmp_path / name) as run:
            asyncio.run(run_stage(run, "synthesize"))
            for shard in (0, 1):
                users = run.values(User, shard)
                run.write("users", [replace(u, components=(*u.components, SECRET)) for u in users], shard)
            asyncio.run(run_stage(run, "infer"))
            told = [(role, SECRET in text) for stage, role, text in asked if stage == "infer"]
            roles = {role for role, _ in told}
            if name == "oracle":
                assert roles == {"writer"} and all(secret for _, secret in told)
                assert {SECRET in row.components for row in run.values(Inference)} == {True}
            else:
                assert roles == {"writer", "inferrer"} and not any(secret for _, secret in told)
                assert SECRET not in str(run.read("inferences").to_dicts())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"methods": ["prose", "telepathy"]},
            "methods: 'telepathy' is not known; use some of .*prose_icl.*oracle",
        ),
        ({"metrics": ["charm"]}, "metrics: 'charm' is not known; use some of ppcm"),
        ({"space": "nowhere"}, "space: 'nowhere' is not known"),
        ({"samples": {"per_user": 500}}, "needs 500 documents"),
    ],
)
def test_what_cannot_run_is_refused_before_a_folder_is_made(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        check(_config(**changes))
    with pytest.raises(InputError, match=words):
        asyncio.run(run_all(_config(**changes), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_too_few_documents_for_a_later_kind_are_found_at_once(tmp_path: Path) -> None:
    rows = [
        {"text": f"Text {number} about the garden.", "task": "email", "source": source}
        for source, many in (("ccby", 3), ("slf5k", 1))
        for number in range(many)
    ]
    (tmp_path / "own.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    config = _config(tasks=["email"], documents={"path": str(tmp_path / "own.jsonl")}, users={"count": None})
    with pytest.raises(InputError, match=r"plume-email-slf5k needs 2 documents.*there are 1"):
        check(config)


def test_a_stage_without_the_one_before_says_so(tmp_path: Path) -> None:
    with started(_config(), tmp_path / "run") as run, pytest.raises(InputError, match=r"samples.*is missing"):
        asyncio.run(run_stage(run, "infer"))


def test_the_run_s_own_documents_are_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(run_all(_config(), tmp_path / "run", stages=["synthesize"]))
    monkeypatch.setattr(stages, "load_documents", None)
    asyncio.run(run_all(_config(), tmp_path / "run"))


@pytest.mark.parametrize("lost", ["users", "documents", "failures", "samples"])
def test_a_table_that_somebody_deleted_is_made_anew(lost: str, tmp_path: Path, whole: Run) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.path, folder)
    shutil.rmtree(folder / lost)
    (folder / "manifest.json").unlink()
    asyncio.run(run_all(whole.config, folder))
    assert _files(folder) == _files(whole.path)


@pytest.mark.parametrize(("table", "after"), [("samples", "inferences"), ("inferences", "scores")])
def test_a_part_of_another_run_is_named(table: str, after: str, tmp_path: Path, whole: Run) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole.path, folder)
    part = folder / table / "part-00000.parquet"
    pl.read_parquet(part).with_columns(document_id=pl.lit("elsewhere")).write_parquet(part)
    shutil.rmtree(folder / after)
    with pytest.raises(
        InputError, match=rf"{table}/part-00000.parquet: is of another run, .*elsewhere.*delete it"
    ):
        asyncio.run(run_all(whole.config, folder))


def test_a_used_up_budget_stops_the_run_and_more_budget_resumes_it(tmp_path: Path, whole: Run) -> None:
    with pytest.raises(BudgetReached):
        asyncio.run(run_all(_config(budget={"max_requests": 120}), tmp_path / "run"))
    stopped = load_run(tmp_path / "run")
    assert stopped.done("synthesize", 1) and not stopped.done("score", 1)
    assert not (stopped.path / "manifest.json").exists()
    asyncio.run(run_all(_config(), tmp_path / "run"))
    assert _files(tmp_path / "run") == _files(whole.path)
    assert (stopped.path / "manifest.json").exists()


PROCESS = """if True:
    import asyncio, os, signal, sys
    from pathlib import Path
    from prose_data.runs import config_from_yaml
    from prose_data.stages import run_all

    out, config, stage, at = sys.argv[1:]

    def progress(now, done, total):
        if (now, done) == (stage, int(at)):
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(run_all(config_from_yaml(Path(config).read_text(), config), Path(out), progress))
"""


def _command(folder: Path, config: Config, stage: str = "", at: int = 0) -> list[str]:
    """Return the command of a process that runs `config` in `folder`/run and is killed after unit `at` of `stage`."""
    path = folder / "config.yaml"
    path.write_text(dump_config(config))
    return [sys.executable, "-c", PROCESS, str(folder / "run"), str(path), stage, str(at)]


@pytest.mark.parametrize(("stage", "at"), [("synthesize", 2), ("infer", 10), ("score", 1)])
def test_a_killed_run_goes_on_to_the_same_files(tmp_path: Path, whole: Run, stage: Stage, at: int) -> None:
    killed = subprocess.run(_command(tmp_path, _config(), stage, at), cwd=ROOT, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    found = load_run(tmp_path / "run")
    assert not all(found.done(name, 1) for name in STAGES)
    finished = {path: path.stat().st_mtime_ns for path in found.path.glob("*/part-*.parquet")}
    asyncio.run(run_all(_config(), tmp_path / "run"))
    assert _files(tmp_path / "run") == _files(whole.path)
    assert finished == {path: path.stat().st_mtime_ns for path in finished}, "what is done is not done again"


def test_the_order_of_hashes_changes_no_byte(tmp_path: Path, whole: Run) -> None:
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        environment: Mapping[str, str] = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(_command(folder, _config()), cwd=ROOT, env=environment, timeout=120, check=True)
        assert _files(folder / "run") == _files(whole.path)


def test_a_killed_run_asks_the_endpoint_for_nothing_it_has_already(tmp_path: Path, whole: Run) -> None:
    async def drive() -> tuple[int, int]:
        async with running(make_app(Faults())) as url, aiohttp.ClientSession() as session:
            model = {"backend": "openai", "model": "sim-strong", "base_url": f"{url}/v1", "concurrency": 1}
            config = _config(models={"default": model})
            for stage, at in (("infer", 10), ("score", 20)):
                killed = await asyncio.create_subprocess_exec(
                    *_command(tmp_path, config, stage, at), cwd=ROOT
                )
                assert await killed.wait() == -signal.SIGKILL
            run = await run_all(config, tmp_path / "run")
            assert run.read("scores").drop("judge").equals(whole.read("scores").drop("judge"))
            async with session.get(f"{url}/count") as answer:
                counts = await answer.json()
            return counts["requests"], counts["distinct"]

    requests, distinct = asyncio.run(drive())
    assert distinct <= requests <= distinct + 2, "at most what was in flight at the two kills is asked again"


def test_the_budget_is_for_all_tries_of_a_run_together(tmp_path: Path) -> None:
    spent: list[int] = []
    for limit in (20, 20, 45):
        with pytest.raises(BudgetReached, match=rf"of {limit}\)"):
            asyncio.run(run_all(_config(budget={"max_requests": limit}), tmp_path / "run"))
        spent.append(read_json(tmp_path / "run" / "counts" / "spent.json")["requests"])
    assert spent == [20, 20, 45]
    (tmp_path / "run" / "counts" / "spent.json").write_text('{"requests": []}')
    with pytest.raises(InputError, match=r"spent\.json: must hold numbers"):
        asyncio.run(run_all(_config(), tmp_path / "run"))
