"""Files and batches of the simulated endpoint: OpenAI's Batch API, with lines that expire or fail on demand.

There is no background work: once a batch's time is over, every look at it answers some of its lines.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from aiohttp import BodyPartReader, web

from prose_data.streams import stream

MOST_LINES, MOST_BYTES = 50_000, 200 * 2**20  # of an input file
_SLICE = 0.2  # seconds of answering at one look
_URL = "/v1/chat/completions"
_WINDOW = 24 * 3600  # seconds
_PAGE, _LONGEST_PAGE = 20, 100  # batches or files in one list
_MOST_ERRORS = 10  # told of one file

Status = Literal["in_progress", "cancelling", "completed", "failed", "expired", "cancelled"]
Answer = Callable[
    [bytes, int], tuple[int, Mapping[str, Any]]
]  # request body, its number -> HTTP status, body
Reject = Callable[[web.Request], web.Response | None]  # the refusal of a wrong key


@dataclass(frozen=True, slots=True)
class BatchFaults:
    """How batches go: seconds that each takes at least, and what becomes of its lines, drawn from `seed`.

    expire_rate: share of lines left unanswered, and the batch is expired     error_rate: share answered with 500
    """

    seconds: float = 0.0
    expire_rate: float = 0.0
    error_rate: float = 0.0
    seed: int = 0

    def draw(self, number: int) -> Literal["expire", "error", "none"]:
        """Return what becomes of the line with this running number."""
        at = stream(self.seed, "batch faults", number).random()
        return (
            "expire"
            if at < self.expire_rate
            else "error"
            if at < self.expire_rate + self.error_rate
            else "none"
        )


@dataclass(slots=True)
class _File:
    file_id: str
    name: str
    purpose: str
    content: bytes

    def shown(self) -> dict[str, Any]:
        """Return the file as OpenAI shows it."""
        return {
            "id": self.file_id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": int(time.time()),
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
        }


@dataclass(slots=True)
class _Batch:
    batch_id: str
    input_id: str
    metadata: Any
    created: float
    status: Status = "in_progress"
    problems: list[dict[str, Any]] = field(default_factory=list)
    lines: list[tuple[str, bytes]] = field(default_factory=list)  # custom id, request body
    first: int = 0  # running number of the first line
    at: int = 0  # lines that are dealt with
    good: list[bytes] = field(default_factory=list)
    bad: list[bytes] = field(default_factory=list)
    output_id: str | None = None
    error_id: str | None = None

    def shown(self) -> dict[str, Any]:
        """Return the batch as OpenAI shows it."""
        created = int(self.created)
        counts = {"total": len(self.lines), "completed": len(self.good), "failed": len(self.bad)}
        return {
            "id": self.batch_id,
            "object": "batch",
            "endpoint": _URL,
            "errors": {"object": "list", "data": self.problems} if self.problems else None,
            "input_file_id": self.input_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output_id,
            "error_file_id": self.error_id,
            "created_at": created,
            "expires_at": created + _WINDOW,
            "request_counts": counts,
            "metadata": self.metadata,
        }


class BatchServer:
    """The files and batches of one app; `answer` gives the reply to one line's body, `reject` checks the key."""

    def __init__(self, faults: BatchFaults, models: Collection[str], answer: Answer, reject: Reject) -> None:
        self._faults = faults
        self._models = models
        self._answer = answer
        self._reject = reject
        self._files: dict[str, _File] = {}
        self._batches: dict[str, _Batch] = {}
        self._number = 0
        self._lines = 0
        self.batches = 0
        self.batch_lines = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the routes under /v1/files and /v1/batches."""
        return [
            web.post("/v1/files", self._checked(self._upload)),
            web.get("/v1/files", self._checked(self._list_files)),
            web.get("/v1/files/{id}", self._checked(self._show_file)),
            web.delete("/v1/files/{id}", self._checked(self._delete_file)),
            web.get("/v1/files/{id}/content", self._checked(self._content)),
            web.post("/v1/batches", self._checked(self._create)),
            web.get("/v1/batches", self._checked(self._list_batches)),
            web.get("/v1/batches/{id}", self._checked(self._show_batch)),
            web.post("/v1/batches/{id}/cancel", self._checked(self._cancel)),
        ]

    def _checked(self, handler: Any) -> Any:
        async def checked(request: web.Request) -> web.StreamResponse:
            refusal = self._reject(request)
            response: web.StreamResponse = refusal or await handler(request)
            return response

        return checked

    def _next(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    def _keep(self, name: str, purpose: str, content: bytes) -> _File:
        file = _File(self._next("file"), name, purpose, content)
        self._files[file.file_id] = file
        return file

    async def _upload(self, request: web.Request) -> web.Response:
        purpose, name, content = "", "", None
        try:
            async for part in await request.multipart():
                if isinstance(part, BodyPartReader) and part.name == "file":
                    name, content = part.filename or "", bytes(await part.read())
                elif isinstance(part, BodyPartReader) and part.name == "purpose":
                    purpose = await part.text()
        except (ValueError, AssertionError):  # how aiohttp says that a body is no multipart form
            content = None
        if purpose != "batch" or content is None:
            return _error(400, "'file' and a 'purpose' of \"batch\" must be given, as a multipart form.")
        if len(content) > MOST_BYTES:
            return _error(413, f"The file is larger than {MOST_BYTES} bytes.")
        return _json(self._keep(name, purpose, content).shown())

    async def _list_files(self, request: web.Request) -> web.Response:
        return _page(request, {name: file.shown() for name, file in self._files.items()})

    async def _show_file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["id"])
        return _missing("file", request) if file is None else _json(file.shown())

    async def _delete_file(self, request: web.Request) -> web.Response:
        file = self._files.pop(request.match_info["id"], None)
        if file is None:
            return _missing("file", request)
        return _json({"id": file.file_id, "object": "file", "deleted": True})

    async def _content(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["id"])
        if file is None:
            return _missing("file", request)
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def _create(self, request: web.Request) -> web.Response:
        match _loads(await request.read()):
            case {
                "input_file_id": str(input_id),
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
            } as body:
                pass
            case _:
                return _error(
                    400,
                    f"'input_file_id', an 'endpoint' of {_URL} and a 'completion_window' of 24h are needed.",
                )
        batch = _Batch(self._next("batch"), input_id, body.get("metadata"), time.time())
        self._batches[batch.batch_id] = batch
        self.batches += 1
        file = self._files.get(input_id)
        if file is None:
            batch.problems = [_problem("invalid_input_file", f"The file {input_id!r} does not exist.", None)]
        else:
            batch.lines, batch.problems = _read(file.content, self._models)
        if batch.problems:
            batch.status, batch.lines = "failed", []
        self.batch_lines += len(batch.lines)
        batch.first = self._lines
        self._lines += len(batch.lines)
        return _json(batch.shown())

    async def _list_batches(self, request: web.Request) -> web.Response:
        newest_first = reversed(self._batches.items())
        return _page(request, {name: batch.shown() for name, batch in newest_first})

    async def _show_batch(self, request: web.Request) -> web.Response:
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            return _missing("batch", request)
        if batch.status == "cancelling":
            self._end(
                batch,
                "cancelled",
                "batch_cancelled",
                "This request was not executed: the batch was cancelled.",
            )
        elif batch.status == "in_progress" and time.time() >= batch.created + self._faults.seconds:
            self._work(batch)
        return _json(batch.shown())

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self._batches.get(request.match_info["id"])
        if batch is None:
            return _missing("batch", request)
        if batch.status != "in_progress":
            return _error(409, f"A batch that is {batch.status} cannot be cancelled.")
        batch.status = "cancelling"
        return _json(batch.shown())

    def _work(self, batch: _Batch) -> None:
        """Answer lines for a while, and end the batch after the last one."""
        until = time.monotonic() + _SLICE
        while batch.at < len(batch.lines) and time.monotonic() < until:
            number = batch.first + batch.at
            custom_id, body = batch.lines[batch.at]
            fate = self._faults.draw(number)
            if fate == "expire":
                batch.bad.append(
                    _unanswered(number, custom_id, "batch_expired", "This request expired unanswered.")
                )
            elif fate == "error":
                failed = {
                    "error": {"message": "The server had an error.", "type": "server_error", "code": None}
                }
                batch.bad.append(_answered(number, custom_id, 500, failed))
            else:
                status, reply = self._answer(body, number)
                (batch.good if status == 200 else batch.bad).append(
                    _answered(number, custom_id, status, reply)
                )
            batch.at += 1
        if batch.at == len(batch.lines):
            expired = any(self._faults.draw(batch.first + at) == "expire" for at in range(batch.at))
            self._end(batch, "expired" if expired else "completed", "", "")

    def _end(self, batch: _Batch, status: Status, code: str, message: str) -> None:
        """Write the output files; lines that were not dealt with are errors with this code."""
        for at in range(batch.at, len(batch.lines)):
            batch.bad.append(_unanswered(batch.first + at, batch.lines[at][0], code, message))
        batch.status = status
        if batch.good:
            batch.output_id = self._keep("output.jsonl", "batch_output", b"".join(batch.good)).file_id
        if batch.bad:
            batch.error_id = self._keep("errors.jsonl", "batch_output", b"".join(batch.bad)).file_id


def _read(content: bytes, models: Collection[str]) -> tuple[list[tuple[str, bytes]], list[dict[str, Any]]]:
    """Return the lines (custom id, request body) of an input file, and what is wrong with it."""
    raw = [line for line in content.split(b"\n") if line.strip()]
    if not raw:
        return [], [_problem("empty_file", "The input file has no lines.", None)]
    if len(raw) > MOST_LINES:
        return [], [_problem("too_many_tasks", f"The input file has more than {MOST_LINES} lines.", None)]
    lines: dict[str, bytes] = {}
    problems: list[dict[str, Any]] = []
    used: set[str] = set()
    for number, line in enumerate(raw, start=1):
        match _loads(line):
            case {
                "custom_id": str(custom_id),
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {} as body,
            }:
                pass
            case _:
                text = (
                    "Every line must have a 'custom_id', the 'method' POST, the batch's 'url' and a 'body'."
                )
                problems.append(_problem("invalid_json_line", text, number))
                continue
        model = str(body.get("model"))
        if custom_id in lines:
            problems.append(
                _problem("duplicate_custom_id", f"The custom_id {custom_id!r} is there twice.", number)
            )
        elif used and model not in used:
            problems.append(
                _problem("mismatched_model", "All lines of a batch must ask the same model.", number)
            )
        elif model not in models:
            problems.append(_problem("model_not_found", f"The model {model!r} does not exist.", number))
        used.add(model)
        lines[custom_id] = orjson.dumps(body)
    return list(lines.items()), problems[:_MOST_ERRORS]


def _problem(code: str, message: str, line: int | None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": None, "line": line}


def _answered(number: int, custom_id: str, status: int, body: Mapping[str, Any]) -> bytes:
    response = {"status_code": status, "request_id": f"req-{number}", "body": body}
    return _line(number, custom_id, response, None)


def _unanswered(number: int, custom_id: str, code: str, message: str) -> bytes:
    return _line(number, custom_id, None, {"code": code, "message": message})


def _line(number: int, custom_id: str, response: Any, error: Any) -> bytes:
    line = {"id": f"batch_req-{number}", "custom_id": custom_id, "response": response, "error": error}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _page(request: web.Request, items: Mapping[str, Mapping[str, Any]]) -> web.Response:
    """Answer with up to `limit` of `items`, those behind `after`."""
    try:
        limit = min(int(request.query.get("limit", _PAGE)), _LONGEST_PAGE)
    except ValueError:
        return _error(400, "'limit' must be an integer.")
    names = list(items)
    after = request.query.get("after", "")
    if after in items:
        names = names[names.index(after) + 1 :]
    shown = names[: max(1, limit)]
    return _json(
        {
            "object": "list",
            "data": [items[name] for name in shown],
            "first_id": shown[0] if shown else None,
            "last_id": shown[-1] if shown else None,
            "has_more": len(names) > len(shown),
        }
    )


def _loads(data: bytes) -> Any:
    """Return what `data` says as JSON, None where it is not JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _json(body: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _missing(kind: str, request: web.Request) -> web.Response:
    return _error(404, f"No {kind} has the id {request.match_info['id']!r}.")


def _error(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return _json({"error": error}, status)
