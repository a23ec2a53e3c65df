"""Work over processes: in order, a little ahead, and with an end in every case."""

import operator
import os
import signal
from collections.abc import Iterator

import pytest

from prose_data.errors import InputError
from prose_data.workers import processors, worker_processes


def test_one_process_is_this_one_and_nothing_is_done_ahead() -> None:
    looked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            looked.append(number)
            yield number

    with worker_processes(1) as spread:
        results = spread(lambda number: (number, os.getpid()), items())
        assert next(results) == (0, os.getpid()) and looked == [0]
        assert [number for number, _ in results] == [1, 2, 3, 4]


@pytest.mark.slow
def test_results_come_in_order_from_items_that_are_looked_at_a_little_ahead() -> None:
    looked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(40):
            looked.append(number)
            yield number

    with worker_processes(2) as spread:
        results = spread(operator.neg, items())
        assert next(results) == 0 and len(looked) <= 5
        assert list(results) == [-number for number in range(1, 40)] and len(looked) == 40
        assert list(spread(abs, [-1, -2])) == [1, 2], "the same processes do the next piece of work"


@pytest.mark.slow
def test_what_goes_wrong_in_a_process_ends_all_and_is_raised_as_it_is() -> None:
    with pytest.raises(ValueError, match="invalid literal for int"), worker_processes(2) as spread:
        list(spread(int, ["1", "2", "x", *["3"] * 50]))


@pytest.mark.slow
def test_a_process_that_is_killed_is_one_clear_sentence() -> None:
    with pytest.raises(InputError, match="was ended from outside"), worker_processes(2) as spread:
        list(spread(signal.raise_signal, [0, int(signal.SIGKILL)]))


def test_there_is_a_processor() -> None:
    assert processors() >= 1
