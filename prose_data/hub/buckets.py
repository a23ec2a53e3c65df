"""A data set folder in a bucket or another folder (`s3://…`, `file://…`, whatever fsspec opens).

There is no commit here, so `files.json` says what is there: it is written first, as not complete, and last, as complete, with
the card right before it. A copy without a card or with `"complete": false` is half a copy; sending again goes on with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from prose_data.errors import InputError
from prose_data.hub.files import CARD, FILES, Content, File, from_json, to_json
from prose_data.places import Place

_NOTED = 2**26  # bytes after which what has been sent is noted
_PENDING = File(0, "")

Progress = Callable[[str], object]


def send_folder(
    folder: Path, content: Content, url: str, progress: Progress = lambda _: None
) -> tuple[bool, int]:
    """Make `url` hold the files of `folder`; return whether anything had to be sent, and the bytes sent.

    Files of the version before that this one lacks are removed; anything else that lies there stays. Raises InputError for
    a place that cannot be written, and for one that holds something else under the same names.
    """
    place = Place(url)
    try:
        found = from_json(place.read(FILES) or b"")
        if found and found[1] and found[0].hash == content.hash:
            return False, 0
        there = place.names()
        if not found and (taken := next((path for path in (*content.files, FILES) if path in there), None)):
            raise InputError(
                f"{url}: holds {taken}, which is no data set published from here; choose another place"
            )
        before = {path: file for path, file in found[0].files.items() if path in there} if found else {}
        lasting = {path for path, file in before.items() if there[path] == file.bytes and path != CARD}
        listed = {
            path: file if path in lasting and before[path] == file else _PENDING
            for path, file in content.files.items()
        }
        return True, _Copy(folder, content, place, progress, {**before, **listed}).make()
    except FileNotFoundError as error:
        raise InputError(f"{url}: there is no such bucket or folder ({error})") from None


@dataclass(slots=True)
class _Copy:
    """One version on its way to a place; `listed` is what lies there, of this version and of the one before."""

    folder: Path
    content: Content
    place: Place
    progress: Progress
    listed: dict[str, File]
    sent: int = field(default=0, init=False)

    def make(self) -> int:
        """Do it and return the bytes sent."""
        files = self.content.files
        missing = [path for path in files if self.listed[path] == _PENDING and path != CARD]
        gone = [path for path in self.listed if path not in files]
        self._note()
        self.place.remove(CARD)
        noted = 0
        for number, path in enumerate(missing, 1):
            self._write(path)
            noted += files[path].bytes
            if noted >= _NOTED:
                noted = 0
                self._note()
                self.progress(f"{number:,} of {len(missing):,} files sent")
        for path in gone:
            self.place.remove(path)
        if CARD in files:
            self._write(CARD)
        self.place.write(FILES, to_json(self.content))
        self.progress(f"{len(files):,} files are there, {len(missing):,} of them sent now")
        return self.sent

    def _write(self, path: str) -> None:
        data = (self.folder / path).read_bytes()
        self.place.write(path, data)
        self.listed[path] = self.content.files[path]
        self.sent += len(data)

    def _note(self) -> None:
        self.place.write(FILES, to_json(Content(dict(sorted(self.listed.items()))), complete=False))
