"""An OpenAI-compatible endpoint that answers every request with the same completion, in a process of its own.

    python -m bench.endpoint --port 8899 [--latency 0.2] [--error-rate 0.1] [--limit 100] [--record]

GET /count gives {"requests", "distinct", "errors", "rejected", "in_flight_max"}; POST /reset starts them again.
With --record, GET /arrivals gives a list of [last word of the request, arrived, answered or null]; the times are
those of the machine's monotonic clock, which all its processes share.
"""

import argparse
import asyncio
import hashlib
import random
import time

import orjson
from aiohttp import web

TEXT = "word " * 50
USAGE = {"prompt_tokens": 200, "completion_tokens": 50, "total_tokens": 250}
COMPLETION = orjson.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 0,
        "model": "mock",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
)
BUSY = orjson.dumps({"error": {"message": "too many requests in flight", "type": "rate_limit_error"}})
BROKEN = orjson.dumps({"error": {"message": "an error on purpose", "type": "server_error"}})


class Endpoint:
    """Answers after `latency` seconds, with 500 at the rate `errors`, and with 429 above `limit` in flight (0: none)."""

    def __init__(self, latency: float, errors: float, limit: int, record: bool) -> None:
        self._latency, self._errors, self._limit, self._record = latency, errors, limit, record
        self._in_flight = 0
        self._reset()

    def _reset(self) -> None:
        self._random = random.Random(20)
        self._counts = dict.fromkeys(("requests", "errors", "rejected", "in_flight_max"), 0)
        self._bodies: set[bytes] = set()
        self._arrivals: list[list[str | float | None]] = []

    async def complete(self, request: web.Request) -> web.Response:
        """Answer one request."""
        arrived = time.monotonic()
        body = await request.read()
        counts = self._counts
        counts["requests"] += 1
        self._bodies.add(hashlib.sha1(body, usedforsecurity=False).digest())
        arrival: list[str | float | None] = []
        if self._record:
            word = orjson.loads(body)["messages"][-1]["content"].rsplit(maxsplit=1)[-1]
            arrival = [word, arrived, None]
            self._arrivals.append(arrival)
        if 0 < self._limit <= self._in_flight:
            counts["rejected"] += 1
            return _json(BUSY, 429, {"Retry-After": "1"})
        self._in_flight += 1
        counts["in_flight_max"] = max(counts["in_flight_max"], self._in_flight)
        try:
            await asyncio.sleep(self._latency)
        finally:
            self._in_flight -= 1
        if self._random.random() < self._errors:
            counts["errors"] += 1
            return _json(BROKEN, 500)
        if arrival:
            arrival[2] = time.monotonic()
        return _json(COMPLETION)

    async def count(self, _: web.Request) -> web.Response:
        """Give the counters."""
        return _json(orjson.dumps({**self._counts, "distinct": len(self._bodies)}))

    async def arrivals(self, _: web.Request) -> web.Response:
        """Give what was recorded, in the order of arrival."""
        return _json(orjson.dumps(self._arrivals))

    async def reset(self, _: web.Request) -> web.Response:
        """Set all counters to zero and the sequence of errors to its beginning."""
        self._reset()
        return _json(b"{}")

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self.complete)
        app.router.add_get("/count", self.count)
        app.router.add_get("/arrivals", self.arrivals)
        app.router.add_post("/reset", self.reset)
        return app


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def main() -> None:
    """Serve until the process is stopped."""
    parser = argparse.ArgumentParser(description="An endpoint that answers at once.")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--error-rate", type=float, default=0.0)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    endpoint = Endpoint(options.latency, options.error_rate, options.limit, options.record)
    web.run_app(
        endpoint.app(), host="127.0.0.1", port=options.port, access_log=None, print=None, handle_signals=True
    )


if __name__ == "__main__":
    main()
