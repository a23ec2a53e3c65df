"""What a run keeps of its requests: rows by part, the meter's counts, and what a door may not be opened with."""

import asyncio

import pytest

from prose_data.config import Budget, parse_config
from prose_data.errors import InputError
from prose_data.llm.door import open_door
from prose_data.llm.log import RequestLog
from prose_data.llm.meter import Known, Meter
from prose_data.llm.types import Reply
from tests.endpoint import Endpoint, answer, config_for

SAY = [{"role": "user", "content": "hi"}]


def test_rows_hold_what_the_reply_said_and_an_unknown_cost_is_null() -> None:
    log = RequestLog()
    for attempts, cost in ((3, None), (1, 0.25)):
        reply = Reply("hello", "stop", 12, 5, "served", "endpoint", cost, 1.5, attempts, "json")
        log.add("infer", "judge", "prose", reply, cost)
    columns = (
        "role",
        "method",
        "model",
        "source",
        "rung",
        "prompt_tokens",
        "completion_tokens",
        "seconds",
        "attempts",
        "cost_usd",
    )
    row = ("judge", "prose", "served", "endpoint", "json", 12, 5, 1.5)
    assert log.drain("infer").select(columns).rows() == [(*row, 3, None), (*row, 1, 0.25)]


def test_the_log_has_the_attempts_and_the_seconds_of_the_last_one() -> None:
    async def go() -> tuple[int, float]:
        async with Endpoint(answer(status=500), 0.1).at() as url, open_door(config_for(url), None) as door:
            await door.view("infer", 0)(SAY, role="writer")
            (row,) = door.drain("infer").select("attempts", "seconds").rows()
            return row[0], row[1]

    attempts, seconds = asyncio.run(go())
    assert attempts == 2 and 0.1 <= seconds < 1


def test_once_unpriced_the_cost_stays_unpriced() -> None:
    meter = Meter(Budget())
    meter.add(5, 0.5)
    assert not meter.unpriced
    meter.add(5, None)
    meter.add(5, 0.25)
    assert meter.unpriced and (meter.tokens, meter.cost) == (15, 0.75)


def test_what_is_allowed_is_the_sum_over_endpoints() -> None:
    meter = Meter(Budget())
    meter.known |= {("http://a", "m"): Known(allowed=3), ("http://b", "m"): Known(allowed=4)}
    assert meter.allowed == 7


def test_parts_of_a_door_log_apart_count_together_and_go_in_order() -> None:
    endpoint = Endpoint(0.05)

    async def go() -> None:
        async with endpoint.at() as url, open_door(config_for(url, concurrency=1), None) as door:
            parts = [door.part(number) for number in (0, 1, 2)]

            async def ask(part: int, order: int) -> None:
                view = parts[part].view("infer", 10 * part + order, order=order)
                await view(SAY, role="writer")

            places = [(0, 0), (2, 0), (1, 3), (2, 1), (1, 2), (0, 7)]  # the first goes at once
            await asyncio.gather(*(ask(*place) for place in places))
            assert [body["seed"] // 1000 for body in endpoint.bodies] == [0, 7, 12, 13, 20, 21]
            assert [part.drain("infer").height for part in parts] == [2, 2, 2]
            assert door.drain("infer").is_empty()
            assert all(part.meter is door.meter for part in parts) and door.meter.requests == 6

    asyncio.run(go())


@pytest.mark.parametrize("settings", [{"offline": True}, {"mode": "batch"}])
def test_offline_and_batch_mode_need_a_store(settings: dict[str, object]) -> None:
    entry = {"backend": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
    data = {"models": {"default": entry | settings}}
    if "offline" in settings:
        data = {"models": {"default": entry}, **settings}

    async def go() -> None:
        async with open_door(parse_config(data, "t"), None):
            pass

    with pytest.raises(InputError, match="need a request store"):
        asyncio.run(go())
