"""BERTScore: without its package one sentence says what to install; with it, the real code on a small model made here."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prose_data import bertscore
from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.metrics import METRICS
from prose_data.stages import check
from tests.fakes import ScriptedLLM
from tests.test_metrics import CASE, TRUE


class WordOverlap:
    """A scorer that takes for P, R and F1 what the two texts' sets of words share."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def score(self, texts: list[str], references: list[str]) -> tuple[list[float], list[float], list[float]]:
        ((text, reference),) = zip(texts, references, strict=True)
        self.asked.append((text, reference))
        one, other = set(text.split()), set(reference.split())
        precision, recall = len(one & other) / len(one), len(one & other) / len(other)
        return [precision], [recall], [2 * precision * recall / max(1e-9, precision + recall)]


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[WordOverlap]:
    fake = WordOverlap()
    bertscore.bertscore.cache_clear()
    monkeypatch.setattr(bertscore, "_scorer", lambda: fake)
    yield fake
    bertscore.bertscore.cache_clear()


def _values(description: str | None) -> dict[str, float]:
    inference = replace(CASE.inference, description=description, draft="The draft of today.")
    found = asyncio.run(METRICS["bertscore"](replace(CASE, inference=inference), ScriptedLLM([])))
    assert {finding.verdict for finding in found if finding.value} == {bertscore.MODEL}
    return {finding.metric: round(finding.value, 4) for finding in found}


def test_text_and_preferences_are_compared_with_the_user_s_own(scorer: WordOverlap) -> None:
    values = _values("; ".join(TRUE))
    assert values == {
        **dict.fromkeys(("bertscore_precision", "bertscore_recall", "bertscore_f1"), 1),
        "bertscore_text": 0.25,
        "bertscore_accuracy": 1,
        "bertscore_accuracy_stated": 1,
    }
    assert scorer.asked[:2] == [
        ("The draft of today.", "The user's own text."),
        ("; ".join(TRUE), "; ".join(TRUE)),
    ]


def test_nothing_stated_is_the_word_none_and_wrong(scorer: WordOverlap) -> None:
    values = _values("")
    assert scorer.asked[1] == ("None", "; ".join(TRUE))
    assert values["bertscore_accuracy"] == 0 and "bertscore_accuracy_stated" not in values


def test_a_method_without_a_description_has_its_text_alone(scorer: WordOverlap) -> None:
    assert set(_values(None)) == {"bertscore_text"}


def test_a_missing_package_is_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bertscore, "find_spec", lambda name: None if name == "bert_score" else object())
    with pytest.raises(InputError, match=r"bert_score missing.*pip install 'prose-data\[bertscore\]'"):
        check(Config(metrics=("ppcm", "bertscore")))


@pytest.fixture
def small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a DeBERTa with the published one's name and number of layers, and 16 numbers per word piece."""
    pytest.importorskip("bert_score")
    import torch
    from transformers import DebertaConfig, DebertaModel

    folder = tmp_path / bertscore.MODEL
    folder.mkdir(parents=True)
    signs = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", *"abcdefghijklmnopqrstuvwxyzN.;'", "Ġ"]
    (folder / "vocab.json").write_text(json.dumps({sign: number for number, sign in enumerate(signs)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "DebertaTokenizer"}))
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 18}
    config = DebertaConfig(
        vocab_size=len(signs), relative_attention=True, pos_att_type=["c2p", "p2c"], **sizes
    )
    DebertaModel(config).save_pretrained(folder)
    monkeypatch.chdir(tmp_path)  # where the name is looked for first
    bertscore._scorer.cache_clear()
    bertscore.bertscore.cache_clear()
    yield
    bertscore._scorer.cache_clear()
    bertscore.bertscore.cache_clear()


@pytest.mark.filterwarnings("ignore")
def test_the_real_package_scores_what_is_equal_highest_and_takes_any_text(small_model: None) -> None:
    same, other = (
        bertscore.bertscore("use emojis", "use emojis"),
        bertscore.bertscore("use emojis", "be brief"),
    )
    assert (same.precision, same.recall, same.f1) == pytest.approx((1, 1, 1), abs=1e-3)
    assert other.f1 < same.f1
    assert bertscore.bertscore("", "None").f1 == pytest.approx(1, abs=1e-3)
    assert bertscore.bertscore("a long text. " * 400, "a long text.").f1 < 1
    assert bertscore.f1("use emojis", ["use emojis", "be brief"]) == [same.f1, other.f1]


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_is_not_there_is_named(small_model: None, tmp_path: Path) -> None:
    (tmp_path / bertscore.MODEL / "config.json").unlink()
    with pytest.raises(InputError, match="microsoft/deberta-xlarge can't be loaded"):
        bertscore.bertscore("a", "b")
