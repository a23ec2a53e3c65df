import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prose_data.errors import InputError
from prose_data.llm.store import Store
from prose_data.llm.types import Reply
from tests.stores import content, fill, key, reply, rows, version_1


def test_an_older_store_is_brought_up_to_date_in_place(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    version_1(path)
    store = Store(path)
    store.put_many([(key(9), reply(), b"{}")])
    assert store.get(key(1)) == Reply("old 1", "stop", 12, 5, "m-0", "store", rung="text")
    assert store.open_batches("x") == []
    store.close()
    old = [row for row in rows(path, "text, rung, created, request") if str(row[0]).startswith("old")]
    assert sorted(old) == [(f"old {n}", "text", 0.0, b"") for n in range(3)]


@pytest.mark.parametrize("make", [version_1, fill])
def test_offline_answers_from_the_file_and_leaves_it_as_it_is(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "s ?#%.sqlite"  # characters that mean something in a file URI
    make(path)
    before = content(tmp_path)
    store = Store(path, offline=True)
    assert (found := store.get(key(1))) is not None and found.source == "store"
    assert store.get(key(1000)) is None
    with pytest.raises(InputError, match="readonly"):
        store.put_many([(key(1000), reply(), b"{}")])
    store.close()
    assert content(tmp_path) == before


def test_offline_reads_what_a_killed_process_left_in_the_log(tmp_path: Path) -> None:
    path, copy = tmp_path / "a" / "s.sqlite", tmp_path / "b" / "s.sqlite"
    store = Store(path)
    store.put_many([(key(1), reply(), b"{}")])
    copy.parent.mkdir()
    for name in ("s.sqlite", "s.sqlite-wal"):
        shutil.copy(path.with_name(name), copy.with_name(name))
    store.close()
    before = content(copy.parent)
    left = Store(copy, offline=True)
    assert left.get(key(1)) is not None
    left.close()
    assert {name: content(copy.parent)[name] for name in before} == before


def test_offline_needs_a_store_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such request store"):
        Store(tmp_path / "s.sqlite", offline=True)
    (tmp_path / "s.sqlite").touch()
    with pytest.raises(InputError, match="an empty file"):
        Store(tmp_path / "s.sqlite", offline=True)
    assert content(tmp_path)["s.sqlite"][0] == b""
    assert len(content(tmp_path)) == 1


def _foreign(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE replies (a)")
    db.commit()
    db.close()


def _newer(path: Path) -> None:
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _changed(change: Callable[[bytearray], object]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        fill(path)
        data = bytearray(path.read_bytes())
        change(data)
        path.write_bytes(data)

    return spoil


def _half_overwritten(data: bytearray) -> None:
    data[4096:] = secrets.token_bytes(len(data) - 4096)


def _hole(data: bytearray) -> None:
    half = len(data) // 2
    data[half : half + 20_000] = bytes(20_000)


def _no_text(data: bytearray) -> None:
    at = data.index(b"y" * 900)
    data[at + 20 : at + 40] = b"\xff" * 20


def _cut(data: bytearray) -> None:
    del data[len(data) // 2 :]


def _beginning(data: bytearray) -> None:
    del data[50:]


def _log_alone(path: Path) -> None:
    store = Store(path)
    store.put_many([(key(1), reply(), b"{}")])
    log = path.with_name("s.sqlite-wal")
    data = log.read_bytes()
    store.close()
    path.unlink()
    log.write_bytes(data)


def _under_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.write_text("user_id,text\n" * 500), "not a database"),
        (lambda path: path.write_bytes(secrets.token_bytes(50_000)), "not a database"),
        (_foreign, "another program"),
        (_newer, "version 99"),
        (_changed(_half_overwritten), "malformed|not a database"),
        (_changed(_hole), "is damaged"),
        (_changed(_no_text), "not UTF-8.*is damaged"),
        (_changed(_cut), "is damaged"),
        (_changed(_beginning), "is damaged"),
        (_log_alone, "s.sqlite-wal beside it holds replies"),
        (_under_a_file, "File exists|Not a directory|no such request store"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
)
def test_a_file_that_is_no_sound_store_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], object], says: str, offline: bool
) -> None:
    path = tmp_path / "folder" / "s.sqlite"
    path.parent.mkdir()
    spoil(path)
    before = content(tmp_path / "folder") if path.is_file() else {}

    def use() -> None:
        store = Store(path, offline)
        try:
            for n in range(200):
                store.get(key(n))
        finally:
            store.close()

    with pytest.raises(InputError, match=says) as caught:
        use()
    assert str(path) in str(caught.value)
    assert str(caught.value).count("\n") == 0
    assert all((path.parent / name).read_bytes() == data for name, (data, _) in before.items())


@contextmanager
def _nobody() -> Iterator[Path]:
    """Give a folder, and act in it as a user who is bound by permissions, which root is not."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    try:
        if user == 0:
            folder.chmod(0o777)
            os.seteuid(65534)
        yield folder
    finally:
        os.seteuid(user)
        folder.chmod(0o777)
        shutil.rmtree(folder)


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_store_that_cannot_be_written_is_refused_before_anything_is_asked(closed: str) -> None:
    with _nobody() as folder:
        path = folder / "inner" / "s.sqlite"
        fill(path)
        (path if closed == "file" else path.parent).chmod(0o444 if closed == "file" else 0o555)
        with pytest.raises(InputError, match=f"{path}.* writable"):
            Store(path)
        store = Store(path, offline=True)  # which needs no more than reading
        assert store.get(key(1)) is not None
        store.close()
        path.parent.chmod(0o755)


def test_a_new_store_in_a_folder_that_cannot_be_written_is_refused() -> None:
    with _nobody() as folder:
        (folder / "inner").mkdir(mode=0o555)
        with pytest.raises(InputError, match=r"new\.sqlite.* writable"):
            Store(folder / "inner" / "new.sqlite")


FULL = """
import asyncio, resource, sys
from pathlib import Path
from prose_data.errors import InputError
from prose_data.llm.store import Store
from prose_data.llm.types import Reply

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    store = Store(Path(sys.argv[1]))
    try:
        for n in range(1000):
            await store.put(b"%d" % n, Reply("x" * 900, "stop", 1, 1, "m", "endpoint"), b"{}")
            print(n)
    except InputError as error:
        print(error, file=sys.stderr)
    store.close()

asyncio.run(main())
"""


def test_a_full_disk_stops_with_one_sentence_and_keeps_what_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    command = [sys.executable, "-c", FULL, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stderr.startswith(f"{path}: cannot be used") and "full" in result.stderr
    assert result.stderr.count("\n") == 1
    used = result.stdout.split()
    assert 10 < len(used) < 1000
    store = Store(path)
    assert all(store.get(name.encode()) is not None for name in used)
    store.close()
