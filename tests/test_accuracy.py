"""Accuracy: the own set must be the most alike, ties and silence are wrong, and silence can be left out."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from prose_data import embedding, stages
from prose_data.config import parse_config
from prose_data.errors import InputError
from prose_data.metrics import METRICS
from prose_data.metrics.types import Case, Finding
from prose_data.stages import check, run_all
from prose_data.values import Document, Inference, Score, User
from tests.fakes import ScriptedLLM

OWN = ("use emojis", "be brief")


def _user(name: str, components: tuple[str, ...]) -> User:
    return User(name, "plume", "email", "ccby", "", components, 0)


CASE = Case(
    Inference("i1", "u1", "prose", 0, 1, "d1", (), None, "", "", 1, 1, 1, 0.0, "m"),
    _user("u1", OWN),
    Document("d1", "email", "ccby", "Notes.", "o", "l"),
    "The user's own text.",
    (_user("u1", OWN), _user("u2", ("write long sentences", "include a simile")), _user("u3", OWN[::-1])),
)


def _found(description: str | None, case: Case = CASE) -> list[Finding]:
    inference = replace(case.inference, description=description)
    return asyncio.run(METRICS["accuracy"](replace(case, inference=inference), ScriptedLLM([])))


def _values(description: str | None, case: Case = CASE) -> dict[str, float]:
    return {finding.metric: finding.value for finding in _found(description, case)}


@pytest.mark.parametrize(
    ("description", "value"),
    [
        ("use emojis; be brief", 1),
        ("Be brief, and use an emoji or two.", 1),
        ("writes long sentences with a simile", 0),
        ("zzz qqq", 0),  # alike to none: a tie
        ("!?", 0),
    ],
)
def test_the_own_set_must_be_the_most_alike(description: str, value: float) -> None:
    assert _values(description) == {"accuracy": value, "accuracy_stated": value}


def test_a_tie_with_another_set_is_wrong_and_the_same_set_is_no_other() -> None:
    pair = replace(
        CASE, peers=(_user("u1", ("Use emojis", "be brief")), _user("u2", ("use emojis!", "BE BRIEF")))
    )
    pair = replace(pair, user=pair.peers[0])
    assert _values("use emojis; be brief", pair)["accuracy"] == 0
    assert _values("use emojis; be brief")["accuracy"] == 1  # u3 holds the own set in another order


def test_a_round_that_states_nothing_is_wrong_and_left_out() -> None:
    assert _values("") == _values(" \n") == {"accuracy": 0}


def test_nothing_is_found_where_nothing_is_asked() -> None:
    assert _found(None) == []
    assert _found("use emojis", replace(CASE, peers=(CASE.user, _user("u2", OWN[::-1])))) == []


def test_every_finding_names_the_encoder_that_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {finding.verdict for finding in _found("use emojis")} == {"hashing"}
    monkeypatch.setattr(embedding, "check_encoder", lambda encoder: None)
    monkeypatch.setattr(
        embedding,
        "ENCODERS",
        {"minilm": lambda text: embedding._hashing("simile" if "brief" in text else text)},
    )
    embedding._row.cache_clear()
    found = _found("a simile", replace(CASE, encoder="minilm"))
    embedding._row.cache_clear()
    assert [(finding.value, finding.verdict) for finding in found] == [(1, "minilm")] * 2


def test_in_a_run_the_oracle_is_always_right_and_who_infers_nothing_has_no_accuracy(tmp_path: Path) -> None:
    data = {
        "seeds": [0],
        "users": {"count": 2},
        "samples": {"per_user": 2},
        "methods": ["no_learning", "cipher_1", "oracle"],
        "metrics": ["accuracy"],
    }
    run = asyncio.run(run_all(parse_config(data, "test"), tmp_path / "run"))
    scores = list(run.values(Score, 0))
    by_method = {
        name: [s for s in scores if s.method == name] for name in ("no_learning", "cipher_1", "oracle")
    }
    assert not by_method["no_learning"]
    assert {(s.value, s.verdict, s.judge) for s in by_method["oracle"]} == {(1, "hashing", "")}
    first = [s for s in by_method["cipher_1"] if s.step == 0]
    assert [(s.metric, s.value) for s in first] == [("accuracy", 0)] * 2
    assert sum(s.metric == "accuracy_stated" for s in by_method["cipher_1"]) == 2


@pytest.mark.parametrize("data", [{"metrics": ["accuracy"]}, {"retrieval": {"by": "cosine"}}])
def test_an_encoder_that_is_not_installed_stops_a_run_before_it_begins(
    data: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(encoder: str) -> None:
        raise InputError(f"encoder {encoder} is missing")

    monkeypatch.setattr(stages, "check_encoder", missing)
    check(parse_config({}, "test"))
    data["retrieval"] = {**data.get("retrieval", {}), "encoder": "minilm"}
    with pytest.raises(InputError, match="minilm is missing"):
        check(parse_config(data, "test"))
