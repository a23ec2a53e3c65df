"""What a data set folder holds, in `files.json` beside it: every file with its size and SHA-256, and one content hash.

That hash says whether two folders are the same version.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from prose_data.errors import InputError
from prose_data.runs import land

FILES = "files.json"
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a version: its size in bytes and the SHA-256 of its bytes in hexadecimal."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """The files of a version by their paths with /, sorted; without `files.json` itself."""

    files: Mapping[str, File]

    @property
    def hash(self) -> str:
        """The content hash: 64 hexadecimal digits."""
        lines = [f"{file.sha256}  {path}\n" for path, file in self.files.items()]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(file.bytes for file in self.files.values())


def describe(folder: Path) -> Content:
    """Return what `folder` holds and write it into its `files.json`. Raises InputError for what cannot be read."""
    files = {
        path: File((folder / path).stat().st_size, _sha256(folder / path))
        for path in sorted(
            entry.relative_to(folder).as_posix() for entry in folder.rglob("*") if entry.is_file()
        )
        if path != FILES
    }
    content = Content(files)
    land(folder / FILES, lambda file: file.write(to_json(content)))
    return content


def to_json(content: Content, complete: bool = True) -> bytes:
    """Return the `files.json` of `content`; `complete` is false while its files are on their way to a bucket."""
    files = {path: asdict(file) for path, file in content.files.items()}
    data = {"content_hash": content.hash, "complete": complete, "files": files}
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def from_json(text: bytes) -> tuple[Content, bool] | None:
    """Return the content that a `files.json` names and whether it is complete; None where it cannot be read.

    It comes from elsewhere and anybody may have written it: nothing is taken but plain paths with sizes and hashes.
    """
    try:
        data = json.loads(text)
        files = {
            str(path): File(int(file["bytes"]), str(file["sha256"])) for path, file in data["files"].items()
        }
        content = Content(dict(sorted(files.items())))
        complete = data["complete"] is True and data["content_hash"] == content.hash
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    return (content, complete) if all(map(_plain, files)) else None


def _plain(path: str) -> bool:
    return path.isprintable() and not path.startswith("/") and not {"", ".", ".."} & set(path.split("/"))


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
