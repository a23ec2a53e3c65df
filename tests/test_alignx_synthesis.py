"""AlignX data sets: the published form, the same bytes whatever way they are made, and faults that end in rows."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from prose_data.alignx import parts, synthesis
from prose_data.alignx.correlation import FEWEST
from prose_data.alignx.dimensions import label, poles_of
from prose_data.alignx.record import DEMO, DIRECTION, KEYS, PAIR, UGC, from_row
from prose_data.alignx.synthesis import ask_for, failed_share, synthesize
from prose_data.alignx.tables import user_id
from prose_data.cli import app
from prose_data.config import Config, parse_config
from prose_data.errors import BudgetReached, InputError
from prose_data.llm.meter import Meter
from prose_data.runs import Run, open_run
from prose_data.simulator.alignx_reader import shown


def _config(records: int = 40, shard: int = 20, seed: int = 0, **settings: Any) -> Config:
    keys = {
        "name": "small",
        "space": "alignx",
        "alignx": {"records": records, **settings},
        "users": {"seed": seed},
        "shards": {"users": shard},
    }
    return parse_config(keys, "test")


def _made(folder: Path, config: Config) -> Run:
    return synthesize(config, folder, lambda done, total: None, Meter(config.budget))


def _parts(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("*/part-*.parquet")}


def _records(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted((folder / "records").iterdir()) for row in pq.read_table(path).to_pylist()]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _made(tmp_path_factory.mktemp("alignx") / "run", _config(test=5))


def test_every_row_is_a_record_with_its_user_beside_it(run: Run) -> None:
    rows = _records(run.path)
    users = pl.concat([pl.read_parquet(path) for path in run.parts("users")])
    assert len(rows) == users.height == 40 and users["user_id"].is_sorted()
    assert users["split"].to_list() == ["train"] * 35 + ["test"] * 5
    for number, (row, user) in enumerate(zip(rows, users.iter_rows(named=True), strict=True)):
        record = from_row(row, f"row {number}")
        held = poles_of(user["vector"])
        assert user["user_id"] == user_id(0, number) and len(held) >= FEWEST
        assert user["components"] == [label(pole) for pole in held]
        vectors = [item.direction for item in (*record.comments, *record.pairs)]
        assert len(vectors) == 8 and record.direction not in vectors
        for vector in (record.direction, *vectors):
            assert set(poles_of(vector)) <= set(held) and 2 <= len(poles_of(vector)) <= 4
        posts = [record.prompt, *(item.prompt for item in (*record.comments, *record.pairs))]
        assert len(set(posts)) == 9


def test_texts_show_their_directions_and_none_else(run: Run) -> None:
    """The chosen response speaks for the user's poles, the rejected one for their opposites."""
    met = told = 0
    for row in _records(run.path):
        items = [(row["chosen"], row[DIRECTION]), *((one["comment"], one[DIRECTION]) for one in row[UGC])]
        items += [(one["chosen"], one[DIRECTION]) for one in row[PAIR]]
        items += [(one["rejected"], [1 - value for value in one[DIRECTION]]) for one in (row, *row[PAIR])]
        for text, vector in items:
            poles, found = set(poles_of(vector)), set(shown(text))
            assert found and found <= poles
            met, told = met + len(found), told + len(poles)
        held = {pole for one in (row, *row[UGC], *row[PAIR]) for pole in poles_of(one[DIRECTION])}
        assert len(set(shown(row[DEMO])) & held) >= 0.7 * len(held)
    assert 0.92 < met / told < 0.98, "sim-strong follows 19 of 20"


def test_the_tables_load_with_the_published_names_and_types(run: Run) -> None:
    import datasets
    from datasets import List, Value

    loaded = datasets.load_dataset(
        "parquet",
        data_files=[str(path) for path in run.parts("records")],
        split="train",
        cache_dir=str(run.path / "cache"),
    )
    vector, text = List(Value("float64")), Value("string")
    assert dict(loaded.features) == {
        "prompt": text,
        "chosen": text,
        "rejected": text,
        "Preference Direction": vector,
        "Demographic Information": text,
        "User-Generated Content": List({"prompt": text, "comment": text, "Preference Direction": vector}),
        "Pair-wise Comparative Feedback": List(
            {"prompt": text, "chosen": text, "rejected": text, "Preference Direction": vector}
        ),
    }
    assert tuple(loaded.column_names) == KEYS and len(loaded) == 40
    assert loaded[3] == _records(run.path)[3]


def test_the_manifest_has_all_checks_and_what_it_was_made_with(run: Run) -> None:
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["rows"] == {"records": 40, "users": 40, "failures": 0}
    assert manifest["failures"] == {} and manifest["failed_share"] == 0
    assert manifest["config"]["alignx"]["records"] == 40 and "alignx_write_posts" in manifest["prompts"]
    checks = manifest["checks"]
    assert checks["records"] == 40 and checks["bad"] == {} and len(checks["dimensions"]) == 90
    matrix = pl.read_parquet(run.path / "correlations" / "part-00000.parquet")
    assert matrix.columns == ["first", "second", "correlation"] and matrix.height > 3_000


def test_the_same_bytes_again_and_other_rows_by_another_seed(run: Run, tmp_path: Path) -> None:
    assert _parts(_made(tmp_path / "again", _config(test=5)).path) == _parts(run.path)
    other = _made(tmp_path / "other", _config(test=5, seed=1))
    ours, theirs = _records(run.path), _records(other.path)
    for key in ("prompt", "chosen", "rejected", DEMO):
        assert not {row[key] for row in ours} & {row[key] for row in theirs}
    ids = [set(pl.read_parquet(one.path / "users")["user_id"]) for one in (run, other)]
    assert not ids[0] & ids[1], "train and test sets of different seeds share no user"


def test_rows_do_not_depend_on_shards_or_on_how_many_there_are(run: Run, tmp_path: Path) -> None:
    config = _config(records=25, shard=7, test=5)
    assert _records(_made(tmp_path / "run", config).path) == _records(run.path)[:25]


def test_a_run_that_was_interrupted_goes_on_as_if_it_had_not_been(run: Run, tmp_path: Path) -> None:
    config = _config(test=5)
    with open_run(tmp_path / "run", config) as half:
        parts.make_part(half, 1)
    half.part("failures", 1, "synthesize").unlink()  # killed between two parts
    (half.path / "records" / ".part-00000.parquet.99.tmp").write_bytes(b"half a part")
    ticks: list[tuple[int, int]] = []
    synthesize(config, half.path, lambda done, total: ticks.append((done, total)), Meter(config.budget))
    assert _parts(half.path) == _parts(run.path) and ticks == [(0, 40), (20, 40), (40, 40)]
    ticks.clear()
    before = (half.path / "manifest.json").read_bytes()
    synthesize(config, half.path, lambda done, total: ticks.append((done, total)), Meter(config.budget))
    assert ticks == [(40, 40)] and (half.path / "manifest.json").read_bytes() == before


def test_another_configuration_does_not_go_on_with_it(run: Run) -> None:
    with pytest.raises(InputError, match=r"another configuration \(different: alignx.held\)"):
        _made(run.path, _config(test=5, held=0.2))


def test_a_part_that_was_damaged_is_named(run: Run, tmp_path: Path) -> None:
    made = _made(tmp_path / "run", _config(records=10))
    (made.path / "manifest.json").unlink()
    made.part("records").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"records/part-00000.parquet: cannot be read as Parquet"):
        _made(made.path, _config(records=10))


@pytest.mark.slow
def test_worker_processes_write_the_same(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(synthesis, "processors", lambda: 2)
    made = _made(tmp_path / "run", _config(test=5))
    assert _parts(made.path) == _parts(run.path)
    assert synthesis.checks_of(made) == synthesis.checks_of(run)


def _asked(folder: Path, config: Config) -> tuple[Run, Meter]:
    meter = Meter(config.budget)
    with open_run(folder, config) as run:
        asyncio.run(ask_for(run, range(parts.part_count(run)), lambda done, total: None, meter))
    return run, meter


def test_through_the_door_the_simulated_model_writes_the_same_texts(tmp_path: Path) -> None:
    """Message by message: posts, pair, history, persona; what it garbles it is asked for once more."""
    config = _config(records=30, shard=10, comments=5, pairs=6)
    made, (asked, meter) = _made(tmp_path / "bulk", config), _asked(tmp_path / "asked", config)
    assert _records(asked.path) == _records(made.path)
    assert 30 * 5 <= meter.replies["simulated"] < 30 * 5 + 15, "a request writes several texts"
    requests = pl.read_parquet(asked.path / "requests")
    assert set(requests["role"]) == {"human"} and requests.height == meter.replies["simulated"]


def test_what_a_weak_model_garbles_twice_is_a_failure_row(tmp_path: Path) -> None:
    config = _config(records=60, shard=60).model_copy(
        update={
            "models": {"default": _config().models["default"].model_copy(update={"model": "sim-weak"})},
            "samples": _config().samples.model_copy(update={"attempts": 1}),
        }
    )
    run, _ = _asked(tmp_path / "run", config)
    failures = pl.read_parquet(run.path / "failures")
    lost = failures.filter(~pl.col("key").str.contains("#"))
    assert 0 < lost.height < 30 and set(lost["reason"]) == {"unreadable_texts"}
    assert lost["message"].str.contains("all 1 tries to write the ").all()
    assert len(_records(run.path)) == 60 - lost.height == pl.read_parquet(run.path / "users").height
    assert failed_share(run) == lost.height / 60


def test_a_budget_stops_it_and_what_landed_stays(tmp_path: Path) -> None:
    config = _config(records=30, shard=10)
    meter = Meter(config.budget.model_copy(update={"max_tokens": 100_000}))
    with open_run(tmp_path / "run", config) as run, pytest.raises(BudgetReached):
        asyncio.run(ask_for(run, range(3), lambda done, total: None, meter))
    landed = len(run.parts("records"))
    assert 0 < landed < 3 and all(parts.done(run, shard) for shard in range(landed))


def test_a_history_that_always_adds_up_to_nothing_is_a_failure_row(tmp_path: Path) -> None:
    """With so many items that show so little, no direction reaches the published threshold."""
    run = _made(tmp_path / "run", _config(records=20, comments=32, pairs=0, shown=[1, 1], held=0.9))
    failures = pl.read_parquet(run.path / "failures")
    assert failures.height == 20 and set(failures["reason"]) == {"neutral_history"}
    assert failures["message"].str.contains("record of user 0: every history drawn").any()
    assert _records(run.path) == [] and failed_share(run) == 1.0


@pytest.mark.parametrize("kind", [{"comments": 0}, {"pairs": 0}, {"comments": 12, "pairs": 12}])
def test_histories_may_be_of_one_kind_or_long(kind: dict[str, int], tmp_path: Path) -> None:
    run = _made(tmp_path / "run", _config(records=6, **kind))
    for row in _records(run.path):
        record = from_row(row, "row")
        assert len(record.comments) == kind.get("comments", 4) and len(record.pairs) == kind.get("pairs", 4)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"records": 0}, "alignx.records"),
        ({"test": 50}, "test is 50, more than the 40 records"),
        ({"shown": [3, 2]}, "shown is"),
        ({"shown": [0, 2]}, "alignx.shown"),
        ({"comments": 0, "pairs": 0}, "a history must hold something"),
        ({"held": 1.5}, "alignx.held"),
        ({"correlations": [[{"first": 5, "last": 4, "loading": 0.1}]]}, "first 5 comes behind last 4"),
        ({"correlations": [[{"first": 0, "last": 9, "loading": 0.8}]] * 2}, "dimension 0 add up to 1.28"),
        ({"correlations": [[{"first": 80, "last": 90, "loading": 0.1}]]}, "alignx.correlations"),
        ({"colour": 1}, "alignx.colour"),
    ],
)
def test_a_wrong_configuration_names_the_key(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        _config(**settings)


CONFIG = """
name: small
space: alignx
alignx: {records: 30}
shards: {users: 15}
"""


def test_the_command_line_makes_checks_and_validates_it(tmp_path: Path) -> None:
    file, cli = tmp_path / "small.yaml", CliRunner()
    file.write_text(CONFIG)
    valid = cli.invoke(app, ["validate", str(file), "--json"])
    assert valid.exit_code == 0 and json.loads(valid.stdout) == {
        "name": "small",
        "records": 30,
        "texts": 30 * 24,
        "shards": 2,
    }
    out = str(tmp_path / "run")
    done = cli.invoke(app, ["synthesize", str(file), "--out", out, "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["checks"]["records"] == 30 and said["failed_share"] == 0
    again = cli.invoke(app, ["synthesize", out])
    assert again.exit_code == 0 and "30 records in" in again.stdout
    assert "30 of 30 records" in again.stderr


def test_failures_above_the_limit_and_problems_end_with_exit_code_1(tmp_path: Path) -> None:
    file, cli = tmp_path / "small.yaml", CliRunner()
    file.write_text(CONFIG)
    neutral = ["--set", "alignx.shown=[1, 1]", "--set", "alignx.held=0.9", "--set", "alignx.comments=32"]
    done = cli.invoke(app, ["synthesize", str(file), "--out", str(tmp_path / "a"), *neutral])
    assert done.exit_code == 1 and "100.0% failed, more than budget.max_failures" in done.stderr
    made = Run(tmp_path / "b", _config(records=30, shard=15))
    assert cli.invoke(app, ["synthesize", str(file), "--out", str(made.path)]).exit_code == 0
    made.part("records", 1).write_bytes(made.part("records", 0).read_bytes())
    (made.path / "manifest.json").unlink()
    done = cli.invoke(app, ["synthesize", str(made.path)])
    assert (
        done.exit_code == 1
        and "problem: duplicate_rows: 15 rows repeat an earlier one, the first is " in done.stderr
    )
    assert "records/part-00001.parquet, row 1" in done.stderr


def test_bad_settings_and_bad_parts_end_with_exit_code_2(tmp_path: Path) -> None:
    file, cli = tmp_path / "small.yaml", CliRunner()
    file.write_text(CONFIG)
    done = cli.invoke(app, ["synthesize", str(file), "--set", "alignx.held=2", "--out", str(tmp_path / "a")])
    assert done.exit_code == 2 and "alignx.held" in done.stderr
    made = _made(tmp_path / "b", _config(records=10))
    table = pq.read_table(made.part("records"))
    pq.write_table(table.set_column(2, "rejected", table.column("chosen")), made.part("records"))
    (made.path / "manifest.json").unlink()
    done = cli.invoke(app, ["synthesize", str(made.path)])
    assert done.exit_code == 2
    assert "records/part-00000.parquet, row 1: chosen and rejected are equal" in done.stderr


@pytest.mark.parametrize("command", ["run", "infer", "estimate"])
def test_commands_that_make_samples_say_what_to_use_instead(command: str, tmp_path: Path) -> None:
    file, cli = tmp_path / "small.yaml", CliRunner()
    file.write_text(CONFIG)
    out = [] if command == "estimate" else ["--engine", "plain", "--out", str(tmp_path / "run")]
    done = cli.invoke(app, [command, str(file), *out])
    assert done.exit_code == 2 and ("alignx makes records" in done.stderr or "has no samples" in done.stderr)


@pytest.mark.parametrize("name", ["alignx", "alignx_full"])
def test_the_bundled_configurations_are_valid(name: str) -> None:
    done = CliRunner().invoke(app, ["validate", name, "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["records"] == {"alignx": 20_000, "alignx_full": 1_311_622}[name]


@contextmanager
def _running(folder: Path, records: int, shard: int) -> Iterator[subprocess.Popen[bytes]]:
    sets = [f"alignx.records={records}", "alignx.test=0", f"shards.users={shard}"]
    words = [word for one in sets for word in ("--set", one)]
    command = [
        sys.executable,
        "-m",
        "prose_data",
        "synthesize",
        "alignx",
        "--out",
        str(folder),
        "--json",
        *words,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_20_000_records_killed_in_the_middle_and_resumed_are_what_they_would_have_been(
    tmp_path: Path,
) -> None:
    with _running(tmp_path / "killed", 20_000, 2_500) as process:
        until = time.monotonic() + 120
        while len(list((tmp_path / "killed").glob("records/part-*.parquet"))) < 2:
            assert process.poll() is None and time.monotonic() < until, "two shards should have landed"
            time.sleep(0.02)
        children = _children(process.pid)
        process.send_signal(signal.SIGKILL)
    assert len(children) >= 1
    until = time.monotonic() + 20
    while any(Path(f"/proc/{child}/exe").exists() for child in children):
        assert time.monotonic() < until, "worker processes end with their parent"
        time.sleep(0.05)
    landed = len(list((tmp_path / "killed").glob("records/part-*.parquet")))
    assert 2 <= landed < 8
    for name in ("killed", "whole"):
        with _running(tmp_path / name, 20_000, 2_500) as process:
            printed, said = process.communicate()
            assert process.returncode == 0, said
        checks = json.loads(printed)["checks"]
        assert checks["problems"] == [] and checks["records"] == 20_000
        assert all(one["positive"] > 100 and one["negative"] > 100 for one in checks["dimensions"])
        assert all(abs(share - 0.5) < 0.025 for share in checks["surface"].values())
        assert sum(checks["near_duplicates"].values()) < 20
    assert _parts(tmp_path / "killed") == _parts(tmp_path / "whole")


def _children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and os.getpid() != int(status.parent.name):
            found.append(int(status.parent.name))
    return found
