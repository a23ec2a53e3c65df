import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from typing import Any

import aiohttp
import orjson
import pytest

from prose_data.config import parse_config
from prose_data.errors import EndpointError, InputError
from prose_data.llm.door import open_door
from prose_data.llm.pool import each
from prose_data.prompts import render
from prose_data.simulator.model import count_tokens, simulate
from prose_data.simulator.server import Faults, make_app, running, serve
from tests.endpoint import config_for

SYSTEM = {"role": "system", "content": "be brief"}
MESSAGES = [SYSTEM, {"role": "user", "content": "hé 😀"}]


NO_FAULTS = Faults()


def post(body: Any, faults: Faults = NO_FAULTS, **headers: str) -> tuple[int, Any]:
    async def go() -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        async with (
            running(make_app(faults)) as address,
            aiohttp.ClientSession() as session,
            session.post(f"{address}/v1/chat/completions", data=data, headers=headers) as response,
        ):
            return response.status, orjson.loads(await response.read())

    return asyncio.run(go())


def test_a_reply_in_the_form_of_openai() -> None:
    body = {"model": "sim-weak", "messages": MESSAGES, "seed": 5, "temperature": 0.7, "unknown": [1]}
    status, reply = post(body)
    text = simulate(MESSAGES, "sim-weak", 5)
    assert status == 200 and reply["model"] == "sim-weak" and reply["object"] == "chat.completion"
    assert reply["choices"][0]["message"]["content"] == text
    assert reply["choices"][0]["finish_reason"] == "stop"
    prompt = sum(count_tokens(message["content"]) for message in MESSAGES)
    assert reply["usage"]["prompt_tokens"] == prompt
    assert reply["usage"]["completion_tokens"] == count_tokens(text)
    assert reply["usage"]["total_tokens"] == prompt + count_tokens(text)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        ([], 400),
        ({"messages": MESSAGES}, 400),
        ({"model": "sim-weak", "messages": []}, 400),
        ({"model": "sim-weak", "messages": [{"role": "user"}]}, 400),
        ({"model": "sim-weak", "messages": MESSAGES, "seed": "x"}, 400),
        ({"model": "sim-weak", "messages": MESSAGES, "stream": True}, 400),
        ({"model": "gpt-4", "messages": MESSAGES}, 404),
    ],
)
def test_a_wrong_request_is_refused_in_the_form_of_openai(body: Any, status: int) -> None:
    got, reply = post(body)
    assert got == status
    assert reply["error"]["message"] and reply["error"]["code"]


def test_the_key_is_checked_where_there_is_one() -> None:
    body = {"model": "sim-weak", "messages": MESSAGES}
    faults = Faults(api_key="right")
    assert post(body, faults, Authorization="Bearer right")[0] == 200
    assert post(body, faults, Authorization="Bearer wrong")[0] == 401
    assert post(body, faults)[0] == 401


def test_faults_come_at_their_rates_and_in_the_same_order() -> None:
    faults = Faults(rate_429=0.1, rate_500=0.2, hang_rate=0.05, bad_json_rate=0.1, truncate_rate=0.15)
    drawn = [faults.draw(n) for n in range(4000)]
    shares = {kind: n / 4000 for kind, n in Counter(drawn).items()}
    expected = {
        "rate_429": 0.1,
        "rate_500": 0.2,
        "hang": 0.05,
        "bad_json": 0.1,
        "truncate": 0.15,
        "none": 0.4,
    }
    assert shares == {kind: pytest.approx(share, abs=0.03) for kind, share in expected.items()}
    assert drawn == [faults.draw(n) for n in range(4000)]
    assert {Faults().draw(n) for n in range(100)} == {"none"}


def test_a_truncated_reply_says_so() -> None:
    body = {"model": "sim-weak", "messages": MESSAGES}
    _, reply = post(body, Faults(truncate_rate=1.0))
    text = simulate(MESSAGES, "sim-weak", 0)
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["choices"][0]["message"]["content"] == text[: len(text) // 2]


def test_models_and_counters() -> None:
    async def go() -> None:
        async with running(make_app(Faults(latency=0.05))) as address, aiohttp.ClientSession() as session:

            async def get(path: str) -> Any:
                async with session.get(f"{address}{path}") as response:
                    return await response.json()

            async def chat(text: str) -> None:
                body = {"model": "sim-weak", "messages": [{"role": "user", "content": text}]}
                async with session.post(f"{address}/v1/chat/completions", json=body) as response:
                    await response.read()

            models = await get("/v1/models")
            assert [model["id"] for model in models["data"]] == ["sim-strong", "sim-medium", "sim-weak"]
            await asyncio.gather(*(chat(text) for text in "aab"))
            counts = {"requests": 3, "distinct": 2, "errors": 0, "in_flight_max": 3}
            assert await get("/count") == {**counts, "batches": 0, "batch_lines": 0}
            async with session.post(f"{address}/reset"):
                pass
            assert await get("/count") == dict.fromkeys([*counts, "batches", "batch_lines"], 0)

    asyncio.run(go())


def test_over_http_with_a_fifth_of_all_requests_failing_the_texts_are_those_of_the_process() -> None:
    # Few hang: a request that does so three times is given up.
    faults = Faults(rate_429=0.06, rate_500=0.06, hang_rate=0.01, bad_json_rate=0.07, seed=3)
    prompts = [
        render("prose_breakdown", preferences=f"use emojis, and a formal tone, {n} times") for n in range(60)
    ]

    async def texts(config: Any) -> tuple[list[str], Any, Any]:
        async with open_door(config, None) as door:
            view = door.view("infer", 2)

            async def ask(messages: Any) -> str:
                return (await view(messages, role="writer")).text

            return (
                await each(prompts, ask, 16),
                (view.calls, view.prompt_tokens, view.completion_tokens),
                door.meter,
            )

    async def go() -> None:
        async with running(make_app(faults)) as address:
            served, served_counts, meter = await texts(
                config_for(f"{address}/v1", model="sim-medium", timeout=0.5)
            )
        local, local_counts, _ = await texts(
            parse_config({"models": {"default": {"model": "sim-medium"}}}, "t")
        )
        assert served == local
        assert served_counts == local_counts
        assert meter.retries > 0 and meter.failed == 0

    asyncio.run(go())


def test_a_wrong_key_or_model_ends_as_an_endpoint_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", "wrong")

    async def go(model: str) -> None:
        faults = Faults(api_key="right" if model == "sim-weak" else None)
        async with (
            running(make_app(faults)) as address,
            open_door(config_for(f"{address}/v1", model=model), None) as door,
        ):
            await door.view("infer", 0)(MESSAGES, role="writer")

    with pytest.raises(EndpointError, match="refuses the key"):
        asyncio.run(go("sim-weak"))
    with pytest.raises(EndpointError, match="nobody"):
        asyncio.run(go("nobody"))


def test_serve_says_where_it_is_and_ends_on_interrupt() -> None:
    code = "from prose_data.simulator.server import Faults, serve; serve(0, Faults(hang_rate=1.0))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://127.0.0.1:" in line and line.endswith("/v1\n")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stdout.read() == ""


def test_a_taken_port_is_an_input_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="port"):
        serve(taken.getsockname()[1], Faults())
    with pytest.raises(InputError, match="99999"):
        serve(99999, Faults())
