"""A request store of one file per reply: first come first kept, shared by processes, on this disk and in an object store."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from prose_data.errors import InputError, RequestFailed
from prose_data.llm.door import open_door
from prose_data.llm.reply_folder import ReplyFolder, is_reply_folder
from prose_data.llm.store import Store, key_of
from prose_data.llm.store_tools import move_to
from prose_data.llm.types import Reply, Request
from tests.endpoint import config_for
from tests.stores import key, reply, request
from tests.test_remote import bucket, s3  # noqa: F401


@pytest.fixture(params=["folder", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of each kind."""
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/replies/"
    return f"{tmp_path}/replies/" if request.param == "folder" else f"{tmp_path.as_uri()}/replies/"


def test_a_reply_comes_back_and_the_first_one_stays(place: str) -> None:
    async def go() -> tuple[Reply, Reply]:
        with closing(ReplyFolder(place)) as folder:
            one = await folder.put(key(1), reply("one"), b"{}")
            return one, await folder.put(key(1), reply("two"), b"{}")

    one, two = asyncio.run(go())
    assert one == reply("one")
    with closing(ReplyFolder(place)) as folder:
        assert folder.get(key(2)) is None
        assert folder.get(key(1)) == two == Reply("one", "stop", 12, 5, "m-1", "store", rung="json")


def test_a_file_lies_where_its_key_says_with_its_request(tmp_path: Path) -> None:
    async def go() -> None:
        with closing(ReplyFolder(f"{tmp_path}/")) as folder:
            await folder.through(answering(), "openai")(request(1))

    asyncio.run(go())
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    name = key_of(request(1).body, "openai").hex()
    assert file == tmp_path / name[:2] / f"{name}.json"
    assert orjson.loads(orjson.loads(file.read_bytes())["request"]) == request(1).body


class answering:
    """A `Send` that counts, answers after a moment, and fails with `errors` first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.bodies: list[object] = []

    async def __call__(self, asked: Request) -> Reply:
        self.bodies.append(asked.body["seed"])
        await asyncio.sleep(0.02)
        if self.errors:
            raise self.errors.pop(0)
        return reply(f"to {asked.body['seed']}")


def test_equal_requests_are_sent_once(place: str) -> None:
    send = answering()

    async def go() -> list[Reply]:
        with closing(ReplyFolder(place)) as folder:
            stored = folder.through(send, "openai")
            return await asyncio.gather(*(stored(request(n % 3)) for n in range(9)))

    found = asyncio.run(go())
    assert [one.text for one in found] == [f"to {n % 3}" for n in range(9)]
    assert sorted(one.source for one in found) == ["endpoint"] * 3 + ["store"] * 6
    again = asyncio.run(go())
    assert {one.source for one in again} == {"store"} and sorted(send.bodies) == [0, 1, 2]


def test_a_failure_is_everybody_s_and_is_not_stored(tmp_path: Path) -> None:
    send = answering(RequestFailed("timeout", "late"))

    async def go() -> list[Reply | BaseException]:
        with closing(ReplyFolder(f"{tmp_path}/")) as folder:
            stored = folder.through(send, "openai")
            first = await asyncio.gather(stored(request()), stored(request()), return_exceptions=True)
            return [*first, await stored(request())]

    one, two, three = asyncio.run(go())
    assert isinstance(one, RequestFailed) and isinstance(two, RequestFailed)
    assert isinstance(three, Reply) and len(send.bodies) == 2


def test_who_asked_first_may_go(tmp_path: Path) -> None:
    send = answering()

    async def go() -> Reply:
        with closing(ReplyFolder(f"{tmp_path}/")) as folder:
            stored = folder.through(send, "openai")
            first = asyncio.create_task(stored(request()))
            await asyncio.sleep(0.01)
            second = asyncio.create_task(stored(request()))
            await asyncio.sleep(0)
            first.cancel()
            return await second

    assert asyncio.run(go()).text == "to 0"


def test_a_put_whose_caller_is_cancelled_is_kept(tmp_path: Path) -> None:
    async def go() -> None:
        with closing(ReplyFolder(f"{tmp_path}/")) as folder:
            putting = asyncio.create_task(folder.put(key(1), reply(), b"{}"))
            await asyncio.sleep(0)
            putting.cancel()
            await asyncio.wait([putting])

    asyncio.run(go())
    with closing(ReplyFolder(f"{tmp_path}/")) as folder:
        assert folder.get(key(1)) is not None


def test_replay_sends_nothing_and_names_what_is_missing(tmp_path: Path) -> None:
    async def go() -> str:
        with closing(ReplyFolder(f"{tmp_path}/")) as folder:
            await folder.through(answering(), "openai")(request(1))
            replay = folder.replay("openai")
            assert (await replay(request(1))).text == "to 1"
            with pytest.raises(InputError) as caught:
                await replay(request(2))
            return str(caught.value)

    said = asyncio.run(go())
    assert key_of(request(2).body, "openai").hex() in said and "--no-offline" in said


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"text": 1}', b'{"text": "a"}'])
def test_a_damaged_file_is_named(data: bytes, tmp_path: Path) -> None:
    name = key(1).hex()
    (tmp_path / name[:2]).mkdir()
    (tmp_path / name[:2] / f"{name}.json").write_bytes(data)
    with (
        closing(ReplyFolder(f"{tmp_path}/")) as folder,
        pytest.raises(InputError, match=f"{name}.json: is damaged"),
    ):
        folder.get(key(1))


def test_what_a_power_cut_left_empty_is_asked_again(tmp_path: Path) -> None:
    name = key(1).hex()
    (tmp_path / name[:2]).mkdir()
    (tmp_path / name[:2] / f"{name}.json").touch()

    async def go() -> None:
        with closing(ReplyFolder(f"{tmp_path}/")) as folder:
            assert folder.get(key(1)) is None
            assert await folder.put(key(1), reply("new"), b"{}") == reply("new")
            assert (found := folder.get(key(1))) is not None and found.text == "new"

    asyncio.run(go())


def test_what_is_no_text_of_unicode_is_kept_as_sqlite_keeps_it(tmp_path: Path) -> None:
    async def go() -> None:
        with closing(ReplyFolder(f"{tmp_path}/")) as folder:
            await folder.put(key(1), reply("a\ud800b"), b"{}")
            assert (found := folder.get(key(1))) is not None and found.text == "a�b"

    asyncio.run(go())


def test_a_store_of_one_file_moves_in(tmp_path: Path) -> None:
    file, at = tmp_path / "store.sqlite", f"{tmp_path}/replies/"

    async def fill() -> None:
        with closing(Store(file)) as store:
            for n in range(3):
                await store.through(answering(), "openai")(request(n))

    asyncio.run(fill())
    with closing(ReplyFolder(at)) as folder:
        move_to(file, folder)
        found = folder.get(key_of(request(2).body, "openai"))
        assert found is not None and (found.text, found.rung) == ("to 2", "json")
    assert [path.name for path in tmp_path.iterdir()] == ["replies"]
    assert len(list(Path(at).rglob("*.json"))) == 3


KILLED = """
import asyncio, sys
from prose_data.llm.reply_folder import ReplyFolder
from prose_data.llm.types import Reply
from prose_data.llm.pool import each

async def main():
    folder = ReplyFolder(sys.argv[1])
    async def put(n):
        await folder.put(b"%020d" % n, Reply("x" * 500 + str(n), "stop", 1, 1, "m", "endpoint"), b"{}")
        print(n, flush=True)
    await each(range(10**9), put, 16)

asyncio.run(main())
"""


def test_a_killed_process_loses_no_reply_that_was_used(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, f"{tmp_path}/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        used = [int(process.stdout.readline()) for _ in range(200)]
        os.kill(process.pid, signal.SIGKILL)
        used += [int(line) for line in process.stdout if line.endswith("\n")]
    with closing(ReplyFolder(f"{tmp_path}/")) as folder:
        for n in used:
            assert (kept := folder.get(b"%020d" % n)) is not None and kept.text.endswith(f"x{n}")


@pytest.mark.parametrize(
    ("name", "folder"),
    [("replies/", True), ("s3://b/replies", True), ("replies", False), ("a/store.sqlite", False)],
)
def test_a_name_says_which_store_it_is(name: str, folder: bool) -> None:
    assert is_reply_folder(name) is folder


def test_batches_need_a_store_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", "k")
    config = config_for("http://127.0.0.1:1/v1", mode="batch")

    async def go() -> None:
        async with open_door(config, f"{tmp_path}/replies/"):
            raise AssertionError("not reached")

    with pytest.raises(InputError, match="mode batch needs a request store of one file"):
        asyncio.run(go())


def test_the_door_answers_from_a_folder_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", "k")
    config = config_for("http://127.0.0.1:1/v1").model_copy(update={"offline": True})

    async def go() -> None:
        async with open_door(config, f"{tmp_path}/replies/") as door:
            await door.view("infer", 0)([{"role": "user", "content": "hi"}], role="judge")

    with pytest.raises(InputError, match="replies/: holds no reply of the judge's model"):
        asyncio.run(go())
