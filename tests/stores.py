"""Request stores to test with: of this version, of the first one, and what is in them."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from prose_data.llm.store import Store
from prose_data.llm.types import Reply, Request

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.0, "seed": 3}


def reply(text: str = "hello") -> Reply:
    return Reply(text, "stop", 12, 5, "m-1", "endpoint", 0.25, 1.5, 2, "json")


def request(n: int = 0) -> Request:
    return Request("writer", {**BODY, "seed": n})


def key(n: int) -> bytes:
    return hashlib.blake2b(b"%d" % n, digest_size=20).digest()


def fill(path: Path, number: int = 200) -> None:
    store = Store(path)
    store.put_many([(key(n), reply("y" * 900), b"{}") for n in range(number)])
    store.close()


def version_1(path: Path, number: int = 3) -> None:
    """Make a store as the first version of this program did."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(
            "CREATE TABLE replies (key BLOB PRIMARY KEY, text TEXT NOT NULL, finish_reason TEXT NOT NULL, "
            "prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, model TEXT NOT NULL)"
        )
        rows = [(key(n), f"old {n}", "stop", 12, 5, "m-0") for n in range(number)]
        db.executemany("INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.execute(f"PRAGMA application_id = {0x50524F53}")
        db.execute("PRAGMA user_version = 1")


def rows(path: Path, select: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(f"SELECT {select} FROM replies ORDER BY key").fetchall()


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
