"""Profiles: labels to vectors and back, and what a history adds up to."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prose_data.alignx.dimensions import DIMENSIONS, NEUTRAL_VECTOR, Vector, vector_of
from prose_data.alignx.profile import aggregate, parse, to_text
from prose_data.errors import InputError

POLES = [(index, positive) for index in range(90) for positive in (True, False)]
VECTORS = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=90, max_size=90).map(tuple)


def _one(value: float, index: int = 0) -> Vector:
    return tuple(value if at == index else 0.5 for at in range(90))


@pytest.mark.parametrize("gloss", ["", " (a, b; more, or less)", "(tight)", " (one (inner, deep), two)"])
def test_each_of_the_180_labels_is_read_back_with_and_without_a_gloss(gloss: str) -> None:
    for pole in POLES:
        vector = vector_of([pole])
        assert parse(to_text(vector) + gloss, "here") == vector
        beside = vector_of([pole, ((pole[0] + 1) % 90, False)])
        first, second = to_text(vector), to_text(vector_of([((pole[0] + 1) % 90, False)]))
        assert parse(f"{second}{gloss}, {first}{gloss}", "here") == beside


@given(VECTORS)
def test_a_profile_names_what_is_not_neutral_in_order_and_is_read_back(vector: Vector) -> None:
    text = to_text(vector)
    assert parse(text, "here") == vector
    places = [
        text.find(d.positive if vector[d.index] else d.negative) for d in DIMENSIONS if vector[d.index] != 0.5
    ]
    assert -1 not in places


def test_a_label_with_commas_is_no_three_labels() -> None:
    text = to_text(vector_of([(14, True), (15, False), (16, True)]))
    assert text.count(",") == 4
    assert parse(text, "here") == vector_of([(14, True), (15, False), (16, True)])


def test_an_empty_profile_is_neutral() -> None:
    assert to_text(NEUTRAL_VECTOR) == "" and parse("  ", "here") == NEUTRAL_VECTOR


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Likes fishing", "'Likes fishing' does not begin with the label"),
        ("Likes art,Likes music", "'Likes art,Likes music' does not begin"),
        ("Likes artful things", "does not begin"),
        ("Likes art, ", "does not begin|ends with a comma"),
        ("Likes art (unclosed", "does not begin"),
        ("Likes art (x) y", "does not begin"),
        ("Likes art, Dislikes art", r"dimension 82 \(art\) is there twice"),
        ("likes art", "does not begin"),
        (", Likes art", "does not begin"),
    ],
)
def test_what_is_no_profile_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=f"^file.json, row 2: .*({problem})"):
        parse(text, "file.json, row 2")


@pytest.mark.parametrize("count", range(1, 33))
def test_a_mirrored_history_gives_the_mirrored_profile(count: int) -> None:
    for votes in range(count + 1):
        history = [_one(1.0)] * votes + [_one(0.5)] * (count - votes)
        mirrored = [tuple(1 - value for value in vector) for vector in history]
        assert aggregate(mirrored) == tuple(1 - value for value in aggregate(history))


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=50), st.integers(51, 90))
def test_means_are_compared_exactly(values: list[float], percent: int) -> None:
    mean = sum(map(Fraction, values)) / len(values)
    expected = 1.0 if mean >= Fraction(percent, 100) else 0.0 if mean <= 1 - Fraction(percent, 100) else 0.5
    found = aggregate([_one(value) for value in values], (percent, 100), (100 - percent, 100))
    assert found[0] == expected and set(found[1:]) == {0.5}


def test_how_much_one_unopposed_vote_is_worth() -> None:
    """With up to five items it counts, with six it does not; by 0.51 and 0.49 any net vote does."""
    for value in (1.0, 0.0):
        assert aggregate([_one(value), *[_one(0.5)] * 4])[0] == value
        assert aggregate([_one(value), *[_one(0.5)] * 5])[0] == 0.5
        assert aggregate([_one(value), *[_one(0.5)] * 5], (51, 100), (49, 100))[0] == value


def test_single_precision_treats_the_poles_unequally_as_the_release_does() -> None:
    lone = {value: [_one(value), *[_one(0.5)] * 4] for value in (1.0, 0.0)}
    assert [aggregate(lone[value], single_precision=True)[0] for value in (1.0, 0.0)] == [1.0, 0.5]


def test_a_neutral_history_stays_neutral() -> None:
    for history in ([], [NEUTRAL_VECTOR], [NEUTRAL_VECTOR] * 8, [_one(1.0), _one(0.0)]):
        for single in (False, True):
            assert to_text(aggregate(history, single_precision=single)) == ""


@pytest.mark.parametrize(
    ("positive", "negative"),
    [((1, 2), (2, 5)), ((3, 5), (1, 2)), ((3, 0), (2, 5)), ((6, 5), (2, 5)), ((3, 5), (-1, 5))],
)
def test_thresholds_that_make_no_sense_are_refused(
    positive: tuple[int, int], negative: tuple[int, int]
) -> None:
    with pytest.raises(InputError, match="threshold"):
        aggregate([NEUTRAL_VECTOR], positive, negative)
