"""Batch mode: when all running work waits for replies, what waits is sent as one batch of OpenAI's Batch API.

The same code runs as online; a request merely takes as long as its batch. Batches are on disk, in the request store's
file, from before they are paid for until their replies are stored: a process that is killed leaves them running, and
the next one goes on waiting for them. A request's `custom_id` is its address in the store.
"""

import asyncio
import secrets
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from prose_data.errors import EndpointError, printable
from prose_data.llm.batch_api import BatchApi, Line, Remote
from prose_data.llm.client import Adjusted, Endpoint
from prose_data.llm.dialect import Put
from prose_data.llm.meter import Meter
from prose_data.llm.store import OpenBatch, Store, encode, key_of
from prose_data.llm.types import Fault, Reply, Request

MOST_LINES, MOST_BYTES = 50_000, 200 * 10**6  # of one input file
_QUIET = 0.05  # seconds in which nothing was asked and nothing answered
_PASSES = 3  # turns of the event loop after it
_PATIENCE = 600.0  # seconds after which waiting requests are sent although other work goes on
_UNANSWERED = ("batch_expired", "batch_cancelled")  # error codes of lines
_NO_ROOM = "token_limit_exceeded"  # the error code of a batch that is too much beside all others, or at all


@dataclass(slots=True)
class _Asked:
    """A request, who waits for it, and how it was put."""

    request: Request
    waiters: list[asyncio.Future[Reply]] = field(default_factory=list)
    put: Put = field(default_factory=lambda: Put("text", 0))


class Batches:
    """A `Send` that lets requests wait and sends them in batches; one call is one attempt.

    Calling it raises Fault or EndpointError. It belongs to one event loop.
    """

    def __init__(self, endpoint: Endpoint, store: Store, meter: Meter) -> None:
        self._endpoint = endpoint
        self._store = store
        self._meter = meter
        self._api = BatchApi(endpoint)
        self._place = f"{endpoint.url.partition('?')[0]} {endpoint.model.model}"
        self._asked: dict[bytes, _Asked] = {}
        self._queue: list[bytes] = []  # keys that are in no batch yet
        self._holder: dict[bytes, str] = {}  # the open batch that a key is in
        self._room: int | None = None  # how many requests may be in open batches; None: any number
        self._joined = 0
        self._gathering = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._resumed: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Stop waiting; open batches stay open, at the endpoint and on disk."""
        tasks = [*self._tasks, *([self._resumed] if self._resumed else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._api.close()

    async def __call__(self, request: Request) -> Reply:
        """Return the reply that a batch brings for `request`; raises Fault or EndpointError."""
        self._meter.waiting += 1
        try:
            if self._resumed is None:
                self._resumed = asyncio.create_task(self._resume())
            await asyncio.shield(self._resumed)
            while True:
                try:
                    return await self._join(request)
                except Adjusted:  # goes as another one in the next batch
                    continue
        finally:
            self._meter.waiting -= 1

    def _join(self, request: Request) -> asyncio.Future[Reply]:
        key = key_of(request.body, self._endpoint.model.backend)
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = _Asked(request)
            if key in self._holder:
                # Put by an earlier process, of which it is not known what it knew.
                asked.put = self._endpoint.prepare(request.body)[1]._replace(known=-1)
            else:
                self._queue.append(key)
                self._go_on()
        self._joined += 1
        waiter: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        asked.waiters.append(waiter)
        return waiter

    def _go_on(self) -> None:
        """Gather what is in no batch, unless that goes on already or there is no room."""
        if self._queue and not self._gathering and self._space() > 0:
            self._gathering = True
            self._start(self._gather())

    def _space(self) -> int:
        """Return how many of the requests in the queue may go."""
        return len(self._queue) if self._room is None else max(0, self._room - len(self._holder))

    def _start(self, work: Coroutine[Any, Any, None], batch: OpenBatch | None = None) -> None:
        """Run `work` aside; where it fails, so do the requests in `batch`, without one those in no batch."""

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                return
            error = task.exception()
            if error is not None:
                loose = [key for key in self._asked if key not in self._holder]
                for key in loose if batch is None else batch.keys:
                    self._holder.pop(key, None)
                    self._settle(key, error)
            self._go_on()

        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(ended)

    async def _resume(self) -> None:
        """Go on waiting for the batches that an earlier process left open here."""
        there = self._store.open_batches(self._place)
        lost = [batch.name for batch in there if batch.batch_id is None]
        found = await self._api.find(lost) if lost else {}
        for batch in there:
            known = batch
            if batch.batch_id is None:
                remote = found.get(batch.name)
                if remote is None:  # the process ended before the endpoint had the batch
                    self._store.drop_batch(batch.name)
                    continue
                known = replace(batch, batch_id=remote.batch_id, file_id=remote.file_id)
                self._store.save_batch(known)
            self._holder |= dict.fromkeys(known.keys, known.name)
            self._start(self._land(known), known)

    async def _gather(self) -> None:
        """Wait until all work waits for replies, and send what waits for a batch."""
        since = time.monotonic()
        quiet = False
        while not quiet and time.monotonic() - since < _PATIENCE:
            seen = self._activity()
            await asyncio.sleep(_QUIET)
            for _ in range(_PASSES):
                await asyncio.sleep(0)
            quiet = seen == self._activity() and self._meter.in_flight <= self._meter.waiting
        self._gathering = False
        for key in self._queue:
            # Those that are not there: another open batch, of an earlier process, has brought their replies.
            asked = self._asked.get(key)
            if asked is not None and all(waiter.done() for waiter in asked.waiters):  # cancelled meanwhile
                del self._asked[key]
        self._queue = [key for key in self._queue if key in self._asked]
        space = self._space()
        going, self._queue = self._queue[:space], self._queue[space:]
        self._put(going)

    def _activity(self) -> tuple[int, int, int]:
        """Return counts that move whenever something is asked or answered, by this lane or another."""
        return self._joined, self._meter.requests, sum(self._meter.replies.values())

    def _put(self, keys: Iterable[bytes]) -> None:
        """Put requests into as many batches as they need."""
        lines: dict[bytes, bytes] = {}
        size = 0
        for key in keys:
            asked = self._asked[key]
            body, asked.put = self._endpoint.prepare(asked.request.body)
            line = _input_line(key, body)
            if lines and (len(lines) >= MOST_LINES or size + len(line) > MOST_BYTES):
                self._open(lines)
                lines, size = {}, 0
            lines[key] = line
            size += len(line)
        if lines:
            self._open(lines)

    def _open(self, lines: dict[bytes, bytes]) -> None:
        batch = OpenBatch(secrets.token_hex(12), self._place, None, None, tuple(lines))
        self._holder |= dict.fromkeys(lines, batch.name)
        self._start(self._carry(batch, b"".join(lines.values())), batch)

    async def _carry(self, batch: OpenBatch, content: bytes) -> None:
        """Upload a batch, which is on disk from before it may be paid for, and wait for its replies."""
        self._store.save_batch(batch)
        file_id = await self._api.upload(batch.name, content)
        del content
        remote = await self._api.create(batch.name, file_id)
        known = replace(batch, batch_id=remote.batch_id, file_id=file_id)
        self._store.save_batch(known)
        await self._land(known)

    async def _land(self, batch: OpenBatch) -> None:
        """Wait for a batch, store all its replies, and only then hand them out."""
        assert batch.batch_id is not None
        remote = await self._api.ended(batch.batch_id)
        outcomes: dict[bytes, Reply | Exception] = {}
        keys = set(batch.keys)
        for file_id in (remote.output_id, remote.error_id) if remote is not None else ():
            if file_id is not None:
                await self._api.read(file_id, lambda line: self._take(line, keys, outcomes))
        good = [(key, reply) for key, reply in outcomes.items() if isinstance(reply, Reply)]
        self._store.put_many([(key, reply, self._body_of(key)) for key, reply in good])
        self._store.drop_batch(batch.name)
        if remote is not None:
            await self._api.delete(batch.file_id, remote.output_id, remote.error_id)
            if remote.status == "failed" and not good:
                self._refused(batch, remote)
                return
        status = "unknown to the endpoint" if remote is None else remote.status
        missing = f"{self._endpoint.who}: the batch {batch.batch_id} ({printable(status)}) brought no reply"
        for key in batch.keys:
            self._hand_out(key, batch.name, outcomes.get(key) or Fault("no_reply", missing))

    def _refused(self, batch: OpenBatch, remote: Remote) -> None:
        """Put the requests of a batch that the endpoint did not take back, to go in smaller ones if that can help."""
        if remote.code != _NO_ROOM or len(self._holder) < 2:
            who = self._endpoint.who
            raise EndpointError(f"{who}: the batch {remote.batch_id} was not taken: {remote.problem}")
        self._room = len(self._holder) // 2
        held = [key for key in batch.keys if self._holder.get(key) == batch.name]
        for key in held:
            del self._holder[key]
        self._queue = [*(key for key in held if key in self._asked), *self._queue]

    def _body_of(self, key: bytes) -> bytes:
        """Return the body of a request as the store keeps it; none where nobody in this process has asked."""
        asked = self._asked.get(key)
        return b"" if asked is None else encode(asked.request.body)

    def _hand_out(self, key: bytes, batch: str, outcome: Reply | Exception) -> None:
        """Give a request that was in `batch` its outcome: where that is no reply, what another process has stored."""
        held = self._holder.get(key) == batch
        if held:
            del self._holder[key]
        if isinstance(outcome, Exception) and key in self._asked:
            outcome = self._store.get(key) or outcome
        if held or isinstance(outcome, Reply):  # otherwise another open batch may bring one
            self._settle(key, outcome)

    def _take(self, line: Line, keys: set[bytes], outcomes: dict[bytes, Reply | Exception]) -> None:
        """Read one line of a batch's output into `outcomes`; lines that are not ours, or come again, do not count."""
        try:
            key = bytes.fromhex(line.custom_id)
        except ValueError:
            return
        asked = self._asked.get(key)
        wanted = asked is not None or line.status == 200
        if key not in keys or isinstance(outcomes.get(key), Reply) or not wanted:
            return
        try:
            outcomes[key] = self._reply(line, asked)
        except (Fault, EndpointError) as error:
            outcomes.setdefault(key, error)

    def _reply(self, line: Line, asked: _Asked | None) -> Reply:
        """Return the reply in a line; raises Fault or EndpointError for what is none."""
        if line.status == 0:
            said = self._endpoint.clean(printable(line.message))
            reason = line.code if line.code in _UNANSWERED else "no_reply"
            raise Fault(reason, f"{self._endpoint.who}: a line of the batch was not answered: {said}")
        if asked is None:
            asked = _Asked(Request("writer", {"model": self._endpoint.model.model, "messages": []}))
        reply = self._endpoint.read(line.status, {}, line.content, asked.request, asked.put, 0.0)
        return replace(reply, source="batch")

    def _settle(self, key: bytes, outcome: Reply | BaseException) -> None:
        asked = self._asked.pop(key, None)
        for waiter in asked.waiters if asked is not None else ():
            if waiter.done():
                continue
            if isinstance(outcome, Reply):
                waiter.set_result(outcome)
            else:
                waiter.set_exception(outcome)


def _input_line(key: bytes, body: bytes) -> bytes:
    """Return a line of an input file; `body` is JSON already."""
    head = f'{{"custom_id":"{key.hex()}","method":"POST","url":"/v1/chat/completions","body":'
    return head.encode() + body + b"}\n"
