"""Batch mode against a real fake-llm: what waits goes together, is paid once, and survives what can happen to it."""

import asyncio
import sqlite3
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import openai
import orjson
import pytest
from aiohttp import web
from typer.testing import CliRunner

import prose_data.llm.batch as batch
import prose_data.llm.batch_api as batch_api
from prose_data.cli import app
from prose_data.config import Config, dump_config, parse_config
from prose_data.errors import EndpointError, RequestFailed
from prose_data.llm.door import Door, open_door
from prose_data.llm.meter import Meter
from prose_data.llm.pool import each
from prose_data.llm.store import OpenBatch, Store, key_of
from prose_data.llm.types import Reply
from prose_data.simulator.batches import BatchFaults
from prose_data.simulator.model import simulate
from prose_data.simulator.server import Faults, make_app, running
from prose_data.stages import run_all

ROLES = ("human", "writer", "inferrer", "judge")
Handler = Callable[[web.Request], Awaitable[Any]]
Between = Callable[[web.Request, Handler], Awaitable[Any]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait longer than a local server needs."""
    monkeypatch.setattr(batch, "_QUIET", 0.01)
    monkeypatch.setattr(batch_api, "_FIRST_POLL", 0.005)
    monkeypatch.setattr(batch_api, "_LONGEST_POLL", 0.05)


class Server:
    """A running fake-llm; `between` may step between a request and its answer."""

    def __init__(self, address: str) -> None:
        self.url = f"{address}/v1"
        self._address = address

    async def get(self, path: str) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(self._address + path, headers={"Authorization": "Bearer secret-key-1"}) as response,
        ):
            return await response.json()


@asynccontextmanager
async def serving(faults: Faults | None = None, between: Between | None = None) -> AsyncIterator[Server]:
    fake = make_app(faults or Faults())
    if between is not None:
        fake.middlewares.append(web.middleware(between))
    async with running(fake) as address:
        yield Server(address)


def config_of(url: str, budget: dict[str, Any] | None = None, **model: Any) -> Config:
    entry = {"backend": "openai", "model": "sim-strong", "base_url": url, "mode": "batch", **model}
    data = {"models": {"mine": entry}, "roles": dict.fromkeys(ROLES, "mine"), "budget": budget or {}}
    return parse_config(data, "t")


def small_run(models: dict[str, Any], roles: dict[str, str], **more: Any) -> Config:
    data: dict[str, Any] = {
        "seeds": [0],
        "users": {"count": 2},
        "samples": {"per_user": 2},
        "methods": ["no_learning", "cipher_1", "prose"],
        "metrics": ["ppcm", "recovery"],
        "prose": {"steps": 2},
        "models": models,
        "roles": roles,
        **more,
    }
    return parse_config(data, "t")


async def ask(door: Door, *texts: str) -> list[str]:
    """Return the replies to all texts, asked at once; of requests that failed for good their reason."""
    view = door.view("infer", 0)

    async def one(text: str) -> str:
        try:
            return (await view([{"role": "user", "content": text}], role="writer")).text
        except RequestFailed as error:
            return f"failed: {error.reason}"

    return await each(texts, one, max(1, len(texts)))


def expected(*texts: str) -> list[str]:
    return [simulate([{"role": "user", "content": text}], "sim-strong", 0) for text in texts]


TEXTS = tuple(f"Write an email about subject {n}." for n in range(7))
TABLES = ("users", "samples", "inferences", "scores")


def tables_of(folder: Path) -> dict[str, bytes]:
    parts = [part for table in TABLES for part in sorted((folder / table).glob("*.parquet"))]
    assert len(parts) == len(TABLES)
    return {str(part.relative_to(folder)): part.read_bytes() for part in parts}


def replies_in(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "store.sqlite")) as db:
        return int(db.execute("SELECT count(*) FROM replies").fetchone()[0])


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tables of the small run over HTTP, one request at a time."""
    folder = tmp_path_factory.mktemp("online") / "run"

    async def go() -> None:
        async with serving() as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url}
            await run_all(small_run({"mine": entry}, dict.fromkeys(ROLES, "mine")), folder)

    asyncio.run(go())
    return tables_of(folder)


def test_a_run_in_batch_mode_gives_the_same_tables_with_one_batch_a_wave(
    online: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chains: Counter[tuple[str, int]] = Counter()  # calls one after the other, by stage and unit of work
    plain_ask = Door.ask

    async def counted_ask(self: Door, way: Any, request: Any, stage: Any, method: str) -> Reply:
        reply = await plain_ask(self, way, request, stage, method)
        chains[stage, request.order] += reply.source == "batch"
        return reply

    async def go() -> tuple[Any, Any, Meter]:
        async with serving() as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url, "mode": "batch"}
            config = small_run({"mine": entry}, dict.fromkeys(ROLES, "mine"))
            meter = Meter(config.budget)
            await run_all(config, tmp_path / "run", meter=meter)
            return await server.get("/count"), await server.get("/v1/files"), meter

    monkeypatch.setattr(Door, "ask", counted_ask)
    counts, files, meter = asyncio.run(go())
    assert tables_of(tmp_path / "run") == online
    assert counts["requests"] == 0 and counts["batch_lines"] == meter.requests == meter.replies["batch"]
    longest: dict[str, int] = {}
    for (stage, _), calls in chains.items():
        longest[stage] = max(calls, longest.get(stage, 0))
    assert counts["batches"] <= sum(longest.values()) + 3 < counts["batch_lines"] / 2
    assert files["data"] == [], "files are deleted when their replies are stored"
    assert meter.in_flight == meter.waiting == 0


def test_a_killed_process_picks_up_its_open_batches_and_nothing_is_sent_twice(
    online: dict[str, bytes], tmp_path: Path
) -> None:
    held, sent = True, asyncio.Event()

    async def between(request: web.Request, handler: Handler) -> Any:
        if held and request.method == "GET" and request.path.startswith("/v1/batches/"):
            return web.json_response({"id": request.path.rpartition("/")[2], "status": "in_progress"})
        if request.method == "POST" and request.path == "/v1/batches":
            sent.set()
        return await handler(request)

    async def go() -> Any:
        nonlocal held
        async with serving(between=between) as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url, "mode": "batch"}
            config = small_run({"mine": entry}, dict.fromkeys(ROLES, "mine"))
            (tmp_path / "c.yaml").write_text(dump_config(config))
            command = ["run", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "run"), "--engine", "plain"]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "prose_data", *command, stderr=subprocess.DEVNULL
            )
            await asyncio.wait_for(sent.wait(), 30)
            await asyncio.sleep(0.1)
            process.kill()
            await process.wait()
            held = False
            await run_all(config, tmp_path / "run")
            return await server.get("/count")

    counts = asyncio.run(go())
    assert tables_of(tmp_path / "run") == online
    assert counts["batch_lines"] == replies_in(tmp_path / "run"), (
        "every line that was sent is a reply, and none was sent twice"
    )


def test_the_batches_of_a_killed_process_are_taken_up_whatever_was_known_of_them(tmp_path: Path) -> None:
    """One has its id, one was made at the endpoint unknown to us, one never was; and one is gone there."""
    names = [f"name-{n}" for n in range(4)]
    keys = [key_for(text) for text in TEXTS]

    async def go() -> tuple[list[str], Any, list[OpenBatch]]:
        async with serving() as server:
            config = config_of(server.url)
            async with openai.AsyncOpenAI(api_key="k", base_url=server.url) as client:
                ids = [
                    await submit(client, names[n], [(keys[n], TEXTS[n]), (keys[n + 4], TEXTS[n + 4])])
                    for n in (0, 1)
                ]
            place = f"{server.url} sim-strong"
            store = Store(tmp_path / "store")
            for n, batch_id in enumerate((ids[0], None, None, "batch-999")):
                in_it = (keys[n], keys[n + 4]) if n < 2 else (keys[n],)
                store.save_batch(OpenBatch(names[n], place, batch_id, None, in_it))
            store.save_batch(OpenBatch("other", "elsewhere", "x", None, (keys[0],)))
            store.close()
            async with open_door(config, tmp_path / "store") as door:
                texts = await ask(door, *TEXTS[:4])
            store = Store(tmp_path / "store")
            assert all(store.get(keys[n]) is not None for n in range(6)), "also those that nobody waited for"
            left = [*store.open_batches(place), *store.open_batches("elsewhere")]
            store.close()
            return texts, await server.get("/count"), left

    texts, counts, left = asyncio.run(go())
    assert texts == expected(*TEXTS[:4])
    assert counts["batch_lines"] == 4 + 2, (
        "what was in no batch, or in one that is gone, is sent in a new one"
    )
    assert [batch.name for batch in left] == ["other"]


def key_for(text: str) -> bytes:
    return key_of(
        {"model": "sim-strong", "messages": [{"role": "user", "content": text}], "seed": 0}, "openai"
    )


async def submit(client: openai.AsyncOpenAI, name: str, lines: list[tuple[bytes, str]]) -> str:
    content = b""
    for key, text in lines:
        body = {"model": "sim-strong", "messages": [{"role": "user", "content": text}], "seed": 0}
        line = {"custom_id": key.hex(), "method": "POST", "url": "/v1/chat/completions", "body": body}
        content += orjson.dumps(line) + b"\n"
    file = await client.files.create(file=("a", content), purpose="batch")
    made = await client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={batch_api.LABEL: name},
    )
    return made.id


def test_expired_and_failed_lines_go_into_the_next_batch(tmp_path: Path) -> None:
    texts = tuple(f"subject {n}" for n in range(60))

    async def go() -> tuple[list[str], Any, Meter]:
        faults = Faults(batches=BatchFaults(expire_rate=0.2, error_rate=0.2, seed=2))
        async with serving(faults) as server, open_door(config_of(server.url), tmp_path / "s") as door:
            return await ask(door, *texts), await server.get("/count"), door.meter

    got, counts, meter = asyncio.run(go())
    assert tuple(got) == tuple(expected(*texts))
    assert 2 <= counts["batches"] <= 10 and counts["batch_lines"] == meter.requests == 60 + meter.retries


def test_what_expires_every_time_is_a_failure_after_all_attempts(tmp_path: Path) -> None:
    async def go() -> tuple[list[str], Any]:
        faults = Faults(batches=BatchFaults(expire_rate=1.0))
        async with (
            serving(faults) as server,
            open_door(config_of(server.url, attempts=3), tmp_path / "s") as door,
        ):
            return await ask(door, *TEXTS[:2]), await server.get("/count")

    got, counts = asyncio.run(go())
    assert got == ["failed: batch_expired"] * 2 and counts["batches"] == 3


@pytest.mark.parametrize(("name", "most"), [("MOST_LINES", 3), ("MOST_BYTES", 700)])
def test_what_is_too_much_for_one_batch_becomes_several_at_once(
    name: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, name, most)
    sizes: list[int] = []

    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.method == "POST":
            made = orjson.loads(response.body)
            sizes.append(
                made.get("bytes", 0)
                if name == "MOST_BYTES"
                else made.get("request_counts", {}).get("total", 0)
            )
        return response

    async def go() -> tuple[list[str], Any]:
        async with (
            serving(between=between) as server,
            open_door(config_of(server.url), tmp_path / "s") as door,
        ):
            return await ask(door, *TEXTS), await server.get("/count")

    got, counts = asyncio.run(go())
    assert got == expected(*TEXTS) and counts["batches"] == len(sizes) // 2 > 1 and counts["batch_lines"] == 7
    assert max(sizes) <= most


def test_a_budget_stops_a_run_in_batch_mode_when_what_was_sent_has_landed(
    online: dict[str, bytes], tmp_path: Path
) -> None:
    async def go() -> tuple[int, Any, Any]:
        async with serving() as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url, "mode": "batch"}
            roles = dict.fromkeys(ROLES, "mine")
            limited = small_run({"mine": entry}, roles, budget={"max_requests": 6})
            (tmp_path / "c.yaml").write_text(dump_config(limited))
            command = ["run", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "run"), "--engine", "plain"]
            said = await asyncio.to_thread(CliRunner().invoke, app, command)
            assert "budget.max_requests is used up (6 of 6)" in said.stderr
            stopped = await server.get("/count")
            await run_all(small_run({"mine": entry}, roles), tmp_path / "run", stages=("synthesize",))
            return said.exit_code, stopped, await server.get("/count")

    code, stopped, ended = asyncio.run(go())
    assert code == 3 and stopped["batch_lines"] == 6
    part = Path("samples", "part-00000.parquet")
    assert (tmp_path / "run" / part).read_bytes() == online[str(part)]
    assert ended["batch_lines"] == replies_in(tmp_path / "run"), "what landed is not asked for again"


@pytest.mark.parametrize("judge", ["simulated", "online", "batch"])
def test_lanes_mix(judge: str, online: dict[str, bytes], tmp_path: Path) -> None:
    async def go() -> Any:
        async with serving(Faults(latency=0.002)) as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url}
            judges: dict[str, dict[str, Any]] = {
                "simulated": {"backend": "simulated", "model": "sim-strong"},
                "online": entry,
                "batch": {**entry, "mode": "batch"},
            }
            models = {"mine": {**entry, "mode": "batch"}, "judge": judges[judge], "inferrer": entry}
            roles = {"human": "mine", "writer": "mine", "inferrer": "inferrer", "judge": "judge"}
            await asyncio.wait_for(run_all(small_run(models, roles), tmp_path / "run"), 20)
            return await server.get("/count")

    counts = asyncio.run(go())
    assert tables_of(tmp_path / "run") == online
    assert 0 < counts["batches"] <= counts["batch_lines"] / 1.5, "units wait for each other"


def between_polls(*answers: Callable[[], web.Response] | None) -> Between:
    """Return what gives these answers, one after the other, instead of how a batch is doing; None: no answer."""
    left = list(answers)

    async def between(request: web.Request, handler: Handler) -> Any:
        if left and request.method == "GET" and request.path.startswith("/v1/batches/"):
            answer = left.pop(0)
            if answer is not None:
                return answer()
            assert request.transport is not None
            request.transport.abort()
        return await handler(request)

    return between


def run_with(
    between: Between, tmp_path: Path, *texts: str, faults: Faults | None = None, **model: Any
) -> tuple[list[str], Any]:
    async def go() -> tuple[list[str], Any]:
        async with (
            serving(faults, between) as server,
            open_door(config_of(server.url, **model), tmp_path / "s") as door,
        ):
            got = await asyncio.wait_for(ask(door, *texts), 10)
            return got, await server.get("/count")

    return asyncio.run(go())


def refusal(status: int, message: str = "scripted") -> web.Response:
    return web.json_response({"error": {"message": message, "code": None}}, status=status)


def test_polls_that_fail_are_tried_again(tmp_path: Path) -> None:
    between = between_polls(
        lambda: refusal(500),
        lambda: refusal(429),
        lambda: web.Response(text="<html>"),
        lambda: web.json_response([1]),
        lambda: web.json_response({"id": 7}),
        lambda: web.json_response({"id": "b", "status": ["odd"], "errors": {"data": [None]}}),
        lambda: refusal(503),
        None,
    )
    got, counts = run_with(between, tmp_path, *TEXTS)
    assert got == expected(*TEXTS) and counts["batch_lines"] == 7


def test_a_batch_that_was_made_though_its_creation_failed_is_found_and_not_paid_twice(tmp_path: Path) -> None:
    tries = 0

    async def between(request: web.Request, handler: Handler) -> Any:
        nonlocal tries
        if request.method == "POST" and request.path == "/v1/batches":
            tries += 1
            if tries == 1:
                return refusal(503)
            await handler(request)
            return refusal(504)
        return await handler(request)

    got, counts = run_with(between, tmp_path, *TEXTS)
    assert got == expected(*TEXTS) and counts["batch_lines"] == 7 and tries == 2


@pytest.mark.parametrize(
    ("status", "path", "says"),
    [
        (401, "/v1/files", "refuses the key in the environment variable PROSE_TEST_KEY"),
        (403, "/v1/batches", "refuses the key"),
        (404, "/v1/files", "mode online"),
        (400, "/v1/batches", "HTTP 400, no \\*\\*\\* for you"),
    ],
)
def test_a_refusal_stops_the_run_and_does_not_show_the_key(
    status: int, path: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-plantedsecret0123456789"
    monkeypatch.setenv("PROSE_TEST_KEY", key)

    async def between(request: web.Request, handler: Handler) -> Any:
        assert request.headers["Authorization"] == f"Bearer {key}"
        return refusal(status, f"no {key}\x1b for you") if request.path == path else await handler(request)

    with pytest.raises(EndpointError, match=says) as caught:
        run_with(between, tmp_path, *TEXTS, api_key_env="PROSE_TEST_KEY")
    shown = "".join(traceback.format_exception(caught.value))
    assert key not in shown and "secret0123" not in shown and "\x1b" not in str(caught.value)
    assert key.encode() not in (tmp_path / "s").read_bytes()


def test_where_nothing_answers_the_run_stops_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_api, "_TO_REACH", 0.1)

    async def go() -> None:
        async with open_door(config_of("http://127.0.0.1:9/v1"), tmp_path / "s") as door:
            await ask(door, *TEXTS)

    with pytest.raises(EndpointError, match="the connection does not come about"):
        asyncio.run(go())


def test_a_batch_that_is_not_taken_stops_the_run_with_the_endpoints_reason(tmp_path: Path) -> None:
    async def go() -> list[OpenBatch]:
        async with serving() as server:
            with pytest.raises(EndpointError, match=r"was not taken: The model 'gone' does not exist"):
                async with open_door(config_of(server.url, model="gone"), tmp_path / "s") as door:
                    await ask(door, *TEXTS)
            store = Store(tmp_path / "s")
            left = store.open_batches(f"{server.url} gone")
            store.close()
            return left

    assert asyncio.run(go()) == []


def test_where_too_much_is_queued_smaller_batches_go_one_after_the_other(tmp_path: Path) -> None:
    opened: list[int] = []

    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.method == "GET" and request.path.startswith("/v1/batches/"):
            shown = orjson.loads(response.body)
            opened.append(shown["request_counts"]["total"])
            if opened[-1] > 3:
                problem = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached."}
                return web.json_response(
                    {**shown, "status": "failed", "output_file_id": None, "errors": {"data": [problem]}}
                )
        return response

    got, counts = run_with(between, tmp_path, *TEXTS, attempts=1)
    assert got == expected(*TEXTS) and counts["batches"] == 4 and opened == [7, 3, 3, 1]


def test_nothing_in_an_output_file_can_do_harm(tmp_path: Path) -> None:
    """Foreign, doubled, broken and missing lines: what is right counts, and what is missing is asked for again."""
    files = 0

    async def between(request: web.Request, handler: Handler) -> Any:
        nonlocal files
        response = await handler(request)
        if request.path.endswith("/content"):
            files += 1
            if files == 1:
                first, second, third, fourth, fifth, *_ = response.body.split(b"\n")
                other = orjson.loads(second)
                other["response"]["body"]["choices"][0]["message"]["content"] = "not the first reply"
                odd = [
                    {"custom_id": 7},
                    [],
                    None,
                    {"custom_id": "zz", "response": {}},
                    {"custom_id": "ab" * 20},
                ]
                odd += [
                    {
                        "custom_id": orjson.loads(third)["custom_id"],
                        "response": {"status_code": True, "body": 1},
                    }
                ]
                odd += [{**orjson.loads(fourth), "response": {"status_code": 200, "body": None}}]
                odd += [{**orjson.loads(fifth), "response": None, "error": {"code": ["x"], "message": {}}}]
                lines = [
                    b"\xff\xfe",
                    b"[" * 3000,
                    first,
                    second,
                    orjson.dumps(other),
                    first[:-9],
                    *map(orjson.dumps, odd),
                ]
                return web.Response(body=b"\n".join(lines))
        return response

    got, counts = run_with(between, tmp_path, *TEXTS)
    assert got == expected(*TEXTS) and counts["batch_lines"] == 7 + 5


def test_a_refused_parameter_is_left_out_of_the_next_batch(tmp_path: Path) -> None:
    seen: list[bool] = []

    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.path.endswith("/content") and not seen:
            seen.append(True)
            lines = [orjson.loads(line) for line in response.body.splitlines()]
            error = {"error": {"message": "Unknown parameter: 'seed' is not supported.", "code": None}}
            answers = [{**line, "response": {"status_code": 400, "body": error}} for line in lines]
            return web.Response(body=b"\n".join(map(orjson.dumps, answers)))
        return response

    got, counts = run_with(between, tmp_path, *TEXTS)
    assert got == expected(*TEXTS) and counts["batches"] == 2 and counts["batch_lines"] == 14


def test_lines_are_split_at_newlines_alone(tmp_path: Path) -> None:
    """U+2028 and U+0085 stand in JSON as they are, and end no line."""
    text = "one\u2028two\x85three"

    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.path.endswith("/content"):
            line = orjson.loads(response.body)
            line["response"]["body"]["choices"][0]["message"]["content"] = text
            return web.Response(body=orjson.dumps(line))
        return response

    assert run_with(between, tmp_path, "x")[0] == [text]


def test_two_processes_that_wait_for_one_batch_both_get_its_replies(tmp_path: Path) -> None:
    """The slower one finds the output gone, as the other has stored it and deleted the file."""
    sent = asyncio.Event()
    clients: set[Any] = set()

    async def between(request: web.Request, handler: Handler) -> Any:
        if request.method == "GET" and request.path.startswith("/v1/batches/"):
            assert request.transport is not None
            clients.add(request.transport.get_extra_info("peername"))
            if len(clients) < 2:
                return web.json_response({"id": "b", "status": "in_progress"})
        response = await handler(request)
        if request.path == "/v1/batches":
            sent.set()
        return response

    async def go() -> tuple[list[str], list[str], Any]:
        async with serving(between=between) as server:

            async def run() -> list[str]:
                async with open_door(config_of(server.url), tmp_path / "s") as door:
                    return await ask(door, *TEXTS)

            first = asyncio.create_task(run())
            await asyncio.wait_for(sent.wait(), 10)
            second = asyncio.create_task(run())
            return await first, await second, await server.get("/count")

    first, second, counts = asyncio.run(go())
    assert first == second == expected(*TEXTS) and counts["batch_lines"] == 7


def test_who_gives_up_before_the_batch_is_not_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_QUIET", 0.1)

    async def go() -> Any:
        async with serving() as server, open_door(config_of(server.url), tmp_path / "s") as door:
            leaving = asyncio.create_task(ask(door, "leaving"))
            staying = asyncio.create_task(ask(door, "staying"))
            await asyncio.sleep(0.03)
            leaving.cancel()
            assert await staying == expected("staying")
            return await server.get("/count")

    assert asyncio.run(go())["batch_lines"] == 1


def test_a_reply_with_half_a_character_is_read_as_online(tmp_path: Path) -> None:
    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.path.endswith("/content"):
            line = orjson.loads(response.body)
            line["response"]["body"]["choices"][0]["message"]["content"] = "HALF"
            return web.Response(body=orjson.dumps(line).replace(b"HALF", b"a \\ud83d b"))
        return response

    got, counts = run_with(between, tmp_path, "x", attempts=2)
    assert got == ["a \ufffd b"] and counts["batch_lines"] == 1


def test_a_refused_parameter_costs_no_attempt(tmp_path: Path) -> None:
    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.path.endswith("/content") and not seen:
            seen.append(True)
            error = {"error": {"message": "Unknown parameter: 'seed' is not supported.", "code": None}}
            line = orjson.loads(response.body)
            return web.Response(body=orjson.dumps({**line, "response": {"status_code": 400, "body": error}}))
        return response

    seen: list[bool] = []
    assert run_with(between, tmp_path, "x", attempts=1)[0] == expected("x")


def test_entries_of_one_endpoint_and_model_share_their_batches(tmp_path: Path) -> None:
    """Else the second takes the first one's open batch for that of an earlier process."""
    sent, free = asyncio.Event(), asyncio.Event()
    first_client: list[Any] = []

    async def between(request: web.Request, handler: Handler) -> Any:
        if request.method == "GET" and request.path.startswith("/v1/batches/"):
            assert request.transport is not None
            client = request.transport.get_extra_info("peername")
            first_client.append(client)
            if client == first_client[0] and not free.is_set():
                return web.json_response({"id": request.path.rpartition("/")[2], "status": "in_progress"})
        response = await handler(request)
        if request.path == "/v1/batches":
            sent.set()
        return response

    async def go() -> tuple[Meter, list[int]]:
        async with serving(between=between) as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url, "mode": "batch"}
            models = {"a": {**entry, "temperature": 0.0}, "b": {**entry, "temperature": 1.0}}
            roles = {**dict.fromkeys(ROLES, "a"), "writer": "b"}
            config = parse_config({"models": models, "roles": roles}, "t")
            async with open_door(config, tmp_path / "s") as door:
                view = door.view("infer", 0)
                first = asyncio.create_task(view([{"role": "user", "content": "one"}], role="writer"))
                await asyncio.wait_for(sent.wait(), 10)
                second = asyncio.create_task(view([{"role": "user", "content": "two"}], role="judge"))
                await asyncio.sleep(0.4)
                free.set()
                await asyncio.gather(first, second)
            with closing(sqlite3.connect(tmp_path / "s")) as db:
                return door.meter, [size for (size,) in db.execute("SELECT length(request) FROM replies")]

    meter, sizes = asyncio.run(go())
    assert dict(meter.replies) == {"batch": 2}
    assert min(sizes) > 0, "what was asked is stored beside every reply"


def test_a_reply_from_an_older_batch_for_a_request_that_is_gathered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes sent it and were killed: one batch brings nothing, and then, while it waits anew, the other does."""
    monkeypatch.setattr(batch, "_QUIET", 0.5)
    key = key_for(TEXTS[0])
    gone = asyncio.Event()

    async def between(request: web.Request, handler: Handler) -> Any:
        if request.method == "GET" and request.path.startswith("/v1/batches/"):
            if request.path.endswith("batch-gone"):
                gone.set()
            elif not gone.is_set():
                return web.json_response({"id": request.path.rpartition("/")[2], "status": "in_progress"})
        return await handler(request)

    async def go() -> list[str]:
        async with serving(between=between) as server:
            async with openai.AsyncOpenAI(api_key="k", base_url=server.url) as client:
                there = await submit(client, "a", [(key, TEXTS[0])])
            store = Store(tmp_path / "store")
            for name, batch_id in (("a", there), ("z", "batch-gone")):
                store.save_batch(OpenBatch(name, f"{server.url} sim-strong", batch_id, None, (key,)))
            store.close()
            async with open_door(config_of(server.url), tmp_path / "store") as door:
                return await ask(door, *TEXTS[:2])

    assert asyncio.run(go()) == expected(*TEXTS[:2])


def test_where_one_of_several_open_batches_is_refused_the_others_are_kept_for_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MOST_LINES", 3)
    refused: set[str] = set()

    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.method == "GET" and request.path.startswith("/v1/batches/") and len(refused) < 2:
            if not refused:
                refused.add(request.path)
                problem = {"code": "scripted", "message": "no reason"}
                shown = {**orjson.loads(response.body), "status": "failed", "output_file_id": None}
                return web.json_response({**shown, "errors": {"data": [problem]}})
            return web.json_response({"id": request.path.rpartition("/")[2], "status": "in_progress"})
        return response

    async def go() -> tuple[list[str], Any]:
        async with serving(between=between) as server:
            with pytest.raises(EndpointError, match="was not taken: no reason"):
                async with open_door(config_of(server.url), tmp_path / "s") as door:
                    await ask(door, *TEXTS)
            refused.add("no more")
            async with open_door(config_of(server.url), tmp_path / "s") as door:
                return await ask(door, *TEXTS), await server.get("/count")

    got, counts = asyncio.run(go())
    assert got == expected(*TEXTS)
    refused_lines = counts["batch_lines"] - 7
    assert refused_lines in (1, 3), "only the refused batch is sent again"
