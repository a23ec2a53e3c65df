"""A request store for several machines: one file per reply, in a shared folder or an object store.

SQLite's write-ahead log is for the processes of one machine; here nothing but whole files is shared. A reply lies at
`ab/<key>.json`, where ab are the key's first two hex digits, and is there before it is used, so that a killed process
loses none that was. Of two replies to one request the first that landed counts, for everybody.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time
from typing import Any, TypeVar

import orjson

from prose_data.errors import InputError
from prose_data.llm.store import Store, address_of, encode, fail, key_of, not_there
from prose_data.llm.types import Reply, Request, Send
from prose_data.places import Place, is_url

_THREADS = 32  # files that are read and written at the same time
_FIELDS = ("text", "finish_reason", "prompt_tokens", "completion_tokens", "model", "rung")

T = TypeVar("T")


def is_reply_folder(store: Path | str) -> bool:
    """Return whether a request store so named is a reply folder: a URL, or a path that ends in `/`."""
    return is_url(str(store)) or str(store).endswith("/")


class ReplyFolder:
    """An open reply folder; it belongs to one event loop, while any number of processes and machines use the same place.

    Raises InputError for a place that cannot be reached.
    """

    def __init__(self, place: str) -> None:
        self._place = Place(place)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="replies")
        self._flights: dict[bytes, asyncio.Future[None]] = {}
        self._place.read("0")  # an address that is wrong fails before anything is paid for

    def get(self, key: bytes) -> Reply | None:
        """Return the stored reply at `key` (its source is "store"), or None; raises InputError for a damaged file."""
        data = self._place.read(_name(key))
        return self._parsed(key, data) if data else None  # an empty file is what a power cut leaves

    async def put(self, key: bytes, reply: Reply, request: bytes) -> Reply:
        """Return the reply that counts, once it is stored: `reply` to the body `request`, or one that was there before."""
        record = {name: getattr(reply, name) for name in _FIELDS}
        data = encode(record | {"created": time(), "request": request.decode()})
        # A caller that is cancelled has paid, so the file is written all the same.
        if await asyncio.shield(self._beside(lambda: self._place.create(_name(key), data))):
            return reply
        earlier = await self._beside(lambda: self.get(key))
        if earlier is None:
            await self._beside(lambda: self._place.write(_name(key), data))
        return earlier or reply

    def keep(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Store records of another request store, as `prose_data.llm.store_tools` reads them; earlier replies stay."""
        list(self._threads.map(self._keep, records))

    def through(self, send: Send, backend: str) -> Send:
        """Return `send` behind this folder: a stored reply, that of an equal request in flight, or a new one."""
        prefix = backend.encode() + b"\0"

        async def stored(request: Request) -> Reply:
            body = encode(request.body)
            key = address_of(prefix + body)
            while (flight := self._flights.get(key)) is not None:
                await asyncio.wait([flight])
                if not flight.cancelled() and (error := flight.exception()) is not None:
                    raise error
                # Otherwise it is in the folder, or whoever asked first was cancelled and we are next.
            return await self._fly(key, body, request, send)

        return stored

    def replay(self, backend: str) -> Send:
        """Return a `Send` that answers from this folder alone and raises InputError for what it does not hold."""

        async def stored(request: Request) -> Reply:
            key = key_of(request.body, backend)
            reply = await self._beside(lambda: self.get(key))
            if reply is None:
                raise not_there(self._place.url, request, key)
            return reply

        return stored

    def close(self) -> None:
        """Return once everything is written."""
        self._threads.shutdown()

    async def _fly(self, key: bytes, body: bytes, request: Request, send: Send) -> Reply:
        """Look, ask, and return the reply once it is stored."""
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._beside(lambda: self.get(key))
            if reply is None:
                reply = await self.put(key, await send(request), body)
        except Exception as error:
            fail(flight, error)
            raise
        else:
            flight.set_result(None)
            return reply
        finally:
            del self._flights[key]
            flight.cancel()  # no more than a word where it has ended

    def _keep(self, record: Mapping[str, Any]) -> None:
        fields = {name: value for name, value in record.items() if name != "key"}
        self._place.create(_name(bytes.fromhex(record["key"])), encode(fields))

    def _beside(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Return what `work` will return; it waits for the disk or the network, and the event loop does not."""
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _parsed(self, key: bytes, data: bytes) -> Reply:
        try:
            record: dict[str, Any] = orjson.loads(data)
            fields = {name: record[name] for name in _FIELDS}
            found = Reply(**fields, source="store")
            if not isinstance(found.text, str) or not isinstance(found.prompt_tokens, int):
                raise TypeError("a field is of another type")
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self._place.url}{_name(key)}: is damaged ({type(error).__name__}); delete it to ask again"
            ) from None
        return found


def _name(key: bytes) -> str:
    digits = key.hex()
    return f"{digits[:2]}/{digits}.json"


def open_replies(store: Path | str, offline: bool) -> Store | ReplyFolder:
    """Return the request store so named, opened; with `offline` nothing is written to it."""
    return ReplyFolder(str(store)) if is_reply_folder(store) else Store(Path(store), offline=offline)
