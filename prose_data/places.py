"""A place for files that several machines share: a folder (also of a network file system), or a prefix of an object store.

Everything is read and written whole. What goes through fsspec is whatever it knows: `s3://`, `gs://`, `file://`, …
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from prose_data.errors import InputError

_EXTRAS = {"s3": "s3", "s3a": "s3"}  # protocol -> our extra that brings its library
# An address that does not answer is an error within half a minute, not after botocore's ten.
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 2}}}
}
T = TypeVar("T")


def is_url(place: str) -> bool:
    """Return whether `place` is a URL and no path."""
    return "://" in place


class Place:
    """Files below one folder or URL, by names with `/` between; usable from any thread.

    Raises InputError for a URL that nothing installed can open, and from every method for what cannot be reached.
    """

    def __init__(self, place: str) -> None:
        self.url = place if place.endswith("/") else f"{place}/"
        self._folder: Path | None = None
        if not is_url(place):
            self._folder = Path(place)
        elif urlsplit(place).scheme in ("file", "local"):
            self._folder = Path(urlsplit(place).path)
        else:
            self._fs, root = _file_system(place)
            self._root = root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        """Return what `name` holds, None where there is no such file."""

        def work() -> bytes | None:
            try:
                if self._folder is not None:
                    return (self._folder / name).read_bytes()
                return bytes(self._fs.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

        return self._named(name, work)

    def write(self, name: str, data: bytes) -> None:
        """Make `name` hold `data`, whole or not at all, in place of what is there."""

        def work() -> None:
            if self._folder is not None:
                with _written(self._folder / name, data, sync=True) as temporary:
                    temporary.replace(self._folder / name)
            else:
                self._fs.pipe_file(self._at(name), data)

        self._named(name, work)

    def create(self, name: str, data: bytes) -> bool:
        """Make `name` hold `data` unless it is there; return whether it was not.

        Of several that try at once one succeeds, wherever the store has a conditional write (folders and S3 do). It outlives
        the process at once, and a power cut after some seconds only.
        """

        def work() -> bool:
            try:
                if self._folder is not None:
                    with _written(self._folder / name, data, sync=False) as temporary:
                        (self._folder / name).hardlink_to(temporary)
                else:
                    self._fs.pipe_file(self._at(name), data, mode="create")
            except FileExistsError:
                return False
            return True

        return self._named(name, work)

    def remove(self, name: str) -> None:
        """Remove `name` if it is there."""

        def work() -> None:
            with suppress(FileNotFoundError):
                if self._folder is not None:
                    (self._folder / name).unlink()
                else:
                    self._fs.rm_file(self._at(name))

        self._named(name, work)

    def names(self, below: str = "", without: str | None = None) -> dict[str, int]:
        """Return the files below the folder `below` (all) with their sizes in bytes, in order of names.

        Hidden ones are left out, and those below the top folder called `without`, which are not even looked at.
        """

        def work() -> dict[str, int]:
            tops = [below] if below else [top for top in self._tops() if top != without]
            found = dict(chain.from_iterable(self._below(top) for top in tops if not top.startswith(".")))
            return {name: found[name] for name in sorted(found) if not _hidden(name)}

        return self._named(below, work)

    def _tops(self) -> list[str]:
        """Return the names of the files and folders right here."""
        if self._folder is not None:
            return [entry.name for entry in self._folder.iterdir()] if self._folder.exists() else []
        try:
            listed = self._fs.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        return [path.rstrip("/").rpartition("/")[2] for path in listed]

    def _below(self, top: str) -> Iterator[tuple[str, int]]:
        """Yield the file `top`, or the files below the folder `top`, with their sizes."""
        if self._folder is not None:
            start = self._folder / top
            for path in (start, *start.rglob("*")):
                if path.is_file():
                    yield path.relative_to(self._folder).as_posix(), path.stat().st_size
        else:
            for path, info in self._fs.find(self._at(top), detail=True).items():
                yield path.removeprefix(f"{self._root}/"), int(info["size"])

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _named(self, name: str, work: Callable[[], T]) -> T:
        """Return what `work` returns; its errors name the place."""
        try:
            return work()
        except Exception as error:  # of whatever library is behind fsspec
            reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"{self.url}{name}: cannot be reached ({reason})") from None


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _file_system(place: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it. Raises InputError where nothing opens it."""
    from fsspec.core import url_to_fs  # brings asyncio and more

    scheme = urlsplit(place).scheme
    options = {**_OPTIONS.get(scheme, {}), "use_listings_cache": False} if scheme in _OPTIONS else {}
    try:
        fs, root = url_to_fs(place, **options)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        needed = f"pip install 'prose-data[{extra}]'" if extra else str(error)
        raise InputError(f"{place}: cannot be opened without its library; {needed}") from None
    except ValueError as error:
        raise InputError(f"{place}: is no address of a folder or an object store ({error})") from None
    return fs, str(root)


@contextmanager
def _written(path: Path, data: bytes, sync: bool) -> Iterator[Path]:
    """Give a temporary file beside `path` that holds `data`, for as long as the context is open; with `sync` it is on the
    disk by then."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
