"""`results.json`: the layout that lm-evaluation-harness's readers know, and the report's numbers in it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from prose_data.cli import app
from prose_data.errors import InputError
from prose_data.report import tables_of
from prose_data.report.exports import export_run
from prose_data.report.summary import summarize
from prose_data.runs import MANIFEST, Run, read_json
from prose_data.stats import Ratio, estimates, standard_errors
from tests.exported import METHODS, damaged, finished

GROUP = "prose_data_plume_{}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return damaged(tmp_path_factory.mktemp("lm_eval") / "run")[0]


@pytest.fixture(scope="module")
def results(run: Run) -> dict[str, Any]:
    (file,) = export_run(run.path, "lm-eval", run.path.parent / "results.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def table(found: dict[str, Any], part: str) -> list[tuple[Any, ...]]:
    """Return the rows that the harness's own table has, which it makes of the keys "metric,filter" of each task."""
    rows: list[tuple[Any, ...]] = []
    for name, values in found[part].items():
        for key, value in values.items():
            metric, _, kind = key.partition(",")
            if kind and not metric.endswith("_stderr"):
                error = values[f"{metric}_stderr,{kind}"]
                shots = found["n-shot"].get(name)
                better = found["higher_is_better"][name][metric]
                rows.append((name, found["versions"][name], kind, shots, metric, better, value, error))
    return rows


def test_the_numbers_are_those_of_the_report(run: Run, results: dict[str, Any]) -> None:
    summary = summarize(run.config, tables_of(run), read_json(run.path / MANIFEST))
    for method in METHODS:
        values = results["groups"][GROUP.format(method)]
        assert results["results"][GROUP.format(method)] == values
        told = {
            metric: one for metric, one in summary["methods"][method].items() if f"{metric},none" in values
        }
        defined = {m for m, one in summary["methods"][method].items() if one["mean"] is not None}
        assert set(told) == defined - {"calls", "prompt_tokens", "completion_tokens", "cost_usd"}
        for metric, one in told.items():
            assert values[f"{metric},none"] == pytest.approx(one["mean"], abs=1e-6)
            width = one["high"] - one["low"]  # an interval of nine users is as wide as Student's
            assert width == pytest.approx(2 * 2.306 * values[f"{metric}_stderr,none"], rel=0.35)


def test_a_metric_that_is_undefined_is_absent(results: dict[str, Any]) -> None:
    floor = results["results"][GROUP.format("no_learning")]
    assert "ppcm,none" in floor and "recovery_f1,none" not in floor
    assert "recovery_f1" not in results["higher_is_better"][GROUP.format("no_learning")]


def test_tasks_are_kinds_of_writing_and_methods_their_groups(results: dict[str, Any]) -> None:
    for method in METHODS:
        group = GROUP.format(method)
        tasks = [f"{group}_email", f"{group}_summarization"]
        assert results["group_subtasks"][group] == tasks
        assert results["results"][group]["alias"] == method and results["n-shot"][group] == 1
        for task, kind, drafts in zip(tasks, ("email", "summarization"), (16, 20), strict=True):
            values = results["results"][task]
            assert (values["name"], values["alias"], results["n-shot"][task]) == (task, kind, 1)
            assert values["sample_len"] == drafts - (method == "oracle" and kind == "summarization")
            assert results["configs"][task]["task"] == task
    assert results["configs"][f"{GROUP.format('prose:steps=2')}_email"]["metadata"]["parameters"] == {
        "steps": 2
    }
    rows = table(results, "results")
    assert {row[2] for row in rows} == {"none"}
    assert {(row[4], row[5]) for row in rows} >= {("ppcm", True), ("edit_distance", False)}
    assert all(isinstance(row[6], float) and isinstance(row[7], float) for row in rows)


def test_what_failed_is_counted_and_no_zero(results: dict[str, Any]) -> None:
    task = f"{GROUP.format('oracle')}_summarization"
    assert results["n-samples"][task] == {"original": 20, "effective": 19}
    told = results["configs"][task]["metadata"]["values"]["ppcm"]
    assert (told["n"], told["failed"]) == (19, 1)
    told = results["configs"][f"{GROUP.format('cipher_1')}_summarization"]["metadata"]["values"]
    assert (told["ppcm"]["n"], told["ppcm"]["failed"], told["edit_distance"]["failed"]) == (19, 1, 0)
    whole = f"{GROUP.format('cipher_1')}_email"
    assert results["n-samples"][whole] == {"original": 16, "effective": 16}


def test_it_says_what_was_run_and_that_it_was_simulated(run: Run, results: dict[str, Any]) -> None:
    assert next(iter(results)) == "notice" and "simulated model" in results["notice"]
    assert results["config"]["model"] == "simulated" and "judge=sim-strong" in results["config"]["model_args"]
    written = read_json(run.path / MANIFEST)["written"]
    assert math.isclose(results["date"], np.datetime64(written[:19]).astype(float))


def test_one_kind_of_writing_is_all_of_its_group(tmp_path: Path) -> None:
    run = finished(
        tmp_path / "run", tasks=["email"], seeds=[0], methods=["no_learning"], metrics=["edit_distance"]
    )
    (file,) = export_run(run.path, "lm-eval", tmp_path / "out.json")
    found = json.loads(file.read_text())
    group, task = found["results"].values()
    assert list(found["results"]) == [GROUP.format("no_learning"), f"{GROUP.format('no_learning')}_email"]
    assert {**group, "name": task["name"], "alias": "email"} == task
    again = export_run(run.path, "lm-eval", tmp_path / "again.json")[0]
    assert again.read_bytes() == file.read_bytes()


def test_the_standard_error_is_that_of_a_mean_of_users() -> None:
    draws = np.random.default_rng(5)
    for users in (2, 9, 200):
        means = draws.normal(3, 2, users)
        one = Ratio(means * 4, np.full(users, 4.0), users * 4)
        (error,) = standard_errors([one])
        assert error == pytest.approx(means.std(ddof=1) / math.sqrt(users), rel=0.06)
    lone = Ratio(np.ones(1), np.ones(1), 1)
    turning = Ratio(np.ones(9), np.array([1.0, -1.0] * 4 + [0.5]), 9)
    assert standard_errors([None, lone, turning]) == [None, None, None]
    assert [one and one.low for one in estimates([None, lone, turning])] == [None, None, None]


def test_the_command_writes_the_file_and_names_what_is_wrong(run: Run, tmp_path: Path) -> None:
    def call(*words: object) -> Any:
        return CliRunner().invoke(app, ["export", *map(str, words)])

    done = call(run.path, "--form=lm-eval", "--out", tmp_path / "a.json")
    assert done.exit_code == 0 and done.stdout == f"{tmp_path / 'a.json'}\n"
    told = call("results", run.path, "--form", "lm-eval", "--out", tmp_path / "b.json", "--json")
    assert json.loads(told.stdout) == {"form": "lm-eval", "files": [str(tmp_path / "b.json")]}
    for words, message in (
        ((run.path, "--form", "lm-eval", "--out", tmp_path / "a.txt"), "must end in .json"),
        ((tmp_path, "--form", "lm-eval", "--out", tmp_path / "c.json"), "is not a run folder"),
    ):
        refused = call(*words)
        assert refused.exit_code == 2 and message in refused.stderr
    helped = call("--help")
    assert " rows " in helped.stdout and " results " in helped.stdout


def test_a_run_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    run = finished(
        tmp_path / "run", tasks=["email"], seeds=[0], methods=["no_learning"], metrics=["edit_distance"]
    )
    (run.path / MANIFEST).unlink()
    with pytest.raises(InputError, match="is not finished"):
        export_run(run.path, "lm-eval", tmp_path / "out.json")
