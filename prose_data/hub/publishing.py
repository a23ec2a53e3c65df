"""Publishing a run: its data set folder, looked through for what must not be public, on the hub or in a bucket."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow.parquet as pq

from prose_data.errors import InputError, printable
from prose_data.hub.buckets import send_folder
from prose_data.hub.files import Content, describe
from prose_data.hub.folder import build_folder
from prose_data.hub.privacy import Found, refuse, scan
from prose_data.hub.upload import Version, check_names, upload_folder
from prose_data.llm.secrets import Hidden
from prose_data.places import is_url
from prose_data.runs import Run

TOKEN = "HF_TOKEN"
_SHORTEST_SECRET = 8  # characters; anything could hold a shorter one

Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Published:
    """What came of publishing: where it is, as which commit and tag (None in a bucket), whether anything was new, the
    number of files of the version, and the bytes sent (None where the hub's client does not say)."""

    target: str
    url: str
    commit: str | None
    tag: str | None
    changed: bool
    files: int
    sent: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """One split of one config in a data set folder."""

    config: str
    split: str
    rows: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data set folder that is ready to be sent, and what its texts hold that should not be public."""

    folder: Path
    content: Content
    found: tuple[Found, ...]


def publish(
    run: Run,
    target: str,
    *,
    private: bool = False,
    create: bool = True,
    tag: str | None = None,
    allow_pii: bool = False,
    card: Mapping[str, Any] = MappingProxyType({}),
    progress: Progress = lambda _: None,
) -> Published:
    """Make the data set folder of `run` the newest version at `target`: OWNER/NAME on the hub, or an fsspec URL.

    Nothing is sent if the newest version there is the same. Raises InputError for a target, tag or card field that is
    wrong, a missing token, a run that is not finished, texts that should not be public, and for what the target refuses.
    """
    check_target(target, private, tag)
    token = None if is_url(target) else token_or_error()
    ready = prepare(run, target, card, progress)
    refuse(ready.folder, ready.found, allow_pii)
    count = len(ready.content.files)
    if token is None:
        changed, sent = send_folder(ready.folder, ready.content, target, progress)
        return Published(target, target, None, None, changed, count, sent)
    version = Version(ready.folder, ready.content, target, private, create, tag)
    done = upload_folder(version, token, progress)
    return Published(target, done.url, done.commit, done.tag, done.changed, count, done.sent)


def prepare(
    run: Run,
    target: str | None,
    card: Mapping[str, Any] = MappingProxyType({}),
    progress: Progress = lambda _: None,
) -> Prepared:
    """Write the data set folder of `run` and look through its texts; nothing leaves this machine. Raises InputError.

    `target` is named in the card where it is one on the hub.
    """
    progress(f"writing the data set folder of {run.path}")
    named = {} if target is None or is_url(target) else {"repo": target}
    folder = build_folder(run, named | dict(card))
    progress(f"looking for secrets, e-mail addresses and phone numbers in {folder}")
    return Prepared(folder, describe(folder), scan(folder, _known_secrets(run)))


def check_target(target: str, private: bool = False, tag: str | None = None) -> None:
    """Raise InputError where `target` can be no place to publish to, or `private` and `tag` do not go with it."""
    if not is_url(target):
        check_names(target, tag)
        return
    if target.startswith("hf://"):
        raise InputError(f"{printable(target)}: name a data set on the hub as OWNER/NAME")
    if private or tag:
        option = "--private" if private else "--tag"
        raise InputError(
            f"{printable(target)}: {option} is for the hub; who may read a bucket, and its versions, are up to it"
        )


def token_or_error() -> str:
    """Return the hub's token, from the environment alone. Raises InputError where there is none."""
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise InputError(f"the environment variable {TOKEN} is not set; the hub needs a token that may write")
    return Hidden(token)


def parts_of(folder: Path) -> list[Part]:
    """Return the configs and splits of a data set folder with their rows, files and bytes, in order of names."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for path in sorted(folder.glob("*/*.parquet")):
        size = pq.read_metadata(path).num_rows, path.stat().st_size
        found.setdefault((path.parent.name, path.name.partition("-")[0]), []).append(size)
    return [
        Part(config, split, sum(rows for rows, _ in files), len(files), sum(size for _, size in files))
        for (config, split), files in found.items()
    ]


def _known_secrets(run: Run) -> list[str]:
    names = [TOKEN, *(model.api_key_env for model in run.config.models.values())]
    values = [os.environ.get(name, "").strip() for name in names if name]
    return [value for value in dict.fromkeys(values) if len(value) >= _SHORTEST_SECRET]
