"""The local server's echo: which requests it takes, and that a real model's log-probabilities belong to their tokens."""

import asyncio
import json
from typing import Any

import pytest

from prose_data.config import Model, parse_config
from prose_data.llm import local
from prose_data.llm.door import open_door
from prose_data.llm.echo import echo, open_echo
from prose_data.llm.local_echo import App, Echo, with_echo


async def _repeat(prompt: str) -> tuple[list[str], list[float | None]] | None:
    return None if prompt == "long" else (list(prompt), [None, *[-1.0] * (len(prompt) - 1)])


def asked(body: Any, path: str = "/v1/completions", repeat: Echo = _repeat) -> tuple[int, Any]:
    """Return status and body of the answer; what is passed on is answered with 299 and the body that came through."""

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})

    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    parts = [{"body": data[:3], "more_body": True}, {"body": data[3:]}]
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: Any) -> None:
        said.append(message)

    app: App = with_echo(inner, repeat)
    scope = {"type": "http", "path": path}
    if path != "/v1/completions":
        parts = [{"body": data}]
    asyncio.run(app(scope, receive, send))
    return said[0]["status"], said[1]["body"]


def test_an_echo_is_answered_in_the_form_of_the_completions_api() -> None:
    status, body = asked({"prompt": "abc", "echo": True, "logprobs": 1, "max_tokens": 1})
    answer = json.loads(body)
    assert status == 200 and answer["usage"]["prompt_tokens"] == 3
    assert answer["choices"][0]["logprobs"] == {
        "tokens": ["a", "b", "c"],
        "token_logprobs": [None, -1.0, -1.0],
    }


@pytest.mark.parametrize(
    "body",
    [{"prompt": "abc"}, {"prompt": "", "echo": True}, {"prompt": ["a"], "echo": True}, {"echo": 1, "prompt": "a"}, b"{not"],
)  # fmt: skip
def test_everything_else_is_passed_on_whole(body: Any) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert asked(body) == (299, data)
    assert asked({"prompt": "a", "echo": True}, "/v1/chat/completions")[0] == 299


def test_a_prompt_beyond_the_context_is_a_bad_request() -> None:
    assert asked({"prompt": "long", "echo": True})[0] == 400


COUNTING, MIXED = (
    " 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
    " 1, 2, 3, 4, 5, 6, 9, 2, 7, 15, 71, 40",
)


@pytest.mark.local
def test_a_real_models_log_probabilities_belong_to_their_tokens() -> None:
    """Counting on is likely; off by one it would not be. Chat goes on undisturbed in between."""
    entry = {"backend": "local", "temperature": 0, "max_tokens": 8}
    config = parse_config({"models": {"default": entry}}, "t")
    name = config.models["default"].model

    async def go() -> tuple[list[Any], list[str]]:
        async with open_door(config, None) as door, open_echo(config, ["default"], None) as sends:
            echoes, said = [], []
            for text in (COUNTING, MIXED, COUNTING):
                echoes.append(await echo(sends["default"], name, text))
                hello = [{"role": "user", "content": "Say hello."}]
                said.append((await door.view("infer", 1)(hello, role="writer")).text)
            return echoes, said

    try:
        local.served("default", Model(backend="local"))
        (counted, mixed, again), said = asyncio.run(go())
    finally:
        local.stop()
    assert "".join(counted.tokens) == COUNTING and again == counted and len(set(said)) == 1
    assert counted.logprobs[0] is None
    likely, unlikely = (sum(value or 0 for value in found.logprobs[-9:]) / 9 for found in (counted, mixed))
    assert likely > -0.5 and unlikely < -2
