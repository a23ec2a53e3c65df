"""What stands between requests and an endpoint: waits, slots, what it all means when things fail, and its dialect."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from prose_data.config import Budget, Model
from prose_data.errors import EndpointError, RequestFailed
from prose_data.llm.client import Endpoint as Transport
from prose_data.llm.dialect import Dialect, Put
from prose_data.llm.door import open_door
from prose_data.llm.lane import Lane
from prose_data.llm.limits import Limits
from prose_data.llm.meter import Known, Meter
from prose_data.llm.types import Fault, Reply, Request, Send
from tests.endpoint import Endpoint, answer, completion, config_for
from tests.test_lane import Server, in_no_time, keep_asking, model

URL = "http://127.0.0.1:9/v1"
ASKED = Request("writer", {"model": "m", "messages": [{"role": "user", "content": "four char"}]})
SCHEMA = {"model": "m", "messages": [], "seed": 1, "response_format": {"type": "json_schema"}}
UNREACHABLE = Fault("connection", "nothing answers", unreachable=True)


def reply(tokens: int = 10) -> Reply:
    return Reply("hello", "stop", tokens, 0, "m", "endpoint")


def scripted(*steps: Fault | Reply) -> Send:
    """Return a `Send` that gives or raises one step after the other."""
    left = list(steps)

    async def send(_: Request) -> Reply:
        step = left.pop(0)
        if isinstance(step, Fault):
            raise step
        return step

    return send


def behind(send: Send, entry: Model, meter: Meter | None = None) -> Send:
    limits = Limits([entry], meter or Meter(Budget()))
    return limits.around(send, entry, None, limits.lane(entry))


async def timed(work: Awaitable[object]) -> float:
    loop = asyncio.get_running_loop()
    start = loop.time()
    await work
    return loop.time() - start


def test_tries_for_more_become_rare_where_they_are_in_vain() -> None:
    async def go() -> list[int]:
        server, lane = Server(8, latency=1.0), Lane(model(32), Known())
        work = asyncio.create_task(keep_asking(server, lane, 10**6, 16))
        refused = []
        for _ in range(2):
            before = server.refused
            await asyncio.sleep(1200)
            refused.append(server.refused - before)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return refused

    first, later = in_no_time(go())
    assert 0 < later < first and later <= 6


def test_a_short_pause_does_not_end_a_long_one() -> None:
    async def go() -> float:
        lane = Lane(model(4), Known())
        lane.pause(20)
        lane.pause(1)
        return await timed(lane.enter(0, 0))

    assert in_no_time(go()) == pytest.approx(20)


def test_who_comes_at_the_end_of_a_pause_stands_behind_those_who_waited() -> None:
    async def go() -> list[int]:
        lane, went = Lane(model(4, requests_per_minute=60_000), Known()), []

        async def ask(order: int, after: float) -> None:
            await asyncio.sleep(after)
            await lane.enter(order, 0)
            went.append(order)

        late = asyncio.create_task(ask(5, 1.0))
        await asyncio.sleep(0)
        lane.pause(1.0)
        await asyncio.gather(late, *(ask(order, 0.0) for order in (0, 1, 2)))
        return went

    assert in_no_time(go()) == [0, 1, 2, 5]


def test_tokens_a_minute_go_by_what_replies_really_took() -> None:
    """Each request is thought to take 202 tokens, as it may write 200."""

    async def go(tokens: int) -> float:
        send = behind(scripted(*[reply(tokens)] * 20), model(4, tokens_per_minute=6000))

        async def ask_all() -> None:
            for _ in range(20):
                await send(ASKED)

        return await timed(ask_all())

    for tokens in (50, 1000):
        assert in_no_time(go(tokens)) == pytest.approx((20 * tokens - 500) / 100, abs=1.1 * tokens / 100 + 2)


@pytest.mark.parametrize("moment", ["waiting for a slot", "in flight"])
def test_a_request_that_is_cancelled_gives_its_slot_back(moment: str) -> None:
    async def go() -> None:
        release, meter = asyncio.Event(), Meter(Budget())

        async def hold(_: Request) -> Reply:
            await release.wait()
            return reply()

        send = behind(hold, model(1), meter)
        first, second = (asyncio.create_task(send(ASKED)) for _ in range(2))
        await asyncio.sleep(0.1)
        assert meter.in_flight == 1
        (first if moment == "in flight" else second).cancel()
        await asyncio.sleep(0.1)
        release.set()
        await asyncio.wait_for(second if moment == "in flight" else first, 1)
        await asyncio.wait_for(send(ASKED), 1)
        assert meter.in_flight == 0

    in_no_time(go())


def test_waits_grow_and_none_is_longer_than_a_minute() -> None:
    async def go(fault: Fault) -> float:
        return await timed(behind(scripted(*[fault] * 5, reply()), model(4, attempts=6))(ASKED))

    assert 0.7 < in_no_time(go(Fault("server_error", "no"))) < 1.6  # half to all of 0.05, 0.1, 0.2, 0.4, 0.8
    assert 300 <= in_no_time(go(Fault("rate_limit", "no", wait=10_000.0))) < 301


def test_an_endpoint_is_gone_also_where_it_failed_in_another_way_between() -> None:
    async def go(*steps: Fault) -> None:
        await behind(scripted(*steps), model(4, attempts=5))(ASKED)

    error = Fault("server_error", "HTTP 500")
    with pytest.raises(EndpointError, match="it answered before"):
        in_no_time(go(UNREACHABLE, error, *[UNREACHABLE] * 3))
    with pytest.raises(RequestFailed, match="HTTP 500"):
        in_no_time(go(UNREACHABLE, UNREACHABLE, error, error, error))


def test_more_than_a_hundred_requests_go_at_once() -> None:
    endpoint = Endpoint(0.5)

    async def go() -> None:
        async with endpoint.at() as url, open_door(config_for(url, concurrency=120), None) as door:
            view = door.view("infer", 0)
            say = [{"role": "user", "content": "hi"}]
            await asyncio.gather(*(view(say, role="writer", replicate=n) for n in range(120)))

    asyncio.run(go())
    assert endpoint.in_flight_max == 120


def fault_of(status: int, headers: dict[str, str]) -> Fault:
    async def go() -> Fault:
        transport = Transport("mine", Model(backend="openai", model="m", base_url=URL))
        try:
            with pytest.raises(Fault) as caught:
                transport.read(status, headers, b"{}", ASKED, Put("text", 0), 0.0)
            return caught.value
        finally:
            await transport.close()

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("status", "reason", "overload"),
    [
        (408, "timeout", True),
        (429, "rate_limit", True),
        (500, "server_error", False),
        (502, "server_error", False),
        (503, "server_error", True),
        (529, "server_error", True),
    ],
)
def test_what_a_status_says_of_the_endpoint(status: int, reason: str, overload: bool) -> None:
    fault = fault_of(status, {})
    assert (fault.reason, fault.overload, fault.retry, fault.wait) == (reason, overload, True, None)
    assert fault_of(status, {"retry-after": "7"}).wait == 7


def test_rate_limit_headers_count_for_a_429_and_not_for_a_failure_of_another_kind() -> None:
    used_up = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "9s"}
    assert fault_of(429, used_up).wait == 9
    assert fault_of(429, {**used_up, "retry-after": "3"}).wait == 3
    assert fault_of(429, {**used_up, "x-ratelimit-remaining-tokens": "5"}).wait is None
    assert fault_of(500, used_up).wait is None


def test_no_answer_in_time_is_a_sign_of_overload_and_a_reply_is_kept_to_the_letter() -> None:
    async def go() -> tuple[Fault, Reply]:
        async with Endpoint(0.5, answer(completion("  a\n\n"))).at() as url:
            transport = Transport("mine", Model(backend="openai", model="m", base_url=url, timeout=0.1))
            with pytest.raises(Fault) as caught:
                await transport(ASKED)
            got = await transport(ASKED)
            await transport.close()
            return caught.value, got

    fault, got = asyncio.run(go())
    assert (fault.reason, fault.overload) == ("timeout", True)
    assert got.text == "  a\n\n" and 0 < got.seconds < 0.1


def test_a_late_refusal_does_not_lead_back_up_the_ladder() -> None:
    dialect = Dialect()
    first, refused = dialect.apply(SCHEMA)[1], "response_format is not supported"
    assert dialect.learn(SCHEMA, first, refused) and dialect.rung == "json"
    assert dialect.learn(SCHEMA, dialect.apply(SCHEMA)[1], refused) and dialect.rung == "text"
    assert dialect.learn(SCHEMA, first, refused), "to be tried again, as it was put before"
    sent, put = dialect.apply(SCHEMA)
    assert put.rung == "text" and "response_format" not in sent and sent["seed"] == 1


def test_words_about_grammar_refuse_no_format_where_none_was_asked_for() -> None:
    dialect = Dialect()
    plain = {key: value for key, value in SCHEMA.items() if key != "response_format"}
    assert not dialect.learn(plain, dialect.apply(plain)[1], "the grammar of json_object is wrong")
    assert dialect.rung == "schema"


def test_doors_of_one_run_share_what_is_known_of_an_endpoint() -> None:
    def refuse_seed(body: dict[str, Any]) -> Any:
        error = {"error": {"message": "Unknown parameter: 'seed' is not supported.", "code": None}}
        return answer(error, 400) if "seed" in body else answer()

    endpoint, meter = Endpoint(refuse_seed), Meter(Budget())
    say: Callable[[str], list[dict[str, str]]] = lambda text: [{"role": "user", "content": text}]  # noqa: E731

    async def go() -> None:
        async with endpoint.at() as url:
            for number in range(2):
                async with open_door(config_for(url), None, meter) as door:
                    await door.view("infer", 0)(say(str(number)), role="writer")

    asyncio.run(go())
    assert ["seed" in body for body in endpoint.bodies] == [True, False, False]
