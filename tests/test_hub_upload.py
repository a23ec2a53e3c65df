"""Versions on the hub: the real client library against a stand-in that speaks the hub's interface, and fails on cue."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import HfApi

from prose_data.errors import InputError
from prose_data.hub import session
from prose_data.hub.files import describe
from prose_data.hub.upload import Uploaded, Version, check_names, upload_folder
from tests.hub_server import READ_ONLY, TOKEN, Commit, Fault, Hub, Refused
from tests.hub_session import Clock, at_hub, folder_of

# of the client library about its own use of httpx2
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[1]
REPO = "team/small"
SAMPLES = random.Random(0).randbytes(50_000)
USERS = random.Random(1).randbytes(3_000)


@pytest.fixture
def hub() -> Hub:
    return Hub(part=20_000)


@pytest.fixture
def clock(hub: Hub) -> Iterator[Clock]:
    with at_hub(hub) as clock:
        yield clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "hub", samples=SAMPLES, users=USERS)


def _send(folder: Path, token: str = TOKEN, **changes: Any) -> Uploaded:
    return upload_folder(Version(folder, describe(folder), **{"repo": REPO, **changes}), token)


def _here(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_version_is_one_commit_and_one_tag(hub: Hub, clock: Clock, folder: Path) -> None:
    done = _send(folder)
    repo = hub.repos[REPO]
    assert len(repo.commits) == 2 and not repo.private
    assert hub.files(REPO) == _here(folder)
    assert done.commit == repo.commits[-1].oid == repo.tags[done.tag]
    assert done.tag == f"v{describe(folder).hash[:12]}"
    assert done.url == f"{hub.url}/datasets/{REPO}" and done.changed
    assert done.sent is not None and len(SAMPLES) < done.sent <= hub.received
    assert hub.count("PUT .*part=") == 3  # 50,000 bytes in parts of 20,000
    listed = HfApi(hub.url, token=TOKEN).list_repo_files(REPO, repo_type="dataset", revision=done.tag)
    assert set(listed) == set(_here(folder))


def test_nothing_is_committed_when_nothing_changed(hub: Hub, clock: Clock, folder: Path) -> None:
    first = _send(folder)
    hub.asked.clear()
    second = _send(folder)
    assert (second.commit, second.tag, second.changed) == (first.commit, first.tag, False)
    assert len(hub.repos[REPO].commits) == 2
    assert not hub.count("PUT|commit|preupload|lfs")


def test_a_new_version_sends_what_changed_and_removes_what_is_gone(
    hub: Hub, clock: Clock, folder: Path
) -> None:
    first = _send(folder)
    head = hub.repos[REPO].commits[-1]
    theirs = {**head.files, "NOTES.md": head.files["README.md"]}
    hub.repos[REPO].commits.append(Commit("a" * 40, "by hand", theirs))
    hub.received = 0
    (folder / "samples/train-00000-of-00001.parquet").unlink()
    folder_of(folder, users=USERS + b"more")
    second = _send(folder)
    assert second.changed and second.sent is not None and second.sent < 8_000 and hub.received < 8_000
    assert hub.files(REPO) == {**_here(folder), "NOTES.md": hub.files(REPO, "a" * 40)["README.md"]}
    assert "samples/train-00000-of-00001.parquet" in hub.files(REPO, first.tag)
    assert len(hub.repos[REPO].commits) == 4


def test_a_tag_of_ones_own(hub: Hub, clock: Clock, folder: Path) -> None:
    first = _send(folder, tag="v1")
    assert (first.tag, _send(folder, tag="v1").changed) == ("v1", False)
    assert hub.repos[REPO].tags == {"v1": first.commit}
    folder_of(folder, users=b"other")
    with pytest.raises(InputError, match="v1 already names another version"):
        _send(folder, tag="v1")
    assert len(hub.repos[REPO].commits) == 2
    assert _send(folder, tag="v2").changed


def test_private_stays_private(hub: Hub, clock: Clock, folder: Path) -> None:
    _send(folder, private=True)
    assert hub.repos[REPO].private
    hub.repos[REPO].private = False
    folder_of(folder, users=b"other")
    with pytest.raises(InputError, match=f"{REPO}: is public"):
        _send(folder, private=True)
    assert len(hub.repos[REPO].commits) == 2


@pytest.mark.parametrize(
    "name", ["small", "team/", "a/b/c", "team/sm all", "team/a--b", "-a/b", "team/x.git", ""]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(InputError, match="must be OWNER/NAME"):
        check_names(name, None)


@pytest.mark.parametrize("tag", ["", "a b", "v1..2", "v1.lock", "-v", "v" * 101, "v1.", "é", "v1\n"])
def test_tags_that_are_none(tag: str) -> None:
    with pytest.raises(InputError, match="--tag"):
        check_names(REPO, tag)


# ---- what the hub refuses: one sentence, and nothing of the version to be seen ---------------------------------------


@pytest.mark.parametrize(
    ("token", "changes", "says"),
    [
        ("hf_" + "Wrong" * 7, {}, "does not accept HF_TOKEN"),
        (READ_ONLY, {}, "HF_TOKEN may not write there .403"),
        (TOKEN, {"repo": "others/small"}, "HF_TOKEN may not write there .403: You don't have the rights"),
        (TOKEN, {"create": False}, "there is no such data set"),
    ],
)
def test_who_may_not(
    hub: Hub, clock: Clock, folder: Path, token: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says) as error:
        _send(folder, token, **changes)
    assert "\n" not in str(error.value) and token not in str(error.value)
    assert not hub.repos


@pytest.mark.parametrize(
    ("where", "status", "says"),
    [
        ("commit/", 400, "refuses the upload .400: scripted 400"),
        ("commit/", 403, "may not write there"),
        ("preupload", 413, "refuses the upload .413"),
        ("PUT /lfs", 402, "refuses the upload .402"),
        ("repos/create", 401, "does not accept HF_TOKEN"),
    ],
)
def test_what_it_refuses(hub: Hub, clock: Clock, folder: Path, where: str, status: int, says: str) -> None:
    hub.faults = [Fault(where, status)]
    with pytest.raises(InputError, match=says):
        _send(folder)
    assert clock.slept == 0
    assert all(not commit.files for repo in hub.repos.values() for commit in repo.commits)
    assert _send(folder).changed and hub.files(REPO) == _here(folder)


def test_a_card_that_the_hub_does_not_read(hub: Hub, clock: Clock, folder: Path) -> None:
    (folder / "README.md").write_text("---\n: [\n---\n")
    with pytest.raises(InputError, match="cannot be uploaded") as error:
        _send(folder)
    assert "Invalid metadata" in str(error.value) and "\n" not in str(error.value)
    assert not hub.repos[REPO].commits[-1].files


def test_the_token_does_not_come_back_in_a_sentence(hub: Hub, clock: Clock, folder: Path) -> None:
    def echo() -> None:
        raise Refused(400, f"bad token {TOKEN}")

    hub.faults = [Fault("commit/", echo)]
    with pytest.raises(InputError, match=r"bad token \*\*\*") as error:
        _send(folder)
    assert TOKEN[:12] not in str(error.value)


# ---- trouble that passes --------------------------------------------------------------------------------------------

PASSING = (
    *(("GET /api/datasets", does) for does in (500, "cut")),
    *(("repos/create", does) for does in (429, "lost")),
    *(("resolve/", does) for does in (503, "cut")),
    *(("preupload", does) for does in (429, "cut")),
    *(("objects/batch", does) for does in (500, "lost")),
    *(("PUT /lfs", does) for does in (429, 503, "cut", "lost")),
    *(("complete=1", does) for does in (500, "lost")),
    *(("verify=1", does) for does in (503, "cut")),
    ("validate-yaml", "cut"),
    *(("commit/", does) for does in (429, 500, "cut", "lost")),
    *(("/tag/", does) for does in (503, "lost")),
)


@pytest.mark.parametrize(("where", "does"), PASSING)
def test_what_passes_is_waited_for(hub: Hub, clock: Clock, folder: Path, where: str, does: int | str) -> None:
    hub.faults = [Fault(where, does, headers={"Retry-After": "7"} if does == 429 else {})]
    done = _send(folder)
    assert hub.faults[0].times == 0, "the fault was met"
    assert (7 if does == 429 else 1) <= clock.slept < 20
    assert hub.files(REPO) == _here(folder)
    assert [commit.title for commit in hub.repos[REPO].commits[1:]] == [f"Publish {done.tag}"]
    assert done.changed and hub.repos[REPO].tags == {done.tag: done.commit}


def test_a_commit_in_between_is_not_lost(hub: Hub, clock: Clock, folder: Path) -> None:
    _send(folder)
    folder_of(folder, users=b"other")

    def meanwhile() -> None:
        repo = hub.repos[REPO]
        files = {**repo.commits[-1].files, "NOTES.md": repo.commits[-1].files["README.md"]}
        repo.commits.append(Commit("b" * 40, "meanwhile", files))

    hub.faults = [Fault("commit/", meanwhile)]
    assert _send(folder).changed
    assert [commit.title[:7] for commit in hub.repos[REPO].commits] == [
        "initial",
        "Publish",
        "meanwhi",
        "Publish",
    ]
    assert set(hub.files(REPO)) == {*_here(folder), "NOTES.md"}


def test_a_repository_that_never_stands_still(hub: Hub, clock: Clock, folder: Path) -> None:
    _send(folder)
    folder_of(folder, users=b"other")
    hub.faults = [Fault("commit/", 412, times=100)]
    with pytest.raises(
        InputError, match=f"somebody else changed {REPO} in between.*run the same command again"
    ):
        _send(folder)
    assert hub.count("commit/") < 10


# ---- trouble that does not -------------------------------------------------------------------------------------------


LASTING = (
    ("GET /api/datasets", 503),
    ("preupload", 429),
    ("preupload", "cut"),
    ("PUT /lfs", "cut"),
    ("commit/", 503),
)


@pytest.mark.parametrize(("where", "does"), LASTING)
def test_what_does_not_pass_ends_in_a_sentence(
    hub: Hub, clock: Clock, folder: Path, where: str, does: int | str
) -> None:
    hub.faults = [Fault(where, does, times=1000)]
    with pytest.raises(InputError, match="again later") as error:
        _send(folder)
    assert "\n" not in str(error.value)
    assert clock.slept < 120
    assert all(not commit.files for repo in hub.repos.values() for commit in repo.commits)
    hub.faults = []
    assert _send(folder).changed and hub.files(REPO) == _here(folder)


def test_a_wait_that_is_too_long_is_not_waited(hub: Hub, clock: Clock, folder: Path) -> None:
    hub.faults = [Fault("preupload", 429, times=9, headers={"Retry-After": "3600"})]
    with pytest.raises(InputError, match="asks to wait 3,600 s; run the same command again later"):
        _send(folder)
    assert clock.slept == 0


def test_silence_is_broken_off(hub: Hub, clock: Clock, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_SILENCE", 0.2)
    released = threading.Event()
    hub.faults = [Fault("preupload", lambda: released.wait(5) and None)]
    try:
        assert _send(folder).changed
    finally:
        released.set()


def test_no_hub_at_all(folder: Path) -> None:
    gone = Hub()
    with at_hub(gone):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", gone.url)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        with pytest.raises(InputError, match=f"the hub at {gone.url} cannot be reached"):
            _send(folder)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(InputError, match="HF_HUB_OFFLINE is set"):
            _send(folder)


def test_the_client_is_as_before_afterwards(hub: Hub, clock: Clock, folder: Path) -> None:
    from huggingface_hub.utils import get_session

    _send(folder)
    assert get_session().timeout == httpx2.Timeout(None)


# ---- kill -9 ---------------------------------------------------------------------------------------------------------

SCRIPT = """if True:
    import sys
    from pathlib import Path
    from prose_data.hub.files import describe
    from prose_data.hub.upload import Version, upload_folder
    folder = Path(sys.argv[1])
    print(upload_folder(Version(folder, describe(folder), sys.argv[2]), sys.argv[3]).changed)
"""


def _process(hub: Hub, folder: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", SCRIPT, str(folder), REPO, TOKEN]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _killed(hub: Hub, folder: Path, where: str, after: int = 0) -> None:
    """Kill a process that publishes at its request number `after` to `where`, which is never answered."""
    reached, released = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        released.wait(60)

    hub.faults = [Fault(where, hold, after=after)]
    process = _process(hub, folder)
    try:
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        process.kill()
        released.set()
        process.communicate()
        hub.faults = []


def test_killed_while_sending_and_run_again(hub: Hub, clock: Clock, tmp_path: Path) -> None:
    tables = {f"table{number}": random.Random(number).randbytes(9_000) for number in range(12)}
    folder = folder_of(tmp_path / "hub", **tables)
    _killed(hub, folder, "PUT /lfs", after=8)
    there = set(hub.objects)
    assert there and not hub.repos[REPO].tags
    assert [dict(commit.files) for commit in hub.repos[REPO].commits] == [{}]
    hub.asked.clear()
    assert _send(folder).changed
    assert hub.files(REPO) == _here(folder) and len(hub.repos[REPO].commits) == 2
    assert not [line for line in hub.asked if line.startswith("PUT") and line[9:73] in there]


def test_killed_before_the_tag_and_run_again(hub: Hub, clock: Clock, folder: Path) -> None:
    _killed(hub, folder, "/tag/")
    assert len(hub.repos[REPO].commits) == 2 and hub.files(REPO) == _here(folder)
    done = _send(folder)
    assert len(hub.repos[REPO].commits) == 2 and not done.changed
    assert hub.repos[REPO].tags == {done.tag: done.commit}


# ---- chunks ----------------------------------------------------------------------------------------------------------


def test_with_xet_only_chunks_that_changed_are_stored_again(tmp_path: Path) -> None:
    """The client's own chunk store, as a folder: what a second version adds to it is what would be sent."""
    chunks = tmp_path / "chunks"
    chunks.mkdir()
    large = random.Random(2).randbytes(3_000_000)
    folder = folder_of(tmp_path / "hub", samples=large)
    hub = Hub(chunks)

    def stored() -> int:
        return sum(path.stat().st_size for path in chunks.rglob("*") if path.is_file())

    with at_hub(hub):
        first = _send(folder)
        before = stored()
        folder_of(folder, samples=large[:1_000_000] + b"changed" + large[1_000_100:])
        second = _send(folder)
    assert first.changed and second.changed and first.sent is None
    assert before >= 3_000_000 and stored() - before < 300_000
    assert not hub.count("PUT /lfs")
