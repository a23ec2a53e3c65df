"""The benchmarks' table and files; what they measure is no matter for a test."""

import json
import re
from pathlib import Path
from typing import Literal

import pytest

from bench.children import OWN_ENDPOINT, answered, ask, endpoint, floor
from bench.report import write
from bench.rows import ROWS, selected
from bench.values import Figure, Row, Setup, Unusable

BENCH = Path(__file__).resolve().parents[1] / "bench"


@pytest.mark.parametrize("name", ROWS)
def test_a_row_says_what_it_is(name: str) -> None:
    row = ROWS[name]
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name)
    assert row.unit and row.measure.__doc__
    assert f"`{name}`" in (BENCH / "README.md").read_text(encoding="utf-8")


def test_a_goal_is_met_on_its_own_side() -> None:
    signs: dict[Literal[">=", "<=", "<"], list[bool]] = {
        ">=": [False, True, True],
        "<=": [True, True, False],
        "<": [True, False, False],
    }
    for sign, expected in signs.items():
        row = Row(sign, 2, "u", lambda _: Figure(0, ""))
        assert [row.reached(value) for value in (1, 2, 3)] == expected


def test_only_selects() -> None:
    assert selected("") == list(ROWS)
    assert selected("replay") == ["replay"]
    assert selected("memory-*") == ["memory-growth", "memory-peak"]
    with pytest.raises(Unusable, match=r"'memory'.*throughput, latency-64"):
        selected("memory")


def test_the_committed_results_have_every_row() -> None:
    rows = json.loads((BENCH / "results.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in rows] == list(ROWS)
    for row in rows:
        assert list(row) == ["name", "value", "goal", "unit", "ok"]
        ours = ROWS[row["name"]]
        assert (row["goal"], row["unit"]) == (ours.goal, ours.unit)
        assert row["ok"] is ours.reached(row["value"])


def test_the_committed_table_has_every_row() -> None:
    table = (BENCH / "RESULTS.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([a-z][a-z0-9-]*) \|", table, re.M) == ["benchmark", *ROWS]


def test_one_row_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    write(tmp_path, {"replay": Figure(20_000, "first"), "start": Figure(1.3, "slow")}, "own")
    write(tmp_path, {"start": Figure(0.9, "quick")}, "own")
    rows = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [(row["name"], row["value"], row["ok"]) for row in rows] == [
        ("start", 0.9, True),
        ("replay", 20_000, True),
    ]
    table = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert table.count("\n| start | 0.9 | < 1.2 |") == 1
    assert "| first |" in table and "| quick |" in table and "slow" not in table


def test_endpoint_engine_and_floor_do_the_work_that_they_are_given(tmp_path: Path) -> None:
    setup = Setup(OWN_ENDPOINT, BENCH / "floor.py")
    with endpoint(setup.endpoint, record=True) as at:
        took = ask(at, "0:20,40:50", 8, tmp_path / "store.sqlite")
        assert answered(took, 30).rate > 0
        assert {word for word, _, _ in at.get("/arrivals")} == {
            "warm",
            *map(str, range(20)),
            *map(str, range(40, 50)),
        }
        at.reset()
        assert floor(setup, at, 30, 8).rate > 0
        counts = at.get("/count")
        assert (counts["requests"], counts["distinct"], counts["in_flight_max"] <= 8) == (31, 31, True)
