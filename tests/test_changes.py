"""Changes to a numbered list, and pairs of verdicts on its items: read strictly, or not at all."""

import asyncio
import json
from typing import Any

import pytest

from prose_data.llm.ask import ask_changes, ask_verdict_pairs
from prose_data.llm.parse import Changes, changes, verdict_pairs
from prose_data.prompts import render
from tests.fakes import ScriptedLLM

VERDICTS = ["strongly confirms", "neutral", "strongly contradicts"]
MESSAGES = render("plus_contrast", first="a", second="b", components="1. use emojis")


def _json(**parts: Any) -> str:
    return json.dumps({"differences": [], "add": [], "remove": [], "update": [], **parts})


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (_json(), Changes()),
        (_json(add=[" use\n emojis "]), Changes(add=("use emojis",))),
        (_json(remove=[2, 1, 2]), Changes(remove=(0, 1))),
        (
            _json(remove=[1], update=[{"number": 2, "text": "be brief"}]),
            Changes(remove=(0,), update=((1, "be brief"),)),
        ),
        (f"Here you are:\n```json\n{_json(add=['x'])}\n```\nDone.", Changes(add=("x",))),
        (f"I would say {_json(add=['x'])}", Changes(add=("x",))),
        ('{"add": ["x"]}', Changes(add=("x",))),
    ],
)
def test_changes_are_read_whole(reply: str, found: Changes) -> None:
    assert changes(reply, 2) == found


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "none",
        "[]",
        '["use emojis"]',
        _json(add=[""]),
        _json(add=["  "]),
        _json(add=[1]),
        _json(add="use emojis"),
        _json(add={"text": "use emojis"}),
        _json(remove=[0]),
        _json(remove=[3]),
        _json(remove=["1"]),
        _json(remove=[True]),
        _json(remove=[1.0]),
        _json(update=["be brief"]),
        _json(update=[{"number": 1}]),
        _json(update=[{"number": 3, "text": "be brief"}]),
        _json(update=[{"number": 1, "text": ""}]),
        _json(update=[{"number": 1, "text": "a"}, {"number": 1, "text": "b"}]),
        _json(remove=[1], update=[{"number": 1, "text": "a"}]),
        _json(add=["x"])[:-1],
        "[" * 100_000,
    ],
)
def test_what_is_no_change_of_the_list_is_unreadable(reply: str) -> None:
    assert changes(reply, 2) is None


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("1: neutral | strongly confirms", {0: ("neutral", "strongly confirms")}),
        ("**2: Neutral | NEUTRAL.**", None),
        ("- 2. Neutral | **NEUTRAL**", {1: ("neutral", "neutral")}),
        ("1: neutral | neutral\n1: strongly confirms | neutral", {0: ("strongly confirms", "neutral")}),
        ("1: neutral | neutral\n1: not neutral | neutral", None),
        ("1: neutral | neutral\n1: neutral | strongly confirms or neutral", None),
        ("3: neutral | neutral", None),
        ("0: neutral | neutral", None),
        ("1: neutral", None),
        ("1: neutral | neutral | neutral", None),
        ("strongly confirms | neutral", None),
        ("", None),
    ],
)
def test_the_last_pair_of_a_number_counts_and_only_if_on_offer(reply: str, found: Any) -> None:
    assert verdict_pairs(reply, 2, VERDICTS) == found


def test_a_number_without_verdicts_is_left_out_and_noted_once() -> None:
    llm = ScriptedLLM(["2: neutral | neutral"])
    found = asyncio.run(ask_verdict_pairs(llm, MESSAGES, "inferrer", 3, VERDICTS))
    assert found == {1: ("neutral", "neutral")}
    assert [reason for reason, _ in llm.notes] == ["unreadable_verdict"] and "1, 3" in llm.notes[0][1]


def test_unreadable_verdicts_are_corrected_once() -> None:
    llm = ScriptedLLM(["I think both are fine.", "1: neutral | strongly confirms"])
    found = asyncio.run(ask_verdict_pairs(llm, MESSAGES, "inferrer", 1, VERDICTS))
    assert found == {0: ("neutral", "strongly confirms")} and not llm.notes
    assert "word for word: strongly confirms, neutral, strongly contradicts" in llm.corrections[0][1]


def test_unreadable_changes_are_corrected_once_and_then_noted() -> None:
    llm = ScriptedLLM(["add emojis", "still no list"])
    assert asyncio.run(ask_changes(llm, MESSAGES, "inferrer", 3)) is None
    assert [reason for reason, _ in llm.notes] == ["unreadable_changes"]
    assert "(1 to 3)" in llm.corrections[0][1]
