"""Selection by letter probabilities, over HTTP with a toy reader whose odds are known."""

import asyncio
import json
import re
from collections.abc import Callable
from math import exp, log
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from prose_data.alignx.letters import score_letters
from prose_data.alignx.margin import endpoint_scorer
from prose_data.alignx.pair_report import summarize, to_frame
from prose_data.alignx.persona import Persona
from prose_data.alignx.scoring import Asking, Scores, Showing
from prose_data.alignx.targets import Target
from prose_data.cli import app
from prose_data.config import parse_config
from prose_data.llm.chat_format import CHAT_FORMATS
from prose_data.llm.door import open_door
from prose_data.llm.echo import open_echo
from tests.endpoint import Endpoint, answer

_TOKEN = re.compile(r"<\|\w+\|>|Verdict: |.|\n")
Odds = Callable[[str], float]  # of the prompt: the natural log-odds of A against B


def reader(odds: Odds) -> Callable[[dict[str, Any]], web.Response]:
    """Return the answers of a model that gives A the odds that its prompt asks for; all else has one probability."""

    def answers(body: dict[str, Any]) -> web.Response:
        text = body["prompt"]
        tokens = _TOKEN.findall(text)
        chances = [log(0.5)] * len(tokens)
        if text.endswith("<|im_end|>"):  # a reply is there
            share = 1 / (1 + exp(-odds(text)))
            chances[-2] = log(share if tokens[-2] == "A" else 1 - share)
        logprobs = {"tokens": tokens, "token_logprobs": [None, *chances[1:]]}
        usage = {"prompt_tokens": len(tokens), "completion_tokens": 0}
        return answer({"model": "m", "choices": [{"text": text, "logprobs": logprobs}], "usage": usage})

    return answers


TARGETS = [
    Target(f"t{number}", f"u{number}", f"post {number}", f"likes x {number}", "plain", None, Persona("p"))
    for number in range(3)
]


def scored(odds: Odds) -> Scores:
    async def go() -> Scores:
        async with Endpoint(reader(odds)).at() as url:
            model = {"backend": "openai", "model": "m", "base_url": url, "attempts": 1}
            config = parse_config({"models": {"default": {}, "reader": model}}, "t")
            async with open_door(config, None) as door, open_echo(config, ["reader"], None) as sends:
                scorer = endpoint_scorer(sends["reader"], "m", CHAT_FORMATS["chatml"])
                return await score_letters(TARGETS, ["ica"], Showing(), Asking(config, door), ("m", scorer))

    return asyncio.run(go())


def _first_likes(prompt: str) -> bool:
    first = prompt.partition("<first>")[2].partition("</first>")[0]
    return "likes x" in first


def test_the_more_probable_letter_is_the_choice_and_its_probability_is_kept() -> None:
    scores = scored(lambda prompt: 1.5 if _first_likes(prompt) else -1.5)
    assert not scores.failures
    found = summarize(TARGETS, [Persona("p")] * 3, scores, ())["methods"]["ica"]
    assert found["letter_accuracy"]["mean"] == 1.0 and found["share_of_a"]["mean"] == 0.5
    assert found["letter_probability"]["mean"] == pytest.approx(1 / (1 + exp(-1.5)), abs=1e-6)
    asked = to_frame(scores.rows).filter(metric="letter_selection", target_id="t0")
    assert dict(asked.select("component", "verdict").iter_rows()) == {
        "chosen_first": "A",
        "rejected_first": "B",
    }


def test_a_reader_that_loves_a_letter_is_right_half_the_time() -> None:
    found = summarize(TARGETS, [Persona("p")] * 3, scored(lambda _: 0.7), ())["methods"]["ica"]
    assert found["letter_accuracy"]["mean"] == 0.5 and found["share_of_a"]["mean"] == 1.0
    assert found["letter_probability"]["mean"] == pytest.approx(0.5)


def test_equal_probabilities_are_a_tie_and_a_miss() -> None:
    scores = scored(lambda _: 0.0)
    found = summarize(TARGETS, [Persona("p")] * 3, scores, ())["methods"]["ica"]
    assert found["letter_accuracy"]["mean"] == 0.0 and found["ties"] == 3
    assert set(to_frame(scores.rows).filter(metric="letter_selection")["verdict"]) == {"tie"}


def test_by_the_command_line_beside_the_rules(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    row = {"id": "x", "prompt": "p", "chosen": "likes x", "rejected": "plain", "persona": "Fond of x."}
    pairs.write_text(json.dumps(row) + "\n")

    async def go() -> Any:
        async with Endpoint(reader(lambda prompt: 2.0 if _first_likes(prompt) else -2.0)).at() as url:
            config = tmp_path / "c.yaml"
            model = {"backend": "openai", "model": "m", "base_url": url}
            config.write_text(json.dumps({"models": {"default": model}}))
            arguments = ["score", "pairs", str(pairs), "--metric", "letters", "--persona", "demo"]
            arguments += ["--config", str(config), "--json"]
            return await asyncio.to_thread(CliRunner().invoke, app, arguments)

    result = asyncio.run(go())
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["methods"]["ica"]["letter_accuracy"]["mean"] == 1.0 and found["notice"] is None
    assert set(found["rules"]) == {"longer", "first_word", "overlap"}
