"""Means, intervals and shares from frames of values, and how often the intervals hold the truth."""

from math import sqrt
from statistics import NormalDist, mean, stdev

import numpy as np
import polars as pl
import pytest
from scipy import stats as scipy_stats

from prose_data.stats import (
    DRAWS,
    Estimate,
    Ratio,
    cost_per_point,
    curve_points,
    estimates,
    gap_closed,
    learning_curve,
    mean_interval,
    over_seeds,
    paired_difference,
    panel,
    resampling,
)


def frame(values: dict[str, list[float]], seed: int = 0) -> pl.DataFrame:
    rows = [
        {"user_id": user, "seed": seed, "document_id": f"d{step}", "value": value}
        for user, row in values.items()
        for step, value in enumerate(row)
    ]
    schema = {"user_id": pl.String, "seed": pl.Int64, "document_id": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def estimated(estimate: Estimate | None) -> Estimate:
    assert estimate is not None
    return estimate


def bounds(estimate: Estimate | None) -> tuple[float, float]:
    estimate = estimated(estimate)
    assert estimate.low is not None and estimate.high is not None
    return estimate.low, estimate.high


def test_the_mean_is_that_of_the_rows() -> None:
    result = estimated(mean_interval(frame({"a": [1.0, 2.0, 3.0], "b": [10.0]})))
    assert result.mean == 4.0
    assert result.n == 4


def test_equally_many_rows_give_the_mean_of_the_users_means() -> None:
    result = estimated(mean_interval(frame({"a": [1.0, 3.0], "b": [4.0, 8.0]})))
    assert result.mean == pytest.approx((2 + 6) / 2)


def test_the_interval_of_few_users_is_students() -> None:
    values = [0.0, 1.0, 0.5, 0.25]
    for users in (2, 3, 4):
        ours = bounds(mean_interval(frame({f"u{index}": [values[index]] for index in range(users)})))
        theirs = scipy_stats.ttest_1samp(values[:users], 0).confidence_interval()
        assert ours == pytest.approx((theirs.low, theirs.high))


def test_one_user_has_no_interval_and_no_rows_have_no_mean() -> None:
    assert mean_interval(frame({"a": [1.0, 2.0, 6.0]})) == Estimate(3.0, None, None, 3)
    assert mean_interval(frame({})) is None


def test_equal_users_have_an_interval_of_no_width() -> None:
    result = estimated(mean_interval(frame({user: [0.25, 0.75] for user in "abcdef"})))
    assert (result.mean, result.low, result.high) == (0.5, 0.5, 0.5)


def test_rows_of_one_user_count_as_one_observation() -> None:
    """Copying every row twenty times adds no information, so the interval stays."""
    values = {user: [float(index % 3)] for index, user in enumerate("abcdefgh")}
    copied = {user: row * 20 for user, row in values.items()}
    assert bounds(mean_interval(frame(copied))) == pytest.approx(bounds(mean_interval(frame(values))))


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    values = frame({f"u{index}": list(rng.normal(size=7)) for index in range(12)})
    assert mean_interval(values) == mean_interval(values.sample(fraction=1, shuffle=True, seed=3))
    assert mean_interval(values) == mean_interval(values.reverse())


def covered(found: list[Estimate | None], truth: float) -> float:
    """Return the share of intervals that hold `truth`."""
    return float(np.mean([low <= truth <= high for low, high in map(bounds, found)]))


def repeats(users: int, uneven: float = 2.0, times: int = 2_000) -> list[Ratio]:
    """Return means over users who differ, and of whom some have more rows than others; the truth is 2."""
    rng = np.random.default_rng(users)
    sizes = 1 + rng.poisson(uneven, size=(times, users))
    centres = rng.normal(2.0, 1.0, size=(times, users))  # rows of one user are alike
    tops = sizes * centres + np.sqrt(sizes) * rng.normal(0.0, 0.5, size=(times, users))
    return [Ratio(top, size.astype(float), int(size.sum())) for top, size in zip(tops, sizes, strict=True)]


@pytest.mark.parametrize("users", [3, 5, 8, 9, 30, 200])
@pytest.mark.parametrize("uneven", [0.0, 2.0])
def test_of_2000_intervals_93_to_97_in_100_hold_the_truth(users: int, uneven: float) -> None:
    assert 0.93 <= covered(estimates(repeats(users, uneven)), 2.0) <= 0.97


def test_intervals_of_a_share_of_the_gap_hold_the_truth() -> None:
    """Floor, method and ceiling share their users' level, and the method is a third of the way up."""
    rng = np.random.default_rng(4)
    times, users = 2_000, 40
    gap = rng.normal(2.0, 0.5, size=(times, users))
    gained = gap / 3 + rng.normal(0.0, 0.3, size=(times, users))
    found = estimates([Ratio(top, bottom, users) for top, bottom in zip(gained, gap, strict=True)])
    assert 0.93 <= covered(found, 1 / 3) <= 0.97


def test_the_interval_is_that_of_scipy_for_users_with_one_row_each() -> None:
    rng = np.random.default_rng(1)
    values = rng.gamma(2.0, size=300)
    ours = bounds(mean_interval(frame({f"u{index:03}": [value] for index, value in enumerate(values)})))
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2), batch=1_000
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.1 * (theirs.high - theirs.low))


def test_many_users_draw_as_often_as_few_and_get_the_interval_that_theory_says() -> None:
    rng = np.random.default_rng(1)
    users = 5_000  # more than one block of draws holds
    values = rng.normal(3.0, 2.0, users)
    low, high = bounds(estimates([Ratio(values, np.ones(users), users)])[0])
    half = 1.96 * float(values.std()) / sqrt(users)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


@pytest.mark.parametrize("users", [2, 9, 3_000, 5_000])
def test_every_draw_draws_as_many_users_as_there_are(users: int) -> None:
    blocks = list(resampling._weights(users))
    assert sum(len(block) for block in blocks) == DRAWS
    assert all((block.sum(axis=1) == users).all() for block in blocks)
    assert max(block.nbytes for block in blocks) <= 2**25


def test_an_estimate_does_not_depend_on_what_it_is_made_with() -> None:
    ratios: list[Ratio | None] = [*repeats(12, times=40), None, *repeats(7, times=3)]
    alone = [estimates([one])[0] for one in ratios]
    for one, other in zip(estimates(ratios), alone, strict=True):
        if one is None or other is None:
            assert one is other
        else:
            assert (one.mean, one.n) == (other.mean, other.n)
            assert bounds(one) == pytest.approx(bounds(other), abs=1e-12)


def test_a_difference_is_paired_by_user_seed_and_document() -> None:
    one = frame({user: [index + 0.5, index + 1.5] for index, user in enumerate("abcde")})
    other = frame({user: [float(index), index + 1.0] for index, user in enumerate("abcde")})
    result = estimated(paired_difference(one, other))
    assert (result.mean, result.low, result.high, result.n) == (0.5, 0.5, 0.5, 10)


def test_a_difference_leaves_out_what_only_one_side_has() -> None:
    one = frame({"a": [1.0, 100.0], "b": [2.0], "c": [50.0]})
    other = frame({"a": [0.0], "b": [1.0]})
    result = estimated(paired_difference(one, other))
    assert (result.mean, result.n) == (1.0, 2)
    assert paired_difference(frame({"a": [1.0]}), frame({"a": [1.0]}, seed=1)) is None


def test_gap_closed_is_0_at_the_floor_and_1_at_the_ceiling() -> None:
    floor = frame({user: [index / 10, 0.1] for index, user in enumerate("abcdef")})
    ceiling = floor.with_columns(value=pl.col("value") + 2)
    half = floor.with_columns(value=pl.col("value") + 1)
    assert estimated(gap_closed(floor, floor, ceiling)).mean == 0.0
    assert estimated(gap_closed(ceiling, floor, ceiling)).mean == 1.0
    result = estimated(gap_closed(half, floor, ceiling))
    assert (result.mean, result.low, result.high) == pytest.approx((0.5, 0.5, 0.5))


def test_gap_closed_also_reads_metrics_where_less_is_better() -> None:
    floor, ceiling = frame({"a": [100.0], "b": [80.0]}), frame({"a": [20.0], "b": [20.0]})
    result = estimated(gap_closed(frame({"a": [60.0], "b": [50.0]}), floor, ceiling))
    assert result.mean == pytest.approx(0.5)


def test_no_gap_has_no_share_and_an_unclear_one_no_interval() -> None:
    floor = frame({"a": [1.0], "b": [1.0]})
    assert gap_closed(floor, floor, floor) is None
    unclear = gap_closed(frame({"a": [2.0], "b": [1.0]}), floor, frame({"a": [4.0], "b": [0.0]}))
    assert unclear == Estimate(0.5, None, None, 2)


@pytest.mark.parametrize(("users", "student"), [(5, 2.776), (9, 2.306), (20, 2.093), (40, 2.023)])
def test_tails_are_cut_where_an_interval_is_as_wide_as_students(users: int, student: float) -> None:
    """A bootstrap's spread is too small by sqrt((n - 1) / n); `student` is the tables' 97.5 % quantile."""
    cut = -NormalDist().inv_cdf(resampling._tail(users))
    assert cut * sqrt((users - 1) / users) == pytest.approx(student, abs=0.001)


def test_a_panel_answers_as_the_frames_do_whatever_is_missing() -> None:
    rng = np.random.default_rng(8)
    frames = {
        name: frame({f"u{index}": list(rng.normal(size=4)) for index in range(9)}).sample(
            fraction=0.7, seed=number
        )
        for number, name in enumerate(("floor", "method", "ceiling"))
    }
    long = pl.concat([values.with_columns(name=pl.lit(name)) for name, values in frames.items()])
    sides = panel(long.sample(fraction=1, shuffle=True, seed=1), ["name"])
    method, floor, ceiling = (frames[name] for name in ("method", "floor", "ceiling"))
    several = estimates(
        [
            sides.mean(("method",)),
            sides.difference(("method",), ("floor",)),
            sides.gap(("method",), ("floor",), ("ceiling",)),
        ]
    )
    single = [
        mean_interval(method),
        paired_difference(method, floor),
        gap_closed(method, floor, ceiling),
    ]
    for one, other in zip(several, single, strict=True):
        assert estimated(one).mean == pytest.approx(estimated(other).mean)
        assert estimated(one).n == estimated(other).n
    assert sides.mean(("nobody",)) is None and sides.difference(("method",), ("nobody",)) is None


def test_the_spread_over_seeds_is_that_of_the_seeds_means() -> None:
    """PROSE gives the standard error, PRELUDE the sample standard deviation."""
    values = pl.concat(
        [frame({"a": [1.0, 2.0], "b": [3.0]}, 0), frame({"a": [4.0]}, 1), frame({"a": [6.0]}, 2)]
    )
    spread = over_seeds(values.reverse())
    means = [2.0, 4.0, 6.0]
    assert spread is not None
    assert (spread.mean, spread.sd, spread.se, spread.seeds) == pytest.approx(
        (mean(means), stdev(means), stdev(means) / sqrt(3), 3)
    )
    alone = over_seeds(frame({"a": [1.0, 2.0]}))
    assert alone is not None and (alone.mean, alone.sd, alone.se, alone.seeds) == (1.5, None, None, 1)
    assert over_seeds(frame({})) is None


def test_a_learning_curve_has_a_mean_with_interval_at_each_step() -> None:
    shifts = {"a": 0.0, "b": 1.0, "c": 2.0}
    rows = [(user, step, step + shift) for user, shift in shifts.items() for step in (0, 1, 2)]
    values = pl.DataFrame(rows, schema=["user_id", "step", "value"], orient="row")
    curve = learning_curve(values.reverse())
    assert list(curve) == [0, 1, 2]
    for step, one in curve.items():
        alone = mean_interval(values.filter(pl.col("step") == step))
        assert (one.mean, one.n) == (step + 1.0, 3) and bounds(one) == bounds(alone)


def test_long_curves_are_told_at_chosen_steps() -> None:
    assert curve_points([4, 0, 2]) == [0, 2, 4]
    assert curve_points(range(200)) == [0, 1, 2, 3, 5, 10, 20, 50, 100, 199]


def test_the_cost_of_a_point_is_what_is_paid_beyond_the_floor_over_what_is_gained() -> None:
    floor, method = frame({"a": [0.0, 0.0], "b": [1.0, 1.0]}), frame({"a": [1.0, 3.0], "b": [2.0, 2.0]})

    def paid(a: float, b: float) -> pl.DataFrame:
        return pl.DataFrame({"user_id": ["a", "b"], "seed": [0, 0], "value": [a, b]})

    point = cost_per_point(method, floor, paid(50.0, 40.0), paid(5.0, 5.0))
    assert point is not None
    assert point.value == pytest.approx((45 + 35) / (2 + 1))
    lost = estimates([cost_per_point(floor, method, paid(50.0, 40.0), paid(5.0, 5.0))])[0]
    assert estimated(lost).mean < 0
    assert cost_per_point(method, floor, paid(50.0, 40.0).clear(), paid(5.0, 5.0)) is None
