import subprocess
import sys
from typing import Any

import genai_prices
import pytest

from prose_data.config import Model, Price, parse_config
from prose_data.errors import InputError
from prose_data.llm.prices import price_of, price_source

GEMINI = "https://generativelanguage.googleapis.com/v1beta/openai/"
# Refuses the network, then loads a configuration; says whether the list of prices was loaded with it.
ALONE = """if True:
    import socket, sys
    def refuse(*_):
        raise OSError("no network")
    socket.socket.connect = socket.getaddrinfo = refuse
    from prose_data.config import parse_config
    from prose_data.llm.prices import price_of
    models = {"default": {"backend": "openai", "model": "gpt-4o-mini"}}
    plain = parse_config({"models": models}, "test")
    print("genai_prices" in sys.modules)
    parse_config({"models": models, "budget": {"max_cost": 1}}, "test")
    print("genai_prices" in sys.modules, price_of(plain.models["default"]).completion)
"""


def _model(model: str, **settings: Any) -> Model:
    return Model(backend="openai", model=model, **settings)


@pytest.mark.parametrize(
    ("model", "url", "prompt", "completion"),
    [
        ("gpt-4o-mini", None, 0.15, 0.6),
        ("gpt-4.1", "https://api.openai.com/v1", 2.0, 8.0),
        ("openai/gpt-4o-mini", "https://openrouter.ai/api/v1", 0.15, 0.6),
        ("deepseek-chat", "https://api.deepseek.com/v1", 0.27, 1.1),  # half of that at night
        ("gemini-2.5-pro", GEMINI, 1.25, 10.0),  # short prompts; long ones cost more
    ],
)
def test_list_prices_go_by_name_and_url(
    model: str, url: str | None, prompt: float, completion: float
) -> None:
    assert price_of(_model(model, base_url=url)) == Price(prompt=prompt, completion=completion)


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("gpt-5-mini", "https://api.openai.com/v1"),
        ("claude-sonnet-4-5", "https://api.anthropic.com/v1/"),
        ("mistral-large-latest", "https://api.mistral.ai/v1"),
        ("llama-3.3-70b-versatile", "https://api.groq.com/openai/v1"),
    ],
)
def test_a_request_costs_what_the_package_itself_says(model: str, url: str) -> None:
    price = price_of(_model(model, base_url=url))
    assert price is not None
    usage = genai_prices.Usage(input_tokens=1000, output_tokens=500)
    said = genai_prices.calc_price(usage, model, provider_api_url=url)
    assert (price.prompt * 1000 + price.completion * 500) / 1e6 == pytest.approx(float(said.total_price))


def test_batch_mode_takes_half_of_the_list_price_or_what_is_known() -> None:
    assert price_of(_model("gpt-4o-mini", mode="batch")) == Price(prompt=0.075, completion=0.3)
    mistral = _model("mistral-large-latest", base_url="https://api.mistral.ai/v1", mode="batch")
    assert price_of(mistral) == Price(prompt=1.0, completion=3.0), "not known to be otherwise"
    grok = {"model": "grok-4.3", "base_url": "https://api.x.ai/v1"}
    online, batch = price_of(_model(**grok)), price_of(_model(**grok, mode="batch"))
    assert online is not None and batch is not None
    assert batch.prompt / online.prompt == pytest.approx(0.8)


def test_the_configured_price_comes_first_and_is_taken_as_it_is() -> None:
    price = Price(prompt=1, completion=2)
    for mode in ("online", "batch"):
        assert price_of(_model("gpt-4o-mini", mode=mode, price=price)) == price
    assert price_source(_model("gpt-4o-mini", price=price)) == "configuration"
    assert price_of(Model(price=price)) == Price(prompt=0, completion=0)  # a simulated one


def test_sources_are_named() -> None:
    assert price_source(_model("gpt-4o-mini")) == f"genai-prices {genai_prices.__version__}"
    assert price_source(Model()) == "free" and price_of(Model()) == Price(prompt=0, completion=0)
    assert price_source(_model("no-such-model")) is None


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("no-such-model", None),
        ("gpt-4o-mini", "http://localhost:8000/v1"),
        ("gpt-4o-mini", "http://10.0.0.5:8000/v1"),
        ("gpt-4o-mini", "http://gpu-7/v1"),
        ("gpt-4o-mini", "https://llm.example.com/v1"),
        ("text-embedding-3-small", None),  # has no price for what it writes
    ],
)
def test_what_is_not_listed_has_no_price(model: str, url: str | None) -> None:
    assert price_of(_model(model, base_url=url)) is None


def test_the_base_url_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1")
    assert price_of(_model("gpt-4o-mini")) is None


def test_a_cost_limit_takes_known_prices_and_refuses_unknown_ones() -> None:
    def config(model: str) -> Any:
        return {"models": {"mine": {"backend": "openai", "model": model}}, "budget": {"max_cost": 2}} | {
            "roles": dict.fromkeys(("human", "writer", "inferrer", "judge"), "mine")
        }

    assert parse_config(config("gpt-4o-mini"), "test").budget.max_cost == 2
    with pytest.raises(InputError, match=r"models\.mine\.price.*no-such-model"):
        parse_config(config("no-such-model"), "test")


def test_prices_need_no_network_and_are_loaded_only_when_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("False\nTrue 0.6\n", "")
