"""A stage spread over workers: limits and budget are kept by all together, and whatever happens the tables are the same."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prose_data.config import Budget, Config, parse_config
from prose_data.errors import BudgetReached, InputError
from prose_data.llm.meter import Meter
from prose_data.runs import STAGES, Run
from prose_data.spread import (
    Driver,
    Future,
    Lost,
    Order,
    Outcome,
    Purse,
    do_order,
    part_of,
    prepare,
    workers_for,
)
from prose_data.stages import run_all, started
from tests.counted import Counted, counted

TABLES = ("users", "documents", "samples", "inferences", "scores", "failures")
SMALL: dict[str, Any] = {
    "seeds": [0],
    "users": {"count": 4},
    "samples": {"per_user": 2},
    "methods": ["no_learning", "prose", "oracle"],
    "metrics": ["ppcm"],
    "shards": {"users": 1},
}


def parts(run: Run) -> dict[str, bytes]:
    return {f"{table}/{path.name}": path.read_bytes() for table in TABLES for path in run.parts(table)}


def config_at(endpoint: Counted, model: dict[str, Any] | None = None, **changes: Any) -> Config:
    models = {"default": endpoint.model(**(model or {}))}
    return parse_config({**SMALL, "models": models, **changes}, "test")


class Pool:
    """Workers that are threads; `broken` is asked before each order and may raise for it."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self.orders: list[Order] = []
        self.outcomes: list[Outcome] = []
        self.broken: Callable[[Order], None] = lambda order: None

    def submit(self, order: Order, done: Callable[[Future], None]) -> Future:
        def work() -> Outcome:
            self.broken(order)
            outcome = asyncio.run(do_order(order))
            self.outcomes.append(outcome)
            return outcome

        self.orders.append(order)
        future = self._threads.submit(work)
        future.add_done_callback(done)
        return future


@pytest.fixture
def pool() -> Iterator[Pool]:
    with ThreadPoolExecutor(4) as threads:
        yield Pool(threads)


@pytest.fixture
def endpoint() -> Iterator[Counted]:
    with counted(latency=0.01) as endpoint:
        yield endpoint


def spread(config: Config, out: Path, pool: Pool, workers: int = 2, **more: Any) -> Run:
    meter = Meter(config.budget)
    with started(config, out, meter) as run:
        prepare(run, away=False)
        driver = Driver(run, workers, pool.submit, meter, **more)
        for stage in STAGES:
            driver.do_stage(stage)
    return run


def test_tables_and_progress_are_those_of_one_process(endpoint: Counted, pool: Pool, tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    shares: list[float] = []
    config = config_at(endpoint)
    run = spread(
        config, tmp_path / "run", pool, progress=lambda *now: heard.append(now), landed=shares.append
    )
    requests, tokens, cost = run.read_spent()
    assert run.finished and cost == pytest.approx(tokens / 1e6)
    assert requests == endpoint.asked.total() == sum(outcome.counts.requests for outcome in pool.outcomes)
    assert requests == run.read("requests").filter(pl.col("source") == "endpoint").height

    plain = asyncio.run(run_all(config, tmp_path / "plain"))
    assert parts(run) == parts(plain)
    assert heard[0] == ("synthesize", 0, 4) and heard[-1] == ("score", 24, 24)
    assert shares == [0.25, 0.5, 0.75, 1.0] * 3


def test_workers_keep_the_limits_together(endpoint: Counted, pool: Pool, tmp_path: Path) -> None:
    model = {"concurrency": 5, "requests_per_minute": 60_001, "tokens_per_minute": None}
    config = config_at(endpoint, model)
    spread(config, tmp_path / "run", pool, workers=2)
    assert 2 < endpoint.in_flight_max <= 4
    one = part_of(config, 2, Budget()).models["default"]
    assert (one.concurrency, one.requests_per_minute, one.tokens_per_minute) == (2, 30_000, None)


@pytest.mark.parametrize(
    ("limits", "used"),
    [({"concurrency": 3}, 3), ({"requests_per_minute": 1}, 1), ({"tokens_per_minute": 10**6}, 8)],
)
def test_no_more_workers_than_a_limit_has_units(limits: dict[str, int], used: int) -> None:
    assert workers_for(config_at(Counted("http://localhost:1"), limits), 8) == used


def test_a_simulated_model_limits_nothing() -> None:
    model = {"default": {"backend": "simulated", "concurrency": 1}}
    assert workers_for(parse_config({"models": model}, "test"), 8) == 8


@pytest.mark.parametrize("limit", [0, 51])
def test_the_budget_of_requests_is_used_to_the_last_and_never_passed(
    limit: int, endpoint: Counted, pool: Pool, tmp_path: Path
) -> None:
    config = config_at(endpoint, budget={"max_requests": limit})
    with pytest.raises(BudgetReached, match=rf"budget\.max_requests is used up \({limit} of {limit}\)"):
        spread(config, tmp_path / "run", pool)
    assert endpoint.asked.total() == limit
    with pytest.raises(BudgetReached):
        spread(config, tmp_path / "run", pool)  # the budget is for all tries together
    assert endpoint.asked.total() == limit


def test_parts_are_equal_and_together_no_more_than_is_left() -> None:
    meter = Meter(budget := Budget(max_requests=20, max_cost=1.0))
    meter.begin_with(9, 0, 0.5)
    purse = Purse(budget, meter)
    first, second = purse.give(0, 2), purse.give(1, 1)
    assert [(part.max_requests, part.max_cost) for part in (first, second)] == [(5, 0.25), (6, 0.25)]
    assert purse.give(2, 1).max_requests == 0
    spent = Meter(first)
    spent.start()
    spent.add(10, 0.125)
    purse.take_back(0, spent.counts())
    third = purse.give(3, 1)
    assert (third.max_requests, third.max_cost, third.max_tokens) == (4, 0.125, None)


def test_a_budget_that_suffices_stops_nothing(endpoint: Counted, pool: Pool, tmp_path: Path) -> None:
    needed = spread(config_at(endpoint), tmp_path / "free", pool).read_spent()[0]
    before = endpoint.asked.total()
    run = spread(config_at(endpoint, budget={"max_requests": needed}), tmp_path / "run", pool)
    assert run.finished and endpoint.asked.total() == before + needed
    assert parts(run) == parts(Run(tmp_path / "free", run.config))


@pytest.mark.parametrize("budget", [{"max_tokens": 20_000}, {"max_cost": 0.02}])
def test_tokens_and_cost_stop_a_run_too(
    budget: dict[str, float], endpoint: Counted, pool: Pool, tmp_path: Path
) -> None:
    with pytest.raises(BudgetReached, match=next(iter(budget))):
        spread(config_at(endpoint, {"concurrency": 4}, budget=budget), tmp_path / "run", pool)
    tokens = Run(tmp_path / "run", config_at(endpoint)).read_spent()[1]
    assert 10_000 < tokens < 25_000


def test_an_order_whose_worker_is_lost_is_given_again(endpoint: Counted, pool: Pool, tmp_path: Path) -> None:
    lost: list[int] = []

    def lose_two(order: Order) -> None:
        if order.stage == "infer" and order.shard == 1 and len(lost) < 2:
            lost.append(order.shard)
            raise Lost("signal 9")

    pool.broken = lose_two
    assert spread(config_at(endpoint), tmp_path / "run", pool).finished and len(lost) == 2


def test_a_shard_that_kills_all_its_workers_stops_the_run(
    endpoint: Counted, pool: Pool, tmp_path: Path
) -> None:
    def lose(order: Order) -> None:
        if order.shard == 2:
            raise Lost("signal 9")

    pool.broken = lose
    with pytest.raises(
        InputError, match=r"synthesize, shard 2: 3 workers were lost .* signal 9; .*shards\.users"
    ):
        spread(config_at(endpoint), tmp_path / "run", pool)


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    from prose_data.config import dump_config

    order = Order(str(tmp_path / "nowhere"), "synthesize", 0, dump_config(parse_config({}, "test")))
    with pytest.raises(InputError, match=r"nowhere: the worker on .* does not see this run folder"):
        asyncio.run(do_order(order))


def test_what_one_process_has_stored_is_not_asked_again(
    endpoint: Counted, pool: Pool, tmp_path: Path
) -> None:
    with pytest.raises(BudgetReached):
        asyncio.run(run_all(config_at(endpoint, budget={"max_requests": 40}), tmp_path / "run"))
    spread(config_at(endpoint), tmp_path / "run", pool)
    assert not (tmp_path / "run" / "store.sqlite").exists()
    assert set(endpoint.answered.values()) == {1}
    asked = endpoint.asked.total()
    (tmp_path / "run" / "samples" / "part-00001.parquet").unlink()
    asyncio.run(run_all(config_at(endpoint), tmp_path / "run"))  # and the other way around
    assert endpoint.asked.total() == asked


def test_what_workers_cannot_share_is_refused(tmp_path: Path) -> None:
    at = Counted("http://localhost:1")
    run = Run(tmp_path, config_at(at, {"mode": "batch"}))
    with pytest.raises(InputError, match="mode batch"):
        prepare(run, away=False)
    run = Run(tmp_path, config_at(at, store="shared.sqlite"))
    prepare(run, away=False)
    with pytest.raises(InputError, match=r"store shared\.sqlite: is one file"):
        prepare(run, away=True)
