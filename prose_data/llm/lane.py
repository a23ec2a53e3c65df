"""How many requests one model of one endpoint may have in flight, found out while it works: a lane and its queue.

Additive increase, multiplicative decrease: the number grows while all goes well, and falls when the endpoint says that
it has too much to do (429, 503, 529, time-outs). From the first refusal the lane knows how much the endpoint took, and
stays there; it tries for more only after a while, and after every vain try only after twice as long. A lane that was
told to wait (`Retry-After`, rate-limit headers) sends nothing until then.
"""

import asyncio
import heapq
from collections.abc import Mapping
from itertools import count

from prose_data.config import Model
from prose_data.llm.meter import Known
from prose_data.llm.rates import seconds_to_wait

_START = 128  # in flight at first, where the configuration allows it
_KEEP = 0.95  # of what the endpoint took before it refused; little, as what it took is known well
_LEAST = 0.5  # one wave of refusals never takes more than the other half
_STEP = 0.05  # of the lane's size: growth in one round, which is as many good replies as are in flight
_PROBE = 0.02  # the same when trying for more than the endpoint took before
_FIRST_HOLD, _LONGEST_HOLD = 30.0, 600.0  # seconds without a try for more
_LONGEST_PAUSE = 60.0  # seconds


class Lane:
    """The slots of one (base URL, model); belongs to one event loop. What it learns is kept in `known`."""

    def __init__(self, model: Model, known: Known) -> None:
        self._most = model.concurrency
        self._known = known
        self._size = float(min(_START, self._most, known.ceiling or _START))
        self._in_flight = 0
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._paused_until = 0.0
        self._cut_at = -1.0
        self._wave = 0.0
        self._hold = _FIRST_HOLD
        self._probe_at = self._loop.time() + self._hold
        self._requests = _Bucket(model.requests_per_minute)
        self._tokens = _Bucket(model.tokens_per_minute)
        self._show()

    async def enter(self, order: int, tokens: int) -> float:
        """Return, once there is a slot, the time at which it was given; those of the lowest `order` go first.

        `tokens` is a guess at what the request takes, for the budget a minute; `settle` puts it right.
        """
        if self._queue or self._delay() > 0 or self._in_flight >= int(self._size):
            ours: asyncio.Future[None] = self._loop.create_future()
            heapq.heappush(self._queue, (order, next(self._numbers), ours))
            self._admit()
            try:
                await ours
            except asyncio.CancelledError:
                if ours.done() and not ours.cancelled():
                    self._release()
                raise
        else:
            self._in_flight += 1
        self._requests.take(1)
        self._tokens.take(tokens)
        return self._loop.time()

    def leave_well(self) -> None:
        """Give the slot back after an answer."""
        if self._size < self._most:
            self._grow()
        self._release()

    def leave(self, entered: float, overload: bool, wait: float | None) -> None:
        """Give the slot back after a fault of a request that entered at `entered`."""
        if overload:
            self._shrink(entered)
        if wait is not None:
            self.pause(wait)
        self._release()

    def give_up(self) -> None:
        """Give the slot back without a word on how the endpoint is doing."""
        self._release()

    def settle(self, tokens: int) -> None:
        """Correct the guess at a request's tokens by `tokens`."""
        self._tokens.take(tokens)

    def pause(self, seconds: float) -> None:
        """Send nothing for this long, at most a minute."""
        self._paused_until = max(self._paused_until, self._loop.time() + min(seconds, _LONGEST_PAUSE))

    def heed(self, headers: Mapping[str, str]) -> None:
        """Wait where rate-limit headers say that nothing is left until some time."""
        seconds = seconds_to_wait(headers)
        if seconds > 0:
            self.pause(seconds)

    @property
    def metered(self) -> bool:
        """Whether tokens a minute are limited, so that guesses at them matter."""
        return self._tokens.limited

    def _delay(self) -> float:
        """Return the seconds until a request may go, slots apart."""
        now = self._loop.time()
        wait = self._paused_until - now
        if self._requests.limited or self._tokens.limited:
            wait = max(wait, self._requests.wait(now), self._tokens.wait(now))
        return wait

    def _release(self) -> None:
        self._in_flight -= 1
        if self._queue:
            self._admit()

    def _admit(self) -> None:
        """Give free slots to the first in the queue, or come back when the wait is over."""
        while self._queue and self._in_flight < int(self._size):
            delay = self._delay()
            if delay > 0:
                at = self._loop.time() + delay
                if self._timer is not None and self._timer.when() > at:  # `settle` gave something back
                    self._timer.cancel()
                    self._timer = None
                if self._timer is None:
                    self._timer = self._loop.call_at(at, self._wake)
                return
            _, _, first = heapq.heappop(self._queue)
            if not first.done():
                self._in_flight += 1
                first.set_result(None)
                if self._requests.limited or self._tokens.limited:  # what it takes is known when it runs
                    self._loop.call_soon(self._admit)
                    return

    def _wake(self) -> None:
        self._timer = None
        self._admit()

    def _grow(self) -> None:
        ceiling = self._known.ceiling
        if ceiling is None:
            self._size += 1  # doubles in a round
        elif self._size < ceiling:
            self._size = min(ceiling, self._size + max(1.0, _STEP * ceiling) / self._size)
        elif self._loop.time() >= self._probe_at:
            self._size += max(1.0, _PROBE * self._size) / self._size
            self._known.ceiling = self._size
        self._size = min(self._size, self._most)
        self._show()

    def _shrink(self, entered: float) -> None:
        if entered > self._cut_at:  # a new wave, of requests sent after the last cut
            self._cut_at = now = self._loop.time()
            # Of a lane that is far from full, few in flight say little about how many the endpoint takes.
            self._wave = self._known.ceiling = max(float(self._in_flight), _LEAST * self._size)
            self._probe_at = now + self._hold
            self._hold = min(2 * self._hold, _LONGEST_HOLD)
        ceiling = max(1.0, _LEAST * self._wave, (self._known.ceiling or self._wave) - 1)
        self._known.ceiling = ceiling
        self._size = min(self._size, max(1.0, _KEEP * ceiling))
        self._show()

    def _show(self) -> None:
        self._known.allowed = int(self._size)


class _Bucket:
    """What may go in a minute: it fills evenly, holds what comes in five seconds, and may be overdrawn once."""

    def __init__(self, per_minute: int | None) -> None:
        self.limited = per_minute is not None
        self._rate = (per_minute or 0) / 60
        self._room = max(1.0, 5 * self._rate)
        self._level = self._room
        self._at: float | None = None

    def wait(self, now: float) -> float:
        """Return the seconds until something may be taken."""
        if not self.limited:
            return 0.0
        if self._at is not None:
            self._level = min(self._room, self._level + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._level > 0 else (1e-3 - self._level) / self._rate

    def take(self, amount: float) -> None:
        """Take this much, also more than is there: the next one then waits longer."""
        self._level -= amount
