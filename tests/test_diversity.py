"""Diversity: against NLTK and brute force on the same texts, and at the ends of each scale."""

from random import Random

import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from prose_data.diversity import LIKE, distinct, near_duplicates, self_bleu


def _texts(number: int, words: int, vocabulary: int, seed: int = 0) -> list[list[str]]:
    rng = Random(seed)
    return [[f"w{rng.randrange(vocabulary)}" for _ in range(words)] for _ in range(number)]


def test_distinct_counts_n_grams_of_all_texts_together() -> None:
    texts = ["a b a b".split(), "a b c".split()]
    assert distinct(texts, 1) == 3 / 7
    assert distinct(texts, 2) == 3 / 5  # ab, ba, bc of ab, ba, ab, ab, bc
    assert distinct([["a"], []], 2) is None and distinct([], 1) is None
    assert distinct([list("abcdef")], 3) == 1


def test_self_bleu_is_nltks_mean_over_texts() -> None:
    rng = Random(3)
    texts = [[f"w{rng.randrange(40)}" for _ in range(rng.randint(1, 50))] for _ in range(25)]
    method = SmoothingFunction().method1
    scores = [
        sentence_bleu([*texts[:place], *texts[place + 1 :]], text, smoothing_function=method)
        for place, text in enumerate(texts)
    ]
    assert self_bleu(texts) == pytest.approx(sum(scores) / len(scores))


def test_equal_texts_have_a_self_bleu_of_1_and_strangers_of_nearly_0() -> None:
    assert self_bleu([list("abcdefgh")] * 3) == pytest.approx(1)
    strangers = self_bleu([[f"{name}{n}" for n in range(30)] for name in "abc"])
    assert strangers is not None and strangers < 0.01
    assert self_bleu([["a"], []]) is None and self_bleu([]) is None


def _jaccard(one: list[str], other: list[str]) -> float:
    sets = [{tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_near_duplicates_are_those_of_comparing_every_pair() -> None:
    rng = Random(1)
    families = _texts(40, 120, 300)
    texts = []
    for _ in range(400):
        words = list(rng.choice(families))
        for _ in range(rng.randint(0, 30)):
            words[rng.randrange(len(words))] = f"x{rng.randrange(300)}"
        texts.append(words)
    texts += _texts(400, 120, 300, seed=2)
    found = near_duplicates(texts)
    exact = [
        any(one is not other and _jaccard(one, other) >= LIKE for other in texts[:400]) for one in texts[:400]
    ]
    assert not any(found[400:])
    assert not any(ours and not true for ours, true in zip(found, exact, strict=False)), (
        "none is found wrongly"
    )
    assert sum(found[:400]) >= 0.97 * sum(exact) > 50


def test_near_duplicates_do_not_depend_on_the_order_of_texts() -> None:
    texts = [*_texts(60, 40, 8), *_texts(60, 40, 2_000)] * 2
    order = list(range(len(texts)))
    Random(5).shuffle(order)
    found, shuffled = near_duplicates(texts), near_duplicates([texts[place] for place in order])
    assert all(found) and all(shuffled)


def test_short_texts_are_no_duplicates_and_equal_ones_are_however_many() -> None:
    assert near_duplicates([["a", "b"]] * 3) == [False] * 3
    assert near_duplicates([]) == []
    assert near_duplicates([list("abcdefgh")]) == [False]
    assert all(near_duplicates([list("abcdefgh")] * 3_000))
    assert near_duplicates([list("abcdefgh"), list("abcdefgh"), list("stuvwxyz")]) == [True, True, False]
