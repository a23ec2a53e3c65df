"""Where a process dies between two steps, others interfere, a lock never ends, or several shards go on at once."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import openai
import orjson
import polars as pl
import pytest
from aiohttp import web

import prose_data.llm.batch as batch
import prose_data.llm.batch_api as batch_api
import prose_data.llm.store as store_module
from prose_data.config import Budget, parse_config
from prose_data.errors import InputError
from prose_data.llm.door import open_door
from prose_data.llm.meter import Known, Meter
from prose_data.llm.store import OpenBatch, Store
from prose_data.runs import STAGES
from prose_data.stages import run_all, shards_at_once, started, workers_of
from prose_data.workload import count_units
from tests.stores import key, reply
from tests.test_batch import (
    ROLES,
    TEXTS,
    Handler,
    ask,
    config_of,
    expected,
    key_for,
    run_with,
    serving,
    submit,
)

REFUSED = {"error": {"message": "Unknown parameter: 'seed' is not supported.", "code": None}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_QUIET", 0.01)
    monkeypatch.setattr(batch_api, "_FIRST_POLL", 0.005)
    monkeypatch.setattr(batch_api, "_LONGEST_POLL", 0.05)


class Died(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    ("owner", "step", "before"),
    [
        (batch_api.BatchApi, "upload", True),
        (batch_api.BatchApi, "create", True),
        (batch_api.BatchApi, "create", False),
        (batch_api.BatchApi, "ended", True),
        (Store, "put_many", True),
        (Store, "put_many", False),
        (Store, "drop_batch", False),
    ],
)
def test_at_whatever_step_a_process_ends_the_next_one_pays_for_nothing_twice(
    owner: type[Any], step: str, before: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(owner, step)

    def dying(*arguments: Any) -> Any:
        if before:
            raise Died(step)
        done = real(*arguments)
        if not asyncio.iscoroutine(done):
            raise Died(step)

        async def finish() -> None:
            await done
            raise Died(step)

        return finish()

    async def go() -> tuple[list[str], Any]:
        async with serving() as server:
            monkeypatch.setattr(owner, step, dying)
            with pytest.raises(Died):
                async with open_door(config_of(server.url), tmp_path / "s") as door:
                    await ask(door, *TEXTS)
            monkeypatch.setattr(owner, step, real)
            if step == "ended":
                with closing(sqlite3.connect(tmp_path / "s")) as db:
                    assert db.execute("SELECT count(batch_id), count(file_id) FROM batches").fetchone() == (
                        1,
                        1,
                    )
            async with open_door(config_of(server.url), tmp_path / "s") as door:
                got = await ask(door, *TEXTS)
            return got, await server.get("/count")

    got, counts = asyncio.run(go())
    assert got == expected(*TEXTS) and counts["batch_lines"] == 7


def test_while_an_online_request_is_in_flight_what_waits_is_not_sent(tmp_path: Path) -> None:
    """The other piece of work may want something of the batch too, once its reply is there."""

    async def between(request: web.Request, handler: Handler) -> Any:
        if request.path.endswith("/chat/completions"):
            await asyncio.sleep(0.2)
        return await handler(request)

    async def go() -> Any:
        async with serving(between=between) as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url}
            models = {"a": {**entry, "mode": "batch"}, "b": {**entry, "temperature": 1.0}}
            config = parse_config(
                {"models": models, "roles": {**dict.fromkeys(ROLES, "a"), "judge": "b"}}, "t"
            )
            async with open_door(config, tmp_path / "s") as door:

                async def later() -> None:
                    await door.view("infer", 0)([{"role": "user", "content": "one"}], role="judge")
                    await ask(door, "two")

                await asyncio.gather(ask(door, "three"), later())
            return await server.get("/count")

    assert asyncio.run(go())["batches"] == 1


def test_what_waits_goes_in_the_end_although_other_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_PATIENCE", 0.1)

    async def go() -> list[str]:
        async with serving() as server, open_door(config_of(server.url), tmp_path / "s") as door:
            door.meter.in_flight += 1  # and stays there
            return await asyncio.wait_for(ask(door, *TEXTS[:2]), 10)

    assert asyncio.run(go()) == expected(*TEXTS[:2])


def test_a_sound_line_of_another_batch_is_not_stored(tmp_path: Path) -> None:
    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.path.endswith("/content"):
            foreign = {**orjson.loads(response.body), "custom_id": key(1).hex()}
            return web.Response(body=response.body + b"\n" + orjson.dumps(foreign))
        return response

    assert run_with(between, tmp_path, "x")[0] == expected("x")
    with closing(sqlite3.connect(tmp_path / "s")) as db:
        assert db.execute("SELECT key FROM replies").fetchall() == [(key_for("x"),)]


def test_what_another_process_stored_meanwhile_is_not_asked_for_again(tmp_path: Path) -> None:
    """Both waited for one batch; the other one took its replies in, and the endpoint has forgotten the batch."""
    wanted = key_for("x")

    async def between(request: web.Request, handler: Handler) -> Any:
        if request.path.endswith("/batches/batch-gone"):
            other = Store(tmp_path / "s")
            other.put_many([(wanted, reply("from elsewhere"), b"{}")])
            other.close()
        return await handler(request)

    async def go() -> tuple[list[str], Any]:
        async with serving(between=between) as server:
            store = Store(tmp_path / "s")
            store.save_batch(OpenBatch("a", f"{server.url} sim-strong", "batch-gone", None, (wanted,)))
            store.close()
            async with open_door(config_of(server.url), tmp_path / "s") as door:
                return await ask(door, "x"), await server.get("/count")

    got, counts = asyncio.run(go())
    assert got == ["from elsewhere"] and counts["batch_lines"] == 0


def test_a_parameter_refused_to_an_earlier_process_is_spared_though_it_is_known_by_then(
    tmp_path: Path,
) -> None:
    async def between(request: web.Request, handler: Handler) -> Any:
        response = await handler(request)
        if request.path.endswith("/content") and not seen:
            seen.append(True)
            line = {**orjson.loads(response.body), "response": {"status_code": 400, "body": REFUSED}}
            return web.Response(body=orjson.dumps(line))
        return response

    async def go() -> list[str]:
        async with serving(between=between) as server:
            async with openai.AsyncOpenAI(api_key="k", base_url=server.url) as client:
                there = await submit(client, "a", [(key_for(TEXTS[0]), TEXTS[0])])
            store = Store(tmp_path / "s")
            place = f"{server.url} sim-strong"
            store.save_batch(OpenBatch("a", place, there, None, (key_for(TEXTS[0]),)))
            store.close()
            meter, known = Meter(Budget()), Known()
            body = {"seed": 1}
            assert known.dialect.learn(body, known.dialect.apply(body)[1], "seed is not supported")
            meter.known[server.url, "sim-strong"] = known
            async with open_door(config_of(server.url), tmp_path / "s", meter) as door:
                return await ask(door, TEXTS[0])

    seen: list[bool] = []
    assert asyncio.run(go()) == expected(TEXTS[0])


def test_a_lock_counts_by_itself_however_often_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "PATIENCE", 0.5)

    async def go() -> None:
        store = Store(tmp_path / "s")
        with closing(sqlite3.connect(tmp_path / "s", isolation_level=None)) as other:
            for number in range(4):
                other.execute("BEGIN IMMEDIATE")
                put = asyncio.create_task(store.put(key(number), reply(), b"{}"))
                await asyncio.sleep(0.2)
                other.execute("ROLLBACK")
                await put
        assert store.get(key(3)) is not None
        store.close()

    asyncio.run(go())


def test_who_waits_for_a_lock_that_never_ends_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "PATIENCE", 0.2)

    async def go() -> None:
        store = Store(tmp_path / "s")
        with closing(sqlite3.connect(tmp_path / "s", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(InputError, match="locked"):
                await asyncio.wait_for(store.put(key(1), reply(), b"{}"), 10)
            other.execute("ROLLBACK")
        await store.put(key(2), reply(), b"{}")
        assert store.get(key(1)) is None and store.get(key(2)) is not None
        store.close()

    asyncio.run(go())


RUN: dict[str, Any] = {
    "seeds": [0],
    "tasks": ["email"],
    "users": {"count": 3},
    "samples": {"per_user": 2},
    "methods": ["no_learning"],
    "metrics": ["ppcm"],
    "shards": {"users": 1},
}


def test_so_many_shards_go_on_that_no_worker_is_idle_while_one_ends() -> None:
    simulated = parse_config(RUN, "t")
    remote = parse_config({**RUN, "models": {"default": {"backend": "openai", "concurrency": 64}}}, "t")
    assert shards_at_once(simulated, "infer", 16) == 1
    assert [shards_at_once(remote, "infer", units) for units in (0, 16, 64, 65, 1000)] == [65, 5, 2, 2, 2]


def test_the_model_with_the_most_concurrency_says_how_many_units_go_on_at_once() -> None:
    models = {"default": {"concurrency": 3}, "many": {"concurrency": 30}}
    config = parse_config({**RUN, "models": models, "roles": {"inferrer": "many"}}, "t")
    assert [workers_of(config, *roles) for roles in (("writer", "inferrer"), ("writer",))] == [30, 3]


def test_shards_that_go_on_at_once_keep_their_own_requests(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving() as server:
            entry = {"backend": "openai", "model": "sim-strong", "base_url": server.url}
            run = await run_all(parse_config({**RUN, "models": {"default": entry}}, "t"), tmp_path / "run")
            parts = [pl.read_parquet(run.part("requests", shard, "infer")) for shard in range(3)]
            assert [part.height for part in parts] == [2, 2, 2], "the drafts of one user each"

    asyncio.run(go())


def test_what_is_left_of_a_run_is_counted_by_stage(tmp_path: Path) -> None:
    config, stages = parse_config(RUN, "t"), STAGES
    with started(config, tmp_path / "run") as run:
        nothing_done = {"synthesize": 3, "infer": 3, "score": 6}
        assert count_units(run, stages) == (nothing_done, nothing_done)
    asyncio.run(run_all(config, tmp_path / "run", stages=("synthesize", "infer")))
    with started(config, tmp_path / "run") as run:
        missing, totals = count_units(run, stages)
        assert missing == {"synthesize": 0, "infer": 0, "score": 6} and totals == nothing_done
        run.part("inferences", 1).unlink()
        assert count_units(run, stages) == ({"synthesize": 0, "infer": 1, "score": 6}, nothing_done)
