"""The local model: its server lives as long as the run and no longer, its configuration is one word, and a real run of it.

The tests with the marker `local` need the extra and take minutes (`make test-local`); the others put a stand-in, which
answers like an endpoint, in the place of the model.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import polars as pl
import pytest
from typer.testing import CliRunner

from prose_data.cli import app
from prose_data.config import LOCAL_MODEL, Model, load_config, parse_config
from prose_data.errors import InputError
from prose_data.llm import local
from prose_data.llm.door import open_door
from prose_data.llm.local_server import in_own_words, with_schemas
from tests.endpoint import Endpoint, answer

LOCAL = Model(backend="local")
STAND_IN = """
import json, os, signal, socket, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from prose_data.llm.local_server import end_with_stdin
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        message = {"role": "assistant", "content": json.dumps(sorted(os.environ))}
        body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
end_with_stdin()
server = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=int(sys.argv[1]))
"""
OWNER = """
import os, sys, threading
from pathlib import Path
from prose_data.config import Model
from prose_data.llm import local
local.model_file = lambda who: Path("none")
local._command = lambda number, file: [sys.executable, "-c", sys.argv[1], str(number)]
starting = threading.Thread(target=local.served, args=("default", Model(backend="local")))
starting.start()
starting.join()  # the server outlives the thread that started it
print(local._server.process.pid, flush=True)
if not sys.argv[2]:
    input()
exec(sys.argv[2])
"""


def stand_in(monkeypatch: pytest.MonkeyPatch, end: str = "server.serve_forever()") -> None:
    monkeypatch.setattr(local, "model_file", lambda who: Path("none"))
    command = [sys.executable, "-c", STAND_IN + end]
    monkeypatch.setattr(local, "_command", lambda number, file: [*command, str(number)])


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    local.stop()


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits for its parent to notice does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def gone(pid: int, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def ask(url: str, **body: Any) -> str:
    data = {"model": LOCAL_MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64} | body
    request = Request(
        f"{url}/chat/completions", json.dumps(data).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=120) as response:
        return str(json.loads(response.read())["choices"][0]["message"]["content"])


def test_one_word_chooses_the_local_model() -> None:
    model = load_config(None, ["models.default.backend=local"]).models["default"]
    assert (model.backend, model.model) == ("local", LOCAL_MODEL)
    assert (model.concurrency, model.max_tokens, model.timeout) == (2, 256, 300.0)
    assert Model(backend="local", max_tokens=9).max_tokens == 9


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("base_url", "http://localhost:1/v1", "base_url is for the backend openai"),
        ("model", "qwen", "no local model is called 'qwen'"),
        ("model", "sim-weak", "no local model is called 'sim-weak'"),
        ("mode", "batch", "mode batch is for the backend openai"),
    ],
)
def test_what_a_local_model_cannot_have_is_one_sentence(key: str, value: str, words: str) -> None:
    with pytest.raises(InputError, match=f"^test: models.default: {words}") as error:
        parse_config({"models": {"default": {"backend": "local", key: value}}}, "test")
    assert "\n" not in str(error.value)


def test_no_other_key_is_sent_to_the_local_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-secret-0123456789")
    config = parse_config({"models": {"default": {"backend": "local"}}}, "test")
    endpoint = Endpoint(answer())

    async def go() -> None:
        async with endpoint.at() as url:
            monkeypatch.setattr(local, "served", lambda name, model: url)
            async with open_door(config, None) as door:
                await door.view("infer", 0)([{"role": "user", "content": "hi"}], role="writer")

    asyncio.run(go())
    assert [headers["Authorization"] for headers in endpoint.headers] == ["Bearer none"]


def test_a_proxy_does_not_stand_between_us_and_our_server(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert local.served("default", LOCAL).startswith("http://127.0.0.1:")


def test_what_lies_in_the_working_folder_is_no_part_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('from the working folder')")
    done = subprocess.run(local._command(0, Path("none")), cwd=tmp_path, input=b"", stderr=subprocess.PIPE)
    assert b"from the working folder" not in done.stderr


def test_a_server_that_does_not_end_by_itself_is_killed() -> None:
    class Impatient(subprocess.Popen[bytes]):
        def wait(self, timeout: float | None = None) -> int:
            return super().wait(0.1 if timeout == 5 else 10)

    reader, writer = os.pipe()
    with Impatient(["sleep", "60"], stdin=subprocess.PIPE) as process:
        local.Server("http://127.0.0.1:9/v1", process, writer).stop()
        assert process.returncode == -signal.SIGKILL
    os.close(reader)


def test_bundled_configurations_go_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(Path("local")).models["default"] == Model(backend="local", max_tokens=160)
    assert load_config(Path("quickstart")) == load_config(None)
    Path("local").write_text("name: mine")
    assert load_config(Path("local")).name == "mine"
    with pytest.raises(
        InputError, match=r"^remote: no such configuration file; bundled ones are .*local.*quick"
    ):
        load_config(Path("remote"))


def test_without_the_extra_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None)
    for arguments in (
        ["run", "local", "--engine", "plain", "--out", str(tmp_path / "run")],
        ["local-llm", "--port", "0"],
    ):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert "pip install 'prose-data[local]'" in done.stderr and "five minutes" in done.stderr
        assert done.stderr.count("\n") <= 2  # progress, and the one sentence


def test_all_calls_of_all_threads_get_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    monkeypatch.setenv("MODEL", "other.gguf")
    urls: list[str] = []
    threads = [threading.Thread(target=lambda: urls.append(local.served("default", LOCAL))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(urls) == 4 and len(set(urls)) == 1 and urls[0].startswith("http://127.0.0.1:")
    assert not {"OPENAI_API_KEY", "MODEL"} & set(json.loads(ask(urls[0])))
    assert local._server is not None
    pid = local._server.process.pid
    local.stop()
    assert gone(pid, 0)
    assert local.served("default", LOCAL) != urls[0]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("sys.exit('one\\ntwo\\nthree\\nno memory left')", r"exit code 1\): two / three / no memory left$"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "another processor; compile it for all: CMAKE_ARGS="),
        ("os.kill(os.getpid(), signal.SIGKILL)", r"ended \(signal 9\)$"),
    ],
)
def test_a_server_that_does_not_start_says_why(end: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, end)
    with pytest.raises(InputError, match=rf"^models.mine \({LOCAL_MODEL}\): its server .*{words}") as error:
        local.served("mine", LOCAL)
    assert "\n" not in str(error.value)


def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "print('loading', flush=True); threading = __import__('threading').Event().wait()")
    monkeypatch.setattr(local, "START", 1.0)
    with pytest.raises(InputError, match="its server did not answer within 1 s: loading"):
        local.served("default", LOCAL)


def test_a_server_that_died_later_is_named_and_the_next_call_starts_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in(monkeypatch)
    url = local.served("default", LOCAL)
    assert local._server is not None
    local._server.process.kill()
    local._server.process.wait()
    with pytest.raises(InputError, match=r"its server ended \(signal 9\)"):
        local.served("default", LOCAL)
    assert local.served("default", LOCAL) != url


@pytest.mark.parametrize(
    ("end", "number"),
    [
        ("pass", None),
        ("raise ValueError", None),
        ("os._exit(1)", None),
        ("", signal.SIGINT),
        ("", signal.SIGTERM),
        ("", signal.SIGKILL),
    ],
    ids=str,
)
def test_the_server_ends_with_its_owner(end: str, number: signal.Signals | None) -> None:
    command = [sys.executable, "-c", OWNER, STAND_IN + "server.serve_forever()", end]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        if number is not None:
            assert alive(pid)
            owner.send_signal(number)
        owner.wait(10)
        assert gone(pid)


def test_a_json_schema_reaches_the_server_in_its_own_words() -> None:
    schema = {"type": "object", "properties": {"ü": {"type": "string"}}}
    asked = {"model": "m", "response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}
    body = json.dumps(asked).encode()
    heard: list[bytes] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        heard.append(message["body"])
        assert await receive() == {"type": "http.disconnect"}

    parts = [
        {"type": "http.request", "body": body[:10], "more_body": True},
        {"type": "http.request", "body": body[10:]},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    asyncio.run(with_schemas(inner)({"type": "http"}, receive, None))
    assert json.loads(heard[0]) == {
        "model": "m",
        "response_format": {"type": "json_object", "schema": schema},
    }
    for other in (b"", b"{", b"[1]", b'{"response_format": {"type": "json_object"}}'):
        assert in_own_words(other) == other


def run_local(folder: Path, *more: str, config: str = "local") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "prose_data", "run", config, "--engine", "plain", "--json"]
    return subprocess.Popen(
        [*command, "--out", str(folder), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(running: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return what a run printed, after it ended well and its servers with it."""
    servers: set[int] = set()
    with ended(running):
        while running.poll() is None:
            servers |= set(servers_of(running.pid))
            time.sleep(0.2)
        stdout, stderr = running.communicate()
    assert running.returncode == 0, stderr
    assert all(gone(pid) for pid in servers)
    return dict(json.loads(stdout), servers=len(servers))


def servers_of(parent: int) -> list[int]:
    """Return the processes of the local model's server that `parent` started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        if int(state[1]) == parent and b"local_server" in command:
            found.append(int(folder.name))
    return found


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """Give `process`, and kill it after a test that failed."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / name / "*.parquet")


@pytest.fixture(scope="module")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run of the bundled configuration on the real model: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("local") / "run"
    started = time.monotonic()
    printed = finished(run_local(folder))
    seconds = time.monotonic() - started
    requests = table(folder, "requests")
    failures = table(folder, "failures").group_by("stage", "reason").len().sort("stage", "reason").rows()
    print(
        f"\n{LOCAL_MODEL}: {seconds:.0f} s, {len(requests)} requests, {requests['prompt_tokens'].sum()} tokens read, "
        f"{requests['completion_tokens'].sum()} written; failures {failures}; rungs {requests['rung'].value_counts().rows()}"
    )
    assert seconds < 15 * 60
    return folder, printed


@pytest.mark.local
def test_a_real_model_goes_the_whole_way(real_run: tuple[Path, dict[str, Any]]) -> None:
    folder, printed = real_run
    assert printed["servers"] == 1
    for name in ("samples", "inferences", "requests"):
        assert set(table(folder, name)["model"]) == {LOCAL_MODEL}, name
    scores = table(folder, "scores")
    assert set(scores["method"]) == {"no_learning", "icl", "cipher_1", "prose"}
    assert set(scores.filter(pl.col("judge") != "")["judge"]) <= {LOCAL_MODEL}
    requests = table(folder, "requests")
    assert set(requests["source"]) <= {"endpoint", "store"} and requests["completion_tokens"].min() > 0
    assert not json.loads((folder / "summary.json").read_text())["simulated"]


@pytest.mark.local
def test_what_a_real_model_gets_wrong_is_counted_in_the_report(real_run: tuple[Path, dict[str, Any]]) -> None:
    folder, printed = real_run
    failures = table(folder, "failures")
    assert len(failures) > 0
    counted = {(row["stage"], row["reason"]): row for row in printed["result"]["failures"]}
    for stage, reason, number in failures.group_by("stage", "reason").len().rows():
        row = counted.pop((stage, reason))
        assert row["lost"] + row["noted"] == number
    assert not counted
    report = (folder / "report.md").read_text()
    assert all(
        f"| {stage} | {reason} |" in report for stage, reason in failures.select("stage", "reason").rows()
    )


@pytest.mark.local
def test_a_real_run_is_repeated_without_asking(real_run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = real_run
    again = tmp_path / "again"
    finished(run_local(again, "--set", f"store={folder / 'store.sqlite'}"))
    assert set(table(again, "requests")["source"]) == {"store"}
    for name in ("samples", "inferences", "scores", "failures"):
        assert table(again, name).equals(table(folder, name)), name


@pytest.mark.local
def test_a_real_server_is_gone_after_kill_9(tmp_path: Path) -> None:
    running = run_local(tmp_path / "run")
    until = time.monotonic() + 60
    while not (servers := servers_of(running.pid)) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(2)  # in the middle of its first reply
    assert len(servers) == 1 and alive(servers[0])
    running.kill()
    running.communicate()
    assert gone(servers[0])


@pytest.mark.local
def test_a_served_model_is_an_endpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "prose_data", "local-llm", "--port", "0"]
    with ended(
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ) as serving:
        assert serving.stdout is not None and serving.stderr is not None
        name, _, url = serving.stdout.readline().strip().partition(" at ")
        servers = servers_of(serving.pid)
        assert name == LOCAL_MODEL and len(servers) == 1
        started = time.monotonic()
        assert ask(url, messages=[{"role": "user", "content": "Write a letter."}], max_tokens=100, seed=1)
        print(f"\n100 tokens in {time.monotonic() - started:.1f} s")
        schema = {"type": "object", "properties": {"n": {"enum": [41, 42]}}, "required": ["n"]}
        form = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": schema}}
        assert json.loads(ask(url, response_format=form)) in ({"n": 41}, {"n": 42})
        models = {"default": {"backend": "openai", "model": LOCAL_MODEL, "base_url": url, "max_tokens": 32}}
        small = ["samples.attempts=1", "samples.per_user=1", "users.count=1", "methods=[no_learning]"]
        sets = [f"models={json.dumps(models)}", *small, "metrics=[edit_distance]"]
        finished(run_local(tmp_path / "run", *(part for value in sets for part in ("--set", value))))
        requests = table(tmp_path / "run", "requests")
        assert len(requests) > 0 and set(requests["source"]) == {"endpoint"}
        serving.send_signal(signal.SIGINT)
        assert serving.wait(10) == 0 and serving.stderr.read() == ""
        assert gone(servers[0])
