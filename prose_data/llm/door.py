"""The door: view -> request store -> limits and budget -> transport, assembled from the configuration.

The driver opens one door inside its event loop and hands each piece of work its own `View`, which counts.
Counts of a view are logical: a reply from the store counts, with its price, as if it had just been paid, so
that tables are the same in every repetition. The meter and the rows of `drain` say what was really spent.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from prose_data.config import ROLES, Config, Model, Price
from prose_data.errors import InputError, RequestFailed
from prose_data.llm.limits import Limits
from prose_data.llm.log import RequestLog
from prose_data.llm.meter import Known, Meter, cost_of
from prose_data.llm.prices import price_of
from prose_data.llm.reply_folder import open_replies
from prose_data.llm.store import Store, encode
from prose_data.llm.types import Message, Reply, Request, Role, Schema, Send
from prose_data.values import Stage

if TYPE_CHECKING:
    import polars as pl

_NO_KEY = "PROSE_DATA_LOCAL_KEY"  # so that no other server's key is sent to our own
_PART = 10**9  # more than a part has units of work
_REPLICATES = 1000  # a body's seed is the view's seed times this, plus the replicate


RecordWriter = Callable[..., tuple[list[str], list[str], list[tuple[str, str]], str]]


@dataclass(frozen=True, slots=True)
class _Way:
    """One role's way through the door."""

    decoding: Mapping[str, Any]
    price: Price | None
    send: Send


class View:
    """An `LLM` for one piece of work: counts its calls, tokens and cost, and collects notes (reason, message)."""

    def __init__(self, door: "Door", stage: Stage, seed: int, method: str, order: int) -> None:
        self._door = door
        self._stage: Stage = stage
        self._seed = seed
        self._method = method
        self._order = order
        self.calls = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cost_usd: float | None = 0.0
        self.notes: list[tuple[str, str]] = []

    async def __call__(
        self, messages: Sequence[Message], *, role: Role, schema: Schema | None = None, replicate: int = 0
    ) -> Reply:
        """Return the reply of `role`'s model; see `LLM`."""
        way = self._door.way(role)
        body = {**way.decoding, "messages": messages, "seed": self._seed * _REPLICATES + replicate}
        if schema is not None:
            json_schema = {"name": "reply", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": json_schema}
        reply = await self._door.ask(way, Request(role, body, self._order), self._stage, self._method)
        self.calls += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        if self.cost_usd is not None:
            self.cost_usd = None if reply.cost_usd is None else self.cost_usd + reply.cost_usd
        return reply

    def note(self, reason: str, message: str) -> None:
        """Count a reply that could not be read; it becomes a row in `failures`."""
        self.notes.append((reason, message))


class Door:
    """Everything behind the views, with a log of what was asked; belongs to one event loop."""

    def __init__(self, ways: Mapping[Role, _Way], meter: Meter, first: int = 0) -> None:
        self._ways = ways
        self._first = first
        self._log = RequestLog()
        self.meter = meter

    def part(self, number: int) -> "Door":
        """Return the same door with a log of its own; where requests have to queue, lower numbers go first."""
        return Door(self._ways, self.meter, number * _PART)

    def view(self, stage: Stage, seed: int, method: str = "", order: int = 0) -> View:
        """Return a new view; views of different seeds ask for independent replies.

        `method` is for the log; where requests have to queue, those of the lowest `order` go first.
        """
        return View(self, stage, seed, method, self._first + order)

    def way(self, role: Role) -> _Way:
        """Return the way of `role`'s requests; views call this."""
        return self._ways[role]

    async def ask(self, way: _Way, request: Request, stage: Stage, method: str) -> Reply:
        """Return the reply and log it; views call this."""
        try:
            reply = await way.send(request)
        except RequestFailed:
            self.meter.failed += 1
            raise
        cost = reply.cost_usd
        if reply.source == "store":
            cost = 0.0
            reply = replace(reply, cost_usd=cost_of(way.price, reply.prompt_tokens, reply.completion_tokens))
        if any(message["role"] == "assistant" for message in request.body["messages"]):
            reply = replace(reply, rung="correction")
        self.meter.replies[reply.source] += 1
        self._log.add(stage, request.role, method, reply, cost)
        return reply

    def drain(self, stage: Stage) -> "pl.DataFrame":
        """Return the rows of `stage` for the `requests` table, oldest first, and forget them."""
        return self._log.drain(stage)


@asynccontextmanager
async def open_door(
    config: Config, store: Path | str | None, meter: Meter | None = None
) -> AsyncIterator[Door]:
    """Open the door for the models that `config.roles` names, inside the running event loop, and close it after.

    `store` is the request store's file, or the place of a reply folder (None: nothing is kept). Doors that share a
    `meter` share the budget; without one this door has the whole budget. Raises InputError for an unusable store or a missing key.
    """
    meter = meter or Meter(config.budget)
    names = sorted({getattr(config.roles, role) for role in ROLES})
    remote = {name: config.models[name] for name in names if config.models[name].backend != "simulated"}
    prices = {name: price_of(config.models[name]) for name in names}
    async with AsyncExitStack() as stack:
        limits = Limits([model for model in remote.values() if model.mode == "online"], meter)
        sends: dict[str, Send] = dict.fromkeys(names, _simulated(meter, limits))
        if remote:
            sends |= await _remote(config, remote, prices, store, limits, meter, stack)
        ways = {}
        for role in ROLES:
            name = getattr(config.roles, role)
            ways[role] = _Way(_decoding(config.models[name]), prices[name], sends[name])
        yield Door(ways, meter)


async def _remote(
    config: Config,
    remote: Mapping[str, Model],
    prices: Mapping[str, Price | None],
    kept: Path | str | None,
    limits: Limits,
    meter: Meter,
    stack: AsyncExitStack,
) -> dict[str, Send]:
    """Return the way to each of the models that are asked over HTTP, and leave to `stack` what is to be closed."""
    if kept is None and (config.offline or any(model.mode == "batch" for model in remote.values())):
        raise InputError("offline and mode batch need a request store; name one with --store")
    store = None
    if kept is not None:
        store = open_replies(kept, config.offline)
        stack.callback(store.close)
        if config.offline:
            return {name: store.replay(model.backend) for name, model in remote.items()}
    from prose_data.llm.client import Endpoint  # aiohttp takes its time to import

    sends: dict[str, Send] = {}
    shared: dict[tuple[str | None, str, str], Send] = {}
    for name, model in remote.items():
        if model.backend == "local":
            from prose_data.llm.local import served

            model = model.model_copy(update={"base_url": served(name, model), "api_key_env": _NO_KEY})
        known = meter.known.setdefault((model.base_url, model.model), Known())
        endpoint = Endpoint(name, model, known.dialect)
        stack.push_async_callback(endpoint.close)
        if model.mode == "batch":
            from prose_data.llm.batch import Batches

            if not isinstance(store, Store):
                raise InputError(
                    f"{kept}: is a reply folder, and mode batch needs a request store of one file; name one with --store"
                )
            at = (model.base_url, model.model, model.api_key_env)
            # Else each would take the other's open batches for those of an earlier process.
            if at not in shared:
                batches = Batches(endpoint, store, meter)
                stack.push_async_callback(batches.close)
                shared[at] = batches
            sends[name] = limits.around(shared[at], model, prices[name])
        else:
            lane = limits.lane(model)
            endpoint.heed = lane.heed
            sends[name] = limits.around(endpoint, model, prices[name], lane)
        if store is not None:
            sends[name] = store.through(sends[name], model.backend)
    return sends


def record_writer(model: Model, seed: int) -> RecordWriter | None:
    """Return what writes an AlignX record's texts at once, as `model` would by requests of views with this `seed`; None
    for a model that has to be asked."""
    if model.backend != "simulated":
        return None
    from prose_data.simulator.alignx_requests import record

    return partial(record, model.model, seed * _REPLICATES)


def _decoding(model: Model) -> dict[str, Any]:
    """Return the part of a request's body that is the same for all requests of `model`."""
    settings = {"temperature": model.temperature, "top_p": model.top_p, "max_tokens": model.max_tokens}
    return {"model": model.model} | {name: value for name, value in settings.items() if value is not None}


def _simulated(meter: Meter, limits: Limits) -> Send:
    """Return the transport to the simulated model in this process; it gets messages, model name and seed only."""
    from prose_data.simulator.model import count_tokens, simulate

    async def send(request: Request) -> Reply:
        await asyncio.sleep(0)  # a simulated reply never waits, so everything else gets its turn here
        await limits.start()
        messages, model = request.body["messages"], request.body["model"]
        try:
            text = simulate(messages, model, request.body["seed"])
        except UnicodeEncodeError:  # lone surrogates: the text is what an endpoint would get
            messages = orjson.loads(encode({"messages": messages}))["messages"]
            text = simulate(messages, model, request.body["seed"])
        prompt_tokens = sum(count_tokens(message["content"]) for message in messages)
        completion_tokens = count_tokens(text)
        meter.add(prompt_tokens + completion_tokens, 0.0)
        return Reply(text, "stop", prompt_tokens, completion_tokens, model, "simulated", 0.0)

    return send
