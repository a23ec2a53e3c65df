"""The calls of one endpoint's Batch API, as OpenAI defines it: files, batches, and what their lines say.

Nothing that the endpoint answers is taken for granted: of every answer only fields of the right type are read.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx2
import openai
import orjson

from prose_data.errors import EndpointError, printable
from prose_data.llm.client import Endpoint, json_of
from prose_data.llm.rates import retry_after
from prose_data.llm.types import Fault

T = TypeVar("T")

LABEL = "prose_data"  # key of the name in a batch's metadata
_FIRST_POLL, _LONGEST_POLL, _GROWTH = 0.1, 30.0, 1.5  # seconds, seconds, times
_TO_REACH, _SILENCE = (
    10.0,
    1800.0,
)  # seconds for which one call may fail, before the endpoint answers any and after
_CONNECT, _TO_DELETE = 10.0, 10.0  # seconds
_LONGEST_LINE = 64 * 2**20  # bytes
_ID = re.compile(r"\w[\w.:/-]{0,511}", re.ASCII)
_PAGE, _PAGES = 100, 20  # the batches among which a lost one is looked for
_LOGGERS = ("openai", "httpx2", "httpcore2")
_ENDED = ("completed", "failed", "expired", "cancelled")
_AGAIN = (408, 409, 425, 429)  # HTTP status, besides 5xx


@dataclass(frozen=True, slots=True)
class Remote:
    """A batch as the endpoint shows it; `problem` is the first message of one that failed, `code` its code."""

    batch_id: str
    status: str
    file_id: str | None
    output_id: str | None
    error_id: str | None
    problem: str
    code: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a batch's output: an HTTP answer (`content`), or no answer but an error's code and message."""

    custom_id: str
    status: int
    content: bytes
    code: str
    message: str


class BatchApi:
    """The Batch API of `endpoint`; raises EndpointError when a call is refused, or fails for too long."""

    def __init__(self, endpoint: Endpoint) -> None:
        parts = urlsplit(endpoint.url)
        for (
            name
        ) in _LOGGERS:  # their debug logs quote headers and redirects, in which an endpoint may echo the key
            logging.getLogger(name).setLevel(logging.WARNING)
        self._endpoint = endpoint
        self._reached = False
        self._client = openai.AsyncOpenAI(
            api_key=endpoint.key,
            base_url=parts._replace(query="", fragment="").geturl(),
            default_query=dict(parse_qsl(parts.query)),
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(follow_redirects=False),  # the other logs headers
            timeout=openai.Timeout(endpoint.model.timeout, connect=min(_CONNECT, endpoint.model.timeout)),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def upload(self, name: str, content: bytes) -> str:
        """Return the id of a new input file."""
        return await self._patiently(self._upload, (f"{name}.jsonl", content, "application/jsonl"))

    async def create(self, name: str, file_id: str) -> Remote:
        """Return a new batch of an uploaded file; its metadata hold `name`.

        An attempt that failed may have made the batch all the same, so the endpoint is asked for it before the next
        one: nothing is paid for twice.
        """
        tried = False

        async def create(_: None) -> Remote:
            nonlocal tried
            there = (await self._find([name])).get(name) if tried else None
            tried = True
            return there or await self._create(name, file_id)

        return await self._patiently(create, None)

    async def find(self, names: Collection[str]) -> dict[str, Remote]:
        """Return the batches of these names among the endpoint's recent ones."""
        return await self._patiently(self._find, names)

    async def _find(self, names: Collection[str]) -> dict[str, Remote]:
        found: dict[str, Remote] = {}
        after: str | None = None
        for _ in range(_PAGES):
            page = await self._list(after)
            shown = [batch for batch in _list(page.get("data")) if isinstance(batch, dict)]
            for batch in shown:
                metadata = batch.get("metadata")
                name = metadata.get(LABEL) if isinstance(metadata, dict) else None
                if isinstance(name, str) and name in names and _text(batch.get("id")):
                    found.setdefault(name, self._remote(batch))
            after = _text(shown[-1].get("id")) if shown else None
            if after is None or page.get("has_more") is not True or len(found) == len(names):
                break
        return found

    async def ended(self, batch_id: str) -> Remote | None:
        """Return the batch when it has ended, None when the endpoint does not know it."""
        delay = _FIRST_POLL
        while True:
            await asyncio.sleep(delay)
            delay = min(delay * _GROWTH, _LONGEST_POLL)
            remote = await self._patiently(self._retrieve, batch_id)
            if remote is None or remote.status in _ENDED:
                return remote

    async def read(self, file_id: str, take: Callable[[Line], None]) -> None:
        """Call `take` with every readable line of an output file, with some again where the connection breaks.

        There are none in a file that the endpoint does not know.
        """
        await self._patiently(lambda _: self._read(file_id, take), None)

    async def delete(self, *file_ids: str | None) -> None:
        """Delete files, as far as the endpoint lets us: they only take room there."""
        deletions = [
            self._client.files.delete(file_id, timeout=_TO_DELETE) for file_id in file_ids if file_id
        ]
        await asyncio.gather(*deletions, return_exceptions=True)

    async def _upload(self, file: tuple[str, bytes, str]) -> str:
        answer = await self._ask(self._client.files.with_raw_response.create(file=file, purpose="batch"))
        return self._id(answer, "file")

    async def _create(self, name: str, file_id: str) -> Remote:
        call = self._client.batches.with_raw_response.create(
            input_file_id=file_id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={LABEL: name},
        )
        return self._remote(await self._ask(call))

    async def _list(self, after: str | None) -> Mapping[str, Any]:
        page = {"limit": _PAGE} if after is None else {"limit": _PAGE, "after": after}
        return await self._ask(self._client.batches.with_raw_response.list(extra_query=page))

    async def _retrieve(self, batch_id: str) -> Remote | None:
        try:
            return self._remote(await self._ask(self._client.batches.with_raw_response.retrieve(batch_id)))
        except _Unknown:
            return None

    async def _read(self, file_id: str, take: Callable[[Line], None]) -> None:
        try:
            async with self._client.files.with_streaming_response.content(file_id) as response:
                # No line reader of a library: they also split at U+2028, which JSON allows within a string.
                async for raw in _split(response.iter_bytes()):
                    line = _line(raw)
                    if line is not None:
                        take(line)
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            problem = self._problem(error)
            if not isinstance(problem, _Unknown):
                raise problem from None

    async def _patiently(self, call: Callable[[Any], Awaitable[T]], argument: Any) -> T:
        """Return what `call` gives, tried again with growing waits for as long as the endpoint may be silent."""
        delay, since = _FIRST_POLL, time.monotonic()
        while True:
            try:
                return await call(argument)
            except Fault as fault:
                if time.monotonic() - since > (_SILENCE if self._reached else _TO_REACH):
                    raise EndpointError(
                        f"{fault}; run again on the same folder to go on with what is paid for"
                    ) from None
                await asyncio.sleep(
                    delay if fault.wait is None else max(min(fault.wait, _LONGEST_POLL), delay)
                )
                delay = min(delay * _GROWTH, _LONGEST_POLL)

    async def _ask(self, call: Awaitable[Any]) -> Mapping[str, Any]:
        """Return the JSON object that a call answers."""
        try:
            answer = await call
            self._reached = True
            data = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            raise Fault("bad_reply", f"{self._endpoint.who}: the Batch API answers no JSON") from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            raise self._problem(error) from None
        if not isinstance(data, dict):
            raise Fault("bad_reply", f"{self._endpoint.who}: the Batch API answers no JSON object")
        return data

    def _problem(self, error: Exception) -> Exception:
        """Return what a call that failed means."""
        who = self._endpoint.who
        if not isinstance(error, openai.APIStatusError):
            cause = error.__cause__ or error
            said = self._endpoint.clean(printable(str(cause)) or type(cause).__name__)
            return Fault("connection", f"{who}: the connection does not come about or breaks: {said}")
        self._reached = True
        status = error.status_code
        said = self._said(error)
        if status in (401, 403):
            variable = self._endpoint.model.api_key_env
            return EndpointError(
                f"{who} refuses the key in the environment variable {variable} for batches (HTTP {status}): {said}"
            )
        if status in (404, 405):
            return _Unknown(
                f"{who}: HTTP {status}, {said}; an endpoint without the Batch API needs "
                f"models.{self._endpoint.name}.mode online"
            )
        if status == 402 or error.code == "insufficient_quota":
            return EndpointError(f"{who}: the account has no credit left: {said}")
        if status in _AGAIN or status >= 500:
            reason = "rate_limit" if status == 429 else "server_error"
            wait = retry_after(error.response.headers)
            return Fault(reason, f"{who}: the Batch API answers HTTP {status}, {said}", wait=wait)
        return EndpointError(f"{who}: the Batch API answers HTTP {status}, {said}")

    def _said(self, error: openai.APIStatusError) -> str:
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        said = message if isinstance(message, str) else error.response.text[:4000]
        return self._endpoint.clean(printable(said)) or "an empty body"

    def _id(self, answer: Mapping[str, Any], what: str) -> str:
        identity = _text(answer.get("id"))
        if identity is None:
            raise Fault("bad_reply", f"{self._endpoint.who}: the Batch API gives a {what} no id")
        return identity

    def _remote(self, batch: Mapping[str, Any]) -> Remote:
        status, errors = batch.get("status"), batch.get("errors")
        if not isinstance(status, str):
            raise Fault("bad_reply", f"{self._endpoint.who}: the Batch API gives a batch no status")
        problems = _list(errors.get("data")) if isinstance(errors, dict) else []
        first = problems[0] if problems and isinstance(problems[0], dict) else {}
        problem = self._endpoint.clean(printable(str(first.get("message") or "no reason given")))
        return Remote(
            batch_id=self._id(batch, "batch"),
            status=status,
            file_id=_text(batch.get("input_file_id")),
            output_id=_text(batch.get("output_file_id")),
            error_id=_text(batch.get("error_file_id")),
            problem=problem,
            code=str(first.get("code")),
        )


class _Unknown(EndpointError):
    """What was asked for is not there (HTTP 404)."""


def _line(raw: bytes) -> Line | None:
    """Return a line of an output file, None where it is none."""
    try:
        data = json_of(raw)
    except Fault:
        return None
    match data:
        case {"custom_id": str(custom_id), "response": {"status_code": int(status), "body": body}} if (
            100 <= status < 600
        ):
            return Line(custom_id, status, orjson.dumps(body), "", "")
        case {"custom_id": str(custom_id), "error": {} as error}:
            return Line(custom_id, 0, b"", str(error.get("code")), str(error.get("message")))
    return None


async def _split(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines in `parts`, without those that are too long."""
    pieces: list[bytes] = []
    size = 0
    async for part in parts:
        head, *lines = part.split(b"\n")
        for line in lines:
            pieces.append(head)
            if size + len(head) <= _LONGEST_LINE:
                yield b"".join(pieces)
            pieces, size, head = [], 0, line
        size += len(head)
        if size <= _LONGEST_LINE:
            pieces.append(head)
        else:
            pieces.clear()
    if size <= _LONGEST_LINE:
        yield b"".join(pieces)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    """Return an id that can stand in a URL, None for anything else."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
