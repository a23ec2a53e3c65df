"""Dated folders: where a run is, with which configuration and store, and what it is compared with."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from prose_data.config import Config, parse_config
from prose_data.dated import config_at, folder_at, last_finished, write_comparison
from prose_data.runs import Run, open_run, write_json
from tests.test_report import LEVEL, config, rows, tables


def _finished(folder: Path, level: dict[str, float] = LEVEL, **changes: Any) -> Run:
    made = tables(level)
    with open_run(folder, config(**changes)) as run:
        for name in ("users", "samples", "inferences", "scores"):
            run.write(name, rows(getattr(made, name)))
        write_json(folder / "manifest.json", {})
        return run


def test_a_folder_is_named_by_utc_wherever_the_schedule_is(tmp_path: Path) -> None:
    due = datetime(2026, 11, 26, 6, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert folder_at(tmp_path, "mine", due) == tmp_path.resolve() / "mine/2026-11-26T05-00-00Z"


def test_runs_of_a_name_share_a_store_unless_asked_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "2026-11-26T05-00-00Z"
    assert config_at(folder, Config(), fresh=False).store == str(tmp_path / "store.sqlite")
    assert config_at(folder, Config(), fresh=True).store is None
    own = parse_config({"store": "/elsewhere/store.sqlite"}, "test")
    assert config_at(folder, own, fresh=False).store == own.store


def test_a_run_that_has_begun_keeps_its_configuration_and_takes_the_new_budget(tmp_path: Path) -> None:
    begun = _finished(tmp_path / "2026-11-26T05-00-00Z").config
    changed = parse_config({"seeds": [7], "budget": {"max_requests": 9}}, "test")
    found = config_at(tmp_path / "2026-11-26T05-00-00Z", changed, fresh=False)
    assert found.seeds == begun.seeds != changed.seeds
    assert found.budget.max_requests == 9


def test_a_run_is_compared_with_the_last_finished_one_before_it(tmp_path: Path) -> None:
    _finished(tmp_path / "2026-11-01T00-00-00Z")
    _finished(tmp_path / "2026-11-08T00-00-00Z", {**LEVEL, "prose": LEVEL["prose"] - 0.25})
    (_finished(tmp_path / "2026-11-15T00-00-00Z").path / "manifest.json").unlink()
    _finished(tmp_path / "by hand")
    run = _finished(tmp_path / "2026-11-22T00-00-00Z")
    _finished(tmp_path / "2026-11-29T00-00-00Z")
    before = last_finished(run.path)
    assert before is not None and before.path.name == "2026-11-08T00-00-00Z"
    page = write_comparison(run)
    assert page.strip() == (run.path / "comparison.md").read_text().strip()
    assert "| ppcm | prose |" in page and "+0.25 [+0.25, +0.25]" in page
    found = json.loads((run.path / "comparison.json").read_text())
    assert (found["one"]["path"], found["other"]["path"]) == (str(before.path), str(run.path))


def test_what_cannot_be_compared_is_said_and_nothing_kept(tmp_path: Path) -> None:
    first = _finished(tmp_path / "2026-11-01T00-00-00Z", {"icl": 1.0}, methods=["icl"])
    assert "is the first finished run" in write_comparison(first)
    second = _finished(tmp_path / "2026-11-08T00-00-00Z", {"prose": 1.0}, methods=["prose"])
    assert "cannot be compared" in write_comparison(second)
    assert not list(tmp_path.glob("*/comparison.*"))
