"""A raw HTTP(S) server on loopback that misbehaves on cue: byte by byte where a real server library would refuse to.

`FAULTS` holds a behaviour for every row of docs/faults.md; `Faulty` serves one of them.
"""

import asyncio
import gzip
import json
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

from tests.endpoint import completion

Behave = Callable[[asyncio.StreamWriter], Awaitable[None]]
Place = Literal[
    "http",
    "https",
    "self_signed",
    "expired",
    "other_host",
    "http_on_https",
    "ipv6",
    "nowhere",
]
MEGABYTE = 2**20
WAIT = 0.3  # seconds that endpoints ask for here


@dataclass(frozen=True)
class Fault:
    """What an endpoint does, and what only its own row needs.

    after:   good replies before the fault                  model: changes of the model entry
    replies: fields of the Reply, where it is answered      says:  what the message must hold
    wait:    seconds at least before the next request       place: what listens, and how it is addressed
    """

    behave: Behave
    after: int = 0
    model: Mapping[str, Any] = field(default_factory=dict)
    replies: Mapping[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    wait: float = 0.0
    place: Place = "http"


class Faulty:
    """Serves `fault` to `times` requests (None: to all), after its good replies, and good replies to the rest."""

    def __init__(self, behave: Behave, *, after: int = 0, times: int | None = None) -> None:
        self._behave = behave
        self._after = after
        self._end = None if times is None else after + times
        self._tasks: set[asyncio.Task[None]] = set()
        self.arrivals: list[float] = []
        self.connections = 0

    @property
    def spoilt(self) -> int:
        """How many requests came from the first that met the fault on."""
        return len(self.arrivals) - self._after

    @asynccontextmanager
    async def at(self, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[int]:
        """Serve while the context is open; gives the port."""
        server = await asyncio.start_server(self._connected, host, 0, ssl=tls)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        # the client may go at any time; a cancelled handler would be reported as an error of the server
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                if await reader.readexactly(4) != b"POST":  # somebody speaks TLS to this plain server
                    await self._behave(writer)
                    break
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                await reader.readexactly(length)
                self.arrivals.append(asyncio.get_running_loop().time())
                number = len(self.arrivals)
                spoilt = number > self._after and (self._end is None or number <= self._end)
                await (self._behave if spoilt else good)(writer)
                await writer.drain()
        self._tasks.discard(task)
        writer.close()


def http(body: Any = None, status: int | str = 200, **headers: str) -> bytes:
    """Return an HTTP response: `body` as JSON, or as it is where it is bytes or str; headers replace the usual ones."""
    if body is None:
        body = (
            completion() if status == 200 else {"error": {"message": "scripted", "type": "t", "code": None}}
        )
    data = (
        body
        if isinstance(body, bytes)
        else body.encode()
        if isinstance(body, str)
        else json.dumps(body).encode()
    )
    named = {"Content-Type": "application/json", "Content-Length": str(len(data))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [
        f"HTTP/1.1 {status} Some Words",
        *(f"{name}: {value}" for name, value in named.items() if value),
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + data


def says(data: bytes, then: Literal["go on", "close", "reset"] = "go on") -> Behave:
    """Return the behaviour that sends `data` and then waits for the next request, closes or resets the connection."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if then == "reset":
            await asyncio.sleep(0.02)  # a reset overtakes what has not been read
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        elif then == "close":
            writer.close()

    return behave


def flow(head: bytes, piece: bytes, times: int | None = None, every: float = 0.0, end: bytes = b"") -> Behave:
    """Return the behaviour that sends `head`, then `piece` so many times (None: without end), `every` so many seconds."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        sent = 0
        while times is None or sent < times:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)
            sent += 1
        writer.write(end)

    return behave


async def good(writer: asyncio.StreamWriter) -> None:
    """Send a good reply."""
    writer.write(http())


async def dated(writer: asyncio.StreamWriter) -> None:
    """Refuse with the time, in whole seconds, from which on there is room: `WAIT` from now or up to a second more."""
    then = datetime.now(UTC) + timedelta(seconds=1 + WAIT)
    writer.write(http(status=429, Retry_After=format_datetime(then, usegmt=True)))


def error(status: int, message: str = "scripted", code: str | None = None, **headers: str) -> Behave:
    """Return the behaviour that answers with an error of OpenAI's form."""
    return says(http({"error": {"message": message, "type": "t", "code": code}}, status, **headers))


def choice(message: Any, finish_reason: str | None = "stop", **changes: Any) -> Behave:
    """Return the behaviour that answers with this message."""
    body = completion(choices=[{"index": 0, "message": message, "finish_reason": finish_reason}], **changes)
    return says(http(body))


def text(content: str) -> Fault:
    """Return the fault of a reply with this text, which is used as it is."""
    return Fault(choice({"content": content}), replies={"text": content})


def usage(written: str) -> Fault:
    """Return the fault of a reply of 40 characters whose usage is `written` and cannot be used."""
    body = json.dumps(completion("x" * 40, usage="USAGE")).replace('"USAGE"', written)
    return Fault(says(http(body)), replies={"completion_tokens": 10})


def raw(*, old: str = "Hello.", new: str, encoding: str = "utf-8") -> bytes:
    """Return a good reply's body in which `new` stands for `old`."""
    return json.dumps(completion()).replace(old, new).encode(encoding)


def page(status: int) -> Behave:
    """Return the behaviour of a proxy that answers with an HTML page."""
    html = "<!DOCTYPE html><html><head><title>Oh</title></head><body><h1>Oh no</h1></body></html>"
    return says(http(html, status, Content_Type="text/html; charset=utf-8"))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_CHUNKED = http(b"", Content_Length="", Transfer_Encoding="chunked")
_BODY = json.dumps(completion()).encode()
_BIG = json.dumps(completion("BIG")).encode().partition(b"BIG")


def _bomb() -> bytes:
    """Return 100 MB as gzip packs them."""
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(_BIG[0]), *(packer.compress(b"x" * MEGABYTE) for _ in range(100))]
    return b"".join([*parts, packer.compress(_BIG[2]), packer.flush()])


async def bomb(writer: asyncio.StreamWriter) -> None:
    """Send 100 MB in 100 kB."""
    writer.write(http(_bomb(), Content_Encoding="gzip"))


def large(megabytes: int) -> Behave:
    """Return the behaviour that answers with a text of this size."""
    size = len(_BIG[0]) + megabytes * MEGABYTE + len(_BIG[2])
    head = http(b"", Content_Length=str(size)) + _BIG[0]
    return flow(head, b"x" * MEGABYTE, megabytes, end=_BIG[2])


_LONG = {"timeout": 20}
_URL = ("base_url",)
_CERTIFICATE = ("certificate", *_URL)

FAULTS: dict[str, Fault] = {
    # connections
    "nothing_there": Fault(good, place="nowhere", says=("nothing answers", "127.0.0.1")),
    "gone": Fault(good, after=1, place="nowhere", says=("nothing answers", "run again")),
    "ipv6": Fault(good, place="ipv6"),
    "reset": Fault(says(b"", "reset")),
    "reset_after_head": Fault(says(http(b"", Content_Length="90"), "reset")),
    "closed": Fault(says(b"", "close")),
    "closed_while_idle": Fault(says(http(), "close"), replies={"text": "Hello."}),
    "half_head": Fault(says(b"HTTP/1.1 200 OK\r\nContent-Ty", "close")),
    "half_body": Fault(says(http(_BODY[:50], Content_Length=str(len(_BODY))), "close")),
    "half_chunks": Fault(says(_CHUNKED + _chunk(_BODY[:50]), "close")),
    "bad_chunks": Fault(says(_CHUNKED + b"what?\r\n" + _BODY, "close")),
    "not_http": Fault(says(b"220 mail.example.com ESMTP\r\n", "close")),
    "huge_header": Fault(says(http(X_Long="x" * 200_000), "close")),
    "silence": Fault(flow(b"", b"", None, 0.05), model={"timeout": 0.15}),
    "slow_body": Fault(flow(http(b"", Content_Length="9999"), b"{", None, 0.02), model={"timeout": 0.15}),
    "slow_endless": Fault(flow(_CHUNKED, _chunk(b" "), None, 0.02), model={"timeout": 0.15}),
    # certificates
    "https": Fault(good, place="https"),
    "self_signed": Fault(good, place="self_signed", says=_CERTIFICATE),
    "expired": Fault(good, place="expired", says=(*_CERTIFICATE, "expired")),
    "other_host": Fault(good, place="other_host", says=_CERTIFICATE),
    "http_on_https": Fault(error(400), place="http_on_https", says=("http://", *_URL)),
    "no_handshake": Fault(flow(b"", b"", None, 0.05), place="http_on_https", says=("nothing answers",)),
    "https_on_http": Fault(says(b"\x15\x03\x03\x00\x02\x02\x46", "close")),  # the alert that TLS answers with
    # bodies
    "text_plain": Fault(says(http(Content_Type="text/plain"))),
    "no_content_type": Fault(says(http(Content_Type=""))),
    "gzip": Fault(says(http(gzip.compress(_BODY), Content_Encoding="gzip"))),
    "gzip_broken": Fault(says(http(_BODY, Content_Encoding="gzip"))),
    "html": Fault(page(200)),
    "empty": Fault(says(http(b""))),
    "no_content": Fault(says(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "not_json": Fault(says(http("Hello."))),
    "cut_json": Fault(says(http(_BODY[:60]))),
    "not_utf8": Fault(says(http(raw(new="\xe9", encoding="latin-1")))),
    "deep_json": Fault(says(http("[" * 100_000))),
    "null": Fault(says(http("null"))),
    "other_shape": Fault(says(http(["Hello."]))),
    "no_choices": Fault(says(http({"id": "c"}))),
    "empty_choices": Fault(says(http(completion(choices=[])))),
    "no_message": Fault(says(http(completion(choices=[{"index": 0, "finish_reason": "stop"}])))),
    "null_content": Fault(choice({"role": "assistant", "content": None})),
    "content_list": Fault(choice({"content": [{"type": "text", "text": "Hello."}]})),
    "only_thoughts": Fault(choice({"content": None, "reasoning_content": "so"}, "length"), says=("length",)),
    "error_200": Fault(says(http({"error": {"message": "upstream is down"}})), says=("upstream is down",)),
    "cut_text": Fault(
        choice({"content": "Hel"}, "length"), replies={"text": "Hel", "finish_reason": "length"}
    ),
    "no_finish_reason": Fault(choice({"content": "Hello."}, None), replies={"finish_reason": "stop"}),
    "filtered": Fault(choice({"content": "Hel"}, "content_filter")),
    "filtered_empty": Fault(choice(None, "content_filter")),
    "refusal": Fault(choice({"content": None, "refusal": "I can't do that"}), says=("I can't do that",)),
    "large": Fault(large(20), model=_LONG, replies={"text": "x" * 20 * MEGABYTE}),
    "too_large": Fault(large(100), model=_LONG),
    "endless": Fault(flow(_CHUNKED, _chunk(b" " * MEGABYTE)), model=_LONG),
    "bomb": Fault(bomb, model=_LONG),
    # what JSON and Unicode allow
    "unknown_fields": Fault(
        choice({"content": "Hello.", "audio": None}, x={"y": [1, {"z": None}]}, tier="t")
    ),
    "duplicate_fields": Fault(says(http(raw(old='"Hello."', new='"no", "content": "Hello."')))),
    "second_choice": Fault(
        says(http(completion(choices=[*completion()["choices"], {"index": 1, "message": None}])))
    ),
    "lone_surrogate": Fault(says(http(raw(new=r"cut \ud83d off"))), replies={"text": "cut \ufffd off"}),
    "nul": text("a\x00b"),
    "controls": text("e\u0301 \u2028 \x1b[31m \u202e\u2066 \ufeff ﷽"),
    "emoji": text("é 😀 👩‍👩‍👧"),
    "byte_order_mark": Fault(says(http(b"\xef\xbb\xbf" + _BODY))),
    "utf16": Fault(says(http(raw(new="é 😀", encoding="utf-16"))), replies={"text": "é 😀"}),
    "no_usage": usage("null"),
    "nan_usage": usage('{"prompt_tokens": NaN, "completion_tokens": Infinity}'),
    "negative_usage": usage('{"prompt_tokens": -7, "completion_tokens": -3}'),
    "odd_usage": usage('{"prompt_tokens": "7", "completion_tokens": 1e400}'),
    # statuses
    "early_hints": Fault(says(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http())),
    "continue": Fault(says(b"HTTP/1.1 100 Continue\r\n\r\n" + http())),
    **{
        f"redirect_{status}": Fault(
            error(status, Location="http://127.0.0.1:1/v1"), says=(str(status), "base_url")
        )
        for status in (301, 302, 307, 308)
    },
    "bad_request": Fault(error(400, "n must be 1"), says=("400", "n must be 1")),
    "control_codes": Fault(error(400, "\x1b[31mno\n\u202e n\x00"), says=("[31mno",)),
    "too_long": Fault(error(400, "at most 8192 tokens", "context_length_exceeded"), says=("8192",)),
    "filtered_prompt": Fault(error(400, "filtered", "content_filter")),
    "unauthorized": Fault(error(401, "bad key"), says=("401", "PROSE_TEST_KEY")),
    "no_credit": Fault(error(402, "pay first"), says=("credit", "pay first")),
    "forbidden": Fault(error(403), says=("403", "PROSE_TEST_KEY")),
    "forbidden_later": Fault(error(403), after=1, says=("403",)),
    "unknown_model": Fault(error(404, "no model m"), says=("no model m", "models.mine.model", "base_url")),
    "wrong_method": Fault(error(405), says=("405", "base_url")),
    "request_timeout": Fault(error(408), says=("408",)),
    "conflict": Fault(error(409), says=("409",)),
    "too_large_request": Fault(error(413), says=("413",)),
    "unsupported_media": Fault(error(415), says=("415",)),
    "teapot": Fault(error(418), says=("418",)),
    "unprocessable": Fault(error(422), says=("422",)),
    "too_early": Fault(error(425), says=("425",)),
    "rate_limit": Fault(error(429), says=("429",)),
    "rate_limit_seconds": Fault(error(429, Retry_After=str(WAIT)), wait=WAIT),
    "rate_limit_ms": Fault(error(429, retry_after_ms=str(WAIT * 1000)), wait=WAIT),
    "rate_limit_date": Fault(dated, wait=WAIT - 0.05),
    "rate_limit_odd": Fault(error(429, Retry_After="soon")),
    "no_room_left": Fault(
        says(http(x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests=f"{WAIT * 1000:.0f}ms")),
        wait=WAIT,
    ),
    "no_quota": Fault(error(429, "no quota", "insufficient_quota"), says=("credit", "no quota")),
    **{
        f"server_error_{status}": Fault(error(status), says=(str(status),))
        for status in (500, 501, 502, 503, 504, 529, 599)
    },
    "overload_seconds": Fault(error(503, Retry_After=str(WAIT)), wait=WAIT),
    "page_502": Fault(page(502), says=("502", "HTML")),
    "page_503": Fault(page(503), says=("503", "HTML")),
}
