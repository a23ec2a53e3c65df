"""What stands between a request and its endpoint: a lane with its queue, retries with waits, and the budget."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from random import Random

from prose_data.config import Model, Price
from prose_data.errors import BudgetReached, EndpointError, RequestFailed
from prose_data.llm.lane import Lane
from prose_data.llm.meter import Known, Meter, cost_of
from prose_data.llm.types import Fault, Reply, Request, Send

_FIRST_WAIT, _LONGEST_WAIT, _LONGEST_RETRY_AFTER = 0.05, 20.0, 60.0  # seconds
_TRIES_TO_REACH = 3
_TIMEOUTS = 3  # a request that hung this often will hang again; each took the whole time-out
_GIVEN_UP = {False: 20, True: 50}  # requests in a row that failed for good, by whether any went well before
_RESUME = "mend it and run again on the same folder to go on from here"

_Place = tuple[str | None, str]  # base URL, model


class Limits:
    """The limits of one door: a lane per (base URL, model), and what is in flight; it belongs to one event loop."""

    def __init__(self, models: Iterable[Model], meter: Meter) -> None:
        narrowest: dict[_Place, Model] = {}
        for model in models:
            place = (model.base_url, model.model)
            if place not in narrowest or model.concurrency < narrowest[place].concurrency:
                narrowest[place] = model
        self._narrowest = narrowest
        self._lanes: dict[_Place, Lane] = {}
        self._meter = meter
        self._heard: Counter[str | None] = Counter()  # answers of any kind, by base URL
        self._good: set[_Place] = set()  # who gave a good reply
        self._failed: Counter[_Place] = Counter()  # requests since the last good reply
        self._random = Random()
        self._in_flight = 0
        self._none_in_flight = asyncio.Event()
        self._none_in_flight.set()

    def lane(self, model: Model) -> Lane:
        """Return the lane of `model`, which entries of one base URL and model share; the lowest `concurrency` counts."""
        place = (model.base_url, model.model)
        if place not in self._lanes:
            known = self._meter.known.setdefault(place, Known())
            self._lanes[place] = Lane(self._narrowest.get(place, model), known)
        return self._lanes[place]

    def around(self, send: Send, model: Model, price: Price | None, lane: Lane | None = None) -> Send:
        """Return `send` (one attempt, raising Fault) with the slots of `lane`, retries up to `model.attempts` and the
        budget.

        Raises RequestFailed when all attempts failed, BudgetReached, and EndpointError for an endpoint that never
        answered, is gone in the middle of a run, or fails every request: going on would only fill `failures`.
        """
        url, place = model.base_url, (model.base_url, model.model)

        async def limited(request: Request) -> Reply:
            silent_since: int | None = None  # what was heard from the endpoint when it was first unreachable
            timeouts = 0
            for attempt in count(1):
                try:
                    reply = await self._attempt(send, request, price, lane)
                except Fault as error:
                    fault = error
                else:
                    self._heard[url] += 1
                    self._good.add(place)
                    self._failed[place] = 0
                    return reply if attempt == 1 else replace(reply, attempts=attempt)
                if not fault.unreachable:
                    self._heard[url] += 1
                    silent_since = None
                elif silent_since is None:
                    silent_since = self._heard[url]
                reached = not fault.unreachable or self._heard[url] > 0
                if not reached and attempt >= min(_TRIES_TO_REACH, model.attempts):
                    raise EndpointError(str(fault))
                timeouts += fault.reason == "timeout"
                if not fault.retry or attempt >= model.attempts or timeouts >= _TIMEOUTS:
                    if silent_since == self._heard[url] and attempt >= _TRIES_TO_REACH:
                        raise EndpointError(f"{fault}; it answered before, so {_RESUME}")
                    raise self._lost(fault, place, attempt)
                self._meter.retries += 1
                if lane is not None:
                    await asyncio.sleep(self._wait(attempt, fault.wait))
            raise AssertionError("unreachable")

        return limited

    async def start(self) -> None:
        """Count one request; raises BudgetReached instead if a limit is used up.

        What is in flight is paid for: it lands, and is stored, before this stops the run.
        """
        try:
            self._meter.start()
        except BudgetReached:
            await self._none_in_flight.wait()
            raise

    def _lost(self, fault: Fault, place: _Place, attempts: int) -> Exception:
        """Return what a request that failed for good means: itself, or that nothing works any more."""
        self._failed[place] += fault.reason != "refused"
        if self._failed[place] >= (limit := _GIVEN_UP[place in self._good]):
            return EndpointError(f"{fault}; {limit} requests in a row failed, so {_RESUME}")
        tries = f" ({attempts} attempts)" if attempts > 1 else ""
        return RequestFailed(fault.reason, f"{fault}{tries}")

    async def _attempt(self, send: Send, request: Request, price: Price | None, lane: Lane | None) -> Reply:
        """Send once, in a slot of `lane` if there is one, and tell the lane how it went."""
        if lane is None:
            return await self._send(send, request, price)
        guess = _guess(request) if lane.metered else 0
        entered = await lane.enter(request.order, guess)
        try:
            reply = await self._send(send, request, price)
        except Fault as fault:
            lane.leave(entered, fault.overload, fault.wait)
            raise
        except BaseException:
            lane.give_up()
            raise
        if guess:
            lane.settle(reply.prompt_tokens + reply.completion_tokens - guess)
        lane.leave_well()
        return reply

    async def _send(self, send: Send, request: Request, price: Price | None) -> Reply:
        meter = self._meter
        await self.start()
        self._in_flight += 1
        meter.in_flight += 1
        self._none_in_flight.clear()
        try:
            reply = await send(request)
        finally:
            self._in_flight -= 1
            meter.in_flight -= 1
            if self._in_flight == 0:
                self._none_in_flight.set()
        cost = cost_of(price, reply.prompt_tokens, reply.completion_tokens)
        meter.add(reply.prompt_tokens + reply.completion_tokens, cost)
        return reply if cost is None else replace(reply, cost_usd=cost)

    def _wait(self, attempt: int, asked: float | None) -> float:
        """Return the seconds before the next attempt; jitter keeps requests that failed together apart."""
        if asked is not None:
            return min(max(asked, 0.0), _LONGEST_RETRY_AFTER) + self._random.uniform(0, _FIRST_WAIT)
        return min(_FIRST_WAIT * 2.0 ** (attempt - 1), _LONGEST_WAIT) * self._random.uniform(0.5, 1.0)


def _guess(request: Request) -> int:
    """Return about how many tokens a request takes: four characters of its messages each, and as much as it may write."""
    asked = sum(len(message["content"]) for message in request.body["messages"]) // 4
    return asked + int(request.body.get("max_tokens", 200))
