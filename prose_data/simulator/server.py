"""The simulated model as an OpenAI-compatible HTTP server, with faults on demand, to try a pipeline against.

A reply depends on (messages, model, seed) alone, as in process; faults come before or instead of it.
"""

import asyncio
import hashlib
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from aiohttp import web

from prose_data.errors import InputError
from prose_data.simulator.batches import MOST_BYTES, BatchFaults, BatchServer
from prose_data.simulator.model import count_tokens, simulate
from prose_data.simulator.skills import SKILLS
from prose_data.streams import stream

LOOPBACK = "127.0.0.1"

Fault = Literal["rate_429", "rate_500", "hang", "bad_json", "truncate", "none"]


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, as shares of all requests (at most one fault each), drawn by running number from `seed`.

    latency:       seconds before every reply
    rate_429:      answered with 429 and a Retry-After of 0
    rate_500:      answered with 500
    hang_rate:     answered after `hang` seconds only
    bad_json_rate: the body ends in the middle
    truncate_rate: the text ends in the middle, finish_reason is "length"
    api_key:       every other bearer token is answered with 401; None takes any
    batches:       what goes wrong in batch mode, instead of all above but the key
    """

    latency: float = 0.0
    rate_429: float = 0.0
    rate_500: float = 0.0
    hang_rate: float = 0.0
    hang: float = 30.0
    bad_json_rate: float = 0.0
    truncate_rate: float = 0.0
    api_key: str | None = None
    seed: int = 0
    batches: BatchFaults = field(default_factory=BatchFaults)

    def draw(self, number: int) -> Fault:
        """Return the fault of the request with this running number."""
        at = stream(self.seed, "faults", number).random()
        shares: tuple[tuple[Fault, float], ...] = (
            ("rate_429", self.rate_429),
            ("rate_500", self.rate_500),
            ("hang", self.hang_rate),
            ("bad_json", self.bad_json_rate),
            ("truncate", self.truncate_rate),
        )
        for fault, share in shares:
            if at < share:
                return fault
            at -= share
        return "none"


class _Refused(Exception):
    """A request that gets no completion: the HTTP status, and the body in the form of OpenAI."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": code, "param": None, "code": code}}


class _Server:
    """The counters and handlers of one app."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.batches = BatchServer(faults.batches, SKILLS, _reply, self._reject)
        self._number = 0
        self._in_flight = 0
        self._zero()

    def _zero(self) -> None:
        self._requests = 0
        self._errors = 0
        self._in_flight_max = self._in_flight
        self._seen: set[bytes] = set()
        self.batches.batches = self.batches.batch_lines = 0

    async def chat(self, request: web.Request) -> web.Response:
        """Answer POST /v1/chat/completions."""
        payload = await request.read()
        self._requests += 1
        self._number += 1
        number = self._number
        self._seen.add(hashlib.blake2b(payload, digest_size=16).digest())
        self._in_flight += 1
        self._in_flight_max = max(self._in_flight_max, self._in_flight)
        try:
            response = await self._answer(request, payload, number)
        finally:
            self._in_flight -= 1
        return response

    async def _answer(self, request: web.Request, payload: bytes, number: int) -> web.Response:
        refusal = self._reject(request)
        if refusal is not None:
            return refusal
        try:
            messages, model, seed = _read(payload)
        except _Refused as error:
            return self._error(error)
        fault = self._faults.draw(number)
        if self._faults.latency:
            await asyncio.sleep(self._faults.latency)
        if fault == "rate_429":
            refused = _Refused(429, "Rate limit reached.", "rate_limit_exceeded")
            return self._error(refused, {"Retry-After": "0"})
        if fault == "rate_500":
            return self._error(_Refused(500, "The server had an error.", "server_error"))
        if fault == "hang":
            self._errors += 1
            await asyncio.sleep(self._faults.hang)
        body = orjson.dumps(_completion(messages, model, seed, number, cut=fault == "truncate"))
        if fault == "bad_json":
            self._errors += 1
            body = body[: len(body) // 2]
        return web.Response(body=body, content_type="application/json")

    def _reject(self, request: web.Request) -> web.Response | None:
        """Return the answer to a request with a wrong key, None where it is right."""
        key = self._faults.api_key
        if key is None or request.headers.get("Authorization") == f"Bearer {key}":
            return None
        return self._error(_Refused(401, "Incorrect API key provided.", "invalid_api_key"))

    def _error(self, refused: "_Refused", headers: dict[str, str] | None = None) -> web.Response:
        self._errors += 1
        return web.Response(
            status=refused.status,
            body=orjson.dumps(refused.body),
            content_type="application/json",
            headers=headers,
        )

    async def models(self, _: web.Request) -> web.Response:
        """Answer GET /v1/models."""
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "prose-data"} for name in SKILLS]
        return web.json_response({"object": "list", "data": data})

    async def count(self, _: web.Request) -> web.Response:
        """Answer GET /count: chat requests, distinct bodies among them, faults and errors, most in flight, batches."""
        counts = {"requests": self._requests, "distinct": len(self._seen), "errors": self._errors}
        counts |= {"batches": self.batches.batches, "batch_lines": self.batches.batch_lines}
        return web.json_response({**counts, "in_flight_max": self._in_flight_max})

    async def reset(self, _: web.Request) -> web.Response:
        """Answer POST /reset: counters back to zero; the running number of requests goes on."""
        self._zero()
        return web.json_response({})


def make_app(faults: Faults) -> web.Application:
    """Return the server's application: chat completions, models, files and batches, GET /count, POST /reset."""
    server = _Server(faults)
    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes(
        [
            web.post("/v1/chat/completions", server.chat),
            web.get("/v1/models", server.models),
            *server.batches.routes(),
            web.get("/count", server.count),
            web.post("/reset", server.reset),
        ]
    )
    return app


@asynccontextmanager
async def running(app: web.Application, port: int = 0, host: str = LOOPBACK) -> AsyncIterator[str]:
    """Run `app` at an address of this machine, by default loopback, while the context is open; gives the address without a
    path.

    Port 0 picks a free one. Raises InputError when the port is taken.
    """
    if not 0 <= port < 2**16:
        raise InputError(f"port {port} does not exist; choose one below 65536, or 0 for a free one")
    try:
        listening = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise InputError(
            f"port {port} of {host} cannot be used ({error}); choose another, or 0 for a free one"
        ) from None
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        await runner.cleanup()


def serve(port: int, faults: Faults, host: str = LOOPBACK) -> None:
    """Serve until SIGINT or SIGTERM, on the main thread; prints one line with the base URL when ready."""
    asyncio.run(_serve(port, faults, host))


async def _serve(port: int, faults: Faults, host: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(make_app(faults), port, host) as address:
        print(f"simulated models {', '.join(SKILLS)} at {address}/v1", flush=True)
        await stop.wait()


def _read(payload: bytes) -> tuple[list[dict[str, str]], str, int]:
    """Return messages, model and seed of a chat completion request; raises _Refused."""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise _Refused(400, "The body is not JSON.", "invalid_request") from None
    match body:
        case {"stream": True}:
            raise _Refused(400, "'stream' is not supported.", "invalid_request")
        case {"model": str(model), "messages": [_, *_] as messages}:
            pass
        case _:
            text = "'model' must be a string and 'messages' a list that is not empty."
            raise _Refused(400, text, "invalid_request")
    read = []
    for message in messages:
        match message:
            case {"role": str(role), "content": str(content)}:
                read.append({"role": role, "content": content})
            case _:
                text = "Every message must have a 'role' and a 'content', both strings."
                raise _Refused(400, text, "invalid_request")
    seed = body.get("seed") or 0
    if not isinstance(seed, int):
        raise _Refused(400, "'seed' must be an integer.", "invalid_request")
    if model not in SKILLS:
        text = f"The model {model!r} does not exist; there are {', '.join(SKILLS)}."
        raise _Refused(404, text, "model_not_found")
    return read, model, seed


def _reply(payload: bytes, number: int) -> tuple[int, Mapping[str, Any]]:
    """Return HTTP status and body of the answer to a line of a batch."""
    try:
        messages, model, seed = _read(payload)
    except _Refused as error:
        return error.status, error.body
    return 200, _completion(messages, model, seed, number, cut=False)


def _completion(
    messages: list[dict[str, str]], model: str, seed: int, number: int, *, cut: bool
) -> dict[str, Any]:
    text = simulate(messages, model, seed)
    if cut:
        text = text[: len(text) // 2]
    prompt_tokens = sum(count_tokens(message["content"]) for message in messages)
    completion_tokens = count_tokens(text)
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": "length" if cut else "stop"}
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }
