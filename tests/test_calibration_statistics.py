"""Agreement, intervals and corrections: published and hand-computed examples, and simulations whose truth is known."""

from collections.abc import Sequence
from math import isnan

import numpy as np
import pytest

from prose_data.calibration.agreement import alpha, coincidences, kappa
from prose_data.calibration.corrected import Rows, prediction_powered, rogan_gladen, slope
from prose_data.calibration.resampling import Array, Share, of_totals, share, student, totals_by, wilson
from prose_data.stats import Estimate

# Four observers, twelve units: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def units(observers: Sequence[Sequence[int | None]]) -> list[list[int]]:
    return [[value - 1 for value in unit if value is not None] for unit in zip(*observers, strict=True)]


def bounds(estimate: Estimate | None) -> tuple[float, float]:
    assert estimate is not None and estimate.low is not None and estimate.high is not None
    return estimate.low, estimate.high


def covered(estimates: Sequence[Estimate | None], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in map(bounds, estimates)]))


def a_share(mean: float, n: int) -> Share:
    return Share(mean, None, None, n, effective=n)


def test_alpha_of_the_published_example() -> None:
    matrix = coincidences(units(OBSERVERS), 5).sum(axis=0)
    assert matrix.sum() == pytest.approx(40)  # pairable values; the last unit has one value and says nothing
    assert float(alpha(matrix, "nominal")) == pytest.approx(0.743, abs=5e-4)
    assert float(alpha(matrix, "ordinal")) == pytest.approx(0.815, abs=5e-4)


def test_alpha_is_one_for_full_agreement_and_undefined_where_nothing_varies() -> None:
    assert float(alpha(coincidences([[0, 0], [1, 1], [4, 4, 4]], 5).sum(axis=0), "ordinal")) == 1.0
    with np.errstate(invalid="ignore"):
        assert isnan(float(alpha(coincidences([[2, 2], [2, 2]], 5).sum(axis=0), "nominal")))


def test_kappa_by_hand() -> None:
    # 35 of 50 alike; by chance (25 x 30 + 25 x 20) / 50 of 50 = 1/2, so (0.7 - 0.5) / (1 - 0.5).
    assert float(kappa(np.array([[20, 5], [10, 15]]), "nominal")) == pytest.approx(0.4)
    # One pair two apart weighs 4; by chance 26/4 in all.
    table = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    assert float(kappa(table, "ordinal")) == pytest.approx(1 - 4 / 6.5)
    assert float(kappa(table, "nominal")) == pytest.approx(1 - 1 / (4 - 5 / 4))


def test_kappa_takes_many_tables_at_once() -> None:
    tables = np.array([[[20, 5], [10, 15]], [[25, 0], [0, 25]], [[0, 25], [25, 0]]])
    assert kappa(tables, "nominal") == pytest.approx([0.4, 1.0, -1.0])


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_of_published_examples(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits / of, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("free", "quantile"), [(3, 3.182), (8, 2.306), (30, 2.042), (1000, 1.962)])
def test_student_of_the_usual_table(free: int, quantile: float) -> None:
    assert student(free) == pytest.approx(quantile, abs=5e-4)


def test_a_share_counts_clusters_not_rows() -> None:
    hits, owners = [True, True, False, True] * 10, [str(number) for number in range(40)]
    once = bounds(share(hits, owners))
    copied = bounds(share(hits * 20, owners * 20))
    assert copied == pytest.approx(once, abs=1e-9)
    alone = bounds(share(hits * 20, [str(number) for number in range(800)]))
    assert alone[1] - alone[0] < (once[1] - once[0]) / 3


def test_a_share_without_an_error_is_not_certain() -> None:
    low, high = bounds(share([True] * 30, [str(number) for number in range(30)]))
    assert 0.8 < low < 0.9 and high == 1.0


def test_a_share_of_one_cluster_has_no_interval_and_of_nothing_no_mean() -> None:
    found = share([True, False], ["a", "a"])
    assert found is not None and (found.mean, found.low) == (0.5, None)
    assert share([], []) is None


def test_weights_are_of_rows_that_stand_for_others() -> None:
    found = share([True, False], ["a", "b"], [3.0, 1.0])
    assert found is not None and found.mean == 0.75 and found.effective < 2


def test_intervals_of_clustered_shares_cover() -> None:
    estimates = []
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        of_document = rng.beta(8.5, 1.5, 40)
        owners = [str(number) for number in np.repeat(np.arange(40), 6)]
        estimates.append(share(list(rng.random(240) < np.repeat(of_document, 6)), owners))
    assert 0.93 <= covered(estimates, 0.85) <= 0.98


def kappa_of(rng: np.random.Generator, documents: int) -> Estimate | None:
    truth = rng.random(240) < 0.5
    says = np.where(rng.random(240) < 0.15, ~truth, truth)
    owners = [str(n % documents) for n in range(240)]
    return of_totals(
        totals_by(owners, 2 * truth + says, 4), lambda sums: kappa(sums.reshape(-1, 2, 2), "nominal"), 240
    )


@pytest.mark.parametrize("documents", [5, 10, 60])
def test_intervals_of_kappa_cover(documents: int) -> None:
    estimates = [kappa_of(np.random.default_rng(seed), documents) for seed in range(300)]
    assert 0.91 <= covered(estimates, 0.7) <= 0.98  # wrong 15 % of the time, both sides alike: 1 - 2 x 0.15


def test_an_interval_needs_clusters_and_draws_that_differ() -> None:
    def first(sums: Array) -> Array:
        found: Array = sums[:, 0] / sums.sum(axis=1)
        return found

    def of(clusters: Sequence[str], cells: Sequence[int]) -> Estimate | None:
        return of_totals(totals_by(clusters, cells, 2), first, len(cells))

    assert of(["a", "a"], [0, 1]) == Estimate(0.5, None, None, 2)
    assert of(["a", "b", "c"], [0, 0, 0]) == Estimate(1.0, None, None, 3)
    assert of([], []) is None


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    cells, owners = rng.integers(0, 4, 200), [f"d{number % 17}" for number in range(200)]
    order = rng.permutation(200)
    one = totals_by(owners, cells, 4)
    other = totals_by([owners[place] for place in order], cells[order], 4)
    assert (one == other).all()


def test_more_clusters_than_can_be_resampled_become_groups() -> None:
    owners = [str(number) for number in range(5000)]
    assert totals_by(owners, [0] * 5000, 1).shape == (2000, 1)


def test_rogan_gladen_by_hand_and_at_its_ends() -> None:
    found = rogan_gladen(a_share(0.38, 1000), a_share(0.9, 500), a_share(0.8, 500))
    assert found is not None and found.mean == pytest.approx((0.38 + 0.8 - 1) / 0.7)
    nothing = rogan_gladen(a_share(0.1, 1000), a_share(0.9, 500), a_share(0.8, 500))
    assert nothing is not None and (nothing.mean, nothing.low) == (0.0, 0.0)
    assert rogan_gladen(a_share(0.5, 100), a_share(0.5, 50), a_share(0.5, 50)) is None


@pytest.mark.parametrize(
    ("truth", "sensitivity", "specificity"), [(0.3, 0.9, 0.8), (0.6, 0.75, 0.95), (0.9, 0.96, 0.92)]
)
def test_rogan_gladen_finds_the_truth_and_covers_it(
    truth: float, sensitivity: float, specificity: float
) -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(2000):
        raw = rng.binomial(300, truth * sensitivity + (1 - truth) * (1 - specificity)) / 300
        rates = (rng.binomial(60, rate) / 60 for rate in (sensitivity, specificity))
        estimate = rogan_gladen(a_share(raw, 300), *(a_share(rate, 60) for rate in rates))
        assert estimate is not None
        found.append(estimate)
    assert np.mean([estimate.mean for estimate in found]) == pytest.approx(truth, abs=0.01)
    assert 0.93 <= covered(found, truth) <= 0.98


def labelled_run(seed: int, users: int, rows: int, labelled: int, wrong: float) -> tuple[Rows, float]:
    """Rows of users who differ, judged with errors, labelled evenly over verdicts; and the mean of all labels."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(users), rows)
    labels = np.clip(np.round(rng.normal(0.5 + rng.normal(0, 0.5, users)[owner], 1)), -2, 2)
    judged = np.where(rng.random(len(labels)) < wrong, rng.integers(-2, 3, len(labels)), labels)
    weights = np.zeros(len(labels))
    for side in (-1, 0, 1):
        members = np.flatnonzero(np.sign(judged) == side)
        drawn = rng.choice(members, min(len(members), labelled // 3), replace=False)
        weights[drawn] = len(members) / len(drawn)
    known = np.where(weights > 0, labels, np.nan)
    return Rows([str(user) for user in owner], judged.astype(float), known, weights), float(labels.mean())


def test_labels_on_all_rows_give_their_mean() -> None:
    rows = Rows(["a", "a", "b"], np.array([2.0, 2.0, 2.0]), np.array([1.0, 0.0, 2.0]), np.ones(3))
    found = prediction_powered(rows, 1.0)
    assert found is not None and found.mean == pytest.approx(1.0) and found.n == 3


def test_without_labels_nothing_is_corrected_and_of_one_user_there_is_no_interval() -> None:
    nobody = Rows(["a", "b"], np.array([1.0, 2.0]), np.array([np.nan, np.nan]), np.zeros(2))
    assert prediction_powered(nobody, 1.0) is None
    one = Rows(["a", "b"], np.array([1.0, 2.0]), np.array([0.0, np.nan]), np.array([1.0, 0.0]))
    assert prediction_powered(one, 1.0) == Estimate(0.5, None, None, 1)


def test_prediction_powered_means_are_unbiased_where_the_judge_is_not_and_cover() -> None:
    truth = float(
        np.clip(np.round(np.random.default_rng(0).normal(0.5, np.sqrt(1.25), 1_000_000)), -2, 2).mean()
    )
    runs = [labelled_run(seed, users=40, rows=12, labelled=90, wrong=0.35)[0] for seed in range(1000)]
    found = [prediction_powered(rows, slope(rows)) for rows in runs]
    raw = np.mean([rows.judged.mean() for rows in runs])
    assert abs(raw - truth) > 0.12
    assert np.mean([one.mean for one in found if one]) == pytest.approx(truth, abs=0.02)
    assert 0.93 <= covered(found, truth) <= 0.97


def test_a_good_judge_makes_the_interval_narrower_and_a_bad_one_not_wider() -> None:
    def width(wrong: float, used: float | None) -> float:
        runs = [labelled_run(seed, users=40, rows=12, labelled=60, wrong=wrong)[0] for seed in range(60)]
        found = [bounds(prediction_powered(rows, slope(rows) if used is None else used)) for rows in runs]
        return float(np.mean([high - low for low, high in found]))

    assert width(0.05, None) < 0.75 * width(0.05, 0.0)
    assert width(1.0, None) < 1.02 * width(1.0, 0.0) < 0.9 * width(1.0, 1.0)
