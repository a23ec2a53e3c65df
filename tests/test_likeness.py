"""Likeness by an encoder: equal is 1, more in common is more alike, and every finding names what compared."""

import asyncio
from dataclasses import replace

import pytest

from prose_data.config import parse_config
from prose_data.errors import InputError
from prose_data.metrics import METRICS
from prose_data.metrics.types import Case
from prose_data.stages import check
from tests.fakes import ScriptedLLM
from tests.test_metrics import CASE, TRUE


def _value(name: str, case: Case) -> float | None:
    found = asyncio.run(METRICS[name](case, ScriptedLLM([])))
    assert all((finding.metric, finding.verdict) == (name, "hashing") for finding in found)
    return found[0].value if found else None


def _described(description: str | None) -> Case:
    return replace(CASE, inference=replace(CASE.inference, description=description))


def test_a_description_is_as_like_the_truth_as_it_has_of_it() -> None:
    full = _value("preference_likeness", _described("; ".join(sorted(TRUE))))
    half = _value("preference_likeness", _described("; ".join(sorted(TRUE)[:2])))
    none = _value("preference_likeness", _described("discuss tectonic plates"))
    assert full == pytest.approx(1.0)
    assert none is not None and half is not None and none < 0.2 < half < 0.95


def test_nothing_stated_is_like_nothing_and_what_infers_nothing_has_no_value() -> None:
    assert _value("preference_likeness", _described("")) == 0
    assert _value("preference_likeness", _described(None)) is None


def test_a_draft_is_compared_with_the_user_s_own_text() -> None:
    own = replace(CASE, text="The ferry was late again.")
    assert _value("text_likeness", replace(own, inference=replace(CASE.inference, draft=own.text))) == (
        pytest.approx(1.0)
    )
    assert _value("text_likeness", own) != pytest.approx(1.0)


@pytest.mark.parametrize("metric", ["accuracy", "preference_likeness", "text_likeness"])
def test_an_encoder_that_is_not_installed_is_said_before_anything_is_asked(
    metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prose_data.minilm.find_spec", lambda name: None)
    config = parse_config({"metrics": [metric], "retrieval": {"encoder": "minilm"}}, "test")
    with pytest.raises(InputError, match="needs the extra embeddings"):
        check(config)
