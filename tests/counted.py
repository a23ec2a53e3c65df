"""The simulated model over HTTP beside the test, in a thread of its own: it counts which bodies it has answered."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from prose_data.simulator.server import Faults, make_app, running


@dataclass
class Counted:
    """What an endpoint saw: requests and full answers by body, and the most that were in flight."""

    url: str = ""
    asked: Counter[bytes] = field(default_factory=Counter)
    answered: Counter[bytes] = field(default_factory=Counter)
    in_flight: int = 0
    in_flight_max: int = 0

    def model(self, **changes: Any) -> dict[str, Any]:
        """Return a model entry of the configuration that asks here."""
        entry = {"backend": "openai", "model": "sim-strong", "base_url": f"{self.url}/v1"}
        return {**entry, "price": {"prompt": 1, "completion": 1}, **changes}

    def wait_for(self, answers: int, seconds: float = 60) -> None:
        """Return when it has answered so many requests."""
        until = time.monotonic() + seconds
        while self.answered.total() < answers:
            assert time.monotonic() < until, f"{self.answered.total()} answers after {seconds} s"
            time.sleep(0.01)


@contextmanager
def counted(latency: float = 0.0) -> Iterator[Counted]:
    """Serve the simulated model while the context is open; each answer takes `latency` seconds more."""
    seen, started, over = Counted(), threading.Event(), threading.Event()

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = await request.read()
        seen.asked[body] += 1
        seen.in_flight += 1
        seen.in_flight_max = max(seen.in_flight_max, seen.in_flight)
        try:
            await asyncio.sleep(latency)
            response = await handler(request)
            seen.answered[body] += 1
            return response
        finally:
            seen.in_flight -= 1

    async def serve() -> None:
        app = make_app(Faults())
        app.middlewares.append(count)
        async with running(app) as seen.url:
            started.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(30)
        yield seen
    finally:
        over.set()
        thread.join()
