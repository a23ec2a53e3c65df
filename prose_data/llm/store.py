"""The request store: a content-addressed SQLite file of replies, so that nothing is paid for twice.

A reply is committed before it is returned, so a killed process loses none that was used. Failures, keys and
secrets never reach it. Equal requests in flight share one.
"""

import asyncio
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from prose_data.errors import InputError, printable
from prose_data.llm.store_file import PATIENCE, columns, is_busy, open_store, unusable
from prose_data.llm.types import Reply, Request, Send

_AGAIN = 0.005  # seconds after which a commit is tried again that another process's lock stood in the way of
_KEY = 20  # bytes
_INSERT = "INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
_TURN = 16  # replies of the store between two turns of everything else
_SHOWN = 80  # characters of a message in an error

T = TypeVar("T")


def encode(value: Mapping[str, Any]) -> bytes:
    """Return `value` as canonical JSON in UTF-8: keys sorted, no spaces; lone surrogates become U+FFFD."""
    try:
        return orjson.dumps(value, default=dict, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        text = json.dumps(value, default=dict, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def key_of(body: Mapping[str, Any], backend: str) -> bytes:
    """Return the 20-byte address of a request: of its whole body (messages, decoding, schema, seed) and backend.

    The base URL is left out on purpose: a model that moves to another port or host keeps its replies. Two
    endpoints that serve different models under one name therefore need two stores.
    """
    return address_of(backend.encode() + b"\0" + encode(body))


def address_of(content: bytes) -> bytes:
    """Return the 20-byte address of a backend, a zero byte and an encoded body; see `key_of`."""
    return hashlib.blake2b(content, digest_size=_KEY).digest()


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that was sent, or is about to be, and whose replies are not stored yet.

    `name` is ours, `batch_id` and `file_id` are the endpoint's, None until it has given them; `place` is base URL and
    model; `keys` are the 20-byte addresses of its requests.
    """

    name: str
    place: str
    batch_id: str | None
    file_id: str | None
    keys: tuple[bytes, ...]


class Store:
    """An open store; it belongs to one event loop, while any number of processes may open the same file.

    With `offline` the file must be there and nothing is written to it. Raises InputError naming the file when it is no
    store, is damaged, or cannot be written.
    """

    def __init__(self, path: Path, offline: bool = False) -> None:
        self._path = path
        self._db = open_store(path, read_only=offline)
        self._cursor = self._db.cursor()
        self._select = (
            "SELECT text, finish_reason, prompt_tokens, completion_tokens, model, rung "
            f"FROM (SELECT {columns(self._db)} FROM replies) WHERE key = ?"
        )
        self._wait_for_locks(0)  # the event loop waits, not SQLite
        self._pending: list[tuple[tuple[Any, ...], Reply, asyncio.Future[None]]] = []
        self._commit_at: asyncio.Handle | None = None
        self._locked_since: float | None = None
        self._flights: dict[bytes, asyncio.Future[Reply]] = {}
        self._hits = 0

    def get(self, key: bytes) -> Reply | None:
        """Return the stored reply at `key` (its source is "store"), or None."""
        try:
            row = self._cursor.execute(self._select, (key,)).fetchone()
        except sqlite3.Error as error:
            if not is_busy(error):
                raise unusable(self._path, error) from None
            row = self._patiently(lambda: self._cursor.execute(self._select, (key,)).fetchone())
        if row is None:
            return None
        text, finish_reason, prompt_tokens, completion_tokens, model, rung = row
        return Reply(
            text, finish_reason, prompt_tokens, completion_tokens, model, "store", None, 0.0, 1, rung
        )

    async def put(self, key: bytes, reply: Reply, request: bytes) -> None:
        """Return once `reply` to the body `request` is committed; an earlier reply at `key` stays."""
        loop = asyncio.get_running_loop()
        committed: asyncio.Future[None] = loop.create_future()
        self._pending.append((_row(key, reply, request), reply, committed))
        if self._commit_at is None:
            self._commit_at = loop.call_soon(self._commit)  # with all that comes in this turn of the loop
        await committed

    def put_many(self, replies: Sequence[tuple[bytes, Reply, bytes]]) -> None:
        """Commit replies, each with its key and its request's body, before returning; earlier ones stay."""
        rows = [_row(key, reply, request) for key, reply, request in replies]
        self._patiently(lambda: self._write(_INSERT, rows))

    def through(self, send: Send, backend: str) -> Send:
        """Return `send` behind this store: a stored reply, that of an equal request in flight, or a new one."""
        prefix = backend.encode() + b"\0"

        async def stored(request: Request) -> Reply:
            body = encode(request.body)
            key = address_of(prefix + body)
            while True:
                reply = self.get(key)
                if reply is not None:
                    await self._turn()
                    return reply
                flight = self._flights.get(key)
                if flight is None:
                    return await self._fly(key, body, request, send)
                await asyncio.wait([flight])
                if not flight.cancelled() and (error := flight.exception()) is not None:
                    raise error
                # Otherwise it is in the store, or whoever asked first was cancelled and we are next.

        return stored

    def replay(self, backend: str) -> Send:
        """Return a `Send` that answers from this store alone and raises InputError for what it does not hold."""

        async def stored(request: Request) -> Reply:
            key = key_of(request.body, backend)
            reply = self.get(key)
            if reply is None:
                raise not_there(self._path, request, key)
            await self._turn()
            return reply

        return stored

    def open_batches(self, place: str) -> list[OpenBatch]:
        """Return the batches at `place` whose replies are still to come, in order of names."""
        rows = self._patiently(
            lambda: self._db.execute(
                "SELECT name, place, batch_id, file_id, keys FROM batches WHERE place = ? ORDER BY name",
                (place,),
            ).fetchall()
        )
        return [OpenBatch(name, at, batch, file, _unpacked(keys)) for name, at, batch, file, keys in rows]

    def save_batch(self, batch: OpenBatch) -> None:
        """Commit `batch`, in place of an earlier one of its name."""
        row = (batch.name, batch.place, batch.batch_id, batch.file_id, b"".join(batch.keys))
        self._patiently(lambda: self._write("INSERT OR REPLACE INTO batches VALUES (?, ?, ?, ?, ?)", [row]))

    def drop_batch(self, name: str) -> None:
        """Forget the batch called `name`, if it is there."""
        self._patiently(lambda: self._write("DELETE FROM batches WHERE name = ?", [(name,)]))

    def close(self) -> None:
        """Commit what is pending and close the file."""
        if self._commit_at is not None:
            self._commit_at.cancel()
        try:
            if self._pending:
                self._patiently(lambda: self._write(_INSERT, [row for row, _, _ in self._pending]))
            self._land(None)
        except InputError as error:
            self._land(error)
            raise
        finally:
            self._db.close()

    async def _turn(self) -> None:
        """Give everything else its turn now and then: what the store answers never waits."""
        self._hits += 1
        if self._hits % _TURN == 0:
            await asyncio.sleep(0)

    async def _fly(self, key: bytes, body: bytes, request: Request, send: Send) -> Reply:
        """Ask, and return the reply once it is stored; the flight ends then, whether we are still waiting or not."""
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await send(request)
        except BaseException as error:
            self._flights.pop(key, None)
            if not flight.done():
                if isinstance(error, Exception):
                    fail(flight, error)
                else:
                    flight.cancel()
            raise
        await self.put(key, reply, body)
        return reply

    def _commit(self) -> None:
        self._commit_at = None
        failure = None
        try:
            self._write(_INSERT, [row for row, _, _ in self._pending])
        except sqlite3.Error as error:
            now = time.monotonic()
            self._locked_since = self._locked_since or now
            if is_busy(error) and now - self._locked_since < PATIENCE:
                self._commit_at = asyncio.get_running_loop().call_later(_AGAIN, self._commit)
                return
            failure = unusable(self._path, error)
        self._locked_since = None
        self._land(failure)

    def _land(self, failure: InputError | None) -> None:
        """Tell everybody who waits for a pending reply that it is committed, or why it is not."""
        landed, self._pending = self._pending, []
        for row, reply, committed in landed:
            flight = self._flights.pop(row[0], None)
            if failure is None:
                if not committed.done():
                    committed.set_result(None)
                if flight is not None and not flight.done():
                    flight.set_result(reply)
            else:
                if not committed.done():
                    committed.set_exception(failure)
                if flight is not None and not flight.done():
                    fail(flight, failure)

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(statement, rows)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _patiently(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, waiting here and now for the locks of other processes."""
        self._wait_for_locks(PATIENCE)
        try:
            return work()
        except sqlite3.Error as error:
            raise unusable(self._path, error) from None
        finally:
            self._wait_for_locks(0)

    def _wait_for_locks(self, seconds: float) -> None:
        self._db.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def fail(flight: asyncio.Future[Any], error: Exception) -> None:
    """End `flight` with `error`."""
    flight.set_exception(error)
    flight.exception()  # retrieved: nobody else need be waiting


def _row(key: bytes, reply: Reply, request: bytes) -> tuple[Any, ...]:
    """Return `reply` as a row of the table."""
    counts = (reply.prompt_tokens, reply.completion_tokens)
    return (key, reply.text, reply.finish_reason, *counts, reply.model, reply.rung, time.time(), request)


def _unpacked(keys: bytes) -> tuple[bytes, ...]:
    return tuple(keys[start : start + _KEY] for start in range(0, len(keys), _KEY))


def not_there(place: Path | str, request: Request, key: bytes) -> InputError:
    """Return the error for a request whose reply the store at `place` does not hold."""
    messages = request.body["messages"]
    start = printable(messages[-1]["content"][: 4 * _SHOWN])[:_SHOWN] if messages else ""
    return InputError(
        f"{place}: holds no reply of the {request.role}'s model {printable(str(request.body.get('model')))} to the "
        f"request {key.hex()} (its last message starts: {start}); run with --no-offline to ask for it"
    )
