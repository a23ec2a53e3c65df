"""How a run's progress looks: on a terminal a bar per stage with the figures below, elsewhere the same on one line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from prose_data.llm.types import Source
from prose_data.values import Stage

if TYPE_CHECKING:
    from rich.console import RenderableType

_GAP = "\N{NO-BREAK SPACE}"  # within a figure, so that lines break between figures only
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Figures:
    """What is shown of a run at one moment.

    `stages` maps each stage to (units done, units in all), `rate` is replies a second, `remaining` seconds or None while
    nothing is known; the others are those of `prose_data.llm.meter.Meter`. `allowed` is None where no endpoint is asked.
    """

    stages: Mapping[Stage, tuple[int, int | None]]
    elapsed: float
    remaining: float | None
    rate: float
    replies: Mapping[Source, int]
    in_flight: int
    allowed: int | None
    tokens: int
    cost: float
    unpriced: bool
    retries: int
    failed: int


def panel(figures: Figures, now: datetime) -> "RenderableType":
    """Return what a terminal shows of a run under way; `now` is the time of day."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    bars = Table.grid(padding=(0, 1), expand=True)
    bars.add_column(no_wrap=True)
    bars.add_column(ratio=1, min_width=4)
    bars.add_column(no_wrap=True, justify="right")
    bars.add_column(no_wrap=True, justify="right", width=4)
    for stage, (done, total) in figures.stages.items():
        bar = ProgressBar(total=max(1, total or 0), completed=1 if total == 0 else done)
        bars.add_row(Text(stage), bar, Text(_of(done, total)), Text(_percent(done, total)))
    ends = f"ends in {_ending(figures.remaining, now)}"
    facts = [*_facts(figures), f"elapsed {duration(figures.elapsed)}", ends]
    return Group(bars, Text(" · ".join(fact.replace(" ", _GAP) for fact in facts)))


def line(figures: Figures, stage: Stage, now: datetime) -> str:
    """Return the figures of `stage` and of the whole run on one line."""
    facts = [*_facts(figures), f"ends in {_ending(figures.remaining, now)}"]
    return ", ".join([f"{stage} {_of(*figures.stages[stage])}", *facts])


def summary(figures: Figures) -> str:
    """Return what stays on the terminal when a run has ended, however it has."""
    facts = [f"{stage} {_of(done, total)}" for stage, (done, total) in figures.stages.items() if done]
    replies = sum(figures.replies.values())
    facts += [f"{replies:,} replies", f"{figures.tokens:,} tokens", _spend(figures)]
    facts += [f"{figures.failed:,} failures", duration(figures.elapsed)]
    return " · ".join(facts)


def duration(seconds: float) -> str:
    """Return whole seconds as 0:07, 12:34, 1:02:03, or 3 d 4 h."""
    whole = max(0, round(seconds))
    if whole >= 2 * _DAY:
        return f"{whole // _DAY} d {whole % _DAY // 3600} h"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _facts(figures: Figures) -> list[str]:
    """Return what the panel and the line have in common."""
    rate = f"{figures.rate:,.0f}" if figures.rate >= 10 else f"{figures.rate:.1f}"
    facts = [f"{rate} requests/s"]
    if figures.allowed is not None:
        facts.append(f"{figures.in_flight:,} of {figures.allowed:,} in flight")
    sources = [f"{number:,} from {source}" for source, number in figures.replies.items() if number]
    facts += [" + ".join(sources)] if sources else []
    facts += [f"{figures.tokens:,} tokens", _spend(figures)]
    if figures.retries:
        facts.append(f"{figures.retries:,} retries")
    return [*facts, f"{figures.failed:,} failures"]


def _spend(figures: Figures) -> str:
    """Return what was paid as far as that is known."""
    if figures.unpriced and not figures.cost:
        return "cost unknown"
    digits = 2 if figures.cost >= 1 or not figures.cost else 4
    return f"{'at least ' if figures.unpriced else ''}${figures.cost:,.{digits}f}"


def _ending(remaining: float | None, now: datetime) -> str:
    """Return how long it takes from now on and when that is, "…" while nothing is known."""
    if remaining is None:
        return "…"
    try:
        end = now + timedelta(seconds=remaining)
    except OverflowError:
        return "…"
    return (
        f"{duration(remaining)} at {end:%H:%M}"
        if remaining < _DAY
        else f"{duration(remaining)} at {end:%F %H:%M}"
    )


def _of(done: int, total: int | None) -> str:
    return f"{done:,}/{'…' if total is None else f'{total:,}'}"


def _percent(done: int, total: int | None) -> str:
    """Return the share done, rounded down, so that 100% is all."""
    if total is None:
        return ""
    return f"{100 * done // total if total else 100}%"
