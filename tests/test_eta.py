"""The estimate of when a run ends, told of made-up runs whose end is known."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from prose_data.eta import Eta, Seen, Work
from prose_data.values import Stage

WORK = Work(
    units=100,
    workers=10,
    clock="endpoint",
    calls=10.0,
    spread=1.0,
    simulated=0.4,
    store=0.03,
    waits=10.0,
    ending=((0.0, 0.0), (1.0, 100.0)),
)
Event = tuple[float, Stage, Seen]


def even(
    stage: Stage, start: float, seconds: float, units: int, calls: int, stored: float = 0.0, steps: int = 400
) -> Iterator[Event]:
    """Yield the course of a stage that goes evenly."""
    for step in range(1, steps + 1):
        done, replies = units * step // steps, units * calls * step // steps
        seen = Seen(done, replies, int(replies * stored), finished=step == steps)
        yield start + seconds * step / steps, stage, seen


def follow(eta: Eta, events: Iterator[Event], at: float) -> float | None:
    """Return what remains by the estimate at time `at`."""
    for now, stage, seen in events:
        if now > at:
            break
        eta.add(now, stage, seen)
    return eta.remaining()


def near(share: float, value: float) -> object:
    return pytest.approx(value, rel=share)


def test_an_even_stage_ends_when_it_ends() -> None:
    for at in (20.0, 50.0, 80.0):
        eta = Eta({"infer": WORK}, 0.0)
        assert follow(eta, even("infer", 0.0, 100.0, 100, 10), at) == near(0.05, 100.0 - at)


@pytest.mark.parametrize("clock", ["endpoint", "simulated"])
def test_later_stages_are_foreseen_by_the_pace_of_the_first(clock: str) -> None:
    first = replace(WORK, clock="simulated" if clock == "simulated" else "endpoint")
    later = replace(first, units=400, ending=((0.0, 0.0), (1.0, 400.0)))
    eta = Eta({"synthesize": first, "infer": later}, 0.0)
    assert follow(eta, even("synthesize", 0.0, 50.0, 100, 10), 40.0) == near(0.15, 10.0 + 200.0)


def test_the_calls_that_were_foreseen_are_corrected_by_those_seen() -> None:
    wrong = replace(WORK, units=1000, calls=6.0, waits=6.0, ending=((0.0, 0.0), (1.0, 600.0)))
    eta = Eta({"infer": wrong}, 0.0)
    assert follow(eta, even("infer", 0.0, 100.0, 1000, 10), 50.0) == near(0.1, 50.0)


def test_an_endpoint_that_becomes_slower_is_noticed() -> None:
    eta = Eta({"infer": WORK}, 0.0)
    fast = [event for event in even("infer", 0.0, 20.0, 100, 10) if event[0] <= 10.0]
    slow = [
        (2 * now - 10.0 + 2 * (now - 10.0), stage, seen)
        for now, stage, seen in even("infer", 0.0, 20.0, 100, 10)
    ]
    events = iter(
        fast + [event for event in slow if event[0] > 10.0]
    )  # four times as slow from 10 seconds on
    assert follow(eta, events, 40.0) == near(0.15, 10.0)


def test_a_burst_from_the_store_says_nothing_about_the_endpoint() -> None:
    """A resumed run gets the first 400 of 1,000 replies at once, and then ten a second."""
    eta = Eta({"infer": WORK}, 0.0)
    eta.add(0.2, "infer", Seen(40, 400, 400))
    for tick in range(1, 81):
        now = 0.2 + tick / 4
        replies = 400 + int(2.5 * tick)
        eta.add(now, "infer", Seen(replies // 10, replies, 400))
    assert eta.remaining() == near(0.15, 40.0)


def test_a_replay_goes_by_the_pace_of_the_store() -> None:
    eta = Eta({"infer": WORK, "score": WORK}, 0.0)
    assert follow(eta, even("infer", 0.0, 4.0, 100, 10, stored=1.0), 2.0) == near(0.15, 6.0)


def test_nothing_is_said_before_there_is_evidence() -> None:
    eta = Eta({"infer": WORK}, 0.0)
    assert eta.remaining() is None
    eta.add(0.5, "infer", Seen(30, 300))
    assert eta.remaining() is None  # half a second is nothing
    slow = Eta({"infer": WORK}, 0.0)
    slow.add(5.0, "infer", Seen(1, 10))
    assert slow.remaining() is None  # 1 % is nothing


def test_an_endpoint_not_met_so_far_cannot_be_foreseen() -> None:
    simulated = replace(WORK, clock="simulated")
    eta = Eta({"synthesize": simulated, "infer": WORK}, 0.0)
    for _ in follow_all(eta, even("synthesize", 0.0, 10.0, 100, 10)):
        assert eta.remaining() is None
    eta.add(12.0, "infer", Seen(10, 100))
    assert eta.remaining() == near(0.2, 18.0)


def follow_all(eta: Eta, events: Iterator[Event]) -> Iterator[None]:
    for now, stage, seen in events:
        eta.add(now, stage, seen)
        yield


def test_a_stage_done_in_an_earlier_try_takes_no_time() -> None:
    eta = Eta({"synthesize": replace(WORK, units=0), "infer": WORK}, 0.0)
    eta.add(0.1, "synthesize", Seen(finished=True))
    assert follow(eta, even("infer", 0.1, 100.0, 100, 10), 50.0) == near(0.05, 50.0)


def test_a_finished_stage_takes_no_time_whatever_was_expected_and_nothing_is_left_in_the_end() -> None:
    eta = Eta({"infer": WORK}, 0.0)
    assert follow(eta, even("infer", 0.0, 10.0, 50, 3), 10.0) == 0.0
    eta.add(11.0, "infer", Seen(10, 20))  # heard late
    assert eta.remaining() == 0.0


def test_the_last_units_are_slower_where_workers_are_idle() -> None:
    """The last fifth of the replies takes half of the time, as a few long units are left."""
    tail = replace(WORK, ending=((0.0, 0.0), (0.2, 50.0), (1.0, 100.0)))
    eta = Eta({"infer": tail}, 0.0)
    for second in range(1, 51):
        eta.add(float(second), "infer", Seen(16 * second // 10, 16 * second))
    remaining = eta.remaining()
    assert remaining is not None and remaining > 25


def test_units_that_are_not_finished_take_time_also_where_all_expected_replies_are_there() -> None:
    eta = Eta({"infer": replace(WORK, workers=100)}, 0.0)
    eta.add(100.0, "infer", Seen(1, 2000))
    remaining = eta.remaining()
    assert remaining is not None and remaining > 5


@pytest.mark.parametrize("stored", [0, 10])
def test_what_keeps_the_processor_busy_spoils_only_the_measure_of_processors(stored: int) -> None:
    paces: list[Callable[[], float | None]] = []
    for busy in (False, True):
        eta = Eta({"infer": replace(WORK, clock="simulated")}, 0.0)
        eta.add(4.0, "infer", Seen(1, 10, stored), busy)
        eta.add(5.0, "infer", Seen(50, 500, 50 * stored))
        paces.append(eta.remaining)
    quiet, disturbed = (pace() for pace in paces)
    assert quiet is not None and disturbed is not None and disturbed < quiet
