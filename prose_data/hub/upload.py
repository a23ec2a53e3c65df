"""A data set folder on the Hugging Face hub: one version is one commit and one tag.

Large files are sent first and belong to no version until the commit names them; the commit adds, replaces and removes
everything at once and only on top of the version that was looked at. So a reader never sees half a version, and whoever
was killed runs the same command again: what has been sent is not sent again, and what is there is not committed again.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    constants,
    get_session,
    hf_raise_for_status,
)
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

from prose_data.errors import InputError, printable
from prose_data.hub.files import FILES, Content, from_json
from prose_data.hub.session import Session, talking
from prose_data.llm.rates import retry_after
from prose_data.llm.secrets import knife

_PART = r"\w(?:[\w.-]{0,94}\w)?"
_REPO = re.compile(rf"(?!.*(?:--|\.\.|\.git$)){_PART}/{_PART}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_WAITS = (1.0, 2.0, 4.0, 8.0, None)  # seconds before another try; none after the last
_BATCH_FILES, _BATCH_BYTES = 64, 2**28  # sent between two lines of progress
_STALE = (409, 412)
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)

Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Version:
    """What is to be on the hub: the files of `folder`, described by `content`, in the data set `repo` under `tag`."""

    folder: Path
    content: Content
    repo: str
    private: bool = False
    create: bool = True
    tag: str | None = None

    @property
    def name(self) -> str:
        """The tag: the one that was asked for, or `v` and the first 12 digits of the content hash."""
        return self.tag or f"v{self.content.hash[:12]}"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Where a version is on the hub: page, commit, tag; whether it is new; bytes sent (None: the client does not say)."""

    url: str
    commit: str
    tag: str
    changed: bool
    sent: int | None


def check_names(repo: str, tag: str | None) -> None:
    """Raise InputError where `repo` is no OWNER/NAME or `tag` no name of a git tag."""
    if not _REPO.fullmatch(repo):
        raise InputError(
            f"{printable(repo)}: must be OWNER/NAME, each of up to 96 letters, digits, dots, dashes and "
            "underscores, or a place such as s3://bucket/name or file:///folder"
        )
    if tag is not None and (not _TAG.fullmatch(tag) or ".." in tag or tag.endswith(".lock")):
        raise InputError(
            f"--tag {printable(tag)}: must be up to 100 letters, digits, dots, dashes and underscores, for example v1.2"
        )


def upload_folder(version: Version, token: str, progress: Progress = lambda _: None) -> Uploaded:
    """Make `version` the newest on the hub, unless it is, and return where it is.

    Files of the version before that this one lacks are removed with the same commit; files that no version named stay.
    Raises InputError, in one sentence, for whatever the hub refuses and for trouble that does not end.
    """
    check_names(version.repo, version.tag)
    with talking(token) as session:
        job = _Job(version, session, token, progress)
        for wait in _WAITS:
            try:
                return job.attempt()
            except (OSError, RuntimeError, ValueError, httpx2.HTTPError) as error:
                reason, asked = _trouble(_cause(error), job)
                if wait is None:
                    raise InputError(
                        f"{version.repo}: the hub goes on refusing ({reason}); run the same command again later"
                    ) from None
            pause = max(wait, asked)
            progress(f"{reason}; trying again in {pause:.0f} s")
            time.sleep(pause)
    raise AssertionError("the last wait is None")


@dataclass(slots=True)
class _Job:
    """One version on its way."""

    version: Version
    session: Session
    token: str
    progress: Progress
    before: str | None = None  # the content hash of what the first attempt found
    looked: bool = False

    def attempt(self) -> Uploaded:
        """Do what is left to do and return where the version is."""
        version, api = self.version, self.session.api
        head = self._head()
        published = self._published(head)
        found = published.hash if published else None
        if not self.looked:
            self.looked, self.before = True, found
        if version.tag:
            self._check_tag(version.tag, head if found == version.content.hash else None)
        commit = head if found == version.content.hash else self._commit(head, published)
        api.create_tag(version.repo, tag=version.name, revision=commit, repo_type="dataset", exist_ok=True)
        sent = self.session.sent if constants.HF_HUB_DISABLE_XET else None
        url = f"{api.endpoint}/datasets/{version.repo}"
        return Uploaded(url, commit, version.name, self.before != version.content.hash, sent)

    def _head(self) -> str:
        """Return the commit that the repository is at; makes the repository where that is wanted."""
        version, api = self.version, self.session.api
        try:
            info = api.dataset_info(version.repo, expand=["sha", "private"])
        except RepositoryNotFoundError:
            if not version.create:
                raise InputError(
                    f"{version.repo}: there is no such data set that HF_TOKEN may see; create it, or use --create"
                ) from None
            api.create_repo(version.repo, repo_type="dataset", private=version.private, exist_ok=True)
            self.progress(f"created {version.repo}")
            info = api.dataset_info(version.repo, expand=["sha", "private"])
        if version.private and not info.private:
            raise InputError(
                f"{version.repo}: is public; make it private on its page, or leave out --private"
            )
        return str(info.sha)

    def _published(self, head: str) -> Content | None:
        """Return what the repository's `files.json` names; None where there is none that can be read."""
        url = f"{self.session.api.endpoint}/datasets/{self.version.repo}/resolve/{head}/{FILES}"
        response = get_session().get(url, headers={"Authorization": f"Bearer {self.token}"})
        try:
            hf_raise_for_status(response)
        except EntryNotFoundError:
            return None
        found = from_json(response.content)
        return found[0] if found and found[1] else None

    def _check_tag(self, tag: str, here: str | None) -> None:
        refs = self.session.api.list_repo_refs(self.version.repo, repo_type="dataset")
        if any(ref.name == tag and ref.target_commit != here for ref in refs.tags):
            raise InputError(
                f"{self.version.repo}: {tag} already names another version; choose another --tag"
            )

    def _commit(self, head: str, published: Content | None) -> str:
        """Send what the hub lacks, then commit the whole version on top of `head`; return the commit."""
        version, api = self.version, self.session.api
        files = version.content.files
        additions = [
            CommitOperationAdd(path, str(version.folder / path)) for path in (*version.content.files, FILES)
        ]
        for addition in additions:  # so that the client does not read the files once more for it
            if addition.path_in_repo in files:
                addition.upload_info.sha256 = bytes.fromhex(files[addition.path_in_repo].sha256)
        done = 0
        for batch in _batches(additions):
            api.preupload_lfs_files(version.repo, additions=batch, repo_type="dataset", free_memory=False)
            done += len(batch)
            self.progress(f"{done:,} of {len(additions):,} files are on the hub, in no version yet")
        gone = [path for path in published.files if path not in files] if published else []
        there = api.get_paths_info(version.repo, gone, revision=head, repo_type="dataset") if gone else []
        committed = api.create_commit(
            version.repo,
            [*additions, *(CommitOperationDelete(entry.path, is_folder=False) for entry in there)],
            commit_message=f"Publish {version.name}",
            commit_description=f"content {version.content.hash}",
            repo_type="dataset",
            parent_commit=head,
        )
        return str(committed.oid)


def _batches(additions: list[CommitOperationAdd]) -> Iterator[list[CommitOperationAdd]]:
    batch: list[CommitOperationAdd] = []
    size = 0
    for addition in additions:
        batch.append(addition)
        size += addition.upload_info.size
        if len(batch) == _BATCH_FILES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _cause(error: BaseException) -> BaseException:
    """Return what an upload in a thread of the client failed for, which wraps it."""
    while isinstance(error, RuntimeError) and error.__cause__:
        error = error.__cause__
    return error


def _trouble(error: BaseException, job: _Job) -> tuple[str, float]:
    """Return what is worth another try, in a few words, and the seconds that the hub asks to wait.

    Raises InputError for everything else, in one sentence that shows nothing of the token.
    """
    repo = job.version.repo
    if isinstance(error, InputError):
        raise error
    if not isinstance(error, HfHubHTTPError):
        return _without_answer(error, job), 0.0
    status, said = error.response.status_code, _said(error, job.token)
    if status in _STALE:
        return f"somebody else changed {repo} in between", 0.0
    if status in _TRANSIENT:
        return f"it answers {status}{said}", retry_after(error.response.headers) or 0.0
    if status == 401:
        raise InputError(f"{repo}: the hub does not accept HF_TOKEN (401{said})")
    if status == 403:
        raise InputError(
            f"{repo}: HF_TOKEN may not write there (403{said}); it needs write access to this data set"
        )
    raise InputError(f"{repo}: the hub refuses the upload ({status}{said})")


def _without_answer(error: BaseException, job: _Job) -> str:
    said = knife([job.token])(printable(str(error)) or type(error).__name__)
    if isinstance(error, httpx2.ConnectError) and not job.session.heard:
        raise InputError(
            f"the hub at {job.session.api.endpoint} cannot be reached ({said}); check the network and HF_ENDPOINT"
        )
    if isinstance(error, httpx2.TransportError | ConnectionError | TimeoutError):
        return f"the connection broke ({said})"
    raise InputError(f"{job.version.repo}: cannot be uploaded ({said.rstrip('.')})")


def _said(error: HfHubHTTPError, token: str) -> str:
    """Return `: ` and the first line of what the hub says itself, or nothing."""
    lines = str(error.server_message or "").strip().splitlines()
    return f": {printable(knife([token])(lines[0]))[:200].rstrip('. ')}" if lines else ""
