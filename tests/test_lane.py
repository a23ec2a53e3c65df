"""Lanes against a simulated endpoint, on an event loop whose clock only moves when everybody waits."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from prose_data.config import Model
from prose_data.llm.lane import Lane
from prose_data.llm.meter import Known


class Clock(asyncio.SelectorEventLoop):
    """An event loop without waiting: where it would sleep, its time jumps on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        select = self._selector.select

        def jump(timeout: float | None = None) -> Any:
            self.now += timeout or 0.0
            return select(0)

        self._selector.select = jump

    def time(self) -> float:
        return self.now


def in_no_time(work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(work)


class Server:
    """Takes `room` at once and refuses the rest, each after `latency` seconds; counts what it had in flight."""

    def __init__(self, room: int, latency: float = 0.2, wait: float | None = 1.0) -> None:
        self.room = room
        self.latency = latency
        self.wait = wait
        self.inside = self.most = self.taken = self.refused = 0
        self.times: list[float] = []

    async def ask(self, lane: Lane, order: int = 0, tokens: int = 0) -> None:
        loop = asyncio.get_running_loop()
        while True:
            entered = await lane.enter(order, tokens)
            self.times.append(loop.time())
            if self.inside >= self.room:
                self.refused += 1
                await asyncio.sleep(0.001)
                lane.leave(entered, True, self.wait)
                await asyncio.sleep(self.wait or 0.05)
                continue
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(self.latency)
            self.inside -= 1
            self.taken += 1
            lane.leave_well()
            return


async def keep_asking(server: Server, lane: Lane, number: int, workers: int) -> None:
    left = iter(range(number))

    async def worker() -> None:
        for order in left:
            await server.ask(lane, order)

    await asyncio.gather(*(worker() for _ in range(workers)))


def model(concurrency: int = 256, **changes: Any) -> Model:
    return Model(backend="openai", model="m", concurrency=concurrency, **changes)


def test_where_nothing_is_refused_all_that_is_configured_is_used() -> None:
    async def go() -> tuple[float, int]:
        server, loop = Server(10_000), asyncio.get_running_loop()
        start = loop.time()
        await keep_asking(server, Lane(model(), Known()), 2_560, 256)
        return loop.time() - start, server.most

    seconds, most = in_no_time(go())
    assert most == 256
    assert seconds == pytest.approx(
        2.2, abs=0.01
    )  # ten rounds, and one more as the first has only half the slots


def test_a_limit_in_flight_is_found_and_kept_with_few_refusals() -> None:
    async def go() -> tuple[Server, float]:
        server, lane = Server(100), Lane(model(), Known())
        loop = asyncio.get_running_loop()
        work = asyncio.create_task(keep_asking(server, lane, 50_000, 256))
        await asyncio.sleep(10)
        taken, start = server.taken, loop.time()
        await asyncio.sleep(70)
        rate = (server.taken - taken) / (loop.time() - start)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return server, rate * server.latency

    server, in_flight = in_no_time(go())
    assert in_flight >= 92
    assert server.refused / (server.taken + server.refused) < 0.005


def test_when_the_endpoint_takes_less_the_lane_shrinks_and_grows_again_when_it_takes_more() -> None:
    known = Known()

    async def go() -> list[int]:
        server, lane = Server(64), Lane(model(64), known)
        work = asyncio.create_task(keep_asking(server, lane, 10**6, 64))
        heights = []
        for room, seconds in ((64, 5), (16, 60), (64, 1500)):
            server.room = room
            await asyncio.sleep(seconds)
            heights.append(known.allowed)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return heights

    before, low, after = in_no_time(go())
    assert before == 64
    assert 8 <= low <= 17
    assert after == 64


def test_the_next_door_begins_with_what_the_last_one_learned() -> None:
    async def go() -> tuple[int, int]:
        known, server = Known(), Server(20)
        await keep_asking(server, Lane(model(64), known), 500, 64)
        refused = server.refused
        await keep_asking(server, Lane(model(64), known), 500, 64)
        return refused, server.refused - refused

    first, second = in_no_time(go())
    assert first >= 44
    assert second == 0


def test_one_wave_of_refusals_halves_a_lane_at_most() -> None:
    async def go() -> int:
        known = Known()
        lane = Lane(model(64), known)
        entered = [await lane.enter(0, 0) for _ in range(64)]
        for at in entered:
            lane.leave(at, True, None)
        return known.allowed

    assert in_no_time(go()) == 30


def test_nothing_is_sent_while_the_endpoint_asks_to_wait() -> None:
    async def go() -> list[float]:
        server, lane = Server(2, wait=3.0), Lane(model(4), Known())
        await keep_asking(server, lane, 12, 4)
        return server.times

    times = in_no_time(go())
    assert [time for time in times if 1000.0 < time < 1003.0] == []
    assert len([time for time in times if time >= 1003.0]) == 10


def test_a_pause_is_no_longer_than_a_minute() -> None:
    async def go() -> float:
        lane = Lane(model(4), Known())
        lane.pause(10_000)
        return await lane.enter(0, 0)

    assert in_no_time(go()) == pytest.approx(1060, abs=0.1)


def test_older_work_goes_first_and_equals_in_turn() -> None:
    went: list[int] = []

    async def go() -> None:
        lane = Lane(model(1), Known())
        await lane.enter(0, 0)

        async def ask(number: int, order: int) -> None:
            await lane.enter(order, 0)
            went.append(number)
            lane.leave_well()

        asked = [asyncio.create_task(ask(n, order)) for n, order in enumerate((7, 3, 3, 9, 0))]
        await asyncio.sleep(0)
        lane.leave_well()
        await asyncio.gather(*asked)

    in_no_time(go())
    assert went == [4, 1, 2, 0, 3]


@pytest.mark.parametrize("moment", ["queued", "admitted"])
def test_whoever_gives_up_waiting_takes_no_slot_along(moment: str) -> None:
    async def go() -> None:
        lane = Lane(model(1), Known())
        await lane.enter(0, 0)
        waiting = asyncio.create_task(_enter(lane))
        await asyncio.sleep(0)
        if moment == "admitted":
            lane.leave_well()  # the slot is given, and taken back before the other runs
            waiting.cancel()
        else:
            waiting.cancel()
            await asyncio.sleep(0)
            lane.leave_well()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(lane.enter(0, 0), 1)

    in_no_time(go())


async def _enter(lane: Lane) -> None:
    await lane.enter(0, 0)


def test_requests_a_minute_are_spread_over_it() -> None:
    async def go() -> list[float]:
        server = Server(1000, latency=0.01)
        await keep_asking(server, Lane(model(requests_per_minute=60), Known()), 65, 64)
        return server.times

    times = in_no_time(go())
    assert len([time for time in times if time < 1001]) == 6  # what comes in five seconds, and one overdrawn
    assert times[-1] - times[0] == pytest.approx(60, abs=1)


def test_tokens_a_minute_are_kept_by_what_replies_really_took() -> None:
    async def go(spent: int) -> float:
        lane, loop = Lane(model(tokens_per_minute=6000), Known()), asyncio.get_running_loop()
        start = loop.time()
        for _ in range(20):
            await lane.enter(0, 100)
            lane.settle(spent - 100)
            lane.leave_well()
        return loop.time() - start

    seconds: Callable[[int], float] = lambda spent: in_no_time(go(spent))  # noqa: E731
    assert seconds(100) == pytest.approx(15, abs=1.1)
    assert seconds(400) == pytest.approx(75, abs=4)


def test_headers_that_say_nothing_is_left_make_the_lane_wait() -> None:
    async def go(headers: dict[str, str]) -> float:
        lane = Lane(model(4), Known())
        lane.heed(headers)
        return await lane.enter(0, 0) - 1000

    left = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2.5s"}
    assert in_no_time(go(left)) == pytest.approx(60, abs=0.1)
    assert in_no_time(go(left | {"x-ratelimit-reset-requests": "250ms"})) == pytest.approx(0.25, abs=0.01)
    assert in_no_time(go(left | {"x-ratelimit-remaining-requests": "1"})) == 0


def test_a_refusal_while_little_is_in_flight_leaves_half_of_the_lane() -> None:
    async def go() -> int:
        known = Known()
        lane = Lane(model(64), known)
        lane.leave(await lane.enter(0, 0), True, None)
        return known.allowed

    assert 28 <= in_no_time(go()) <= 32


def test_tokens_that_were_guessed_too_high_and_given_back_end_the_wait() -> None:
    async def go() -> float:
        lane, loop = Lane(model(tokens_per_minute=6000), Known()), asyncio.get_running_loop()
        start = loop.time()

        async def ask() -> None:
            for _ in range(10):
                await lane.enter(0, 4200)
                await asyncio.sleep(1)
                lane.settle(550 - 4200)
                lane.leave_well()

        await asyncio.gather(*(ask() for _ in range(4)))
        return loop.time() - start

    assert in_no_time(go()) == pytest.approx(40 * 5.5, abs=15)
