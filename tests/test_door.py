import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web

from prose_data.config import Budget, Config, parse_config
from prose_data.errors import BudgetReached, EndpointError, InputError, RequestFailed
from prose_data.llm.door import View, open_door
from prose_data.llm.meter import Meter, cost_of
from prose_data.llm.pool import drive, each
from prose_data.llm.types import Reply
from prose_data.simulator import model as simulator
from schemas.requests import Requests
from tests.endpoint import Endpoint, answer, completion, config_for

KEY = "sk-planted-secret-0123456789"
PRICE = {"prompt": 1.0, "completion": 2.0}
SIMULATED = parse_config({}, "t")


@pytest.fixture(autouse=True)
def planted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", KEY)


def say(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "be brief"}, {"role": "user", "content": text}]


def counts(view: View) -> tuple[int, int, int, float | None]:
    return view.calls, view.prompt_tokens, view.completion_tokens, view.cost_usd


def echo(body: dict[str, Any]) -> Any:
    return answer(completion(f"{body['messages'][-1]['content']} {body['seed']}"))


def test_a_second_run_is_answered_by_the_store_and_counts_the_same(tmp_path: Path) -> None:
    endpoint = Endpoint(echo)

    async def run(url: str, price: dict[str, float] | None) -> tuple[list[Reply], View, pl.DataFrame, Meter]:
        async with open_door(config_for(url, price=price), tmp_path / "s.sqlite") as door:
            view = door.view("infer", 7)
            replies = [await view(say("a"), role="writer", replicate=n) for n in (0, 1, 0)]
            return replies, view, door.drain("infer"), door.meter

    async def both() -> None:
        async with endpoint.at() as url:
            first, first_view, first_rows, first_meter = await run(url, PRICE)
        async with endpoint.at() as url:  # another port: a moved endpoint keeps its replies
            second, second_view, second_rows, second_meter = await run(url, PRICE)
        assert (
            [reply.text for reply in first]
            == ["a 7000", "a 7001", "a 7000"]
            == [reply.text for reply in second]
        )
        assert len(endpoint.bodies) == 2
        assert [reply.source for reply in first] == ["endpoint", "endpoint", "store"]
        assert {reply.source for reply in second} == {"store"}
        assert counts(first_view) == counts(second_view) == (3, 21, 9, pytest.approx(39e-6))
        assert first_rows["cost_usd"].to_list() == [pytest.approx(13e-6), pytest.approx(13e-6), 0.0]
        assert second_rows["cost_usd"].to_list() == [0.0, 0.0, 0.0]
        assert first_meter.replies == {"endpoint": 2, "store": 1} and second_meter.replies == {"store": 3}
        assert (first_meter.requests, first_meter.tokens) == (2, 20)
        assert first_meter.cost == pytest.approx(26e-6) and not first_meter.unpriced
        assert (second_meter.requests, second_meter.tokens, second_meter.cost) == (0, 0, 0.0)

    asyncio.run(both())


def test_without_a_price_the_cost_is_unknown() -> None:
    async def run() -> None:
        async with Endpoint(echo).at() as url, open_door(config_for(url), None) as door:
            view = door.view("infer", 0)
            await view(say("a"), role="writer")
            await view(say("b"), role="writer")
            assert counts(view) == (2, 14, 6, None)
            assert door.meter.unpriced
            assert door.drain("infer")["cost_usd"].to_list() == [None, None]

    asyncio.run(run())
    assert cost_of(None, 1, 1) is None


def test_rows_are_drained_by_stage_with_unique_ids() -> None:
    async def run() -> pl.DataFrame:
        parts: list[pl.DataFrame] = []
        for _ in range(2):
            async with open_door(SIMULATED, None) as door:
                for stage in ("synthesize", "infer", "score"):
                    for role in ("writer", "judge"):
                        await door.view(stage, 0, "prose")(say(stage), role=role)
                infer = door.drain("infer")
                assert infer.select("stage", "role", "source").rows() == [
                    ("infer", "writer", "simulated"),
                    ("infer", "judge", "simulated"),
                ]
                assert door.drain("infer").is_empty()
                parts += [infer, door.drain("score"), door.drain("synthesize")]
        return pl.concat(parts)

    rows = Requests.validate(asyncio.run(run()))
    assert rows["request_id"].n_unique() == 12
    said = rows.select("method", "model", "attempts", "cost_usd", "rung").unique().rows()
    assert said == [("prose", "sim-strong", 1, 0.0, "text")]


def test_the_simulated_model_sees_messages_model_and_seed_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def simulate(*args: Any, **named: Any) -> str:
        seen.append((args, named))
        return "done"

    monkeypatch.setattr(simulator, "simulate", simulate)

    async def run() -> Reply:
        async with open_door(SIMULATED, None) as door:
            schema = {"type": "object"}
            return await door.view("infer", 4)(say("a"), role="inferrer", schema=schema, replicate=2)

    reply = asyncio.run(run())
    assert (reply.text, reply.source, reply.cost_usd) == ("done", "simulated", 0.0)
    assert seen == [((say("a"), "sim-strong", 4002), {})]


def test_the_simulated_model_gets_whole_characters_and_leaves_no_store(tmp_path: Path) -> None:
    async def run() -> tuple[Reply, Reply]:
        async with open_door(SIMULATED, tmp_path / "s.sqlite") as door:
            view = door.view("infer", 0)
            return await view(say("cut \ud83d"), role="writer"), await view(say("cut \ufffd"), role="writer")

    cut, whole = asyncio.run(run())
    assert cut == whole
    assert list(tmp_path.iterdir()) == []


def test_no_more_than_concurrency_requests_are_in_flight_per_model() -> None:
    endpoint = Endpoint(0.005)

    async def run() -> None:
        async with endpoint.at() as url:
            entry = {"backend": "openai", "model": "m", "base_url": url}
            config = parse_config(
                {
                    "models": {
                        "a": {**entry, "concurrency": 9},
                        "b": {**entry, "temperature": 1, "concurrency": 3},
                    },
                    "roles": {"human": "a", "writer": "a", "inferrer": "b", "judge": "b"},
                },
                "t",
            )
            async with open_door(config, None) as door:
                view = door.view("infer", 0)
                roles = ("writer", "judge")
                await each(range(30), lambda n: view(say(str(n)), role=roles[n % 2]), 30)

    asyncio.run(run())
    assert len(endpoint.bodies) == 30
    assert endpoint.in_flight_max == 3


def test_a_waiting_retry_holds_no_slot() -> None:
    def slow_start(body: dict[str, Any]) -> Any:
        first = body["messages"][-1]["content"] == "refused" and len(endpoint.bodies) == 1
        return answer(status=429, **{"Retry-After": "1"}) if first else echo(body)

    endpoint = Endpoint(slow_start)

    async def run() -> tuple[list[str], Meter]:
        order: list[str] = []
        async with endpoint.at() as url, open_door(config_for(url, concurrency=1), None) as door:
            view = door.view("infer", 0)

            async def ask(text: str) -> None:
                await view(say(text), role="writer")
                order.append(text)

            await each(["refused", "b", "c"], ask, 3)
            return order, door.meter

    order, meter = asyncio.run(run())
    assert order == ["b", "c", "refused"]
    assert (meter.retries, meter.failed) == (1, 0)


def test_of_what_has_to_queue_the_oldest_work_goes_first() -> None:
    endpoint = Endpoint(0.02)

    async def run() -> None:
        async with endpoint.at() as url, open_door(config_for(url, concurrency=1), None) as door:

            async def ask(order: int) -> None:
                view = door.view("infer", 0, order=order)
                for part in "ab":
                    await view(say(f"{order}{part}"), role="writer")

            await each((5, 3, 4), ask, 3)

    asyncio.run(run())
    asked = [body["messages"][-1]["content"] for body in endpoint.bodies]
    assert asked == ["5a", "3a", "4a", "3b", "4b", "5b"]


def test_the_meter_says_what_is_in_flight_and_how_much_may_be() -> None:
    endpoint = Endpoint(0.1)

    async def run() -> None:
        async with endpoint.at() as url, open_door(config_for(url, concurrency=3), None) as door:
            view = door.view("infer", 0)
            work = asyncio.create_task(drive(range(5), lambda n: view(say(str(n)), role="writer"), 5))
            await asyncio.sleep(0.05)
            assert (door.meter.in_flight, door.meter.allowed) == (3, 3)
            await work
            assert (door.meter.in_flight, door.meter.requests) == (0, 5)

    asyncio.run(run())


def test_a_failed_request_is_counted_and_the_door_goes_on(tmp_path: Path) -> None:
    def picky(body: dict[str, Any]) -> Any:
        return answer(status=500) if body["messages"][-1]["content"] == "bad" else echo(body)

    async def run() -> None:
        async with (
            Endpoint(picky).at() as url,
            open_door(config_for(url, attempts=2), tmp_path / "s") as door,
        ):
            view = door.view("infer", 0)
            with pytest.raises(RequestFailed):
                await view(say("bad"), role="writer")
            await view(say("good"), role="writer")
            assert view.calls == 1
            meter = door.meter
            assert (meter.failed, meter.retries, meter.replies) == (1, 1, {"endpoint": 1})

    asyncio.run(run())


@pytest.mark.parametrize(
    ("limit", "answered"),
    [({"max_requests": 3}, 3), ({"max_tokens": 25}, 3), ({"max_cost": 20e-6}, 2), ({"max_requests": 0}, 0)],
)
def test_a_used_up_budget_stops_the_run_and_says_which(
    limit: dict[str, Any], answered: int, tmp_path: Path
) -> None:
    endpoint = Endpoint(echo)

    async def run(url: str, budget: dict[str, Any]) -> int:
        calls = 0
        async with open_door(config_for(url, budget, price=PRICE), tmp_path / "s") as door:
            view = door.view("infer", 0)
            for n in range(6):
                await view(say(str(n)), role="writer")
                calls += 1
        return calls

    async def stopped_then_resumed() -> None:
        async with endpoint.at() as url:
            with pytest.raises(BudgetReached, match=rf"budget\.{next(iter(limit))} .*again"):
                await run(url, limit)
            assert len(endpoint.bodies) == answered
            assert await run(url, {}) == 6
            assert len(endpoint.bodies) == 6

    asyncio.run(stopped_then_resumed())


@pytest.mark.parametrize("limit", [{"max_cost": 500e-6}, {"max_tokens": 400}])
def test_what_is_in_flight_counts_towards_the_budget_before_it_is_paid(limit: dict[str, float]) -> None:
    async def run() -> Meter:
        async with (
            Endpoint(0.02).at() as url,
            open_door(config_for(url, limit, price=PRICE, concurrency=16), None) as door,
        ):
            view = door.view("infer", 0)
            with pytest.raises(BudgetReached):
                await drive(range(200), lambda n: view(say(str(n)), role="writer"), 16)
            return door.meter

    meter = asyncio.run(run())
    used = meter.cost / 13e-6  # replies; each takes 10 tokens
    wanted = 500e-6 / 13e-6 if "max_cost" in limit else 40
    assert wanted - 2 <= used <= wanted + 2


def test_what_is_in_flight_when_the_budget_is_used_up_is_kept(tmp_path: Path) -> None:
    endpoint = Endpoint(0.1)

    async def run() -> None:
        async with endpoint.at() as url:
            for budget, sent in (({"max_requests": 4}, 4), ({}, 8)):
                async with open_door(config_for(url, budget), tmp_path / "s") as door:
                    view = door.view("infer", 0)
                    work = each(range(8), lambda n: view(say(str(n)), role="writer"), 8)  # noqa: B023
                    if budget:
                        with pytest.raises(BudgetReached):
                            await work
                    else:
                        await work
                assert len(endpoint.bodies) == sent

    asyncio.run(run())


def test_what_is_in_flight_is_kept_too_when_a_simulated_request_uses_up_the_budget(tmp_path: Path) -> None:
    endpoint = Endpoint(0.1)

    async def run() -> None:
        async with endpoint.at() as url:
            for budget in ({"max_requests": 4}, {}):
                entry = config_for(url, budget)
                models = {**entry.models, "here": SIMULATED.models["default"]}
                roles = entry.roles.model_copy(update={"judge": "here"})
                config = entry.model_copy(update={"models": models, "roles": roles})
                async with open_door(config, tmp_path / "s") as door:
                    view = door.view("infer", 0)

                    async def one(n: int) -> None:
                        if n < 4:
                            await view(say(str(n)), role="writer")  # noqa: B023
                        else:
                            await asyncio.sleep(0.03)
                            await view(say(str(n)), role="judge")  # noqa: B023

                    with pytest.raises(BudgetReached) if budget else contextlib.nullcontext():
                        await drive(range(5), one, 5)
                assert len(endpoint.bodies) == 4

    asyncio.run(run())


def test_doors_can_share_a_budget_that_simulated_requests_count_towards() -> None:
    meter = Meter(Budget(max_requests=3))

    async def run(n: int) -> None:
        async with open_door(SIMULATED, None, meter) as door:
            for text in range(n):
                await door.view("infer", 0)(say(str(text)), role="writer")

    asyncio.run(run(2))
    with pytest.raises(BudgetReached, match="max_requests"):
        asyncio.run(run(2))
    assert meter.requests == 3
    assert meter.tokens > 0 and meter.cost == 0.0


def test_an_unusable_store_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    path.write_text("not a store")

    async def run() -> None:
        async with open_door(config_for("http://127.0.0.1:1/v1"), path):
            pass

    with pytest.raises(InputError, match=r"s\.sqlite"):
        asyncio.run(run())


def test_an_endpoint_that_goes_away_stops_the_run_which_resumes_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prose_data.llm.limits._LONGEST_WAIT", 0.01)
    endpoint = Endpoint(echo)

    async def ask(view: View, numbers: range) -> None:
        await each(numbers, lambda n: view(say(str(n)), role="writer"), 4)

    async def run() -> None:
        async with endpoint.at() as url, open_door(config_for(url, attempts=5), tmp_path / "s") as door:
            await ask(door.view("infer", 0), range(8))
            gone = open_door(config_for(url, attempts=5), tmp_path / "t")
            other = await gone.__aenter__()
            view = other.view("infer", 0)
            await ask(view, range(1))
        with pytest.raises(EndpointError, match="it answered before, so mend it and run again"):
            await ask(view, range(1, 8))
        await gone.__aexit__(None, None, None)
        async with endpoint.at() as url, open_door(config_for(url), tmp_path / "s") as door:
            await ask(door.view("infer", 0), range(8))
        assert len(endpoint.bodies) == 9

    asyncio.run(run())


@pytest.mark.parametrize(("good", "asked"), [(0, 20), (3, 53)])
def test_an_endpoint_that_fails_everything_is_given_up(good: int, asked: int) -> None:
    bad = answer({"error": {"message": "no"}}, 400)
    endpoint = Endpoint(*[echo] * good, bad)

    async def run() -> None:
        async with endpoint.at() as url, open_door(config_for(url), None) as door:
            view = door.view("infer", 0)
            for n in range(asked - 1):
                try:
                    await view(say(str(n)), role="writer")
                except RequestFailed:
                    assert n >= good
            with pytest.raises(EndpointError, match="requests in a row failed, so mend it and run again"):
                await view(say("last"), role="writer")

    asyncio.run(run())


def test_refusals_and_failures_between_good_replies_stop_nothing() -> None:
    def mixed(body: dict[str, Any]) -> web.Response:
        n = int(body["messages"][-1]["content"])
        refused = {"choices": [{"finish_reason": "content_filter", "message": {}}]}
        return answer(refused) if n < 60 else (echo(body) if n % 19 == 0 else answer(status=400))

    endpoint = Endpoint(mixed)

    async def run() -> None:
        async with endpoint.at() as url, open_door(config_for(url), None) as door:
            view = door.view("infer", 0)
            for n in range(140):
                with contextlib.suppress(RequestFailed):
                    await view(say(str(n)), role="writer")
            assert view.calls == 4

    asyncio.run(run())


def test_notes_are_kept_in_order() -> None:
    async def run() -> View:
        async with open_door(SIMULATED, None) as door:
            return door.view("score", 0)

    view = asyncio.run(run())
    view.note("a", "first")
    view.note("b", "second")
    assert view.notes == [("a", "first"), ("b", "second")]


def test_each_keeps_the_order_with_few_workers_and_a_lazy_iterator() -> None:
    pulled: list[int] = []
    done: list[int] = []
    at_once = most = 0

    def items() -> Iterator[int]:
        for n in range(20):
            assert n - len(done) <= 3  # no more are pulled than there are workers
            pulled.append(n)
            yield n

    async def work(n: int) -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001 * (n % 3))
        at_once -= 1
        done.append(n * n)
        return n * n

    results = asyncio.run(each(items(), work, 3))
    assert results == [n * n for n in range(20)]
    assert sorted(done) == results and most == 3 and len(pulled) == 20


def test_each_raises_the_first_exception_and_cancels_the_rest() -> None:
    cancelled: list[int] = []

    async def work(n: int) -> None:
        if n == 2:
            raise RequestFailed("timeout", "two")
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(n)
            raise

    with pytest.raises(RequestFailed, match="two"):
        asyncio.run(each(range(100), work, 4))
    assert sorted(cancelled) == [0, 1, 3]


def test_each_of_nothing_is_nothing() -> None:
    async def work(_: int) -> int:
        raise AssertionError

    assert asyncio.run(each([], work, 4)) == []


def test_each_takes_one_worker_and_refuses_none() -> None:
    async def work(n: int) -> int:
        return -n

    assert asyncio.run(each([1, 2, 3], work, 1)) == [-1, -2, -3]
    with pytest.raises(ValueError, match="workers is 0"):
        asyncio.run(each([1], work, 0))


def test_configurations_pair_with_the_roles_they_name() -> None:
    config: Config = parse_config(
        {"models": {"default": {}, "weak": {"model": "sim-weak"}}, "roles": {"judge": "weak"}}, "t"
    )

    async def run() -> list[str]:
        async with open_door(config, None) as door:
            view = door.view("score", 0)
            return [(await view(say("a"), role=role)).model for role in ("writer", "judge")]

    assert asyncio.run(run()) == ["sim-strong", "sim-weak"]


def test_an_entry_in_batch_mode_narrows_no_lane(tmp_path: Path) -> None:
    async def go() -> int:
        entry = {"backend": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1"}
        models = {
            "online": {**entry, "concurrency": 100},
            "batch": {**entry, "mode": "batch", "concurrency": 8},
        }
        roles = {**dict.fromkeys(("human", "writer", "inferrer"), "online"), "judge": "batch"}
        async with open_door(parse_config({"models": models, "roles": roles}, "t"), tmp_path / "s") as door:
            return door.meter.allowed

    assert asyncio.run(go()) == 100
