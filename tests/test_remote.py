"""A run under a URL: mirrors, shards that are pushed whole, and a lock, on S3's real interface and on a folder."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from prose_data.config import dump_config, parse_config
from prose_data.errors import InputError
from prose_data.places import Place
from prose_data.remote import LOCK, held, mirrored
from prose_data.runs import MANIFEST, STAGES, Run
from prose_data.spread import Order, do_order
from prose_data.stages import run_all, started
from tests.test_spread import SMALL, Pool, parts, pool, spread  # noqa: F401

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 stand-in on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket."""
    from urllib.request import Request, urlopen

    for name, value in {**KEYS, "AWS_ENDPOINT_URL": s3}.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()  # each keeps the address with which it was made
    name = f"bucket-{os.urandom(4).hex()}"
    urlopen(Request(f"{s3}/{name}", method="PUT"), timeout=10).close()
    return f"s3://{name}"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Mirrors lie below the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=["s3", "file"])
def url(request: pytest.FixtureRequest, here: Path) -> str:
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/some/first"
    return f"{here.as_uri()}/bucket/first"


def test_a_place_holds_whole_files(url: str) -> None:
    place = Place(url)
    assert place.names() == {} and place.read("a/b") is None
    place.write("a/b", b"one")
    place.write("a/b", b"other")
    assert place.create("c", b"first") and not place.create("c", b"second")
    place.write("store/ab/x.json", b"{}")
    place.write(".hidden", b"x")
    assert (place.read("a/b"), place.read("c")) == (b"other", b"first")
    assert place.names() == {"a/b": 5, "c": 5, "store/ab/x.json": 2}
    assert place.names("a") == {"a/b": 5} and place.names(without="store") == {"a/b": 5, "c": 5}
    place.remove("c")
    place.remove("c")
    assert place.read("c") is None


@pytest.mark.slow
def test_a_run_by_one_process_lies_under_the_url(url: str, here: Path) -> None:
    config = parse_config(SMALL, "test")
    with mirrored(url) as folder:
        run = asyncio.run(run_all(config, folder))
        files = parts(run)
    assert folder == Path("runs/first")
    names = Place(url).names()
    assert {name: Place(url).read(name) for name in files} == files
    assert MANIFEST in names and LOCK not in names and Place(url).read(LOCK) is None

    shutil.rmtree(here / "runs")  # another machine
    with mirrored(url) as folder:
        assert parts(Run(folder, config)) == files and Run(folder, config).finished


@pytest.mark.slow
def test_workers_pull_and_push_their_shards(url: str, here: Path, pool: Pool) -> None:  # noqa: F811
    config = parse_config(SMALL, "test")
    with mirrored(url) as folder:
        run = spread(config, folder, pool)
        files = parts(run)
        plain = asyncio.run(run_all(config, here / "plain"))
        assert files == parts(plain)
        pushed = Place(url).names()
        assert set(files) <= set(pushed) and MANIFEST not in pushed  # before the driver's own push
    assert {order.place for order in pool.orders} == {url}
    assert MANIFEST in Place(url).names()


@pytest.mark.parametrize("url", ["file"], indirect=True)
def test_another_driver_goes_on_where_the_first_was_lost(url: str, here: Path, pool: Pool) -> None:  # noqa: F811
    config = parse_config(SMALL, "test")

    def fail(order: Order) -> None:
        if (order.stage, order.shard) == ("infer", 2):
            raise InputError("the driver's end")

    pool.broken = fail
    with pytest.raises(InputError, match="end"), mirrored(url) as folder:
        spread(config, folder, pool, workers=1)
    done = [order.shard for order in pool.orders if order.stage == "infer"]
    assert done == [0, 1, 2]

    shutil.rmtree(here / "runs")  # another machine
    pool.orders.clear()
    pool.broken = lambda order: None
    with mirrored(url) as folder:
        run = spread(config, folder, pool, workers=1)
        assert [(o.stage, o.shard) for o in pool.orders if o.stage != "score"] == [("infer", 2), ("infer", 3)]
        assert parts(run) == parts(asyncio.run(run_all(config, here / "plain")))


@pytest.mark.parametrize("url", ["file"], indirect=True)
def test_a_stage_s_own_table_is_pushed_last(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = parse_config(SMALL, "test")
    with mirrored(url) as folder, started(config, folder):
        pass
    written: list[str] = []
    real = Place.write

    def write(self: Place, name: str, data: bytes) -> None:
        written.append(name)
        real(self, name, data)

    monkeypatch.setattr(Place, "write", write)
    for stage in STAGES:
        written.clear()
        asyncio.run(do_order(Order(url, stage, 1, dump_config(config))))
        assert len(written) >= 3
        assert written[-1].startswith(
            {"synthesize": "samples", "infer": "inferences", "score": "scores"}[stage]
        )


@pytest.mark.parametrize("url", ["file"], indirect=True)
def test_a_manifest_goes_before_a_table_changes(url: str, pool: Pool) -> None:  # noqa: F811
    config = parse_config(SMALL, "test")
    with mirrored(url) as folder:
        run = spread(config, folder, pool)
    run.part("scores", 1).unlink()
    Place(url).remove("scores/part-00001.parquet")
    seen: list[bool] = []
    pool.broken = lambda order: seen.append(MANIFEST in Place(url).names())
    with mirrored(url) as folder:
        spread(config, folder, pool)
    assert seen == [False] and MANIFEST in Place(url).names()


def test_a_run_is_written_by_one_driver_at_a_time(url: str) -> None:
    with (
        mirrored(url),
        pytest.raises(InputError, match=rf"process {os.getpid()} on {socket.gethostname()} has been writing"),
    ):
        held(Place(url)).__enter__()
    with mirrored(url):
        pass


def test_a_lock_of_a_dead_process_here_is_taken_over_and_no_other(url: str) -> None:
    place = Place(url)
    dead = {"host": socket.gethostname(), "pid": 2**22 + 1, "since": "2026-01-01T00:00:00+00:00"}
    place.write(LOCK, json.dumps(dead).encode())
    with mirrored(url):
        assert json.loads(place.read(LOCK) or b"")["pid"] == os.getpid()
    for other in (json.dumps({**dead, "host": "elsewhere"}).encode(), b"\x00"):
        place.write(LOCK, other)
        with pytest.raises(InputError, match=f"is gone, delete {url}/{LOCK}"), mirrored(url):
            raise AssertionError("not reached")
        assert place.read(LOCK) == other


def test_a_mirror_is_of_one_url(here: Path) -> None:
    (here / "runs" / "first").mkdir(parents=True)
    (here / "runs" / "first" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"runs/first: is to be the mirror .* holds something else"):
        mirrored(f"{here.as_uri()}/a/first").__enter__()
    with mirrored(f"{here.as_uri()}/a/second"):
        pass
    with pytest.raises(InputError, match=r"runs/second: is the mirror of .*/a/second; move it away"):
        mirrored(f"{here.as_uri()}/b/second").__enter__()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("s3://no-such-bucket-1/run", "s3://no-such-bucket-1/run/.*cannot be reached"),
        ("nothing://bucket/run", "nothing://bucket/run.*no address"),
        ("s3://", "names no run"),
    ],
)
def test_what_cannot_be_reached_is_named(place: str, words: str, bucket: str) -> None:
    with pytest.raises(InputError, match=words):
        mirrored(place).__enter__()


def test_an_object_store_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec.core

    def missing(url: str, **_: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(InputError, match=r"s3://bucket/run.*prose-data\[s3\]"):
        Place("s3://bucket/run")


def test_an_object_store_that_does_not_answer_is_named_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": address}.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    with pytest.raises(InputError, match=r"s3://bucket/run/.*cannot be reached"):
        Place("s3://bucket/run").read("config.yaml")
