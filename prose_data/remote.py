"""A run in an object store: its files lie under a URL, and who works on it has a local mirror of what it needs.

The driver pulls all that is there, works in the mirror as in any run folder, and pushes what is new in the end, the manifest
last. A worker pulls what one shard needs and pushes what it made of it, the stage's own table last, so that under the URL,
too, a shard either is done or is done again. Replies do not go through mirrors: the reply folder is under the URL itself.
"""

import json
import os
import re
import secrets
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from shutil import rmtree
from threading import get_ident
from urllib.parse import urlsplit

from prose_data.errors import InputError
from prose_data.places import Place, is_url
from prose_data.runs import CONFIG, MANIFEST, MIRRORED, OWN_TABLE, REPLIES, land, place_of
from prose_data.values import Stage

LOCK = ".lock.json"
_INPUTS = ("users", "truths", "samples", "edits", "inferences")  # what stages read of a shard
_SMALL = 65_536  # bytes up to which a file is pulled though it seems to be the same
_OF_SHARD = re.compile(r"(?:part|synthesize|related)-(\d+)(?:-[a-z]+)?\.(?:parquet|json)")

_open: dict[Path, "Mirror"] = {}  # of this process, by folder


class Mirror:
    """The folder `path` of this machine as the mirror of the run under `url`."""

    def __init__(self, url: str, path: Path) -> None:
        self.place = Place(url)
        self.path = path
        self._same: dict[str, tuple[int, int]] = {}  # files that are the same on both sides, as they are here

    def pull(self, names: Iterable[str]) -> None:
        """Make these files what they are under the URL; one that is not there stays as it is here."""
        for name in names:
            data = self.place.read(name)
            if data is None:
                continue
            if data != _content(self.path / name):
                _put(self.path / name, data)
            self._same[name] = _stamp(self.path / name)

    def pull_all(self) -> None:
        """Make the mirror hold everything that is under the URL, replies apart."""
        for name, size in self.place.names(without=REPLIES).items():
            here = self.path / name
            if size > _SMALL and here.exists() and here.stat().st_size == size:
                self._same[name] = _stamp(here)
            else:
                self.pull([name])

    def push(self, names: Iterable[str]) -> None:
        """Put these files under the URL, in this order, as far as they have changed here."""
        for name in names:
            stamp = _stamp(self.path / name)
            if self._same.get(name) != stamp:
                self.place.write(name, (self.path / name).read_bytes())
                self._same[name] = stamp

    def push_all(self) -> None:
        """Put everything under the URL, the tables' parts in the order of stages, and the manifest last or not at all."""
        names = [path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()]
        names = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
        if MANIFEST not in names:
            self.place.remove(MANIFEST)
        self.push(sorted(names, key=_rank))

    def begin(self) -> None:
        """Put what workers start from under the URL, and take the manifest away, which describes finished tables."""
        self.place.remove(MANIFEST)
        (self.path / MANIFEST).unlink(missing_ok=True)
        documents = [path.relative_to(self.path).as_posix() for path in self.path.glob("documents/part-*")]
        self.push([*sorted(documents), CONFIG])

    def of_shard(self, shard: int) -> list[str]:
        """Return the files here that belong to `shard`, in the order in which they are to land."""
        names = [path.relative_to(self.path).as_posix() for path in self.path.glob("*/*-*")]
        matches = ((name, _OF_SHARD.fullmatch(name.partition("/")[2])) for name in names)
        return sorted((name for name, match in matches if match and int(match[1]) == shard), key=_rank)


def _put(path: Path, data: bytes) -> None:
    land(path, lambda file: file.write(data))


@contextmanager
def mirrored(out: str) -> Iterator[Path]:
    """Give the run folder for `out`: itself, or for a URL its mirror `runs/LAST-PART-OF-THE-URL`, pulled now and pushed after.

    It is pushed also when the work fails. Raises InputError where another program holds the run, or the mirror's place is
    taken.
    """
    if not is_url(out):
        yield Path(out)
        return
    name = Path(urlsplit(out).path).name
    if not name:
        raise InputError(f"{out}: names no run; add a name, such as {out.rstrip('/')}/first")
    folder = Path("runs") / name
    with held(Place(out)):
        _claim(folder, out)
        mirror = _open[folder.absolute()] = Mirror(out, folder)
        mirror.pull_all()
        try:
            yield folder
        finally:
            mirror.push_all()
            del _open[folder.absolute()]


def mirror_at(folder: Path) -> Mirror | None:
    """Return the mirror that this process has open in `folder`, None for an ordinary run folder."""
    return _open.get(folder.absolute())


@contextmanager
def worked_on(place: str, shard: int) -> Iterator[Path]:
    """Give a run folder to work on `shard` in: `place` if it is a path, else this thread's mirror of it.

    What changes of the shard is pushed in the end, unless the work fails.
    """
    if not is_url(place):
        yield Path(place)
        return
    mirror = _mirror_of(place, get_ident())
    if mirror.place.read(CONFIG) != _content(mirror.path / CONFIG):  # another run, or none yet
        rmtree(mirror.path)
        mirror.pull([*mirror.place.names("documents"), CONFIG])
    mirror.pull(f"{table}/part-{shard:05d}.parquet" for table in _INPUTS)
    yield mirror.path
    mirror.push(mirror.of_shard(shard))


@cache
def _mirror_of(url: str, thread: int) -> Mirror:
    """Return the mirror that one thread keeps for its next shards."""
    return Mirror(url, Path(tempfile.mkdtemp(prefix="prose-data-")))


def fetch_shard(mirror: Mirror, stage: Stage, shard: int) -> None:
    """Pull what a worker has made of `stage` of `shard`."""
    tables = [f"{table}/part-{shard:05d}.parquet" for table in sorted({*_INPUTS, OWN_TABLE[stage]})]
    logs = [f"{table}/part-{shard:05d}-{stage}.parquet" for table in ("failures", "requests")]
    mirror.pull([*tables, *logs, f"counts/synthesize-{shard:05d}.json", f"counts/related-{shard:05d}.json"])


@contextmanager
def held(place: Place) -> Iterator[None]:
    """Hold the run at `place` by a lock object that says who has it; raises InputError while another program does.

    Where the store writes conditionally (S3, folders), of two drivers that start at once one gets it; elsewhere both may.
    A driver that is killed leaves its lock: on the same machine the next one takes it over; from another one a person has to
    delete it, as nothing tells a dead driver from a slow one there.
    """
    host = socket.gethostname()
    since = datetime.now(UTC).isoformat(timespec="seconds")
    ours = {"host": host, "pid": os.getpid(), "since": since, "token": secrets.token_hex(8)}
    data = json.dumps(ours).encode()
    if not place.create(LOCK, data):
        _take_over(place, host)
        if not place.create(LOCK, data):
            raise InputError(f"{place.url}: another program has just begun to write this run; wait for it")
    try:
        yield
    finally:
        if place.read(LOCK) == data:
            place.remove(LOCK)


def _take_over(place: Place, host: str) -> None:
    """Remove the lock of a process of this machine that is gone; raises InputError for any other."""
    found = place.read(LOCK)
    if found is None:
        return
    try:
        holder = json.loads(found)
        who, pid, since = str(holder["host"]), int(holder["pid"]), str(holder["since"])
    except (ValueError, KeyError, TypeError):
        who, pid, since = "an unknown machine", 0, "an unknown time"
    if who == host and pid and not _alive(pid):
        place.remove(LOCK)
        return
    raise InputError(
        f"{place.url}: process {pid} on {who} has been writing this run since {since}; wait for it, or, if it is gone, "
        f"delete {place.url}{LOCK}"
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _claim(folder: Path, url: str) -> None:
    """Make `folder` the mirror of `url`; raises InputError where it is something else already."""
    place = place_of(folder)
    if is_url(place) and place != url:
        raise InputError(f"{folder}: is the mirror of {place}; move it away to work on {url} from here")
    if not is_url(place) and folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: is to be the mirror of {url}, but holds something else; move it away")
    land(folder / MIRRORED, lambda file: file.write(url.encode()))


def _rank(name: str) -> tuple[int, str]:
    """Return a key by which files of a run are sorted in the order in which they may land, one after the other."""
    table = name.partition("/")[0]
    own = [*OWN_TABLE.values()]
    last = 1 + own.index(table) if table in own else 0
    return (len(own) + 1 if name == MANIFEST else last), name


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
