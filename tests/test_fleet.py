"""The arithmetic behind docs/scale.md."""

from pathlib import Path

import pytest

from bench.fleet import DRIVER, FLEETS, WORKER, Fleet, plan, played, table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"


def test_the_page_has_the_table_that_the_program_prints() -> None:
    assert "\n".join(table()) in PAGE.read_text(encoding="utf-8")


def test_a_worker_alone_does_one_shard_after_the_other() -> None:
    wall, work = played(1, 1, 100)
    assert 75 < work < 125 and wall == pytest.approx(work + DRIVER + WORKER)
    wall, work = played(100, 1, 100)
    assert wall == pytest.approx(work + 100 * (DRIVER + WORKER))


def test_a_driver_that_is_too_slow_is_what_everybody_waits_for() -> None:
    wall, _ = played(10_000, 1_000, 1.0)
    assert wall == pytest.approx(10_000 * DRIVER, rel=0.01)


@pytest.mark.parametrize("fleet", FLEETS)
def test_a_plan_keeps_what_it_promises(fleet: Fleet) -> None:
    found = plan(fleet)
    assert found.each * fleet.machines <= fleet.concurrency
    assert 60 <= found.shard_seconds <= 601 and found.driver <= 0.5 and found.efficiency > 0.85
    assert (found.shards - 1) * found.shard_users < fleet.users <= found.shards * found.shard_users
