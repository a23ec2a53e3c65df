"""The request store's file: opened, made, migrated and checked; and what its errors mean for a user."""

import sqlite3
import time
from pathlib import Path

from prose_data.errors import InputError

VERSION = 2
PATIENCE = 60.0  # seconds for which another program may hold the file's write lock
_APPLICATION_ID = 0x50524F53  # "PROS"
# Columns are only ever added at the end; `request`, the largest, is not read to answer.
_REPLIES = """CREATE TABLE replies (key BLOB PRIMARY KEY, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, model TEXT NOT NULL)"""
_SINCE_2 = (
    "ALTER TABLE replies ADD COLUMN rung TEXT NOT NULL DEFAULT 'text'",
    "ALTER TABLE replies ADD COLUMN created REAL NOT NULL DEFAULT 0",
    "ALTER TABLE replies ADD COLUMN request BLOB NOT NULL DEFAULT x''",
    # `keys` are 20 bytes each, one after the other
    """CREATE TABLE batches (name TEXT PRIMARY KEY, place TEXT NOT NULL, batch_id TEXT, file_id TEXT,
keys BLOB NOT NULL)""",
)
_COLUMNS = {
    1: "key, text, finish_reason, prompt_tokens, completion_tokens, model, 'text' AS rung, 0.0 AS created, "
    "x'' AS request",
    2: "key, text, finish_reason, prompt_tokens, completion_tokens, model, rung, created, request",
}
_WHY = {
    sqlite3.SQLITE_BUSY: f"another program has kept it locked for {PATIENCE:.0f} s; wait for that one or end it",
    sqlite3.SQLITE_FULL: "the disk is full; make room and run again, what was stored is still there",
    sqlite3.SQLITE_READONLY: "it cannot be written; make the file and its folder writable or name another file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; the file and its folder must be there, readable and writable",
    sqlite3.SQLITE_NOTADB: "it is no request store; name another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged; put back a copy, or move it away and all replies are asked for again",
    sqlite3.SQLITE_IOERR: "the disk refuses to read or write it; see whether it is full or broken, and run again",
}


def unusable(path: Path, error: Exception) -> InputError:
    """Return the error that names the store `path`, what `error` means and what helps."""
    code, said = getattr(error, "sqlite_errorcode", None), str(error)
    if isinstance(error, OSError):
        said = error.strerror or said
    elif code is None and isinstance(
        error, sqlite3.OperationalError
    ):  # it quotes all of a text that is no UTF-8
        code, said = sqlite3.SQLITE_CORRUPT, "a text is not UTF-8"
    why = _WHY.get((code or 0) & 0xFF, "name another file or move this one away")
    return InputError(f"{path}: cannot be used as the request store ({said}): {why}")


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether `error` says that another connection has the file locked."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF == sqlite3.SQLITE_BUSY


def columns(db: sqlite3.Connection) -> str:
    """Return all columns of `replies`, in the order of the table, as SQL that an older store understands too."""
    return _COLUMNS[db.execute("PRAGMA user_version").fetchone()[0]]


def open_store(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Return a connection to the store `path` with `PATIENCE` for locks; a missing one is made, an older one migrated.

    `read_only` changes nothing in the file, whatever its version, and makes none. Raises InputError naming the file.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return _open_read_only(path) if read_only else _open(path)
        except (OSError, sqlite3.Error) as error:
            # Changing to WAL, and the last one closing, lock the file without letting others wait.
            if not (isinstance(error, sqlite3.Error) and is_busy(error)) or time.monotonic() > until:
                raise unusable(path, error) from None
            time.sleep(0.01)


def _open(path: Path) -> sqlite3.Connection:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file for the request store")
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_wal(path)
    db = _connect(path, "rwc")
    try:
        _make(db, path)
        _migrate(db, path)
        if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            db.execute("PRAGMA journal_mode = WAL")
        # Survives a killed process; a power cut may lose the last commits.
        db.execute("PRAGMA synchronous = NORMAL")
        _check_tables(db)
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "DELETE FROM batches WHERE name = ''"
        )  # one that cannot be written fails before it is paid for
        db.execute("ROLLBACK")
    except BaseException:
        db.close()
        raise
    return db


def _open_read_only(path: Path) -> sqlite3.Connection:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name the request store's file")
    _check_wal(path)
    if not path.exists():
        raise InputError(f"{path}: no such request store; name the file that an earlier run has filled")
    # Who closes a write-ahead log last empties it into the file, unless it may only read; then it stays lying there.
    full = _wal(path).exists() and _wal(path).stat().st_size
    db = _connect(path, "ro" if full else "rw")
    try:
        try:
            _check_ours(db, path)
        except sqlite3.OperationalError as error:
            # In a folder that cannot be written, no other program writes: SQLite need not watch out for one.
            closed = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if full or not closed:
                raise
            db.close()
            db = _connect(path, "ro&immutable=1")
            _check_ours(db, path)
        db.execute("PRAGMA query_only = 1")
        _check_tables(db)
    except BaseException:
        db.close()
        raise
    return db


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, timeout=PATIENCE, isolation_level=None, uri=True)


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _check_wal(path: Path) -> None:
    """Raise InputError for a write-ahead log without its file: SQLite would delete it, and the replies in it."""
    wal = _wal(path)
    if wal.exists() and wal.stat().st_size and not (path.exists() and path.stat().st_size):
        raise InputError(
            f"{path}: is missing or empty, but {wal.name} beside it holds replies of it; put the file back, or move "
            f"{wal.name} away"
        )


def _application_id(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA application_id").fetchone()[0])


def _check_ours(db: sqlite3.Connection, path: Path) -> None:
    if _application_id(db) != _APPLICATION_ID:
        empty = not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        what = "an empty file" if empty else "a database of another program"
        raise InputError(f"{path}: {what}, not a request store; name another file")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in _COLUMNS:
        raise InputError(
            f"{path}: a request store of version {version}; this program reads versions up to {VERSION}, so use the "
            "newer one that wrote it, or name another file"
        )


def _check_tables(db: sqlite3.Connection) -> None:
    """Raise sqlite3.Error where the tables are not those of a store."""
    db.execute(f"SELECT {columns(db)} FROM replies LIMIT 1").fetchone()


def _make(db: sqlite3.Connection, path: Path) -> None:
    """Make the file a store if it is new; of several processes that come first, one does."""
    if _application_id(db) == _APPLICATION_ID:
        return
    db.execute("BEGIN IMMEDIATE")
    if _application_id(db) != _APPLICATION_ID:
        if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            _check_ours(db, path)
        for statement in (_REPLIES, *_SINCE_2):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    """Bring an older store to this version, in place and in one transaction."""
    _check_ours(db, path)
    if db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    _check_ours(db, path)
    if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
        for statement in _SINCE_2:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
