"""Comparisons of methods in pairs: against scipy on the same numbers, against the definition, and by simulation."""

from itertools import chain, combinations, product
from math import sqrt

import numpy as np
import pytest
from scipy import stats as scipy_stats

from prose_data.stats import Ratio, compared, effect, holm, sign_flip


def alone(values: "np.typing.ArrayLike") -> Ratio:
    """Return the difference of users who have one row each."""
    each = np.asarray(values, float)
    return Ratio(each, np.ones(len(each)), len(each))


def scipys(values: "np.typing.ArrayLike", resamples: float = np.inf) -> float:
    found = scipy_stats.permutation_test(
        (np.asarray(values, float),),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


@pytest.mark.parametrize("users", [2, 3, 9, 12])
def test_the_exact_p_value_is_scipys(users: int) -> None:
    rng = np.random.default_rng(users)
    for values in (rng.normal(0.5, 1.0, users), rng.integers(-2, 3, users), np.ones(users)):
        assert sign_flip([alone(values)]) == [pytest.approx(scipys(values), abs=1e-12)]


@pytest.mark.parametrize("users", [15, 40, 700])
def test_a_p_value_does_not_depend_on_the_differences_beside_it(users: int) -> None:
    """Differences that add up to another one are turned once; one over other users, or of another size, is apart."""
    rng = np.random.default_rng(users)
    methods = rng.normal([0.0, 0.1, 0.2, 0.2], 1.0, (users, 4)).T
    differences = [one - other for other, one in combinations(methods, 2)]
    differences += [
        differences[0] * 1e-7,
        np.zeros(users),
        np.rint(differences[3]),
        differences[4] + 1e-6 * rng.normal(size=users),
    ]
    differences += [1_000 * methods[1] - methods[0]]
    together = sign_flip([alone(values) for values in differences])
    assert together == [sign_flip([alone(values)])[0] for values in differences]
    assert len(set(together)) > 6


def test_the_p_value_of_many_users_is_scipys_up_to_chance() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0.25, 1.0, 60)
    assert sign_flip([alone(values)])[0] == pytest.approx(scipys(values, 20_000), abs=0.015)


def test_a_drawn_p_value_is_never_0() -> None:
    assert sign_flip([alone(np.full(60, 3.0))]) == [1 / 10_000]


def test_rows_of_a_user_flip_together() -> None:
    """Twenty rows of each user are no twenty observations."""
    sums, rows = np.array([3.0, -1.0, 2.0, 4.0, 5.0]), np.full(5, 20.0)
    many = Ratio(sums * 20, rows, 100)
    assert sign_flip([many]) == sign_flip([alone(sums)])


def test_one_user_says_nothing() -> None:
    assert sign_flip([alone([1.0])]) == [None]
    (found,) = compared([alone([1.0])], ["family"])
    assert (found.difference.mean, found.p, found.p_holm, found.effect) == (1.0, None, None, None)


@pytest.mark.parametrize("users", [10, 25])
def test_where_nothing_differs_one_test_in_twenty_says_so(users: int) -> None:
    rng = np.random.default_rng(users)
    p = sign_flip([alone(values) for values in rng.standard_t(3, size=(2_000, users))])
    assert 0.04 <= np.mean([value <= 0.05 for value in p if value is not None]) <= 0.06


def closed(p: list[float]) -> list[float]:
    """Return what Holm's procedure is short for: the least level at which every set of hypotheses with this one in it is
    rejected by Bonferroni."""
    places = range(len(p))
    sets = list(chain.from_iterable(combinations(places, size) for size in range(1, len(p) + 1)))
    return [
        max(min(1.0, len(chosen) * min(p[at] for at in chosen)) for chosen in sets if place in chosen)
        for place in places
    ]


def test_holm_is_the_closed_test_of_bonferroni() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 2, 5, 7):
        for _ in range(20):
            p = list(rng.beta(0.3, 1.0, size))
            assert holm(p) == pytest.approx(closed(p))
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_holm_corrects_within_a_family_and_not_beyond() -> None:
    rng = np.random.default_rng(6)
    differences = [alone(rng.normal(0.4, 1.0, 30)) for _ in range(6)]
    found = compared(differences, list("ababab"))
    for family in ((0, 2, 4), (1, 3, 5)):
        p = [value for place in family if (value := found[place].p) is not None]
        assert [found[place].p_holm for place in family] == pytest.approx(holm(p))


def test_the_effect_is_the_mean_over_the_spread_of_users_without_its_bias() -> None:
    values = np.array([0.2, 0.9, 1.4, -0.3, 0.8, 1.1, 0.4])
    found = effect(alone(values))
    assert found is not None
    d, free = values.mean() / values.std(ddof=1), len(values) - 1
    assert found.g == pytest.approx(d * (1 - 3 / (4 * free - 1)), rel=2e-3)  # Hedges' own approximation
    scale = found.g / (d * sqrt(len(values)))
    t = d * sqrt(len(values))
    assert scipy_stats.nct.cdf(t, free, found.low / scale) == pytest.approx(0.975, abs=1e-4)
    assert scipy_stats.nct.cdf(t, free, found.high / scale) == pytest.approx(0.025, abs=1e-4)


def test_the_effect_has_no_bias_and_its_interval_holds_the_truth() -> None:
    rng = np.random.default_rng(2)
    found = [effect(alone(values)) for values in rng.normal(0.6, 1.0, size=(2_000, 9))]
    sizes = [one.g for one in found if one is not None]
    assert len(sizes) == 2_000
    assert np.mean(sizes) == pytest.approx(0.6, abs=0.03)
    assert 0.93 <= np.mean([one.low <= 0.6 <= one.high for one in found if one is not None]) <= 0.97


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.5, 0.5, 0.5, 0.5]])
def test_there_is_no_effect_size_without_a_spread(values: list[float]) -> None:
    assert effect(alone(values)) is None


def test_all_flips_are_gone_through_once() -> None:
    values = np.array([1.0, 2.0, 4.0, 8.0])
    sums = [abs(sum(signs * values)) for signs in product((-1, 1), repeat=4)]
    for shift in (0.0, 3.0, -6.5):
        moved = values + shift
        sums = [abs(float(np.dot(signs, moved))) for signs in product((-1, 1), repeat=4)]
        exact = np.mean([total >= abs(moved.sum()) - 1e-9 for total in sums])
        assert sign_flip([alone(moved)]) == [pytest.approx(exact)]
