"""How far a run is, on stderr: a live panel on a terminal, plain lines now and then without one.

The run's event loop only notes how far it is; a thread of its own reads that and the meter, four times a second, does
the arithmetic and draws. Another one flies the small pilot from which the end of the run is foreseen.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from prose_data.errors import ProseDataError
from prose_data.eta import Eta, Seen, Work
from prose_data.llm.meter import Meter
from prose_data.llm.types import Source
from prose_data.panel import Figures, line, panel, summary
from prose_data.values import Stage

if TYPE_CHECKING:
    from prose_data.runs import Run

SECONDS = 10.0  # between two plain lines
_BEAT = 0.25  # seconds between two looks at the counters
_WINDOW = 10.0  # seconds over which the rate is taken
# Seconds for which a thread may keep the interpreter while the pilot flies, which lets go of it with every call; with
# Python's own 5 ms it would take half of a simulated run.
_TURN = 0.0003
_PILOT_AFTER = 0.2  # seconds into the run: what is over sooner needs no estimate

Show = Callable[[Stage, int, int], None]  # stage, units done, units in all


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the run is: `ticked` units of `stage` were done by this process; `replies` and `stored` are the meter's counts
    when it began."""

    stage: Stage
    done: int
    total: int
    ticked: int
    replies: int
    stored: int


@contextmanager
def shown_progress(
    console: Console, meter: Meter, stages: Sequence[Stage], run: "Run | None" = None
) -> Iterator[Show]:
    """Give a function that takes (stage, done, total) and shows them on `console` while the context is open.

    `stages` are those that will come, `meter` is what the run counts with, and `run` that of which the end is to be
    foreseen. Nothing is shown before the function is called; on a terminal one line stays in the end.
    """
    watch = _Watch(meter, stages, run)
    screen = _Screen(console, watch) if console.is_interactive else _Lines(console, watch)
    thread = threading.Thread(target=screen.beat, name="progress")

    def show(stage: Stage, done: int, total: int) -> None:
        first = watch.place is None
        news = watch.note(stage, done, total)
        if first:
            screen.open()
            thread.start()
        screen.hear(news)

    try:
        yield show
    finally:
        watch.over.set()
        if thread.ident is not None:
            thread.join()
            screen.close()
        watch.land()


class _Watch:
    """Knows where the run is, and makes figures of that and of the meter."""

    def __init__(self, meter: Meter, stages: Sequence[Stage], run: "Run | None") -> None:
        self.over = threading.Event()
        self.place: _Place | None = None
        self._meter = meter
        self._run = run
        self._stages = stages
        self._shown: dict[Stage, tuple[int, int | None]] = dict.fromkeys(stages, (0, None))
        self._began = self._opened = time.monotonic()
        self._heard: deque[tuple[float, Stage, Seen, bool]] = deque()  # what the estimate is to be told
        self._rates: deque[tuple[float, int]] = deque()
        self._eta: Eta | None = None
        self._works: Mapping[Stage, Work] | None = None
        self._pilot: threading.Thread | None = None
        self._landed = threading.Event()
        self._missing: Mapping[Stage, int] | None = None

    def note(self, stage: Stage, done: int, total: int) -> bool:
        """Take in where the run is, in the run's own thread; return whether a stage begins or ends."""
        place = self.place
        news = place is None or place.stage != stage
        if place is None or place.stage != stage:
            if place is None:
                self._begin()
            else:
                self._heard.append(self._seen(time.monotonic(), place, finished=True))
            replies, stored = self._counts()
            self.place = _Place(stage, done, total, 0, replies, stored)
        else:
            ticked = place.ticked + (done == place.done + 1)  # a longer step passes over what is done already
            self.place = _Place(stage, done, total, ticked, place.replies, place.stored)
        self._shown[stage] = done, total
        return news or done == total

    def _begin(self) -> None:
        """Count what there is to do; the run has just been started, and nothing has been asked."""
        self._began = time.monotonic()
        if self._run is None:
            return
        from prose_data.workload import count_units

        self._missing, totals = count_units(self._run, self._stages)
        self._shown |= {stage: (0, total) for stage, total in totals.items()}

    def figures(self) -> Figures:
        """Return what is to be shown now."""
        now, meter = time.monotonic(), self._meter
        self._foresee(now)
        replies: dict[Source, int] = {**meter.replies}
        total = sum(replies.values())
        self._rates.append((now, total))
        while now - self._rates[0][0] > _WINDOW and len(self._rates) > 2:
            self._rates.popleft()
        since, before = self._rates[0] if len(self._rates) > 1 else (self._began, 0)
        return Figures(
            stages=dict(self._shown),
            elapsed=now - self._opened,
            remaining=None if self._eta is None else self._eta.remaining(),
            rate=(total - before) / max(_BEAT, now - since),
            replies=replies,
            in_flight=meter.in_flight,
            allowed=meter.allowed or None,
            tokens=meter.tokens,
            cost=meter.cost,
            unpriced=meter.unpriced,
            retries=meter.retries,
            failed=meter.failed,
        )

    def land(self) -> None:
        """Wait for the pilot, which takes a second or two and removes its files then."""
        if self._pilot is not None:
            self._landed.wait()  # not join: interrupted, Python 3.11 takes the thread for ended and exits

    def _foresee(self, now: float) -> None:
        """Start the pilot when it is time, and tell the estimate where the run is."""
        if self._missing is not None and self._pilot is None and now - self._began > _PILOT_AFTER:
            self._pilot = threading.Thread(target=self._fly, name="pilot")
            self._pilot.start()
        if self.place is not None:
            self._heard.append(self._seen(now, self.place, finished=self.place.done == self.place.total))
        if self._works is None:
            return
        if self._eta is None:
            self._eta = Eta(self._works, self._began)
        while self._heard:
            self._eta.add(*self._heard.popleft())

    def _seen(self, now: float, place: _Place, finished: bool) -> tuple[float, Stage, Seen, bool]:
        """Return what to tell the estimate; until the pilot has landed, the processor is busy with it too."""
        replies, stored = self._counts()
        seen = Seen(place.ticked, replies - place.replies, stored - place.stored, finished)
        return now, place.stage, seen, self._works is None

    def _fly(self) -> None:
        from prose_data.workload import foreseen

        assert self._run is not None and self._missing is not None
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_TURN)
        try:
            with suppress(ProseDataError, OSError):  # without a pilot there is no estimate
                self._works = foreseen(self._run, self._missing)
        finally:
            sys.setswitchinterval(interval)
            self._landed.set()

    def _counts(self) -> tuple[int, int]:
        replies = dict(self._meter.replies)
        return sum(replies.values()), replies.get("store", 0)


class _Screen:
    """The live panel of a terminal."""

    def __init__(self, console: Console, watch: _Watch) -> None:
        self._console = console
        self._watch = watch
        self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)

    def open(self) -> None:
        """Begin to draw."""
        self._live.start()

    def hear(self, news: bool) -> None:
        """Do nothing: the next beat shows it."""

    def beat(self) -> None:
        """Draw until the run is over."""
        while True:
            self._live.update(panel(self._watch.figures(), datetime.now()), refresh=True)
            if self._watch.over.wait(_BEAT):
                return

    def close(self) -> None:
        """Take the panel away and leave its last word."""
        self._live.stop()
        self._console.print(Text(summary(self._watch.figures())), soft_wrap=True)


class _Lines:
    """Plain lines: when a stage starts, when it ends, and every `SECONDS` between."""

    def __init__(self, console: Console, watch: _Watch) -> None:
        self._console = console
        self._watch = watch
        self._printed = time.monotonic()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Do nothing: the first line comes with the first stage."""

    def hear(self, news: bool) -> None:
        """Print a line if a stage begins or ends."""
        if news:
            self._print()

    def beat(self) -> None:
        """Print a line now and then until the run is over."""
        while not self._watch.over.wait(_BEAT):
            with self._lock:
                self._watch.figures()
            if time.monotonic() - self._printed >= SECONDS:
                self._print()

    def close(self) -> None:
        """Do nothing: the last stage's end was the last line."""

    def _print(self) -> None:
        place = self._watch.place
        assert place is not None
        with self._lock:
            self._printed = time.monotonic()
            text = line(self._watch.figures(), place.stage, datetime.now())
            self._console.print(Text(text), soft_wrap=True)
