"""Word of a failure: to a command or a URL, with no secret in it."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import SubprocessError

import pytest

from prose_data.alarm import ON_FAILURE, check_target, sentence_of, tell
from prose_data.errors import InputError

NEWS = {"run": "quick-fox", "error": "größer als | $(touch here)"}


def test_a_command_gets_it_on_its_standard_input_and_no_shell_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = "import sys; open('told', 'wb').write(sys.stdin.buffer.read())"
    monkeypatch.setenv(ON_FAILURE, f'{sys.executable} -c "{script}"')
    tell(NEWS)
    assert json.loads((tmp_path / "told").read_text()) == NEWS
    assert [path.name for path in tmp_path.iterdir()] == ["told"]


@pytest.mark.parametrize("status", [200, 500])
def test_a_url_gets_it_by_post(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[str | None, bytes]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setenv(ON_FAILURE, f"http://127.0.0.1:{server.server_port}/hook")
        if status == 200:
            tell(NEWS)
        else:
            with pytest.raises(OSError):
                tell(NEWS)
        thread.join()
    ((kind, body),) = got
    assert kind == "application/json" and json.loads(body) == NEWS


def test_a_command_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ON_FAILURE, "false")
    with pytest.raises(SubprocessError):
        tell(NEWS)
    monkeypatch.delenv(ON_FAILURE)
    tell(NEWS)


def test_a_sentence_holds_no_secret_and_no_foreign_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecretindeed")
    said = sentence_of(InputError("the endpoint said: bad key\nsk-verysecretindeed\x1b[2J"))
    assert said == "the endpoint said: bad key ***[2J"
    assert sentence_of(ValueError("a user's own words")) == "ValueError; the log of the run says more"
    assert len(sentence_of("x" * 9_000)) == 500


@pytest.mark.parametrize("target", ["", "no-such-command --now", "'open", "https://", "ftp://host/hook"])
def test_a_target_that_can_be_none_is_refused(target: str) -> None:
    with pytest.raises(InputError, match="--on-failure"):
        check_target(target)


def test_a_target_that_can_be_one_is_taken() -> None:
    check_target(f"{sys.executable} -c pass")
    check_target("HTTPS://hooks.example.org/secret")
