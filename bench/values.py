"""What the benchmarks have in common: what they run against, what one of them finds, and a row of the table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Setup:
    """What to measure against, and how much of it: `endpoint` and `floor` are scripts, `share` of the requests."""

    endpoint: Path
    floor: Path
    share: float = 1.0

    def some(self, number: int, least: int = 200) -> int:
        """Return this share of `number` requests, at least `least`."""
        return max(least, round(number * self.share))


@dataclass(frozen=True, slots=True)
class Figure:
    """What a row found: the value that its goal is about, and a sentence with the absolute figures behind it."""

    value: float
    absolute: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; rows that come out of one measurement share it through a cached function."""

    sign: Literal[">=", "<=", "<"]
    goal: float
    unit: str
    measure: Callable[[Setup], Figure]

    def reached(self, value: float) -> bool:
        """Return whether `value` meets the goal."""
        return {">=": value >= self.goal, "<=": value <= self.goal, "<": value < self.goal}[self.sign]


class Unusable(Exception):
    """A measurement that says nothing, because a process failed or did not do the work that it was given."""
