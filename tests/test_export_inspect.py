"""Inspect logs: read back by inspect_ai itself, opened in its viewer, and the same each time."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import polars as pl
import pytest
from aiohttp import web
from inspect_ai.log import (
    EvalLog,
    bundle_log_dir,
    list_eval_logs,
    read_eval_log,
    read_eval_log_sample,
)

from prose_data.errors import InputError
from prose_data.report import tables_of
from prose_data.report.exports import export_run, inspect_log
from prose_data.report.exports.inspect_samples import Cell, samples_of
from prose_data.report.summary import summarize
from prose_data.runs import MANIFEST, Run, read_json
from prose_data.values import User
from tests.browser import CHROMIUM, opened
from tests.exported import HOSTILE, METHODS, damaged, finished

MODEL = "simulated/sim-strong"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str, str]:
    return damaged(tmp_path_factory.mktemp("inspect") / "run")


@pytest.fixture(scope="module")
def run(made: tuple[Run, str, str]) -> Run:
    return made[0]


@pytest.fixture(scope="module")
def logs(run: Run) -> dict[str, Path]:
    """Return the log of each method."""
    return dict(zip(METHODS, export_run(run.path, "inspect", run.path.parent / "logs"), strict=True))


def read(path: Path, header_only: bool = False) -> EvalLog:
    return read_eval_log(str(path), header_only=header_only)


def test_inspect_finds_a_log_per_method(run: Run, logs: dict[str, Path]) -> None:
    listed = list_eval_logs(str(run.path.parent / "logs"))
    assert {Path(log.name).name for log in listed} == {path.name for path in logs.values()}
    assert {log.task for log in listed} == {
        "prose-data-plume-no-learning", "prose-data-plume-cipher-1", "prose-data-plume-prose-steps-2",
        "prose-data-plume-oracle",
    }  # fmt: skip


def test_the_header_has_the_numbers_of_the_report(run: Run, logs: dict[str, Path]) -> None:
    manifest = read_json(run.path / MANIFEST)
    summary = summarize(run.config, tables_of(run), manifest)
    for method, path in logs.items():
        header = read(path, header_only=True)
        assert header.status == "success" and header.samples is None and header.results
        assert header.eval.model == MODEL and header.eval.created == manifest["written"]
        told = {score.name: score for score in header.results.scores}
        assert (
            list(told) == [m for m, one in summary["methods"][method].items() if one["mean"] is not None][:-4]
        )
        for metric, score in told.items():
            one = summary["methods"][method][metric]
            assert score.metrics["mean"].value == pytest.approx(one["mean"], abs=1e-6)
            assert score.metadata and score.metadata["low"] == pytest.approx(one["low"], abs=1e-6)
            assert score.metrics["stderr"].value >= 0 and score.metrics["stderr"].params == {
                "cluster": "user_id"
            }
    spec = read(logs["prose:steps=2"], header_only=True).eval
    assert (spec.solver, spec.solver_args) == ("prose", {"steps": 2})
    assert spec.tags == ["simulated"] and spec.metadata and "simulated model" in spec.metadata["notice"]


def test_every_draft_is_a_sample_with_its_document_truth_and_scores(run: Run, logs: dict[str, Path]) -> None:
    inferences = run.read("inferences")
    documents = dict(run.read("documents").select("document_id", "text").iter_rows())
    users = {row["user_id"]: row for row in run.read("users").to_dicts()}
    texts = {(s["user_id"], s["seed"], s["document_id"]): s["text"] for s in run.read("samples").to_dicts()}
    values = run.read("scores").filter(pl.col("metric") == "edit_distance")
    distances = dict(values.select("inference_id", "value").iter_rows())
    for method, path in logs.items():
        log = read(path)
        assert log.samples and log.results and len(log.samples) == log.results.total_samples == 36
        rows = {row["inference_id"]: row for row in inferences.filter(pl.col("method") == method).to_dicts()}
        kept = [sample for sample in log.samples if not sample.error]
        assert {sample.metadata["inference_id"] for sample in kept} == rows.keys()
        for sample in kept:
            row = rows[sample.metadata["inference_id"]]
            key = row["user_id"], row["seed"], row["document_id"]
            assert sample.input == documents[row["document_id"]]
            assert sample.target == users[row["user_id"]]["components"]
            assert sample.output.completion == sample.messages[-1].text == row["draft"]
            assert sample.metadata["own_text"] == texts[key]
            assert sample.scores and sample.scores["edit_distance"].value == distances[row["inference_id"]]
            assert sample.scores["edit_distance"].answer == row["description"]
            usage = sample.model_usage[MODEL]
            assert (usage.input_tokens, usage.output_tokens) == (
                row["prompt_tokens"],
                row["completion_tokens"],
            )
        total = log.stats.model_usage[MODEL]
        assert total.input_tokens == sum(row["prompt_tokens"] for row in rows.values())
        one = read_eval_log_sample(str(path), kept[-1].id)
        assert one.output.completion == kept[-1].output.completion


def test_a_mean_over_components_is_explained_by_their_verdicts(run: Run, logs: dict[str, Path]) -> None:
    sample = next(s for s in read(logs["oracle"]).samples or [] if not s.error)
    rows = run.read("scores").filter(
        pl.col("metric") == "ppcm", pl.col("inference_id") == sample.metadata["inference_id"]
    )
    assert sample.scores and sample.scores["ppcm"].value == pytest.approx(rows["value"].mean())
    said = sample.scores["ppcm"].explanation or ""
    assert said.splitlines() == [
        f"{c}: {v}" for c, v in rows.sort("component").select("component", "verdict").rows()
    ]
    assert sample.scores["ppcm"].metadata and sample.scores["ppcm"].metadata["judge"] == "sim-strong"


def test_what_failed_is_an_error_or_a_note_and_never_a_zero(
    made: tuple[Run, str, str], logs: dict[str, Path]
) -> None:
    _, _, unscored = made
    log = read(logs["oracle"])
    (broken,) = [sample for sample in log.samples or [] if sample.error]
    assert broken.error and broken.error.message == f"endpoint: {HOSTILE}"
    assert not broken.scores and not broken.output.choices and broken.target
    assert log.results and log.results.completed_samples == log.results.total_samples - 1
    (partial,) = [
        s for s in read(logs["cipher_1"]).samples or [] if s.metadata.get("inference_id") == unscored
    ]
    assert partial.scores and "ppcm" not in partial.scores and "edit_distance" in partial.scores
    assert partial.metadata["failures"] == [f"ppcm: unreadable_verdict: {HOSTILE}"]
    with ZipFile(logs["cipher_1"]) as archive:
        (ppcm,) = [
            s for s in json.loads(archive.read("header.json"))["results"]["scores"] if s["name"] == "ppcm"
        ]
        assert (ppcm["scored_samples"], ppcm["unscored_samples"]) == (35, 1)
    floor = read(logs["no_learning"], header_only=True)
    assert floor.results and floor.results.scores[0].name == "ppcm"
    assert not {"recovery_f1"} & {score.name for score in floor.results.scores}


def test_the_same_run_gives_the_same_bytes(run: Run, logs: dict[str, Path], tmp_path: Path) -> None:
    again = export_run(run.path, "inspect", tmp_path / "again")
    assert [path.name for path in again] == [path.name for path in logs.values()]
    assert all(
        one.read_bytes() == other.read_bytes() for one, other in zip(again, logs.values(), strict=True)
    )
    assert sorted(tmp_path.glob("again/*")) == sorted(again)  # nothing temporary is left


def test_users_who_edit_drafts_and_truths_that_change(tmp_path: Path) -> None:
    edited = finished(
        tmp_path / "prelude", framework="prelude", space="prelude", tasks=["email"], seeds=[0],
        methods=["no_learning", "cipher_1"], metrics=["edit_distance"],
    )  # fmt: skip
    log = read(export_run(edited.path, "inspect", tmp_path / "logs")[0])
    outcomes = {sample.metadata["outcome"] for sample in log.samples or []}
    texts = set(edited.read("edits").filter(pl.col("method") == "no_learning")["text"])
    assert {sample.metadata["own_text"] for sample in log.samples or []} == texts
    assert outcomes <= {"accepted", "edited", "unchanged"} and len(log.samples or []) == len(texts)

    drifting = finished(
        tmp_path / "drift", space="style", users={"count": 2}, seeds=[0], methods=["oracle"],
        metrics=["edit_distance"], protocol={"drift": {"step": 1, "components": 2}},
    )  # fmt: skip
    held = drifting.read("truths").sort("user_id", "step")["components"].to_list()
    found = [
        sample.target
        for sample in read(export_run(drifting.path, "inspect", tmp_path / "more")[0]).samples or []
    ]
    assert found == held and found[0] != found[1]


def test_a_user_of_any_name_makes_a_safe_file() -> None:
    user = User("../../x", "s", "email", "imdb", "", ("be brief",), 0)
    assert "/" not in Cell(user, 0, 3, "d", ("be brief",), None).sample_id
    named = User("plume-email-imdb", "s", "email", "imdb", "", ("be brief",), 0)
    assert Cell(named, 1, 12, "d", ("be brief",), None).sample_id == "plume-email-imdb.s1.012"


def test_samples_come_by_shard_so_that_memory_stays_flat(run: Run) -> None:
    found = [list(samples_of(run, shard, {}, MODEL)) for shard in range(2)]
    users = [{sample["metadata"]["user_id"] for _, sample in some} for some in found]
    assert [len(some) for some in users] == [5, 4] and not users[0] & users[1]


def test_logs_need_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="must be a folder"):
        export_run(run.path, "inspect", tmp_path / "file")


def test_it_is_written_without_inspect_ai() -> None:
    folder = Path(inspect_log.__file__).parent
    assert not [
        file
        for file in folder.glob("*.py")
        if re.search(r"import inspect_ai|from inspect_ai", file.read_text())
    ]


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """Serve a folder on the loopback."""

    async def index(_: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / "index.html")

    application = web.Application()
    application.router.add_get("/", index)
    application.router.add_static("/", folder)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_viewer_shows_list_and_sample(run: Run, logs: dict[str, Path], tmp_path: Path) -> None:
    bundle_log_dir(str(run.path.parent / "logs"), str(tmp_path / "bundle"))

    async def look() -> Any:
        async with served(tmp_path / "bundle") as url, opened(url, tmp_path / "profile") as tab:
            await tab.until("/36 samples/i.test(document.body.innerText)")
            listed = await tab.run("document.body.innerText")
            await tab.run(
                "[...document.querySelectorAll('div')].filter(e => !e.children.length && /\\.s7\\.000$/.test(e.innerText))"
                "[0].click()"
            )
            await tab.until("/assistant/i.test(document.body.innerText)")
            return listed, await tab.run("document.body.innerText"), tab.trouble

    listed, sample, trouble = asyncio.run(look())
    assert "prose_data_plume" in listed and MODEL in listed and "ppcm" in listed.lower()
    assert "Hello" in sample and "unexpected error" not in sample
    assert not [line for line in trouble if "TypeError" in line or "Failed to" in line]
