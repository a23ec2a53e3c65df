import asyncio
import socket
import traceback
from typing import Any

import pytest

from prose_data.errors import EndpointError, InputError, ProseDataError, RequestFailed
from prose_data.llm.door import View, open_door
from prose_data.llm.pool import each
from prose_data.llm.types import Reply
from tests.endpoint import Endpoint, Step, answer, completion, config_for

KEY = "sk-planted-secret-0123456789"
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(autouse=True)
def planted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", KEY)


async def ask_at(url: str | None, schema: dict[str, Any] | None = None, **model: Any) -> Reply:
    async with open_door(config_for(url, **model), None) as door:
        return await door.view("infer", 1)(MESSAGES, role="writer", schema=schema)


def ask(*steps: Step, schema: dict[str, Any] | None = None, **model: Any) -> tuple[Reply, Endpoint]:
    endpoint = Endpoint(*steps)

    async def go() -> Reply:
        async with endpoint.at() as url:
            return await ask_at(url, schema, **model)

    return asyncio.run(go()), endpoint


def fail(*steps: Step, error: type[ProseDataError] = RequestFailed, **model: Any) -> tuple[Any, Endpoint]:
    endpoint = Endpoint(*steps)

    async def go() -> None:
        async with endpoint.at() as url:
            await ask_at(url, **model)

    with pytest.raises(error) as caught:
        asyncio.run(go())
    assert KEY not in "".join(traceback.format_exception(caught.value))
    return caught.value, endpoint


def test_a_reply_and_the_body_and_key_that_were_sent() -> None:
    reply, endpoint = ask(answer(), temperature=0, max_tokens=50)
    assert (reply.text, reply.finish_reason, reply.prompt_tokens, reply.completion_tokens) == (
        "Hello.",
        "stop",
        7,
        3,
    )
    assert (reply.model, reply.source, reply.attempts, reply.cost_usd) == (
        "served-model",
        "endpoint",
        1,
        None,
    )
    assert reply.seconds > 0
    assert endpoint.bodies == [
        {"model": "m", "messages": MESSAGES, "seed": 1000, "temperature": 0, "max_tokens": 50}
    ]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert endpoint.headers[0]["Content-Type"] == "application/json"


def test_unset_decoding_values_are_left_to_the_endpoint() -> None:
    _, endpoint = ask(answer())
    assert set(endpoint.bodies[0]) == {"model", "messages", "seed"}


def test_unknown_fields_and_oddities_of_unicode_are_taken_as_they_are() -> None:
    text = "é 😀 e\u0301 \u2028 \x00 \u202e ﷽"
    body = completion(text, service_tier=None, x={"deep": [1, {"y": None}]})
    body["choices"][0]["message"]["reasoning_content"] = "because"
    body["choices"].append({"index": 1, "message": None})
    assert ask(answer(body))[0].text == text


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": None}, {"prompt_tokens": "7"}, {"prompt_tokens": -1}, 3]
)
def test_missing_usage_is_counted_at_four_bytes_a_token(usage: Any) -> None:
    reply, _ = ask(answer(completion("x" * 40, usage=usage)))
    assert reply.completion_tokens == 10
    assert reply.prompt_tokens > 0


@pytest.mark.parametrize("value", ["soon", "-5", "nan", "inf", "", "Mon, 01 Jan 99999999999 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_is_passed_over(value: str) -> None:
    reply, _ = ask(answer(status=503, **{"Retry-After": value}), answer())
    assert reply.attempts == 2


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("attempts", [1, 10])
def test_an_endpoint_that_is_not_there_stops_the_run_at_once(attempts: int) -> None:
    url = f"http://127.0.0.1:{_closed_port()}/v1"
    with pytest.raises(EndpointError, match="nothing answers") as caught:
        asyncio.run(ask_at(url, attempts=attempts))
    assert "models.mine" in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_an_endpoint_that_goes_away_later_stops_the_run_after_some_tries() -> None:
    async def go(attempts: int) -> None:
        endpoint = Endpoint(answer())
        async with endpoint.at() as url:
            door_context = open_door(config_for(url, attempts=attempts), None)
            door = await door_context.__aenter__()
            view: View = door.view("infer", 1)
            await view(MESSAGES, role="writer")
        try:
            await view(MESSAGES, role="writer")
        finally:
            await door_context.__aexit__(None, None, None)

    with pytest.raises(RequestFailed) as caught:
        asyncio.run(go(2))
    assert caught.value.reason == "connection"
    with pytest.raises(EndpointError, match=r"nothing answers there: .* it answered before"):
        asyncio.run(go(4))


SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def test_a_schema_is_asked_for_strictly() -> None:
    _, endpoint = ask(answer(), schema=SCHEMA)
    asked = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}
    assert endpoint.bodies[0]["response_format"] == asked


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("seed", "seed: extra inputs are not permitted"),
        (
            "seed",
            {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 1}]},
        ),
        ("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_refused_parameter_is_found_out_once_and_spared(parameter: str, message: Any, status: int) -> None:
    def picky(body: dict[str, Any]) -> Any:
        return answer({"error": {"message": message}}, status) if parameter in body else answer()

    endpoint = Endpoint(picky)

    async def go() -> Any:
        async with endpoint.at() as url, open_door(config_for(url, max_tokens=9), None) as door:
            view = door.view("infer", 1)
            for replicate in range(4):
                await view(MESSAGES, role="judge", schema=SCHEMA, replicate=replicate)
            return door.meter, door.drain("infer")

    meter, rows = asyncio.run(go())
    instead = "max_completion_tokens" if parameter == "max_tokens" else None
    assert [parameter in body for body in endpoint.bodies] == [True, False, False, False, False]
    assert rows["rung"].to_list() == ["schema"] * 4
    assert instead is None or endpoint.bodies[-1][instead] == 9
    assert meter.replies == {"endpoint": 4} and meter.failed == 0


@pytest.mark.parametrize(
    "message",
    [
        "'response_format' of type {} is not supported",
        "Invalid parameter: structured outputs are not available for this model ({})",
    ],
)
@pytest.mark.parametrize(("taken", "sent"), [("json_object", 2), (None, 3)])
def test_the_ladder_of_structured_replies_is_gone_down_once(
    message: str, taken: str | None, sent: int
) -> None:
    def picky(body: dict[str, Any]) -> Any:
        form = body.get("response_format", {}).get("type")
        return answer() if form == taken else answer({"error": {"message": message.format(form)}}, 400)

    endpoint = Endpoint(picky)

    async def go() -> Any:
        async with endpoint.at() as url, open_door(config_for(url), None) as door:
            view = door.view("infer", 1)
            for replicate in range(3):
                await view(MESSAGES, role="judge", schema=SCHEMA, replicate=replicate)
            if taken is None:
                await view(MESSAGES, role="judge")
            return door.drain("infer")["rung"].to_list()

    rungs = asyncio.run(go())
    assert rungs == (["json"] * 3 if taken else ["text"] * 4)
    forms = [body.get("response_format", {}).get("type") for body in endpoint.bodies]
    assert forms[:sent] == ["json_schema", "json_object", None][:sent]
    assert set(forms[sent:]) == {taken}


def test_of_many_refused_at_once_each_is_tried_again_and_none_falls_too_far() -> None:
    def picky(body: dict[str, Any]) -> Any:
        form = body.get("response_format", {}).get("type")
        return answer() if form == "json_object" else answer({"error": {"message": "no json_schema"}}, 400)

    endpoint = Endpoint(picky)

    async def go() -> Any:
        async with endpoint.at() as url, open_door(config_for(url), None) as door:
            view = door.view("infer", 1)

            async def work(number: int) -> Reply:
                return await view(MESSAGES, role="judge", schema=SCHEMA, replicate=number)

            return await each(range(20), work, 20)

    assert {reply.rung for reply in asyncio.run(go())} == {"json"}
    assert len(endpoint.bodies) <= 40


@pytest.mark.parametrize("parameter", ["seed", "max_tokens"])
def test_of_many_refused_for_one_parameter_at_once_none_fails(parameter: str) -> None:
    said = "seed is not supported" if parameter == "seed" else "Use 'max_completion_tokens' instead."

    def picky(body: dict[str, Any]) -> Any:
        return answer({"error": {"message": said}}, 400) if parameter in body else answer()

    async def go() -> list[Reply]:
        async with Endpoint(picky).at() as url, open_door(config_for(url, max_tokens=9), None) as door:
            view = door.view("infer", 1)

            async def work(number: int) -> Reply:
                return await view(MESSAGES, role="judge", replicate=number)

            return await each(range(20), work, 20)

    assert len(asyncio.run(go())) == 20


def test_a_parameter_that_is_refused_under_its_other_name_too_fails_the_request() -> None:
    error, endpoint = fail(
        answer({"error": {"message": "Use 'max_completion_tokens' instead."}}, 400), max_tokens=9
    )
    assert (error.reason, len(endpoint.bodies)) == ("bad_request", 2)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "too long: use fewer than 8192 tokens (max_tokens or max_completion_tokens)"}},
        {"error": {"message": "cannot read 'sow the seed in spring'"}},
        {"detail": [{"loc": ["body", "n"], "msg": "missing", "input": {"seed": 1, "response_format": {}}}]},
    ],
)
def test_a_400_about_something_else_changes_no_later_request(body: Any) -> None:
    endpoint = Endpoint(answer(body, 400), answer())

    async def go() -> None:
        async with endpoint.at() as url, open_door(config_for(url, max_tokens=9), None) as door:
            view = door.view("infer", 1)
            with pytest.raises(RequestFailed):
                await view(MESSAGES, role="judge", schema=SCHEMA)
            await view(MESSAGES, role="judge", schema=SCHEMA)

    asyncio.run(go())
    assert endpoint.bodies[0] == endpoint.bodies[1]


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_is_an_input_error_only_where_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.delenv("PROSE_TEST_KEY")
    if key is not None:
        monkeypatch.setenv("PROSE_TEST_KEY", key)
    _, endpoint = ask(answer())
    assert endpoint.headers[0]["Authorization"] == "Bearer none"
    for url in ("https://llm.example.com/v1", "https://8.8.8.8/v1"):
        with pytest.raises(InputError, match=r"models\.mine.*PROSE_TEST_KEY.*example|8\.8") as caught:
            asyncio.run(ask_at(url))
        assert not isinstance(caught.value, EndpointError)


def test_a_key_with_odd_characters_is_refused_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", "sk-\nsecret")
    with pytest.raises(InputError, match="PROSE_TEST_KEY") as caught:
        ask(answer())
    assert "secret" not in str(caught.value)


def test_a_base_url_that_is_none_is_an_input_error() -> None:
    bad = ("http://[::1/v1", "http://localhost:99999/v1", "http://", "http:///v1", "http://u:pw@host/v1")
    for url in bad:
        with pytest.raises(InputError, match=r"models\.mine\.base_url") as caught:
            asyncio.run(ask_at(url))
        assert "pw" not in str(caught.value)


def test_the_base_url_comes_from_the_environment_where_the_entry_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = Endpoint(answer())

    async def go() -> Reply:
        async with endpoint.at() as url:
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            return await ask_at(None)

    assert asyncio.run(go()).text == "Hello."
