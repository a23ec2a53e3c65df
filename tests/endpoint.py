"""A real HTTP endpoint on loopback that answers from a script, and the configuration that points to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from prose_data.config import Config, parse_config
from prose_data.simulator.server import running


def completion(text: Any = "Hello.", **changes: Any) -> dict[str, Any]:
    """Return a chat completion body; `changes` replace its top-level fields."""
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    } | changes


def answer(body: Any = None, status: int = 200, **headers: str) -> web.Response:
    """Return an HTTP response; a body that is no bytes or str is sent as JSON."""
    if body is None:
        body = (
            completion() if status == 200 else {"error": {"message": "scripted", "type": "t", "code": None}}
        )
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    data = body if isinstance(body, bytes) else body.encode()
    return web.Response(status=status, body=data, content_type="application/json", headers=headers)


Step = web.Response | Callable[[dict[str, Any]], web.Response] | float


class Endpoint:
    """Answers request i with step i, then with the last one; a number is a wait in seconds before the next step."""

    def __init__(self, *steps: Step) -> None:
        self._steps = steps
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.in_flight = self.in_flight_max = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        self.times.append(asyncio.get_running_loop().time())
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight, self.in_flight_max)
        try:
            step = self._steps[min(len(self.bodies), len(self._steps)) - 1]
            if isinstance(step, float):
                await asyncio.sleep(step)
                step = answer()
            given = step if isinstance(step, web.Response) else step(self.bodies[-1])
            # a response object can be sent once only
            return web.Response(status=given.status, body=given.body, headers=given.headers)
        finally:
            self.in_flight -= 1

    @asynccontextmanager
    async def at(self) -> AsyncIterator[str]:
        """Serve while the context is open; gives the base URL."""
        app = web.Application()
        app.add_routes(
            [web.post("/v1/chat/completions", self.handle), web.post("/v1/completions", self.handle)]
        )
        async with running(app) as address:
            yield f"{address}/v1"


def config_for(base_url: str | None, budget: dict[str, Any] | None = None, **model: Any) -> Config:
    """Return a configuration whose four roles are played by one model at `base_url`."""
    entry = {
        "backend": "openai",
        "model": "m",
        "base_url": base_url,
        "api_key_env": "PROSE_TEST_KEY",
        **model,
    }
    return parse_config(
        {"models": {"mine": entry}, "roles": dict.fromkeys(ROLES, "mine"), "budget": budget or {}}, "t"
    )


ROLES: Sequence[str] = ("human", "writer", "inferrer", "judge")
