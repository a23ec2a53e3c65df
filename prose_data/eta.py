"""When a run ends: arithmetic on what each stage is expected to take and on what this process has done so far.

Progress counts in points, one per reply and one per finished unit, as many units are under way at once and finish
late. Replies come at the pace of one of three clocks: a simulated model takes processor time, an endpoint keeps each
worker waiting, and a request store answers at once; the seconds that a clock's prediction really takes are measured.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from prose_data.values import Stage

Clock = Literal["simulated", "endpoint", "store"]

_EVIDENCE_SECONDS, _EVIDENCE_SHARE = 1.0, 0.02  # before both there is no estimate
_STORED = 0.9  # share of replies from the store above which the store sets the pace
_STORED_PER_SENT = 2  # of more replies from the store than this, none waited for an endpoint
_FORGET, _FORGET_SHARE = 5.0, 0.2  # half-life of what was measured: seconds, or this share of the time so far
_TRUST = 0.25  # what other stages say about a clock counts as much as this share of a stage
_KNOWN = 1.0  # seconds for which what is known of processors counts as much as what was measured
_LEFT = 0.3  # of a unit is left, at least and on average, of those that are not finished


@dataclass(frozen=True, slots=True)
class Work:
    """What a stage has to do in this process, and what is thought of it beforehand.

    units              to do
    workers            units that go on at once
    clock              what its replies wait for, unless the store has them
    calls, spread      per unit, and their variance as a share of the mean's square
    simulated, store   processor seconds per unit, with a simulated model and with every reply from the store
    waits              per unit, calls that wait for an endpoint
    ending             how the stage ends: (share of its points that is left, calls then still waited for one after
                       another), both rising; where few workers are left, few points take long
    """

    units: int
    workers: int
    clock: Clock
    calls: float
    spread: float
    simulated: float
    store: float
    waits: float
    ending: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class _Measured:
    """Seconds passed, and those that a clock predicted for what was done meanwhile."""

    passed: float = 0.0
    predicted: float = 0.0

    def add(self, passed: float, predicted: float, keep: float) -> None:
        """Add what was just measured, and keep so much of what was before."""
        self.passed = self.passed * keep + passed
        self.predicted = self.predicted * keep + predicted


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a stage is.

    `done` counts the units finished by this process, `replies` the stage's replies, `stored` how many of these came from
    the request store. A stage that is `finished` takes no more time, whatever was expected of it.
    """

    done: int = 0
    replies: int = 0
    stored: int = 0
    finished: bool = False


@dataclass(slots=True)
class _Course:
    """How far a stage is, and how fast it went."""

    seen: Seen
    measured: defaultdict[Clock, _Measured] = field(default_factory=lambda: defaultdict(_Measured))


class Eta:
    """The remaining time of the stages in `works`, which come in that order; told of the counts now and then."""

    def __init__(self, works: Mapping[Stage, Work], now: float) -> None:
        self._works = dict(works)
        self._courses = {stage: _Course(Seen(finished=not work.units)) for stage, work in self._works.items()}
        self._measured: defaultdict[Clock, _Measured] = defaultdict(_Measured)
        self._began = self._last = now
        self._sent = self._stored = 0.0  # replies of the last seconds
        self._fast = False  # whether the store sets the pace

    def add(self, now: float, stage: Stage, seen: Seen, busy: bool = False) -> None:
        """Take in how far `stage` is at `now` (seconds on any clock).

        The processor was `busy` with something else: only of the pace of an endpoint is something learned then.
        """
        course, passed = self._courses[stage], now - self._last
        if course.seen.finished:
            return
        before, self._last = course.seen, now
        replied, stored = seen.replies - before.replies, seen.stored - before.stored
        fade = 0.5**passed
        self._sent = self._sent * fade + replied - stored
        self._stored = self._stored * fade + stored
        if replied:
            self._fast = self._stored > _STORED * (self._stored + self._sent)
        clock = self._clock(stage)
        if clock == "endpoint":  # a burst of stored replies within says nothing about its pace
            replied -= max(0, stored - _STORED_PER_SENT * (replied - stored))
        predicted = self._spent(stage, clock, seen.done - before.done + replied)
        course.seen = seen
        if clock == "endpoint" or not busy:
            keep = 0.5 ** (passed / max(_FORGET, _FORGET_SHARE * (now - self._began)))
            self._measured[clock].add(passed, predicted, keep)
            course.measured[clock].add(passed, predicted, keep)

    def remaining(self) -> float | None:
        """Return the seconds until the last stage ends, None while too little is known."""
        total = sum(self._seconds(stage, self._clock(stage), self._all(stage)) for stage in self._works)
        left = {stage: self._seconds(stage, self._clock(stage), self._left(stage)) for stage in self._works}
        if (
            self._last - self._began < _EVIDENCE_SECONDS
            or total - sum(left.values()) < _EVIDENCE_SHARE * total
        ):
            return None
        seconds = 0.0
        for stage, predicted in left.items():
            if predicted:
                pace = self._pace(stage)
                if pace is None:
                    return None
                seconds += pace * predicted
        return seconds

    def _clock(self, stage: Stage) -> Clock:
        """Return what sets the pace of a stage."""
        clock = self._works[stage].clock
        return "store" if clock == "endpoint" and self._fast else clock

    def _pace(self, stage: Stage) -> float | None:
        """Return the seconds that one predicted second of `stage` takes, None for an endpoint not met so far."""
        clock = self._clock(stage)
        anywhere, here = self._measured[clock], self._courses[stage].measured[clock]
        if clock == "endpoint" and not anywhere.predicted:
            return None
        pace = 1.0
        if anywhere.predicted and anywhere.passed:
            doubt = 0.0 if clock == "endpoint" else _KNOWN / (_KNOWN + anywhere.passed)
            pace = float((anywhere.passed / anywhere.predicted) ** (1 - doubt))
        trust = _TRUST * self._seconds(stage, clock, self._all(stage))
        return (trust * pace + here.passed) / (trust + here.predicted)

    def _size(self, stage: Stage) -> float:
        """Return the points of a unit: as thought beforehand, and more and more as seen."""
        work, course = self._works[stage], self._courses[stage]
        if not course.seen.done:
            return work.calls + 1
        done = course.seen.done
        # What all workers did, as whole units; by renewal theory, as long units are under way more often than short ones.
        whole = done + self._under_way(stage) * (1 - work.spread) / 2
        seen = course.seen.replies / max(1.0, whole)
        weight = done / (done + 4 * min(work.workers, work.units))
        return weight * seen + (1 - weight) * work.calls + 1

    def _all(self, stage: Stage) -> float:
        """Return the points of a whole stage."""
        return self._works[stage].units * self._size(stage)

    def _left(self, stage: Stage) -> float:
        """Return the points that are left of a stage."""
        work, course = self._works[stage], self._courses[stage]
        if course.seen.finished:
            return 0.0
        least = _LEFT * max(0, work.units - course.seen.done) * self._size(stage)
        return max(least, self._all(stage) - course.seen.replies - course.seen.done)

    def _spent(self, stage: Stage, clock: Clock, points: float) -> float:
        """Return the predicted seconds for `points` that were just made; of an endpoint, by the units under way."""
        work = self._works[stage]
        if clock != "endpoint" or not work.units:
            return self._seconds(stage, clock, points)
        return points * work.waits / (work.calls + 1) / max(1, self._under_way(stage))

    def _under_way(self, stage: Stage) -> int:
        """Return how many units of a stage go on at once, as long as there are so many."""
        work = self._works[stage]
        return max(0, min(work.workers, work.units - self._courses[stage].seen.done))

    def _seconds(self, stage: Stage, clock: Clock, points: float) -> float:
        """Return the predicted seconds for the last `points` of a stage; for an endpoint, a call counts as a second."""
        work = self._works[stage]
        if clock != "endpoint":
            return points * (work.simulated if clock == "simulated" else work.store) / (work.calls + 1)
        if not work.units:
            return 0.0
        size = self._size(stage)
        return _between(work.ending, points / (work.units * size)) * size / (work.calls + 1)


def _between(line: Sequence[tuple[float, float]], x: float) -> float:
    """Return y at `x` on the line through the points (x, y), which come in order of x."""
    right = min(max(1, bisect_left(line, (x, 0.0))), len(line) - 1)
    (x0, y0), (x1, y1) = line[right - 1], line[right]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
