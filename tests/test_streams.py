"""Ids and draws are the same on every machine and in every version: a change here makes every data set another one."""

from collections import Counter

from prose_data.streams import Draws, digest, numpy_stream, stream


def test_ids_and_draws_are_what_they_always_were() -> None:
    assert digest("sample", "u", 0, "d") == "ec496e6461655966"
    assert stream(0, "a", 1).random() == 0.8224006412800648
    assert numpy_stream(0, "bootstrap", 9).random() == 0.64157487074092
    draws = Draws("a", 1)
    assert [draws.below(1000) for _ in range(4)] == [540, 975, 93, 201]
    assert (draws.pick("xyz"), draws.sample(range(50), 3), draws.shuffle("abcde")) == (
        "y",
        [4, 9, 28],
        ["d", "c", "b", "a", "e"],
    )


def test_names_and_seeds_are_told_apart() -> None:
    names: list[tuple[str | int, ...]] = [
        ("a", "bc"),
        ("ab", "c"),
        ("abc",),
        ("abc", 0),
        ("abc", 1),
        (1, "abc"),
    ]
    assert len({digest(*words) for words in names}) == len(names)
    assert len({stream(seed, *words).random() for seed in (0, 1) for words in names}) == 2 * len(names)


def test_draws_are_even_however_many_come_of_one_name() -> None:
    """A hash has bits for a few dozen; then another one follows."""
    draws = Draws("many")
    counts = Counter(draws.below(7) for _ in range(14_000))
    assert set(counts) == set(range(7)) and all(1_850 < count < 2_150 for count in counts.values())
    firsts = Counter(Draws("name", number).below(7) for number in range(7_000))
    assert all(850 < count < 1_150 for count in firsts.values())
    assert Draws("ab", "c").below(10**9) != Draws("a", "bc").below(10**9)


def test_samples_have_no_place_twice_and_orders_are_even() -> None:
    draws = Draws("orders")
    assert all(len(set(draws.sample(range(6), 4))) == 4 for _ in range(200))
    assert (
        Counter(place for _ in range(600) for place in draws.sample(range(6), 2)).most_common()[-1][1] > 150
    )
    for length, least in ((3, 130), (7, 1)):
        orders = Counter(tuple(draws.shuffle(range(length))) for _ in range(1_000))
        assert all(sorted(order) == list(range(length)) for order in orders)
        assert min(orders.values()) >= least and len(orders) == (6 if length == 3 else len(orders))
    assert draws.shuffle([]) == []
