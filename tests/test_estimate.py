import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

import prose_data.estimate as estimate_module
from prose_data.cli import app
from prose_data.config import Config, parse_config
from prose_data.errors import BudgetReached
from prose_data.estimate import Estimate, Row, estimate
from prose_data.pilot import pilot
from prose_data.runs import STAGES, Run, read_json
from prose_data.simulator.server import Faults, make_app, running
from prose_data.stages import ground_of, run_all, shard_count, unit_count

AMOUNTS = ("requests", "prompt_tokens", "completion_tokens")
PRICE = {"prompt": 1.0, "completion": 4.0}
SMALL = {
    "seeds": [0],
    "users": {"count": 3},
    "samples": {"per_user": 2},
    "methods": ["no_learning"],
    "metrics": ["ppcm"],
    "shards": {"users": 1},
}
CHEAP = {"methods": ["no_learning", "icl"], "metrics": ["edit_distance"], "samples": {"per_user": 2}}


def _remote(model: str = "gpt-4o-mini", **settings: Any) -> dict[str, Any]:
    return {"models": {"default": {"backend": "openai", "model": model, **settings}}}


def _config(**settings: Any) -> Config:
    return parse_config(settings, "test")


def _used(requests: pl.DataFrame) -> tuple[int, int, int]:
    tokens = requests["prompt_tokens"].sum(), requests["completion_tokens"].sum()
    return requests.height, int(tokens[0]), int(tokens[1])


def _amounts(row: Row) -> tuple[int, ...]:
    return tuple(getattr(row, name) for name in AMOUNTS)


def _hold(found: Estimate, requests: pl.DataFrame) -> None:
    """Assert that every row is within 25 % of what a run used, and all together within 10 %."""
    for row in found.rows:
        used = _used(requests.filter(stage=row.stage, method=row.method))
        assert _amounts(row) == pytest.approx(used, rel=0.25), row
    assert _amounts(found.total) == pytest.approx(_used(requests), rel=0.1)
    assert {(row.stage, row.method) for row in found.rows} >= set(
        requests.select("stage", "method").unique().rows()
    )


def _over_http(out: Path, **settings: Any) -> tuple[Config, Run]:
    async def drive() -> tuple[Config, Run]:
        async with running(make_app(Faults())) as url:
            config = _config(**settings, **_remote("sim-strong", base_url=f"{url}/v1", price=PRICE))
            return config, await run_all(config, out)

    return asyncio.run(drive())


@pytest.mark.parametrize(
    "settings",
    [
        {"seeds": [0, 1], "metrics": ["recovery"]},
        {"space": "style", "seeds": [0], "users": {"count": 40}, "metrics": ["edit_distance"]},
        {"space": "prelude", "seeds": [3, 4], "samples": {"per_user": 3}, "metrics": ["identification"]},
        {"seeds": [0, 1], "samples": {"per_user": 2, "heldout": 2}, "metrics": ["ppcm"]},
    ],
    ids=["quickstart", "style", "prelude", "heldout"],
)
def test_a_run_uses_what_was_estimated(settings: dict[str, Any], tmp_path: Path) -> None:
    config = _config(**settings)
    found = estimate(config)
    run = asyncio.run(run_all(config, tmp_path / "run"))
    _hold(found, run.read("requests"))
    assert found.total.calls == found.total.requests and found.total.cost_usd == 0.0
    assert found.simulated and found.seconds is not None and found.seconds > 0


PRELUDE: dict[str, Any] = {
    "space": "prelude",
    "framework": "prelude",
    "tasks": ["email"],
    "seeds": [0, 1],
    "samples": {"per_user": 8},
    "metrics": ["identification"],
    "users": {"count": 8},
    "methods": ["no_learning", "continual", "cot_edit", "cipher_n"],
}


@pytest.mark.parametrize("users", [18, 2])
def test_users_who_are_served_together_are_estimated_also_from_fewer_of_their_rounds(
    users: int, tmp_path: Path
) -> None:
    config = _config(**PRELUDE)
    found = estimate(config, users=users)
    assert found.pilot_users in (4, 8)
    requests = asyncio.run(run_all(config, tmp_path / "run")).read("requests")
    for row in found.rows:
        used = _used(requests.filter(stage=row.stage, method=row.method))
        assert _amounts(row) == pytest.approx(used, rel=0.25 if users == 18 else 0.4), row
    short = pilot(config, users)
    assert short.length == (1.0 if users == 18 else 2.0)
    assert short.paces["score"].units == 2 * 8 * 8 * 4 and short.paces["infer"].units == 2 * 2 * 4


def test_an_audience_waits_for_one_reply_after_another() -> None:
    settings = {**PRELUDE, "seeds": [0]}
    found, short = (estimate(_config(**settings, **_remote(concurrency=1)), users=users) for users in (18, 2))
    assert found.seconds is not None and short.seconds is not None
    assert found.total.requests * 2.0 <= found.seconds <= found.total.calls * 2.0
    assert short.seconds == pytest.approx(found.seconds, rel=0.3)


def test_of_equal_requests_an_endpoint_gets_one(tmp_path: Path) -> None:
    config, run = _over_http(
        tmp_path / "run", seeds=[0, 1], users={"count": 4}, samples={"per_user": 3}, metrics=["ppcm"]
    )
    requests = run.read("requests")
    found = estimate(config)
    sent = requests.filter(source="endpoint")
    assert _amounts(found.total) == pytest.approx(_used(sent), rel=0.1)
    for stage in STAGES:  # which of two methods pays for what both ask is a matter of milliseconds
        rows = zip(*(_amounts(row) for row in found.rows if row.stage == stage), strict=True)
        assert [sum(column) for column in rows] == pytest.approx(_used(sent.filter(stage=stage)), rel=0.2)
    assert found.total.calls == pytest.approx(requests.height, rel=0.1)
    assert sent.height < 0.8 * requests.height
    assert found.total.cost_usd == pytest.approx(requests["cost_usd"].sum(), rel=0.1)
    prices = read_json(run.path / "manifest.json")["prices"]
    assert prices["judge"] == {**PRICE, "source": "configuration"}


def test_documents_that_come_round_again_are_not_paid_for_twice(tmp_path: Path) -> None:
    """Four users of each source with five documents each, of which there are thirteen."""
    config, run = _over_http(
        tmp_path / "run",
        seeds=[0],
        tasks=["email"],
        users={"count": 16},
        methods=["no_learning", "oracle"],
        metrics=["ppcm"],
    )
    requests = run.read("requests")
    assert requests.filter(source="endpoint").height < 0.7 * requests.height
    _hold(estimate(config), requests.filter(source="endpoint"))


def test_a_long_run_writes_no_more_plain_drafts_than_there_are_documents() -> None:
    found = estimate(_config(space="style", users={"count": 5000}, seeds=[0], **CHEAP, **_remote()))
    rows = {(row.stage, row.method): row for row in found.rows}
    assert rows["infer", "no_learning"].requests == pytest.approx(9 * 13, abs=1)
    assert rows["infer", "no_learning"].calls == pytest.approx(10_000, rel=0.02)
    assert rows["infer", "icl"].requests == pytest.approx(5000, rel=0.02)
    assert found.pilot_users < 20
    only = estimate(
        _config(space="style", users={"count": 5000}, seeds=[0], **{**CHEAP, "methods": ["icl"]}, **_remote())
    )
    rows = {(row.stage, row.method): row for row in only.rows}
    assert rows["infer", "icl"].requests == pytest.approx(
        5000 + 9 * 13, abs=10
    )  # the first draft is a plain one


def test_in_a_fixed_space_users_whose_documents_come_round_again_cost_nothing() -> None:
    found = estimate(_config(space="plume", users={"count": 5000}, seeds=[0], **CHEAP, **_remote()))
    rows = {(row.stage, row.method): row for row in found.rows}
    assert rows["infer", "icl"].calls == pytest.approx(10_000, rel=0.02)
    assert rows["infer", "icl"].requests == pytest.approx(9 * 13, abs=1)


def test_ranges_hold_nine_of_ten_totals() -> None:
    amounts = ("calls", "requests", "prompt_tokens", "completion_tokens", "cost_usd")
    scaled = pl.DataFrame({"user": range(100), **{name: [float(n) for n in range(100)] for name in amounts}})
    low, high = estimate_module._ranges(scaled, 100)["requests"]
    deviation = 10 * 28.87  # of the sum of a hundred draws
    assert low == pytest.approx(4950 - 1.645 * deviation, abs=0.35 * deviation)
    assert high == pytest.approx(4950 + 1.645 * deviation, abs=0.35 * deviation)


def test_the_pilot_says_what_a_unit_takes(tmp_path: Path) -> None:
    config = _config(seeds=[0], users={"count": 6}, **CHEAP)
    flown = pilot(config, 4)
    assert flown.users == 6 and len(flown.members) == 4
    whole = pilot(config)  # all users under all seeds: the run itself
    run = asyncio.run(run_all(config, tmp_path / "run"))
    ground = ground_of(run)
    for stage in STAGES:
        units = sum(unit_count(run, ground, stage, shard) for shard in range(shard_count(config, ground)))
        calls = run.read("requests").filter(stage=stage).height
        assert whole.paces[stage].units == pytest.approx(units)
        assert whole.paces[stage].calls * units == pytest.approx(calls)
        assert whole.paces[stage].seconds > 0


@pytest.mark.parametrize("space", ["plume", "style"])
def test_pilot_users_stand_for_all_users_and_kinds(space: str) -> None:
    flown = pilot(_config(space=space, users={"count": 1000}, **CHEAP), 9)
    assert sum(member.users for member in flown.members) == pytest.approx(1000)
    assert len({(member.served[0].task, member.served[0].source) for member in flown.members}) == 9


def test_estimates_repeat() -> None:
    config = _config(space="style", users={"count": 12}, seeds=[5], **CHEAP, **_remote())
    one, other = estimate(config), estimate(config)
    assert (one.rows, one.total, one.ranges) == (other.rows, other.total, other.ranges)
    low, high = one.ranges["requests"]
    assert low <= one.total.requests <= high


def _seconds(seconds_per_reply: float = 2.0, **settings: Any) -> float:
    config = _config(seeds=[0], users={"count": 3}, **CHEAP, **_remote(**settings))
    seconds = estimate(config, seconds_per_reply).seconds
    assert seconds is not None
    return seconds


def test_time_is_replies_waited_for_by_so_many_at_once() -> None:
    found = estimate(_config(seeds=[0], users={"count": 3}, **CHEAP, **_remote()))
    one_by_one = _seconds(concurrency=1)
    assert found.total.requests * 2.0 <= one_by_one <= found.total.calls * 2.0
    assert _seconds(0.5, concurrency=1) == pytest.approx(one_by_one / 4)
    assert one_by_one / 3 <= _seconds(concurrency=3) < one_by_one / 1.5
    # never less than what one user waits for, however many may go on at once
    assert found.seconds == _seconds(concurrency=1000) >= 2.0 * (2 + 2)
    assert _seconds(requests_per_minute=1) == pytest.approx(60 * found.total.requests, rel=0.01)
    tokens = found.total.prompt_tokens + found.total.completion_tokens
    assert _seconds(tokens_per_minute=10) == pytest.approx(6 * tokens, rel=0.01)


def test_batch_mode_counts_rounds_instead_of_seconds() -> None:
    settings = {"seeds": [0], "users": {"count": 2}, **CHEAP}
    online, batch = (estimate(_config(**settings, **_remote(mode=mode))) for mode in ("online", "batch"))
    assert batch.seconds is None and batch.rounds is not None and 4 <= batch.rounds < batch.total.requests
    assert online.rounds is None
    assert online.total.cost_usd == pytest.approx(2 * (batch.total.cost_usd or 0))


def _call(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A configuration with a listed model, one of unknown price, and none of both reachable."""
    path = tmp_path / "mixed.yaml"
    path.write_text(
        """
name: mixed
seeds: [0]
users: {count: 2}
samples: {per_user: 2}
methods: [no_learning, cipher_1]
metrics: [edit_distance]
models:
  default: {backend: openai, model: gpt-4o-mini}
  own: {backend: openai, model: my-model, base_url: "http://127.0.0.1:9/v1"}
roles: {inferrer: own}
"""
    )
    return path


def test_the_command_prints_a_table_and_what_it_rests_on(mixed: Path) -> None:
    result = _call("estimate", mixed, "--seconds-per-reply", "3")
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert "unknown" in lines["total"] and "at least $0.0" in lines["cost"]
    assert "my-model (inferrer): not known" in result.stdout
    assert "gpt-4o-mini (human, writer, judge): $0.15 and $0.6" in result.stdout
    assert "3 s per reply" in lines["time"] and "all users" in lines["basis"]
    assert not list(mixed.parent.glob("runs*"))


def test_the_command_prints_json(mixed: Path) -> None:
    result = _call("estimate", mixed, "--json", "--set", "seeds=[0, 1]")
    data = json.loads(result.stdout)
    assert data["seeds"] == 2 and data["pilot_users"] == 2
    rows = {(row["stage"], row["method"]): row for row in data["rows"]}
    assert rows["infer", "cipher_1"]["cost_usd"] is None
    assert rows["infer", "no_learning"]["cost_usd"] > 0
    assert data["total"]["cost_usd"] is None and data["known_usd"] > 0
    assert {price["role"]: price["price"] for price in data["prices"]}["inferrer"] is None


def test_a_wrong_configuration_is_refused(mixed: Path) -> None:
    result = _call("estimate", mixed, "--set", "methods=[nonsense]")
    assert result.exit_code == 2 and "nonsense" in result.stderr
    assert _call("estimate", mixed, "--seconds-per-reply", "inf").exit_code == 2


@pytest.mark.parametrize("limit", ["max_requests=10", "max_tokens=3000"])
def test_a_used_up_budget_ends_a_run_with_exit_code_3_to_go_on_later(limit: str, tmp_path: Path) -> None:
    path, out = tmp_path / "small.yaml", tmp_path / "run"
    path.write_text(json.dumps({**SMALL, "name": "small"}))
    arguments = ("run", path, "--out", out, "--engine", "plain", "--set")
    stopped = _call(*arguments, f"budget.{limit}")
    assert stopped.exit_code == 3 and f"budget.{limit.partition('=')[0]} is used up" in stopped.stderr
    assert _call(*arguments, "budget.max_failures=1").exit_code == 0


def test_a_used_up_cost_limit_stops_a_run_that_goes_on_later(tmp_path: Path) -> None:
    with pytest.raises(BudgetReached, match=r"budget\.max_cost is used up"):
        _over_http(tmp_path / "run", **SMALL, budget={"max_cost": 0.005})
    config, run = _over_http(tmp_path / "run", **SMALL)
    assert run.finished
    assert run.read("requests")["cost_usd"].sum() < estimate(config).known_usd * 1.1
