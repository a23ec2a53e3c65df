import asyncio
import io
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from prose_data.cli import app
from prose_data.config import Config, dump_config
from prose_data.errors import InputError
from prose_data.llm.door import open_door
from prose_data.llm.store import OpenBatch, Store
from prose_data.llm.store_tools import export_store, prune
from prose_data.llm.types import Reply, Rung
from prose_data.simulator.server import Faults, make_app, running
from tests.endpoint import Endpoint, answer, config_for
from tests.stores import content, fill, key, version_1

KEY = "sk-planted-secret-9876543210"
DAY = 86_400
HOSTILE = "\x1b[31mevil[bold]\u202e\n"


def call(*arguments: str | Path) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    return runner.invoke(app, [str(argument) for argument in arguments], prog_name="prose-data")


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def reply(model: str, rung: Rung = "text", text: str = "t") -> Reply:
    return Reply(text, "stop", 10, 2, model, "endpoint", rung=rung)


def body(n: int) -> bytes:
    return b'{"messages":[{"content":"%d \xc3\xa9"}],"seed":1180591620717411303424}' % n


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Six replies: of `a` 4 days old (two) and of today, of `b` 10 days old, of an older version, hostile."""
    path = tmp_path / "s.sqlite"
    kept = Store(path)
    replies = [reply("a", "json"), reply("a", "json"), reply("a"), reply("b"), reply("b"), reply(HOSTILE)]
    kept.put_many([(key(n), one, body(n)) for n, one in enumerate(replies)])
    kept.save_batch(OpenBatch("x", "http://h/v1 a", "batch_1", None, (key(7), key(8))))
    kept.close()
    now = time.time()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for n, days in ((0, 4), (1, 4), (3, 10)):
            db.execute("UPDATE replies SET created = ? WHERE key = ?", (now - days * DAY, key(n)))
        db.execute("UPDATE replies SET created = 0, request = x'' WHERE key = ?", (key(4),))
    return path


def test_help_shows_examples() -> None:
    for command in ((), ("stats",), ("prune",), ("export",)):
        result = call("store", *command, "--help")
        assert result.exit_code == 0 and "Example" in result.stdout


def test_stats_count_by_model_and_rung(store: Path) -> None:
    before = content(store.parent)
    data = json.loads(call("store", "stats", store, "--json").stdout)
    assert content(store.parent) == before
    assert data["store"] == str(store) and data["replies"] == 6
    assert {(p["model"], p["rung"], p["replies"], p["prompt_tokens"]) for p in data["parts"]} == {
        ("a", "json", 2, 20),
        ("a", "text", 1, 10),
        ("b", "text", 2, 20),
        (HOSTILE, "text", 1, 10),
    }
    assert [p["completion_tokens"] for p in data["parts"] if p["model"] == "b"] == [4]
    age = {
        name: time.time() - pl.Series([data[name]]).str.to_datetime(time_zone="UTC")[0].timestamp()
        for name in ("oldest", "newest")
    }
    assert age["oldest"] == pytest.approx(10 * DAY, abs=60) and age["newest"] == pytest.approx(0, abs=60)
    assert data["oldest"].endswith("+00:00")
    assert data["size"] == store.stat().st_size
    assert (data["open_batches"], data["batched_requests"]) == (1, 2)


def test_stats_are_readable_and_safe_on_a_terminal(store: Path) -> None:
    result = call("store", "stats", store)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout and "\u202e" not in result.stdout
    assert "[31mevil[bold]" in result.stdout
    assert "6 replies of 3 models" in result.stdout
    assert "1 open batches with 2 requests" in result.stdout


def test_stats_read_an_older_store_as_it_is(tmp_path: Path) -> None:
    version_1(tmp_path / "s.sqlite")
    before = content(tmp_path)
    data = json.loads(call("store", "stats", tmp_path / "s.sqlite", "--json").stdout)
    assert (data["replies"], data["oldest"], data["newest"]) == (3, None, None)
    assert "unknown" in call("store", "stats", tmp_path / "s.sqlite").stdout
    assert (
        "would remove 3 of 3"
        in call("store", "prune", tmp_path / "s.sqlite", "--older-than", "1d", "--dry-run").stdout
    )
    assert len(call("store", "export", tmp_path / "s.sqlite").stdout.splitlines()) == 3
    assert content(tmp_path) == before


def test_a_run_folder_stands_for_its_store(store: Path, tmp_path: Path) -> None:
    for name, shared in (("own", None), ("sharing", store)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.yaml").write_text(dump_config(Config(store=shared and str(shared))))
    assert "has no request store" in refused(call("store", "stats", tmp_path / "own"))
    fill(tmp_path / "own" / "store.sqlite", 9)
    assert json.loads(call("store", "stats", tmp_path / "own", "--json").stdout)["replies"] == 9
    assert json.loads(call("store", "stats", tmp_path / "sharing", "--json").stdout)["replies"] == 6


COMMANDS = [("stats",), ("prune", "--model", "a"), ("prune", "--model", "a", "--dry-run"), ("export",)]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: None, "no such request store"),
        (lambda path: path.mkdir(), "is not a run folder"),
        (lambda path: path.write_text("text\n" * 500), "not a database"),
        (
            lambda path: sqlite3.connect(path).executescript("CREATE TABLE a (b)").connection.close(),
            "another program",
        ),
        (lambda path: path.touch(), "an empty file"),
    ],
)
def test_what_is_no_store_is_refused_and_left_alone(
    tmp_path: Path, command: tuple[str, ...], spoil: Callable[[Path], object], says: str
) -> None:
    path = tmp_path / "s.sqlite"
    spoil(path)
    before = content(tmp_path) if not path.is_dir() else {}
    name, *options = command
    said = refused(call("store", name, path, *options))
    assert says in said and str(path) in said
    assert path.is_dir() or content(tmp_path) == before


def test_an_empty_store_has_nothing_to_show(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    Store(path).close()
    assert "holds no replies" in call("store", "stats", path).stdout
    assert json.loads(call("store", "stats", path, "--json").stdout)["parts"] == []
    assert "removed 0 of 0 replies" in call("store", "prune", path, "--model", "a").stdout
    assert "nothing to export" in refused(call("store", "export", path))
    assert "nothing to export" in refused(call("store", "export", path, "--out", tmp_path / "x.parquet"))
    assert not (tmp_path / "x.parquet").exists()


@pytest.mark.parametrize(
    ("options", "stay"),
    [
        (["--older-than", "3d"], {2, 5}),
        (["--older-than", "120h"], {0, 1, 2, 5}),
        (["--model", "a"], {3, 4, 5}),
        (["--model", "a", "--older-than", "1w"], {0, 1, 2, 3, 4, 5}),
        (["--model", "b", "--older-than", "1w"], {0, 1, 2, 5}),
    ],
)
def test_prune_removes_what_meets_all_conditions(store: Path, options: list[str], stay: set[int]) -> None:
    said = call("store", "prune", store, *options, "--dry-run").stdout
    assert f"would remove {6 - len(stay)} of 6 replies" in said
    assert _left(store) == set(range(6))
    said = call("store", "prune", store, *options).stdout
    assert f"removed {6 - len(stay)} of 6 replies" in said
    assert _left(store) == stay


def _left(path: Path) -> set[int]:
    kept = Store(path)
    found = {n for n in range(6) if kept.get(key(n)) is not None}
    assert len(kept.open_batches("http://h/v1 a")) == 1
    kept.close()
    return found


def test_prune_makes_the_file_smaller_while_others_have_it_open(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    fill(path, 3000)
    other = Store(path)
    other.put_many([(key(5000), reply("z"), b"{}")])
    done = prune(path, None, "m-1")
    assert (done.removed, done.stay) == (3000, 1)
    assert done.after < done.before / 10 and done.after < 60_000
    assert other.get(key(0)) is None and other.get(key(5000)) is not None
    other.put_many([(key(0), reply("z"), b"{}")])
    assert other.get(key(0)) is not None
    other.close()


def test_prune_wants_a_condition_that_it_understands(store: Path) -> None:
    assert "--older-than" in refused(call("store", "prune", store))
    for age in ("30", "d", "-1d", "1.5d", "3 d", "1y", ""):
        assert "30d or 12h" in refused(call("store", "prune", store, "--older-than", age))
    assert _left(store) == set(range(6))


def test_export_gives_every_reply_in_order_of_keys(store: Path, tmp_path: Path) -> None:
    printed = call("store", "export", store).stdout
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line["key"] for line in lines] == sorted(key(n).hex() for n in range(6))
    by_key = {line["key"]: line for line in lines}
    first = by_key[key(0).hex()]
    assert first["request"] == json.loads(body(0))
    assert first["request"]["seed"] == 1180591620717411303424
    assert by_key[key(4).hex()]["request"] is None and by_key[key(4).hex()]["created"] == 0
    assert first["created"] == pytest.approx(time.time() - 4 * DAY, abs=60)
    expected = {"model": "a", "text": "t", "finish_reason": "stop", "rung": "json"}
    assert expected | {"prompt_tokens": 10, "completion_tokens": 2} == {
        name: value for name, value in first.items() if name not in ("key", "request", "created")
    }
    out = tmp_path / "out" / "x.jsonl"
    assert f"6 replies in {out}" in call("store", "export", store, "--out", out).stdout
    assert out.read_text() == printed
    table = tmp_path / "x.parquet"
    assert call("store", "export", store, "--out", table).exit_code == 0
    rows = pl.read_parquet(table).to_dicts()
    for row in rows:
        row["request"] = row["request"] and json.loads(row["request"])
    assert rows == lines


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_exports_of_equal_stores_are_equal_whatever_the_order_in_time(tmp_path: Path, form: Any) -> None:
    files = []
    for name, order in (("a", range(1200)), ("b", range(1199, -1, -1))):
        path = tmp_path / name
        kept = Store(path)
        for start in range(0, 1200, 100):
            kept.put_many(
                [
                    (key(order[n]), reply("m", text=str(order[n])), body(order[n]))
                    for n in range(start, start + 100)
                ]
            )
        kept.close()
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("UPDATE replies SET created = 7")
        files.append(io.BytesIO())
        assert export_store(path, files[-1], form) == 1200
    assert files[0].getvalue() == files[1].getvalue()


def test_an_export_that_fails_leaves_no_file(store: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as db:
        db.execute("UPDATE replies SET request = x'ff7b' WHERE key = ?", (key(2),))
    out = tmp_path / "out"
    out.mkdir()
    assert "is damaged" in refused(call("store", "export", store, "--out", out / "x.jsonl"))
    assert "must end in" in refused(call("store", "export", store, "--out", out / "x.csv"))
    assert list(out.iterdir()) == []
    (out / "x.jsonl").mkdir()
    assert "is a folder" in refused(call("store", "export", store, "--out", out / "x.jsonl"))
    same = tmp_path / "s.jsonl"
    store.rename(same)
    assert "the request store itself" in refused(call("store", "export", same, "--out", same))


def test_no_key_is_in_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", KEY)
    endpoint, path = Endpoint(answer()), tmp_path / "s.sqlite"

    async def ask() -> None:
        async with endpoint.at() as url, open_door(config_for(url), path) as door:
            await door.view("infer", 0)([{"role": "user", "content": "hi"}], role="writer")

    asyncio.run(ask())
    assert f"Bearer {KEY}" in endpoint.headers[0].values()
    printed = call("store", "export", path).stdout
    assert json.loads(printed)["request"]["messages"] == [{"role": "user", "content": "hi"}]
    assert call("store", "export", path, "--out", tmp_path / "x.parquet").exit_code == 0
    texts = [
        printed,
        call("store", "stats", path).stdout,
        *(str(row) for row in pl.read_parquet(tmp_path / "x.parquet").rows()),
    ]
    assert all(KEY not in text for text in texts)
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())


@contextmanager
def served() -> Iterator[str]:
    """Serve the simulated models over HTTP from a thread; gives the base URL."""
    ready = threading.Event()
    stops: list[Callable[[], object]] = []
    urls: list[str] = []

    async def serve() -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(done.set))
        async with running(make_app(Faults())) as address:
            urls.append(f"{address}/v1")
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield urls[0]
    finally:
        stops[0]()
        thread.join()


SMALL = """
seeds: [0]
tasks: [email]
users: {count: 2}
samples: {per_user: 1}
methods: [no_learning]
metrics: []
models: {default: {backend: openai, model: sim-strong, attempts: 1}}
budget: {max_failures: 1}
"""


def test_runs_share_a_store_and_go_on_without_the_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)
    plain = ("--engine", "plain")
    with served() as url:
        there = ("--set", f"models.default.base_url={url}")
        result = call(
            "synthesize", "small.yaml", *there, "--out", "first", "--store", "shared.sqlite", *plain
        )
        assert result.exit_code == 0, result.output
    assert Path("shared.sqlite").exists() and not Path("first/store.sqlite").exists()
    before = Path("shared.sqlite").read_bytes()
    away = ("--store", "shared.sqlite", "--offline", *plain)
    result = call("synthesize", "small.yaml", *there, "--out", "second", *away)
    assert result.exit_code == 0, result.output
    first, second = (pl.read_parquet(Path(name, "samples")) for name in ("first", "second"))
    assert first.equals(second) and len(first) == 2
    result = call("infer", "second", *plain)  # the folder stays offline, and knows its store from anywhere
    assert result.exit_code == 2, result.output
    said = result.stderr.splitlines()[-1]
    assert "shared.sqlite: holds no reply of the writer's model sim-strong" in said
    assert "--no-offline" in said
    assert Path("shared.sqlite").read_bytes() == before
    with served() as url:
        config = Path("second/config.yaml")
        config.write_text(config.read_text().replace(there[1].partition("=")[2], url))
        result = call("infer", "second", "--no-offline", *plain)
        assert result.exit_code == 0, result.output
    assert len(pl.read_parquet("second/inferences")) == 2


def test_own_texts_use_the_same_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)
    Path("letters").mkdir()
    Path("letters/a.txt").write_text("Dear all, we meet on Monday! Bring cake & tea.")
    ask = ("infer", "--samples", "letters", "--method", "cipher_1", "--config", "small.yaml", "--json")
    with served() as url:
        there = ("--set", f"models.default.base_url={url}")
        online = call(*ask, *there, "--store", "own.sqlite")
        assert online.exit_code == 0, online.output
    offline = call(*ask, *there, "--set", "store=own.sqlite", "--offline")
    assert offline.exit_code == 0, offline.output
    assert json.loads(offline.stdout) == json.loads(online.stdout)
    assert "need a request store" in refused(call(*ask, *there, "--offline"))


def test_prune_without_a_condition_is_refused_by_the_function_too(store: Path) -> None:
    with pytest.raises(InputError, match="condition"):
        prune(store, None, None)


@pytest.mark.parametrize("command", [("export",), ("stats", "--json"), ("stats",)])
def test_a_full_disk_is_one_clear_line(command: tuple[str, ...], store: Path) -> None:
    arguments = [sys.executable, "-m", "prose_data", "store", command[0], str(store), *command[1:]]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert done.returncode == 2
    assert done.stderr == "error: the output: cannot be written (No space left on device)\n"
