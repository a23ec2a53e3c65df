"""A run folder: parts land whole and equal, are read back as written, and damage is named."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import polars as pl
import pytest
import yaml

from prose_data.config import Config, parse_config
from prose_data.errors import InputError
from prose_data.runs import (
    Run,
    config_from_yaml,
    failed_share,
    land,
    load_run,
    open_run,
    read_json,
    write_json,
)
from prose_data.streams import digest
from prose_data.values import Failure, Inference, Sample, User

ROOT = Path(__file__).resolve().parents[1]
ADA = User("ada", "plume", "email", "ccby", "", ("use emojis", "be brief"), 0)
BOB = replace(ADA, user_id="bob", components=("be blunt",))


def _sample(number: int) -> Sample:
    return Sample(f"s{number}", "ada", f"d{number}", 0, number, f"Text {number} 😀", "m", 1, "learn")


def _inference(number: int) -> Inference:
    return Inference(
        f"i{number}", "ada", "prose", 0, number, "d0", (), None, None, "Draft", 1, 10, 5, None, "m"
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    with open_run(tmp_path / "run", Config()) as run:
        return run


def test_values_come_back_as_they_were_written(run: Run) -> None:
    rows = [_inference(1), replace(_inference(0), components=("a", "b"), description="", cost_usd=0.5)]
    run.write("inferences", rows, 3)
    assert run.values(Inference, 3) == sorted(rows, key=lambda row: row.inference_id)


def test_the_order_of_rows_changes_no_byte(run: Run, tmp_path: Path) -> None:
    run.write("users", [ADA, BOB], 0)
    run.write("users", [BOB, ADA], 1)
    assert run.part("users", 0).read_bytes() == run.part("users", 1).read_bytes()


def test_a_table_is_all_its_parts(run: Run) -> None:
    run.write("samples", [_sample(2)], 1)
    run.write("samples", [_sample(0), _sample(1)], 0)
    assert run.read("samples")["sample_id"].to_list() == ["s0", "s1", "s2"]
    assert run.scan("samples").select(pl.len()).collect().item() == run.count("samples") == 3
    assert run.count("samples", 1) == 1 and run.count("scores") == 0
    assert not run.done("synthesize", 1), "its users and failures are missing"
    run.write("users", [], 1)
    run.write("failures", [], 1, "synthesize")
    assert run.done("synthesize", 1) and not run.done("synthesize", 2) and not run.done("infer", 0)


def test_an_empty_part_keeps_the_schema(run: Run) -> None:
    run.write("failures", [], 0, "infer")
    assert run.read("failures").columns == ["failure_id", "stage", "key", "reason", "message"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    land(path, lambda file: file.write(b"before"))

    def half(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"file: cannot be written \(No space left on device\)"):
        land(path, half)
    assert path.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_the_manifest_goes_when_a_table_changes(run: Run) -> None:
    write_json(run.path / "manifest.json", {"rows": {}})
    run.write("users", [ADA])
    assert not (run.path / "manifest.json").exists()


def _drop_text(path: Path) -> None:
    pl.read_parquet(path).drop("text").write_parquet(path)


def _retype(path: Path) -> None:
    pl.read_parquet(path).with_columns(pl.col("seed").cast(pl.String)).write_parquet(path)


def _extra(path: Path) -> None:
    pl.read_parquet(path).with_columns(mood=pl.lit("good")).write_parquet(path)


def _blank(path: Path) -> None:
    pl.read_parquet(path).with_columns(text=pl.lit("")).write_parquet(path)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_drop_text, "has no column text"),
        (_retype, "column seed is String and must be Int64"),
        (_extra, "has the column mood"),
        (_blank, "'text' failed validation"),
        (_cut, "is damaged"),
    ],
)
def test_a_spoilt_part_is_named(run: Run, spoil: Any, words: str) -> None:
    run.write("samples", [_sample(0)])
    spoil(run.part("samples"))
    for read in (lambda: run.read("samples"), lambda: run.values(Sample)):
        with pytest.raises(InputError, match=words) as caught:
            read()
        assert str(run.part("samples").parent) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_same_key_in_two_parts_is_found_on_reading(run: Run) -> None:
    run.write("users", [ADA], 0)
    run.write("users", [ADA], 1)
    with pytest.raises(InputError, match="primary_key"):
        run.read("users")


def test_what_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no table scores yet"):
        run.read("scores")
    with pytest.raises(InputError, match=r"part-00007\.parquet: is missing"):
        run.values(User, 7)
    with pytest.raises(InputError, match="is not a run folder"):
        load_run(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"nothing\.json"):
        read_json(tmp_path / "nothing.json")


def test_a_configuration_comes_back_from_its_folder(tmp_path: Path) -> None:
    config = parse_config({"documents": {"path": "own.csv"}, "seeds": [3], "space": "style"}, "test")
    with open_run(tmp_path / "run", config):
        pass
    assert load_run(tmp_path / "run").config == config


@pytest.mark.parametrize("text", ["a: [", "[]", "name: {}", ""])
def test_a_damaged_configuration_is_named(run: Run, text: str) -> None:
    (run.path / "config.yaml").write_text(text)
    with pytest.raises(InputError, match=r"config\.yaml"):
        load_run(run.path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match=r"file/run: cannot be a run folder \(Not a directory\)"),
        open_run(tmp_path / "file" / "run", Config()),
    ):
        pass
    with pytest.raises(InputError, match="cannot be written"):
        land(tmp_path / "file" / "part", lambda file: None)


def test_another_configuration_is_refused_by_the_keys_that_differ(run: Run) -> None:
    run.write("users", [ADA])
    other = parse_config({"seeds": [1], "models": {"default": {"model": "sim-weak"}}}, "test")
    with (
        pytest.raises(InputError, match=r"seeds, models\.default\.model.*choose another --out"),
        open_run(run.path, other),
    ):
        pass
    assert load_run(run.path).config == Config()


def test_a_run_without_any_shard_may_be_begun_again_with_another_configuration(run: Run) -> None:
    other = parse_config({"seeds": [1]}, "test")
    with open_run(run.path, other):
        pass
    assert load_run(run.path).config == other


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    """The limit on a file's size stands in for a disk that is full."""
    script = (
        "import resource, signal, sys; from prose_data import cli\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import polars, dataframely, prose_data.stages\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "cli.main()"
    )
    command = [sys.executable, "-B", "-c", script, "run", "--engine", "plain", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.returncode == 2, done.stderr
    assert "config.yaml: cannot be written (File too large)" in done.stderr and done.stderr.count("\n") == 1


def test_how_models_are_asked_and_the_budget_may_change_between_tries(run: Run) -> None:
    run.write("users", [ADA])
    data = {
        "budget": {"max_cost": 3.5},
        "models": {"default": {"concurrency": 2, "timeout": 5.0, "attempts": 1}},
    }
    other = parse_config(data, "test")
    with open_run(run.path, other) as resumed:
        assert resumed.config == other
    assert yaml.safe_load((run.path / "config.yaml").read_text())["budget"]["max_cost"] == 3.5


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds notes\.txt"), open_run(tmp_path, Config()):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]
    with (
        pytest.raises(InputError, match=r"notes\.txt: cannot be a run folder"),
        open_run(tmp_path / "notes.txt", Config()),
    ):
        pass


def test_a_run_is_written_by_one_process_at_a_time(tmp_path: Path) -> None:
    with open_run(tmp_path / "run", Config()):
        with (
            pytest.raises(InputError, match=f"process {os.getpid()} is writing"),
            open_run(tmp_path / "run", Config()),
        ):
            pass
        load_run(tmp_path / "run")  # reading is free
    with open_run(tmp_path / "run", Config()):
        pass


def test_a_killed_process_holds_no_lock_and_leaves_no_half_file(tmp_path: Path) -> None:
    script = """if True:
        import os, signal, sys
        from pathlib import Path
        from prose_data.config import Config
        from prose_data.runs import land, open_run
        with open_run(Path(sys.argv[1]), Config()) as run:
            def die(file):
                file.write(b"half")
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            land(run.part("users"), die)
    """
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "run")], cwd=ROOT, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert list((tmp_path / "run" / "users").iterdir())
    with open_run(tmp_path / "run", Config()):
        assert not list((tmp_path / "run" / "users").iterdir())


def _failure(stage: Any, key: str) -> Failure:
    return Failure(digest(stage, key), stage, key, "timeout", "")


def test_the_failed_share_counts_lost_rows_and_no_remarks(tmp_path: Path) -> None:
    config = parse_config(
        {"seeds": [0], "samples": {"per_user": 2}, "methods": ["icl", "prose"], "metrics": ["ppcm"]}, "test"
    )
    with open_run(tmp_path / "run", config) as run:
        assert failed_share(run) == 0
        run.write("users", [ADA, BOB])
        run.write("samples", [_sample(0), _sample(1)])
        lost = [_failure("synthesize", "s2"), _failure("synthesize", "s3"), _failure("synthesize", "ada/0#1")]
        run.write("failures", lost, 0, "synthesize")
        assert failed_share(run) == 2 / 4
        run.write("inferences", [_inference(0), _inference(1), _inference(2)])
        run.write("failures", [_failure("infer", "i3"), _failure("infer", "i0#1")], 0, "infer")
        assert failed_share(run) == 3 / 8
        run.write("scores", [])
        remarks = [_failure("score", f"i{n}/ppcm") for n in range(2)]
        run.write("failures", remarks, 0, "score")
        assert failed_share(run) == 2 / 3


def test_config_from_yaml_names_its_origin() -> None:
    with pytest.raises(InputError, match=r"here: .*seedz"):
        config_from_yaml("seedz: [1]", "here")
