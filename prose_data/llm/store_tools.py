"""What can be done with a request store besides answering from it: count, prune, export, move into a reply folder."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import orjson

from prose_data.errors import InputError
from prose_data.llm.reply_folder import ReplyFolder
from prose_data.llm.store_file import columns, open_store, unusable

_CHUNK = 500  # rows read, and written as one group, at a time
_KEY = 20  # bytes


@dataclass(frozen=True, slots=True)
class Part:
    """The replies of one model that came on one rung."""

    model: str
    rung: str
    replies: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What a store holds; `oldest` and `newest` are Unix seconds, None where no reply has a date."""

    replies: int
    parts: tuple[Part, ...]
    oldest: float | None
    newest: float | None
    size: int  # bytes on disk
    open_batches: int
    batched_requests: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed, what stays, and the file's size in bytes before and after."""

    removed: int
    stay: int
    before: int
    after: int


def stats(path: Path) -> Stats:
    """Return what the store `path` holds, without changing it. Raises InputError naming a file that is no store."""
    with _reading(path) as db:
        parts = tuple(
            Part(*row)
            for row in db.execute(
                "SELECT model, rung, count(*), sum(prompt_tokens), sum(completion_tokens) "
                f"FROM (SELECT {columns(db)} FROM replies) GROUP BY 1, 2 ORDER BY 1, 2"
            )
        )
        oldest, newest = db.execute(
            f"SELECT min(created), max(created) FROM (SELECT {columns(db)} FROM replies) WHERE created > 0"
        ).fetchone()
        batches: tuple[int, int] = (0, 0)
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'batches'").fetchone():
            batches = db.execute("SELECT count(*), total(length(keys)) FROM batches").fetchone()
    replies = sum(part.replies for part in parts)
    return Stats(replies, parts, oldest, newest, _size(path), batches[0], int(batches[1]) // _KEY)


def prune(path: Path, older_than: float | None, model: str | None, dry_run: bool = False) -> Pruned:
    """Remove the replies that are older than so many seconds and of `model`, and give the space back.

    A condition that is None does not count; a reply without a date is older than any. With `dry_run` nothing changes.
    Raises InputError naming a file that is no store or cannot be written.
    """
    if older_than is None and model is None:
        raise InputError(
            f"{path}: nothing is removed without a condition; give --older-than, --model or both"
        )
    conditions: list[str] = []
    values: list[float | str] = []
    if older_than is not None:
        conditions.append("created < ?")
        values.append(time.time() - older_than)
    if model is not None:
        conditions.append("model = ?")
        values.append(model)
    where = " AND ".join(conditions)
    if dry_run:
        with _reading(path) as db:
            source = f"(SELECT {columns(db)} FROM replies)"
            (removed,) = db.execute(f"SELECT count(*) FROM {source} WHERE {where}", values).fetchone()
            (stay,) = db.execute("SELECT count(*) - ? FROM replies", (removed,)).fetchone()
        return Pruned(removed, stay, _size(path), _size(path))
    with _reading(path):  # nothing is made where no store is
        before = _size(path)
    with closing(open_store(path)) as db, _named(path):
        removed = db.execute(f"DELETE FROM replies WHERE {where}", values).rowcount
        (stay,) = db.execute("SELECT count(*) FROM replies").fetchone()
        try:
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise InputError(
                f"{path}: {removed:,} replies are removed, but the file could not be made smaller ({error}); it needs "
                "as much free space again, and no other process that writes"
            ) from None
    return Pruned(removed, stay, before, _size(path))


def export_store(path: Path, file: IO[bytes], form: Literal["jsonl", "parquet"]) -> int:
    """Write all replies of the store `path` to `file`, ordered by key, a few at a time; return how many.

    Raises InputError naming the store where it holds none or is damaged.
    """
    return (_write_parquet if form == "parquet" else _write_lines)(path, file)


def move_to(path: Path, folder: ReplyFolder) -> None:
    """Move all replies of a store into a reply folder, and remove its file. Raises InputError for one with open batches."""
    found = stats(path)
    if found.open_batches:
        raise InputError(
            f"{path}: waits for {found.open_batches} batches, whose replies only one process can take in; let "
            "--engine prefect or plain finish them"
        )
    if found.replies:
        for records in _chunks(path):
            folder.keep(records)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def _write_lines(path: Path, file: IO[bytes]) -> int:
    count = 0
    for rows in _chunks(path):
        for row in rows:
            request = row["request"]
            fragment = None if request is None else orjson.Fragment(request)
            file.write(orjson.dumps({**row, "request": fragment}, option=orjson.OPT_APPEND_NEWLINE))
        count += len(rows)
    return count


def _write_parquet(path: Path, file: IO[bytes]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts, numbers = pa.string(), pa.int64()
    schema = pa.schema(
        {"key": texts, "model": texts, "request": texts, "text": texts, "finish_reason": texts}
        | {"prompt_tokens": numbers, "completion_tokens": numbers, "rung": texts, "created": pa.float64()}
    )
    count = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _chunks(path):
            writer.write_table(pa.Table.from_pylist(rows, schema))
            count += len(rows)
    return count


def _chunks(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield all rows in order of keys; `request` is JSON, None where an older version stored none.

    Each chunk is a query of its own, so that a long export does not keep other processes' log from being emptied.
    """
    last = b""
    with _reading(path) as db:
        select = (
            f"SELECT * FROM (SELECT {columns(db)} FROM replies) WHERE key > ? ORDER BY key LIMIT {_CHUNK}"
        )
        while rows := db.execute(select, (last,)).fetchall():
            last = rows[-1][0]
            yield [_exported(path, *row) for row in rows]
    if not last:
        raise InputError(f"{path}: holds no replies, so there is nothing to export")


def _exported(
    path: Path,
    key: bytes,
    text: str,
    finish_reason: str,
    prompt_tokens: int,
    completion_tokens: int,
    model: str,
    rung: str,
    created: float,
    request: bytes,
) -> dict[str, Any]:
    try:
        body = request.decode() or None
        orjson.loads(body or "null")
    except (ValueError, AttributeError):
        raise InputError(f"{path}: is damaged; the request of reply {key.hex()} is not JSON") from None
    return {
        "key": key.hex(),
        "model": model,
        "request": body,
        "text": text,
        "finish_reason": finish_reason,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "rung": rung,
        "created": created,
    }


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_store(path, read_only=True)) as db, _named(path):
        yield db


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise unusable(path, error) from None


def _size(path: Path) -> int:
    """Return the bytes of the store and its write-ahead log."""
    return sum(file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
