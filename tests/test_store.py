import asyncio
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from prose_data.errors import InputError, RequestFailed
from prose_data.llm.store import OpenBatch, Store, encode, key_of
from prose_data.llm.types import Reply, Request
from tests.stores import BODY, key, reply, request, rows, version_1


def test_a_reply_comes_back_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.sqlite"
    text = "é 😀 \x00 \n\r\u2028 end"

    async def write() -> None:
        store = Store(path)
        await store.put(b"k", reply(text), b"")
        await store.put(b"k", reply("a later one"), b"")
        store.close()

    asyncio.run(write())
    store = Store(path)
    assert store.get(b"k") == Reply(text, "stop", 12, 5, "m-1", "store", rung="json")
    assert store.get(b"other") is None
    store.close()
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["store.sqlite"]


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.5},
        {"seed": 4},
        {"model": "n"},
        {"messages": [{"role": "user", "content": "hi "}]},
        {"messages": [{"role": "system", "content": "hi"}]},
        {"response_format": {"type": "json_object"}},
        {"max_tokens": 10},
    ],
)
def test_every_field_of_the_body_is_in_the_key(change: dict[str, object]) -> None:
    assert key_of({**BODY, **change}, "openai") != key_of(BODY, "openai")


def test_replies_of_an_older_version_are_found_again() -> None:
    assert key_of(BODY, "openai").hex() == "d2b8fffb83ed22a8b97dd76c4b772b1c49811950"


def test_the_key_knows_no_order_and_tells_backends_apart() -> None:
    assert key_of(dict(reversed(BODY.items())), "openai") == key_of(BODY, "openai")
    assert key_of(BODY, "batch") != key_of(BODY, "openai")
    without = {key: value for key, value in BODY.items() if key != "temperature"}
    assert key_of(without, "openai") != key_of(BODY, "openai")


def test_lone_surrogates_and_large_numbers_are_encoded() -> None:
    assert encode({"b": "x\ud83dy", "a": "\ud83d\ude00"}) == '{"a":"😀","b":"x\ufffdy"}'.encode()
    assert encode({"a": 2**70}) == b'{"a":1180591620717411303424}'


def test_equal_requests_in_flight_share_one(tmp_path: Path) -> None:
    sent: list[Request] = []

    async def send(request: Request) -> Reply:
        sent.append(request)
        await asyncio.sleep(0.01)
        return reply(str(request.body["seed"]))

    async def ask() -> list[Reply]:
        store = Store(tmp_path / "s.sqlite")
        stored = store.through(send, "openai")
        replies = await asyncio.gather(*(stored(request(n % 3)) for n in range(30)))
        store.close()
        return replies

    replies = asyncio.run(ask())
    assert len(sent) == 3
    assert [reply.text for reply in replies] == [str(n % 3) for n in range(30)]
    assert [reply.source for reply in replies].count("endpoint") == 3
    assert [reply.source for reply in replies].count("store") == 27


def test_a_failure_is_shared_but_never_stored(tmp_path: Path) -> None:
    sent = 0

    async def send(request: Request) -> Reply:
        nonlocal sent
        sent += 1
        await asyncio.sleep(0.01)
        if sent == 1:
            raise RequestFailed("timeout", "too slow")
        return reply()

    async def ask() -> tuple[list[object], Reply]:
        store = Store(tmp_path / "s.sqlite")
        stored = store.through(send, "openai")
        both = await asyncio.gather(stored(request()), stored(request()), return_exceptions=True)
        later = await stored(request())
        store.close()
        return list(both), later

    both, later = asyncio.run(ask())
    assert [type(outcome) for outcome in both] == [RequestFailed, RequestFailed]
    assert later.source == "endpoint"
    assert sent == 2


def test_whoever_waits_takes_over_from_a_cancelled_asker(tmp_path: Path) -> None:
    sent = 0

    async def send(request: Request) -> Reply:
        nonlocal sent
        sent += 1
        await asyncio.sleep(0.02)
        return reply()

    async def ask() -> list[Reply]:
        store = Store(tmp_path / "s.sqlite")
        stored = store.through(send, "openai")
        first = asyncio.create_task(stored(request()))
        others = [asyncio.create_task(stored(request())) for _ in range(3)]
        await asyncio.sleep(0.005)
        others[0].cancel()  # a cancelled follower must not take the flight down either
        first.cancel()
        replies = await asyncio.gather(*others[1:])
        store.close()
        return replies

    assert [reply.source for reply in asyncio.run(ask())] == ["endpoint", "store"]
    assert sent == 2


def test_a_reply_that_is_there_is_shared_although_its_asker_is_gone(tmp_path: Path) -> None:
    sent = 0

    async def send(request: Request) -> Reply:
        nonlocal sent
        sent += 1
        return reply()

    async def ask() -> Reply:
        store = Store(tmp_path / "s.sqlite")
        stored = store.through(send, "openai")
        first = asyncio.create_task(stored(request()))
        await asyncio.sleep(0)  # it has its reply, which is not committed yet
        second = asyncio.create_task(stored(request()))
        await asyncio.sleep(0)
        first.cancel()
        found = await second
        store.close()
        return found

    assert asyncio.run(ask()).source == "store"
    assert sent == 1


def test_what_was_asked_is_kept_beside_the_reply(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def send(request: Request) -> Reply:
        return reply(str(request.body["seed"]))

    async def ask() -> None:
        store = Store(path)
        stored = store.through(send, "openai")
        await asyncio.gather(*(stored(request(n)) for n in range(5)))
        store.close()

    before = time.time()
    asyncio.run(ask())
    for at, body, text, rung, created in rows(path, "key, request, text, rung, created"):
        assert isinstance(body, bytes) and isinstance(text, str) and isinstance(created, float)
        assert body == encode({**BODY, "seed": int(text)})
        assert at == hashlib.blake2b(b"openai\0" + body, digest_size=20).digest()
        assert rung == "json"
        assert before <= created <= time.time()


def test_many_replies_are_committed_at_once_and_earlier_ones_stay(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "s.sqlite"), Store(tmp_path / "s.sqlite")
    store.put_many([(key(1), reply("first"), b"{}")])
    store.put_many([(key(n), reply("later"), b"{}") for n in range(3)])
    found = [other.get(key(n)) for n in range(4)]
    assert [kept and kept.text for kept in found] == ["later", "first", "later", None]
    store.close()
    other.close()


def test_open_batches_are_kept_until_they_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    keys = tuple(key(n) for n in range(50_000))
    store = Store(path)
    started = time.perf_counter()
    store.save_batch(OpenBatch("a", "http://x/v1 m", None, None, keys))
    store.save_batch(OpenBatch("a", "http://x/v1 m", "batch_1", "file_1", keys))
    assert time.perf_counter() - started < 2
    store.save_batch(OpenBatch("b", "http://x/v1 m", None, "file_2", ()))
    store.save_batch(OpenBatch("c", "http://y/v1 m", None, None, keys[:1]))
    store.close()
    store = Store(path)
    first, second = store.open_batches("http://x/v1 m")
    assert first == OpenBatch("a", "http://x/v1 m", "batch_1", "file_1", keys)
    assert second == OpenBatch("b", "http://x/v1 m", None, "file_2", ())
    store.drop_batch("a")
    store.drop_batch("never there")
    assert [batch.name for batch in store.open_batches("http://x/v1 m")] == ["b"]
    assert [batch.keys for batch in store.open_batches("http://y/v1 m")] == [keys[:1]]
    store.close()


def test_a_replay_says_which_reply_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    sent: list[Request] = []

    async def send(request: Request) -> Reply:
        sent.append(request)
        return reply()

    async def ask() -> str:
        store = Store(path)
        await store.through(send, "openai")(request(1))
        store.close()
        store = Store(path, offline=True)
        replay = store.replay("openai")
        assert (await replay(request(1))).text == "hello"
        long = {**BODY, "messages": [{"role": "user", "content": "\x1b[31mwrite\nan " + "x" * 10**6}]}
        try:
            with pytest.raises(InputError) as caught:
                await replay(Request("judge", long))
        finally:
            store.close()
        assert key_of(long, "openai").hex() in str(caught.value)
        return str(caught.value)

    said = asyncio.run(ask())
    assert len(sent) == 1
    assert all(part in said for part in (str(path), "judge", " m ", "[31mwrite an xxx", "--no-offline"))
    assert "\x1b" not in said and len(said) < len(str(path)) + 250


@pytest.mark.parametrize("offline", [False, True])
def test_everything_else_gets_its_turn_between_answers_of_the_store(tmp_path: Path, offline: bool) -> None:
    async def never(request: Request) -> Reply:
        raise AssertionError("it is in the store")

    async def ask() -> int:
        with closing(Store(tmp_path / "s.sqlite")) as store:
            store.put_many([(key_of(request().body, "openai"), reply(), b"{}")])
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        with closing(Store(tmp_path / "s.sqlite", offline)) as store:
            stored = store.replay("openai") if offline else store.through(never, "openai")
            for _ in range(1000):
                await stored(request())
        counting.cancel()
        return turns

    assert asyncio.run(ask()) > 20


def test_a_put_whose_caller_is_cancelled_is_kept(tmp_path: Path) -> None:
    async def write() -> None:
        store = Store(tmp_path / "s.sqlite")
        task = asyncio.create_task(store.put(b"k", reply(), b"{}"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        store.close()

    asyncio.run(write())
    store = Store(tmp_path / "s.sqlite")
    assert store.get(b"k") is not None
    store.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from prose_data.llm.store import Store
from prose_data.llm.types import Reply
from prose_data.llm.pool import each

async def main():
    store = Store(Path(sys.argv[1]))
    async def put(n):
        await store.put(b"%d" % n, Reply("x" * 500 + str(n), "stop", 1, 1, "m", "endpoint"), b"{}")
        print(n, flush=True)
    await each(range(10**9), put, 16)

asyncio.run(main())
"""


def test_a_killed_process_loses_no_reply_that_was_used(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        used = [int(process.stdout.readline()) for _ in range(300)]
        os.kill(process.pid, signal.SIGKILL)
        used += [int(line) for line in process.stdout if line.endswith("\n")]
    store = Store(path)
    assert all((kept := store.get(b"%d" % n)) is not None and kept.text.endswith(str(n)) for n in used)
    store.close()


SHARING = """
import asyncio, sys
from pathlib import Path
from prose_data.llm.store import Store
from prose_data.llm.types import Reply
from prose_data.llm.pool import each

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    store = Store(Path(sys.argv[1]))
    put = []
    async def work(n):
        key = b"shared-%d" % n if n % 2 else b"%s-%d" % (sys.argv[2].encode(), n)
        await store.put(key, Reply("x" * 300 + key.decode(), "stop", 1, 1, "m", "endpoint"), b"{}")
        put.append(key)
        assert store.get(put[n * 7919 % len(put)]) is not None
    await each(range(800), work, 16)
    store.close()
    print(*(key.decode() for key in put))

asyncio.run(main())
"""


@pytest.mark.parametrize("old", [False, True])
def test_processes_open_and_fill_a_store_at_the_same_time(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "s.sqlite"
    if old:
        version_1(path)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", SHARING, str(path), str(n)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for n in range(8)
        ]
        for process in processes:
            assert process.stdin is not None and process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        used = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    assert [len(names) for names in used] == [800] * 8
    store = Store(path)
    for name in {name for names in used for name in names}:
        assert (kept := store.get(name.encode())) is not None and kept.text.endswith(name)
    assert (store.get(key(1)) is not None) == old
    store.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["s.sqlite"]


def test_what_must_be_on_disk_at_once_waits_for_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    store = Store(path)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, other.execute, ["COMMIT"])
        release.start()
        store.put_many([(key(1), reply(), b"{}")])
        release.join()
    assert store.get(key(1)) is not None
    store.close()


def test_a_put_waits_while_another_program_holds_the_lock_without_stopping_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def write() -> tuple[bool, bool]:
        store = Store(path)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        put = asyncio.create_task(store.put(b"k", reply(), b"{}"))
        await asyncio.sleep(
            0.2
        )  # would not come back before the lock is given up if the loop itself waited for it
        early = put.done()
        other.execute("COMMIT")
        other.close()
        await put
        found = store.get(b"k") is not None
        store.close()
        return early, found

    assert asyncio.run(write()) == (False, True)


def test_a_store_that_breaks_while_writing_stops_its_callers(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def write() -> None:
        store = Store(path)
        other = sqlite3.connect(path)
        other.execute("DROP TABLE replies")
        other.commit()
        other.close()
        try:
            await store.put(b"k", reply(), b"{}")
        finally:
            store.close()

    with pytest.raises(InputError, match="no such table"):
        asyncio.run(write())
