"""The 90 dimensions: their order, and what a vector may be."""

import numpy as np
import pytest

from prose_data.alignx.dimensions import (
    COUNT,
    DIMENSIONS,
    NEUTRAL_VECTOR,
    check_vector,
    label,
    meanings,
    opposite,
    poles_of,
    vector_of,
)
from prose_data.errors import InputError

LABELS = [one for dimension in DIMENSIONS for one in (dimension.positive, dimension.negative)]


@pytest.mark.parametrize(
    ("index", "positive", "negative"),
    [
        (0, "Young", "Older"),
        (
            15,
            "Prefers direct communication to handle conflict",
            "Prefers avoidance, mediation, compromise to handle conflict",
        ),
        (40, "Concerned about harmlessness", "Indifferent about harmlessness"),
        (89, "Likes fashion", "Dislikes fashion"),
    ],
)
def test_the_order_is_that_of_the_published_vector(index: int, positive: str, negative: str) -> None:
    assert (DIMENSIONS[index].positive, DIMENSIONS[index].negative) == (positive, negative)


def test_there_are_90_in_the_published_groups() -> None:
    assert [dimension.index for dimension in DIMENSIONS] == list(range(90)) and COUNT == 90
    groups = [dimension.group for dimension in DIMENSIONS]
    assert sorted(groups.count(group) for group in set(groups)) == [7, 7, 12, 21, 43]
    assert {dimension.theory for dimension in DIMENSIONS[2:7]} == {"Big Five"}


def test_labels_are_unique_also_where_one_begins_like_another() -> None:
    assert len(set(LABELS)) == len(LABELS) == 180
    assert not any("(" in one for one in LABELS), "the table holds labels without their glosses"


def test_every_pole_has_a_meaning_of_its_own_that_does_not_repeat_its_label() -> None:
    means = meanings()
    assert set(means) == {(index, positive) for index in range(90) for positive in (True, False)}
    assert len(set(means.values())) == 180
    assert not [pole for pole, text in means.items() if label(pole).lower() in text.lower()]


@pytest.mark.parametrize("values", [[0.5] * 90, (1, 0, 0.5) * 30, np.array([0.0, 1.0, 0.5] * 30)])
def test_a_vector_is_taken_from_any_kind_of_list(values: object) -> None:
    vector = check_vector(values, "here")
    assert isinstance(vector, tuple) and {type(value) for value in vector} == {float}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([0.5] * 89, "has 89 values and must have 90"),
        ([0.5] * 91, "has 91 values"),
        ([], "has 0 values"),
        ([0.5] * 7 + [-1] + [0.5] * 82, "value 7 is -1 and must be 1, 0.5 or 0"),
        ([0.6] + [0.5] * 89, "value 0 is 0.6"),
        ([float("nan")] + [0.5] * 89, "value 0 is nan"),
        ([True] + [0.5] * 89, "value 0 is True"),
        (["1"] + [0.5] * 89, "value 0 is '1'"),
        ([None] + [0.5] * 89, "value 0 is None"),
        ([[1]] + [0.5] * 89, r"value 0 is \[1\]"),
        ("0" * 90, "must be a list of 90 numbers, not str"),
        (None, "not NoneType"),
    ],
)
def test_anything_else_is_named_with_its_place(values: object, problem: str) -> None:
    with pytest.raises(InputError, match=f"^rows.json, row 3: .*{problem}"):
        check_vector(values, "rows.json, row 3")


def test_poles_and_vectors_go_over_into_each_other() -> None:
    poles = ((3, True), (40, False), (89, True))
    vector = vector_of(poles)
    assert vector.count(0.5) == 87 and (vector[3], vector[40], vector[89]) == (1.0, 0.0, 1.0)
    assert poles_of(vector) == poles and poles_of(NEUTRAL_VECTOR) == ()
    assert vector_of(opposite(poles)) == tuple(1 - value for value in vector)
