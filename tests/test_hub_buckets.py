"""Data set folders in buckets and folders: the same files, half copies that can be told, nothing sent twice."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from prose_data.errors import InputError
from prose_data.hub import buckets
from prose_data.hub.buckets import send_folder
from prose_data.hub.files import FILES, describe, from_json, to_json
from prose_data.places import Place
from tests.hub_session import folder_of

TABLES = {f"table{number}": random.Random(number).randbytes(2_000) for number in range(4)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "hub", **TABLES)


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


def _send(folder: Path, to: Path) -> tuple[bool, int]:
    return send_folder(folder, describe(folder), to.as_uri())


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


class Stopped(Exception):
    pass


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Give a list; where it holds a number, so many files are written and the next write ends the program."""
    left: list[int] = []
    write = Place.write

    def counted(self: Place, name: str, data: bytes) -> None:
        if left:
            if left[0] == 0:
                raise Stopped
            left[0] -= 1
        write(self, name, data)

    monkeypatch.setattr(Place, "write", counted)
    yield left


def test_the_same_files_and_nothing_when_nothing_changed(folder: Path, there: Path) -> None:
    assert _send(folder, there) == (True, sum(map(len, _files(folder).values())) - len(_files(folder)[FILES]))
    assert _files(there) == _files(folder)
    before = {path: path.stat().st_mtime_ns for path in there.rglob("*")}
    assert _send(folder, there) == (False, 0)
    assert before == {path: path.stat().st_mtime_ns for path in there.rglob("*")}


def test_what_changed_is_sent_and_what_is_gone_is_removed(folder: Path, there: Path) -> None:
    _send(folder, there)
    (there / "NOTES.md").write_text("mine")
    (folder / "table0/train-00000-of-00001.parquet").unlink()
    folder_of(folder, table1=b"changed")
    changed, sent = _send(folder, there)
    assert changed and sent == len(b"changed") + len(_files(folder)["README.md"])
    assert _files(there) == {**_files(folder), "NOTES.md": b"mine"}


@pytest.mark.parametrize("writes", range(1, 9))
def test_half_a_copy_can_be_told_and_is_gone_on_with(
    folder: Path, there: Path, stop_after: list[int], monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    monkeypatch.setattr(buckets, "_NOTED", 1)  # note after every file
    stop_after.append(writes)
    with pytest.raises(Stopped):
        _send(folder, there)
    found = from_json((there / FILES).read_bytes())
    assert found and not found[1] and not (there / "README.md").exists()
    stop_after.clear()
    changed, sent = _send(folder, there)
    assert changed and _files(there) == _files(folder)
    whole = sum(file.bytes for file in describe(folder).files.values())
    assert sent <= whole and (writes < 3 or sent < whole)


@pytest.mark.parametrize("writes", range(1, 6))
def test_half_a_second_version_can_be_told_and_leaves_nothing_behind(
    folder: Path, there: Path, stop_after: list[int], writes: int
) -> None:
    _send(folder, there)
    (folder / "table0/train-00000-of-00001.parquet").unlink()
    folder_of(folder, table1=b"x" * 3000, table9=b"new")
    stop_after.append(min(writes, 4))
    with pytest.raises(Stopped):
        _send(folder, there)
    assert not json.loads((there / FILES).read_bytes())["complete"]
    stop_after.clear()
    if writes == 5:  # another version comes instead, which lacks what was on its way
        (folder / "table9/train-00000-of-00001.parquet").unlink()
    assert _send(folder, there)[0] and _files(there) == _files(folder)


def test_what_is_not_ours_is_not_written_over(folder: Path, there: Path) -> None:
    there.mkdir()
    (there / "README.md").write_text("my project")
    with pytest.raises(InputError, match="which is no data set published from here"):
        _send(folder, there)
    assert _files(there) == {"README.md": b"my project"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b'{"files": {}}',
        b"9" * 5000,
        b'{"content_hash":"","complete":true,"files":{"../x":{"bytes":1,"sha256":""}}}',
    ],
)
def test_a_list_of_files_that_cannot_be_read_is_none(text: bytes) -> None:
    assert from_json(text) is None


def test_a_list_of_files_survives(folder: Path) -> None:
    content = describe(folder)
    assert from_json(to_json(content)) == (content, True)
    assert from_json(to_json(content, complete=False)) == (content, False)
    forged = json.loads(to_json(content)) | {"content_hash": "0" * 64}
    assert from_json(json.dumps(forged).encode()) == (content, False)


def test_an_address_that_nothing_opens(folder: Path) -> None:
    with pytest.raises(InputError, match="is no address of a folder or an object store"):
        send_folder(folder, describe(folder), "nothing://there/at/all")


def test_s3(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moto = pytest.importorskip("moto.server", reason="needs the extra dev")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        }.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")

        def stored() -> dict[str, bytes]:
            listed = client.list_objects_v2(Bucket="bucket").get("Contents", [])
            return {
                one["Key"]: client.get_object(Bucket="bucket", Key=one["Key"])["Body"].read()
                for one in listed
            }

        content = describe(folder)
        assert send_folder(folder, content, "s3://bucket/sets/small")[0]
        assert stored() == {f"sets/small/{name}": data for name, data in _files(folder).items()}
        assert send_folder(folder, content, "s3://bucket/sets/small") == (False, 0)
        (folder / "table0/train-00000-of-00001.parquet").unlink()
        changed, sent = send_folder(folder, describe(folder), "s3://bucket/sets/small")
        assert changed and sent < 2_000
        assert stored() == {f"sets/small/{name}": data for name, data in _files(folder).items()}
        with pytest.raises(InputError, match="s3://nobodys/x"):
            send_folder(folder, content, "s3://nobodys/x")
    finally:
        server.stop()
