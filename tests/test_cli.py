import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from prose_data import __version__
from prose_data.cli import app

SMALL = """
name: small
seeds: [0]
tasks: [email]
users: {count: 2}
samples: {per_user: 2}
methods: [no_learning, prose, oracle]
metrics: [ppcm, recovery]
budget: {max_failures: 1}
"""
HEAVY = ("polars", "numpy", "pydantic", "prefect", "openai", "datasets", "dataframely", "nltk", "aiohttp")
COLUMNS = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}


def call(*arguments: str | Path) -> Result:
    return CliRunner(env=COLUMNS).invoke(
        app, [str(argument) for argument in arguments], prog_name="prose-data"
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run folder, for reading."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.yaml").write_text(SMALL)
    result = call("run", folder / "small.yaml", "--out", folder / "run", "--engine", "plain")
    assert result.exit_code == 0, result.output
    return folder / "run"


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / name)


def refused(result: Result) -> str:
    """Return the one line of an error that ended with exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from prose_data.cli import app\n"
        "print(CliRunner().invoke(app, ['--help']).stdout)\n"
        f"print('heavy:', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for command in ("run", "synthesize", "infer", "score", "report", "validate", "fake-llm"):
        assert f" {command} " in done.stdout
    assert done.stdout.rstrip().endswith("heavy:")


def test_every_command_explains_itself_with_an_example() -> None:
    for command in ("run", "synthesize", "infer", "score", "report", "validate", "fake-llm"):
        result = call(command, "--help")
        assert result.exit_code == 0
        assert f"prose-data {command} " in result.stdout.split("Example")[1]


def test_version() -> None:
    assert call("--version").stdout == f"prose-data {__version__}\n"


def test_a_run_shows_the_headline_and_where_everything_is(finished: Path) -> None:
    result = call("report", finished)
    assert result.exit_code == 0
    assert result.stdout.startswith("Made with the simulated model sim-strong")
    assert "oracle (ceiling)" in result.stdout
    for place in ("report.md", "summary.json"):
        assert str(finished / place) in result.stdout and (finished / place).exists()


def test_json_is_one_object_on_stdout(small: Path, tmp_path: Path) -> None:
    result = call("run", small, "--out", tmp_path / "run", "--engine", "plain", "--json")
    data = json.loads(result.stdout)
    assert data["result"] == json.loads((tmp_path / "run" / "summary.json").read_text())
    assert data["result"]["simulated"] is True
    assert "score" in result.stderr


def test_running_again_changes_nothing(finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.glob("*/*.parquet")}
    assert call("run", finished, "--engine", "plain").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in finished.glob("*/*.parquet")} == before


def test_stage_by_stage_makes_the_same_run(small: Path, tmp_path: Path, finished: Path) -> None:
    folder = tmp_path / "steps"
    for stage in ("synthesize", "infer", "score"):
        result = call(stage, small, "--out", folder, "--engine", "plain")
        assert result.exit_code == 0, result.output
    assert call("report", folder).exit_code == 0
    for name in ("users", "samples", "inferences", "scores", "failures"):
        assert table(folder, name).equals(table(finished, name)), name
    assert (folder / "report.md").read_text() == (finished / "report.md").read_text()


def test_a_stage_without_its_input_names_the_command_to_run_first(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert "run prose-data synthesize" in refused(call("infer", small, "--out", folder, "--engine", "plain"))
    assert call("synthesize", small, "--out", folder, "--engine", "plain").exit_code == 0
    assert "run prose-data infer" in refused(call("score", folder, "--engine", "plain"))
    assert "run prose-data infer" in refused(call("report", folder))


BAD = {
    "no config": (["run", "nowhere.yaml"], "nowhere.yaml: no such configuration file"),
    "unknown key": (
        ["run", "--set", "sampels.per_user=3"],
        "sampels is not a known key; did you mean samples?",
    ),
    "wrong value": (["run", "--set", "samples.per_user=0"], "samples.per_user is 0"),
    "unknown method": (["run", "--set", "methods=[prosa]"], "methods: 'prosa' is not known"),
    "no space": (["validate", "--set", "space=plum"], "space: 'plum' is not known"),
    "no documents": (["validate", "--set", "documents.path=nowhere"], "nowhere: no such file or folder"),
    "no run": (["report", "--out", "nowhere"], "nowhere: has no samples yet"),
    "method without samples": (["infer", "--method", "prose"], "--method: goes with --samples only"),
    "samples without method": (["infer", "--samples", "x"], "--method: say which"),
    "samples not there": (["infer", "--samples", "nowhere", "--method", "prose"], "nowhere: no such file"),
    "samples and run": (
        ["infer", "run", "--samples", "x", "--method", "prose"],
        "give either a run or --samples",
    ),
    "too many faults": (
        ["fake-llm", "--port", "0", "--rate-429", "0.6", "--rate-500", "0.6"],
        "must not exceed 1",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(call(*arguments))
    assert not list(tmp_path.rglob("*.parquet"))


def test_wrong_usage_is_readable_and_exit_code_2() -> None:
    for arguments in (["run", "--nope"], ["run", "--engine", "spark"], ["fake-llm"], ["nonsense"]):
        result = call(*arguments)
        assert result.exit_code == 2
        assert "Usage: prose-data" in result.stderr and "Traceback" not in result.output


def test_a_run_folder_takes_no_other_configuration(finished: Path, small: Path) -> None:
    assert "is a run folder" in refused(call("run", finished, "--set", "seeds=[1]"))
    other = call("run", small, "--out", finished, "--set", "seeds=[1]", "--engine", "plain")
    assert "another configuration (different: seeds)" in refused(other)


def test_too_many_failures_finish_with_exit_code_1(small: Path, tmp_path: Path) -> None:
    strict = ["--set", "budget.max_failures=0", "--set", "samples.attempts=1"]
    models = ["--set", "models.default.model=sim-weak"]
    result = call("run", small, "--out", tmp_path / "run", "--engine", "plain", *strict, *models)
    assert result.exit_code == 1
    assert "budget.max_failures (0.0%)" in result.stderr
    assert (tmp_path / "run" / "report.md").exists()


def test_the_budget_stops_a_run_with_exit_code_3_and_more_of_it_resumes(small: Path, tmp_path: Path) -> None:
    arguments = ["run", small, "--out", tmp_path / "run", "--engine", "plain", "--set"]
    stopped = call(*arguments, "budget.max_requests=20")
    assert stopped.exit_code == 3
    assert stopped.stderr.splitlines()[-1].startswith("stopped: ")
    assert call(*arguments, "budget.max_requests=null").exit_code == 0


def test_an_interrupted_run_says_that_it_resumes(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("prose_data.stages.run_all", interrupted)
    result = call("run", small, "--out", tmp_path / "run", "--engine", "plain")
    assert result.exit_code == 130
    assert "run the same command again" in result.stderr


def test_a_bug_is_not_hidden(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("prose_data.stages.run_all", broken)
    assert isinstance(
        call("run", small, "--out", tmp_path / "r", "--engine", "plain").exception, ZeroDivisionError
    )


def test_validate_counts_and_sends_nothing(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prose_data.stages.open_door", None)
    monkeypatch.chdir(tmp_path)
    data = json.loads(call("validate", small, "--json").stdout)
    assert (data["users"], data["samples"], data["methods"], data["inferences"]) == (2, 4, 3, 12)
    assert "12 inferences" in call("validate", small).stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.yaml"]


def test_preferences_from_own_writing_are_printed_and_saved(tmp_path: Path) -> None:
    folder = tmp_path / "ann"
    folder.mkdir()
    for day in ("Monday", "Tuesday"):
        (folder / f"{day}.txt").write_text(
            f"On {day} we rowed & swam 🎉 The lake was cold 😀 & the bread was warm 🎉"
        )
    out = tmp_path / "found.jsonl"
    result = call("infer", "--samples", folder, "--method", "prose", "--out", out)
    assert result.exit_code == 0, result.output
    (row,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert row["user_id"] == "ann" and any("emoji" in component["text"] for component in row["components"])
    assert "emoji" in result.stdout and "2 of 2" in result.stdout
    shown = json.loads(call("infer", "--samples", folder, "--method", "prose", "--json").stdout)
    assert shown["users"] == [row]


def test_prefect_is_the_default_engine(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Pipeline:
        @staticmethod
        def run_pipeline(
            config: Any, folder: Path, progress: Any, stages: Any, meter: Any, engine: str
        ) -> Any:
            calls.append((config.name, folder, stages, engine))
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "flows.pipeline", Pipeline)
    monkeypatch.chdir(tmp_path)
    assert call("run", small).exit_code == 130
    assert call("synthesize", small, "--out", "x", "--engine", "dask").exit_code == 130
    assert calls == [
        ("small", Path("runs/small"), ("synthesize", "infer", "score"), "prefect"),
        ("small", Path("x"), ("synthesize",), "dask"),
    ]


def test_fake_llm_passes_its_switches_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from prose_data.simulator.batches import BatchFaults
    from prose_data.simulator.server import Faults

    served = []
    monkeypatch.setattr("prose_data.simulator.server.serve", lambda *arguments: served.append(arguments))
    switches = [
        "--latency",
        "0.1",
        "--rate-429",
        "0.2",
        "--rate-500",
        "0.05",
        "--hang-rate",
        "0.06",
        "--hang",
        "7",
    ]
    more = ["--bad-json-rate", "0.07", "--truncate-rate", "0.08", "--api-key", "secret", "--seed", "9"]
    assert call("fake-llm", "--host", "0.0.0.0", "--port", "8001", *switches, *more).exit_code == 0
    batches = BatchFaults(seed=9)
    faults = Faults(0.1, 0.2, 0.05, 0.06, 7.0, 0.07, 0.08, "secret", 9, batches)
    assert served == [(8001, faults, "0.0.0.0")]


def test_the_module_runs_and_shows_what_an_ascii_terminal_can(finished: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "prose_data", "report", str(finished)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "oracle (ceiling)" in done.stdout


def test_a_terminated_run_ends_as_an_interrupted_one(tmp_path: Path) -> None:
    script = (
        "import os, signal; from prose_data import cli; from prose_data.commands import run\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"  # as for a background job of a shell
        "run.drive = lambda *_: os.kill(os.getpid(), signal.SIGTERM)\n"
        "cli.main()"
    )
    command = [sys.executable, "-c", script, "run", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 130, done.stderr
    assert done.stderr.startswith("interrupted; ") and done.stderr.count("\n") == 1


def test_no_control_code_from_a_file_reaches_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "\x1b[31mred\x07\n.txt").write_text(" ")
    done = subprocess.run(
        [sys.executable, "-m", "prose_data", "infer", "--samples", str(folder), "--method", "prose"],
        capture_output=True,
        text=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    assert done.returncode == 2 and done.stderr.endswith("[31mred .txt: text is empty; it must hold a text\n")
    assert "\x1b" not in done.stderr and "\x07" not in done.stderr
