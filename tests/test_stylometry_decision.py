"""The statistics behind habits: tails against exact sums, false discoveries in numbers drawn from ordinary writing."""

from math import comb, exp, lgamma, log
from statistics import NormalDist

import numpy as np
import pytest

from prose_data.streams import numpy_stream
from prose_data.stylometry.decision import (
    CAP,
    CLEAR,
    FALSE,
    RATE,
    _discoveries,
    _normal_score,
    _rate_tail,
    _share_tail,
    decide,
    rates,
    strengths,
)
from prose_data.stylometry.ordinary import ordinary, with_references
from prose_data.stylometry.table import TABLE

NAMES = list(TABLE)


def column(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def negative_binomial(j: int, mean: float, k: float) -> float:
    return exp(
        lgamma(j + k) - lgamma(k) - lgamma(j + 1) + k * log(k / (k + mean)) + j * log(mean / (k + mean))
    )


def beta_binomial(j: int, n: int, a: float, b: float) -> float:
    def log_beta(x: float, y: float) -> float:
        return lgamma(x) + lgamma(y) - lgamma(x + y)

    return comb(n, j) * exp(log_beta(j + a, n - j + b) - log_beta(a, b))


@pytest.mark.parametrize(
    ("hits", "length", "mean", "k"), [(0, 1, 0.5, 0.3), (3, 2, 0.5, 0.3), (9, 1.5, 2.0, 1.2)]
)
def test_a_rate_has_the_tail_of_a_negative_binomial(hits: int, length: float, mean: float, k: float) -> None:
    exact = [negative_binomial(j, mean * length, k) for j in range(hits + 1)]
    more, here = _rate_tail(column(hits), column(length), column(mean), column(k))
    assert (more[0], here[0]) == pytest.approx((1 - sum(exact), exact[-1]), abs=1e-9)


@pytest.mark.parametrize(
    ("hits", "n", "mean", "s"), [(0, 1, 0.05, 2), (1, 1, 0.05, 2), (5, 12, 0.2, 9), (12, 12, 0.5, 3)]
)
def test_a_share_has_the_tail_of_a_beta_binomial(hits: int, n: int, mean: float, s: float) -> None:
    exact = [beta_binomial(j, n, mean * s, (1 - mean) * s) for j in range(hits + 1)]
    more, here = _share_tail(column(hits), column(n), column(mean), column(s))
    assert (more[0], here[0]) == pytest.approx((1 - sum(exact), exact[-1]), abs=1e-9)


def test_counts_of_long_texts_are_scaled_down_and_say_no_less_than_shorter_ones() -> None:
    for few, many in (
        *_share_tail(column(30, 3_000), column(40, 4_000), column(0.2, 0.2), column(9, 9)),
        *_rate_tail(column(40, 40_000), column(10, 10_000), column(0.5, 0.5), column(1, 1)),
    ):
        assert many == pytest.approx(few)


def test_normal_scores_are_those_of_the_normal_distribution() -> None:
    p = column(1e-9, 1e-4, 0.03, 0.5, 0.7, 1 - 1e-6)
    assert _normal_score(p) == pytest.approx([-NormalDist().inv_cdf(x) for x in p], abs=0.0005)


def test_false_discoveries_are_held_over_all_habits() -> None:
    one = FALSE / len(TABLE)
    assert _discoveries([(0.9 * one, 3)]) == [(pytest.approx(0.9 * FALSE), 3)]
    assert _discoveries([(1.1 * one, 3)]) == []
    assert [row for _, row in _discoveries([(1.9 * one, 5), (1.8 * one, 3)])] == [3, 5]
    assert _discoveries([]) == []


def test_no_text_alone_weighs_more_than_the_cap() -> None:
    """It is enough for one text to be stated by itself, and not for one among three that lack the habit."""
    p = NormalDist().cdf(-CAP)
    assert p * len(TABLE) <= FALSE < NormalDist().cdf(-CAP / 2) * len(TABLE)


@pytest.mark.parametrize("kind", ["email", "summarization"])
@pytest.mark.parametrize("samples", [1, 2, 4, 8])
def test_hardly_anything_is_stated_of_counts_that_are_drawn_from_ordinary_writing(
    kind: str, samples: int
) -> None:
    base = ordinary(kind)  # type: ignore[arg-type]
    rng = numpy_stream(0, "ordinary", kind, samples)
    users, texts = 300, 300 * samples
    shape = (texts, len(TABLE))
    length = rng.uniform(0.6, 4.0, (texts, 1))
    flags = np.array([row.family == "flag" for row in TABLE.values()])
    chances = np.where(RATE, length, np.where(flags, 1.0, rng.integers(4, 25, shape)))
    expected = rng.gamma(base.spread, base.mean / base.spread, shape) * chances
    shares = rng.beta(
        np.maximum(base.mean, 1e-3) * base.spread, np.maximum(1e-3, 1 - base.mean) * base.spread, shape
    )
    hits = np.where(RATE, rng.poisson(expected), rng.binomial(chances.astype(int), shares)).astype(np.float64)
    stated = decide(hits, chances, [samples] * users, base)
    assert sum(map(len, stated)) / users < FALSE


def test_strength_is_a_share_of_the_clear_strength() -> None:
    row = NAMES.index("semicolons")
    hits, chances = np.zeros((3, len(TABLE))), np.ones((3, len(TABLE)))
    hits[:, row], chances[:, row] = (0, 1, 30), (1.5, 1.5, 1.5)
    assert strengths(hits, chances)[:, row] == pytest.approx([0, 0.5 / CLEAR[row], 1])
    assert rates(hits, chances * 0)[:, row].tolist() == [0, 0, 0]


def test_references_move_what_is_ordinary_as_far_as_they_are_many() -> None:
    base = ordinary("email")
    row = NAMES.index("emojis")
    before = base.mean[row]
    means = []
    for n in (1, 4, 20):
        weights, found = np.zeros((n, len(TABLE))), np.full((n, len(TABLE)), 3.0)
        weights[:, row] = 1.0
        after = with_references(base, found, weights)
        assert np.delete(after.mean, row) == pytest.approx(np.delete(base.mean, row))
        means.append(after.mean[row])
    assert before < means[0] < means[1] < means[2] < 3.0
