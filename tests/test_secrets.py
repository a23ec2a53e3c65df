"""A key and a proxy's password are planted, endpoints repeat them in every way, and everything is searched for them.

One exception is meant: the text of a good reply is kept as it came, whatever it says, for it is the model's.
"""

import asyncio
import base64
import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner, Result

from prose_data.cli import app
from prose_data.config import load_config, parse_config
from prose_data.errors import InputError
from prose_data.llm.client import Endpoint
from prose_data.llm.door import open_door
from prose_data.llm.secrets import knife
from prose_data.simulator.model import simulate
from tests.endpoint import completion, config_for

KEY = 'sk-Planted/9f+A1b2C3d4"E5f6?G7h8&J9k0'
PASSWORD = "proxyPassw0rdPlantedQ7w8E9r0T1y2"
PIECE = 10  # characters of a secret that nothing may hold
SMALL = {
    "name": "small",
    "seeds": [0],
    "tasks": ["email"],
    "users": {"count": 14},
    "samples": {"per_user": 2},
    "methods": ["no_learning", "prose"],
    "metrics": ["ppcm"],
    "budget": {"max_failures": 1},
}

Answer = tuple[int, dict[str, str], bytes]  # status, headers, body; status 0: the body is all that is sent


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1])
    for before in ("", "u", "us"):
        coded = base64.b64encode(f"{before}{secret}".encode()).decode()[4:-4]
        yield from (coded, coded.replace("+", "-").replace("/", "_"))


PIECES = {
    form[at : at + PIECE].encode()
    for secret in (KEY, PASSWORD)
    for form in _forms(secret)
    for at in range(len(form) - PIECE + 1)
}


def leaks(found: str | bytes) -> list[bytes]:
    """Return the pieces of secrets in `found`."""
    data = found.encode(errors="replace") if isinstance(found, str) else found
    return [piece for piece in PIECES if piece in data]


def error(message: Any, code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": "t", "code": code}}).encode()


def choice(**fields: Any) -> bytes:
    return json.dumps(completion(choices=[{"index": 0, **fields}])).encode()


def echoes(said: str) -> list[Answer]:
    """Return the ways to fail one request and repeat `said`, each of which ends as a row in `failures`."""
    basic = base64.b64encode(f"user:{said}".encode()).decode()
    raw = said.encode()
    return [
        (400, {}, error(f"not with {said}")),
        (400, {"X-Echo": said, "Set-Cookie": f"key={said}; Path=/"}, error("see the header")),
        (400, {}, error(f"half of it: {said[: len(said) * 2 // 3]}")),
        (400, {}, error(f"half of it: {said[len(said) // 2 :]}")),
        (400, {}, error(f"http://host/?key={quote(said, safe='')}")),
        (400, {}, error(f"http://user:{said}@host/")),
        (400, {}, error(f"Authorization: Basic {basic}")),
        (400, {}, error(" " * 3990 + said)),
        (400, {}, error("x" * 185 + said)),
        (400, {}, error(said, "content_filter")),
        (418, {}, raw),
        (418, {}, b" " * 3990 + raw),
        (422, {}, json.dumps({"detail": [{"loc": [said], "msg": said, "input": said}]}).encode()),
        (
            429,
            {"Retry-After": said, "x-ratelimit-remaining-requests": said},
            json.dumps({"detail": said}).encode(),
        ),
        (500, {"Content-Type": "text/html"}, b"<html><body>" + raw + b"</body></html>"),
        (502, {}, json.dumps({"headers": {"authorization": said}}).encode()),
        (503, {}, json.dumps(said).encode()),
        (200, {}, b"you sent " + raw),
        (200, {}, error(said)),
        (200, {}, choice(message={"content": None, "refusal": said})),
        (200, {}, choice(message={"content": None}, finish_reason=said)),
        (200, {"Content-Encoding": "gzip"}, raw),
        (0, {}, b"HTTP/1.1 200 " + raw + b"\r\nContent-Length: 99\r\n\r\n" + raw),
        (0, {}, b"220 " + raw + b"\r\n\r\n"),
        (0, {}, b"HTTP/1.1 200 OK\r\n" + raw + b"\r\n\r\n"),
        (0, {}, b"HTTP/1.1 200 OK\r\nContent-Length: " + raw + b"\r\n\r\n"),
        (0, {}, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + raw + b"\r\n"),
    ]


STOPS: dict[str, Callable[[str], Answer]] = {
    "unauthorized": lambda said: (401, {}, error(f"Incorrect API key provided: {said}")),
    "no credit": lambda said: (402, {}, error(f"nothing left on {said}")),
    "forbidden": lambda said: (403, {"WWW-Authenticate": said}, error(said)),
    "no model": lambda said: (404, {}, error(f"no model for {said}")),
    "no quota": lambda said: (429, {}, error(said, "insufficient_quota")),
    "redirect": lambda said: (302, {"Location": f"http://127.0.0.1:9/?key={quote(said)}"}, said.encode()),
    "bad requests only": lambda said: (400, {}, error(said)),
}


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Say nothing on stderr: a client may close a connection in the middle."""


class Echo:
    """A server on loopback, also as a proxy, that answers request i with what `answer` gives for (i, headers, body)."""

    def __init__(self, answer: Callable[[int, str, dict[str, Any]], Answer]) -> None:
        self.seen: list[str] = []
        echo, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(content) if self.path.endswith("/chat/completions") else {}
                names = ("Authorization", "Proxy-Authorization")
                said = " ".join(self.headers[name] for name in names if self.headers[name])
                with lock:
                    echo.seen.append(said)
                    number = len(echo.seen) - 1
                status, headers, data = answer(number, said, body)
                if status:
                    self.send_response(status, "OK")
                    for name, value in ({"Content-Type": "application/json"} | headers).items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                self.wfile.write(data)
                self.close_connection = not status

            def log_message(self, *_: Any) -> None:
                """Say nothing on stderr."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)

    @contextmanager
    def at(self) -> Iterator[str]:
        """Serve while the context is open; gives the address."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{self._server.server_address[1]}"
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def sometimes(number: int, said: str, body: dict[str, Any]) -> Answer:
    """Answer three of four requests well, repeating `said` beside the text, and fail every fourth in the next way."""
    ways = echoes(said)
    if number % 4 == 3:
        return ways[number // 4 % len(ways)]
    text = simulate(body["messages"], "sim-strong", body["seed"])
    reply = completion(text, id=said, model=said, system_fingerprint=said, headers={"authorization": said})
    reply["choices"][0] |= {"finish_reason": said, "logprobs": said}
    return 200, {"X-Echo": said, "Set-Cookie": f"key={said}; Path=/"}, json.dumps(reply).encode()


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return a function that gives all that was logged, at any level, with the arguments of the records."""
    caplog.set_level(logging.DEBUG)
    for name in (
        "aiohttp",
        "aiohttp.client",
        "aiohttp.internal",
        "asyncio",
        "prose_data",
        "openai",
        "prefect",
    ):
        caplog.set_level(logging.DEBUG, name)
    return lambda: caplog.text + repr([vars(record) for record in caplog.records])


def settings(folder: Path, url: str, **model: Any) -> Path:
    """Write a configuration whose model is at `url`."""
    entry = {
        "backend": "openai",
        "model": "sim-strong",
        "base_url": f"{url}/v1",
        "api_key_env": "PROSE_TEST_KEY",
    }
    path = folder / "small.yaml"
    entry |= {"attempts": 1, "concurrency": 4, "timeout": 10, **model}
    path.write_text(yaml.safe_dump({**SMALL, "models": {"default": entry}}))
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="prose-data")


def check_folder(folder: Path) -> None:
    """Search all files of a run: as bytes, and what Parquet and SQLite hold, unpacked."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not leaks(path.read_bytes()), path
        assert not leaks(str(path))
        if path.suffix == ".parquet":
            assert not leaks(repr(pl.read_parquet(path).rows())), path
        if path.suffix == ".sqlite":
            for name, rows in database(path).items():
                assert not leaks(repr(rows)), (path, name)


def database(path: Path) -> dict[str, list[Any]]:
    """Return the rows of all tables of an SQLite file."""
    db = sqlite3.connect(path)
    try:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    finally:
        db.close()


def check_result(result: Result) -> None:
    assert not leaks(result.stdout) and not leaks(result.stderr), result.output
    if result.exception is not None:
        assert not leaks("".join(traceback.format_exception(result.exception)))


def test_the_search_finds_what_was_planted() -> None:
    for said in (KEY, PASSWORD):
        for status, headers, body in echoes(f"Bearer {said}"):
            assert leaks(body + repr(headers).encode()), (status, body)
    assert not leaks("Authorization: Bearer sk-another-key-0123456789")


def test_a_run_through_a_proxy_with_failures_of_every_kind_holds_no_secret(
    tmp_path: Path, logs: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    echo = Echo(sometimes)
    with echo.at() as url:
        monkeypatch.setenv("http_proxy", url.replace("//", f"//user:{PASSWORD}@"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        config = settings(tmp_path, "http://llm.example.com")
        out = tmp_path / "run"
        result = call("run", config, "--out", out, "--engine", "plain", "--json")
    assert result.exit_code == 0, result.output
    assert all(KEY in said and "Basic " in said for said in echo.seen)
    assert len(echo.seen) > 4 * len(echoes("")), "not every way to fail was tried"
    messages = pl.read_parquet(out / "failures")["message"].to_list()
    assert sum("***" in message for message in messages) > len(echoes("")) / 2
    requests = pl.read_parquet(out / "requests")
    assert all(model.startswith("Bearer *** Basic ") for model in requests["model"])
    check_result(result)
    check_folder(out)
    for command in ("export", "stats"):
        shown = call("store", command, out)
        assert shown.exit_code == 0 and "Bearer ***" in shown.stdout, shown.output
        check_result(shown)
    assert not leaks(logs())


@pytest.mark.parametrize(
    ("stop", "mode"),
    [(name, mode) for name in STOPS for mode in ("online", "batch")],
)
def test_a_run_that_an_endpoint_stops_holds_no_secret(
    stop: str, mode: str, tmp_path: Path, logs: Callable[[], str]
) -> None:
    echo = Echo(lambda number, said, body: STOPS[stop](said))
    with echo.at() as url:
        result = call(
            "run",
            settings(tmp_path, url, mode=mode),
            "--out",
            tmp_path / "run",
            "--engine",
            "plain",
            "--json",
        )
    assert result.exit_code == 2 and "models.default" in result.stderr, result.output
    assert KEY in echo.seen[0]
    check_result(result)
    check_folder(tmp_path / "run")
    assert not leaks(logs())


def test_a_proxy_that_is_not_there_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Callable[[], str]
) -> None:
    with Echo(sometimes).at() as url:
        pass
    monkeypatch.setenv("http_proxy", url.replace("//", f"//user:{PASSWORD}@"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    config = settings(tmp_path, "http://llm.example.com")
    result = call("run", config, "--out", tmp_path / "run", "--engine", "plain")
    assert result.exit_code == 2 and "nothing answers at the proxy 127.0.0.1:" in result.stderr
    check_result(result)
    assert not leaks(logs())


def call_for_real(
    program: str, *arguments: str | Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Return what the command line did in a process of its own, after the lines of `program`."""
    code = f"{program}\nfrom prose_data.cli import main\nmain()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


@pytest.mark.parametrize("where", ["_read", "_said", "_tokens", "retry_after", "_proxy_to"])
def test_the_traceback_of_a_bug_holds_no_secret(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Callable[[], str]
) -> None:
    monkeypatch.setattr(f"prose_data.llm.client.{where}", lambda *given: given[99])
    with Echo(sometimes).at() as url:
        config = settings(tmp_path, url)
        result = call("run", config, "--out", tmp_path / "run", "--engine", "plain", "--json")
    assert isinstance(result.exception, IndexError)
    check_result(result)
    check_folder(tmp_path / "run")
    assert not leaks(logs())


@pytest.mark.parametrize(
    ("program", "code", "shown"),
    [
        (
            "import prose_data.llm.client as client\nclient._said = lambda content: content[10**9]",
            1,
            "IndexError",
        ),
        ("", 2, "***"),
    ],
)
def test_the_real_command_line_shows_no_secret(program: str, code: int, shown: str, tmp_path: Path) -> None:
    with Echo(lambda number, said, body: STOPS["no model"](said)).at() as url:
        config = settings(tmp_path, url)
        done = call_for_real(program, "run", config, "--out", tmp_path / "run", "--engine", "plain", "--json")
    assert done.returncode == code and shown in done.stderr, done.stderr
    assert not leaks(done.stdout) and not leaks(done.stderr)


@pytest.mark.slow
def test_a_run_under_prefect_holds_no_secret(tmp_path: Path) -> None:
    environment = {"PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_API_KEY": PASSWORD}
    with Echo(sometimes).at() as url:
        arguments = ["run", settings(tmp_path, url), "--out", tmp_path / "run", "--set", "users.count=3"]
        done = call_for_real("", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    assert "***" in repr(pl.read_parquet(tmp_path / "run" / "failures")["message"].to_list())
    assert not leaks(done.stdout) and not leaks(done.stderr)
    check_folder(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{PASSWORD}@127.0.0.1:8000/v1",
        f"http://127.0.0.1:8000/v1?key={PASSWORD}",
        f"https://llm.example.com/v1?api-version=1&access_token={PASSWORD}",
        f"http://{PASSWORD}@[::1/v1",
        f"nothing://user:{PASSWORD}@host",
    ],
)
def test_a_base_url_with_a_secret_is_refused_and_not_repeated(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Callable[[], str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = settings(tmp_path, "http://127.0.0.1:1")
    for arguments in (
        ["run", "--engine", "plain", "--set", f"models.default.base_url={url}"],
        ["validate", path, "--set", f"models.default.base_url={url}"],
        ["validate", path, "--set", f"models.default.base_url=[{url}"],
    ):
        result = call(*arguments)
        assert result.exit_code == 2 and "models.default.base_url" in result.stderr
        check_result(result)
    with pytest.raises(InputError) as caught:
        parse_config({"models": {"default": {"backend": "openai", "model": "m", "base_url": url}}}, "t")
    assert not leaks("".join(traceback.format_exception(caught.value)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["small.yaml"]
    assert not leaks(logs())


def test_a_key_in_place_of_its_variable_is_not_repeated(tmp_path: Path) -> None:
    for key in (KEY, "hf_PlantedQ7w8E9r0T1y2U3i4O5p6"):
        path = settings(tmp_path, "https://llm.example.com", api_key_env=key)
        with pytest.raises(InputError, match=r"api_key_env: must name the environment variable") as caught:
            load_config(path)
        assert key[:PIECE] not in "".join(traceback.format_exception(caught.value))


def test_the_environment_s_base_url_may_hold_a_secret_which_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Callable[[], str]
) -> None:
    echo = Echo(lambda number, said, body: (404, {}, error(f"not for {PASSWORD} and {said}")))
    with echo.at() as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1?key={PASSWORD}")
        config = settings(tmp_path, url, base_url=None)
        result = call("run", config, "--out", tmp_path / "run", "--engine", "plain")
    assert result.exit_code == 2 and "***" in result.stderr, result.output
    check_result(result)
    check_folder(tmp_path / "run")
    assert not leaks(logs())


@pytest.mark.parametrize("secret", ['ab"cd\\ef"gh', "Zu?Zu>Zu~Zu?Zu>", "key/with+signs&more"])
def test_a_secret_is_cut_out_in_every_form(secret: str) -> None:
    cut = knife([secret])
    plain, safe = (
        encode(secret.encode()).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode)
    )
    for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
        assert cut(f"is {form}, so") == "is ***, so", form
    assert cut("an ordinary sentence") == "an ordinary sentence"
    for form in (plain, safe):
        assert not any(cut(form)[at : at + 8] in form for at in range(len(cut(form)) - 7)), form


def test_nothing_shows_the_key_when_it_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:{PASSWORD}@127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    async def shown() -> str:
        config = config_for("http://llm.example.com/v1")
        endpoint = Endpoint("mine", config.models["mine"])
        assert endpoint.key == KEY
        async with open_door(config, None) as door:
            view = door.view("infer", 0)
            held = [endpoint, door, view, config, door.meter, config.models["mine"]]
            found = [str(thing) + repr(thing) + repr(vars(thing)) for thing in held]
        await endpoint.close()
        return "".join(found)

    assert not leaks(asyncio.run(shown()))


def test_the_text_of_a_good_reply_is_the_model_s_and_kept(tmp_path: Path) -> None:
    reply = json.dumps(completion(f"Dear all, {KEY}")).encode()

    async def ask(url: str) -> str:
        async with open_door(config_for(f"{url}/v1"), tmp_path / "store.sqlite") as door:
            view = door.view("infer", 0)
            texts = {(await view([{"role": "user", "content": "hi"}], role="writer")).text for _ in range(2)}
        return texts.pop()

    with Echo(lambda number, said, body: (200, {}, reply)).at() as url:
        assert asyncio.run(ask(url)) == f"Dear all, {KEY}"
