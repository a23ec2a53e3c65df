"""Users and what their records are to say: sparse, correlated, balanced, and each by its number alone."""

from typing import Any

import numpy as np

from prose_data.alignx.correlation import FEWEST, user_signs
from prose_data.alignx.dimensions import COUNT, vector_of
from prose_data.alignx.plans import plans_of
from prose_data.config import AlignX


def test_users_are_sparse_correlated_and_balanced() -> None:
    signs = user_signs(AlignX(), 0, range(4_000))
    held = (signs != 0).sum(axis=1)
    assert held.min() >= FEWEST and abs(held.mean() / COUNT - 0.15) < 0.01
    assert abs(signs.mean()) < 0.01 and abs(signs.mean(axis=0)).max() < 0.03
    matrix = np.corrcoef(signs.T)
    needs, quality, hobbies, rest = (np.arange(*ends) for ends in ((24, 41), (41, 46), (74, 90), (0, 24)))

    def mean(one: Any, other: Any) -> float:
        block = matrix[np.ix_(one, other)]
        return float(block[~np.eye(len(one), dtype=bool)].mean() if one is other else block.mean())

    assert mean(needs, needs) > 0.15 and mean(quality, quality) > 0.15 and mean(needs, quality) < -0.15
    assert 0.03 < mean(hobbies, hobbies) < 0.15
    assert abs(mean(rest, rest)) < 0.01 and abs(mean(rest, needs)) < 0.01


def test_a_users_row_depends_on_nothing_but_its_number_and_the_seed() -> None:
    settings = AlignX()
    assert (user_signs(settings, 3, [7, 2])[::-1] == user_signs(settings, 3, [2, 7])).all()
    assert (user_signs(settings, 3, [7]) != user_signs(settings, 4, [7])).any()
    several = list(plans_of(settings, 3, range(1_005)))
    assert several[1_003] == next(plans_of(settings, 3, [1_003])) and several[1_003].user == 1_003


def test_a_plan_depends_on_the_history_only_where_it_is_part_of_it() -> None:
    """The target does not change the history's aggregate: it is drawn apart, and its vector is none of the items'."""
    for plan in plans_of(AlignX(), 0, range(200)):
        assert not plan.neutral and plan.pairs[0] not in (*plan.comments, *plan.pairs[1:])
        assert vector_of(plan.pairs[0]).count(0.5) < 90
        assert len(set(plan.briefs)) == len({brief.partition(";")[0] for brief in plan.briefs}) == 9
