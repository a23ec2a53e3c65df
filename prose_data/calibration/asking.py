"""Asking judges: about every text and component as PPCM does, several times, and about pairs of users in both orders."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from prose_data.calibration.gold import Pair
from prose_data.calibration.position import Probe
from prose_data.config import Config, Roles, parse_config
from prose_data.errors import InputError, RequestFailed
from prose_data.judging import EXHIBITS, fitting, verdict_on
from prose_data.llm.door import Door, open_door
from prose_data.llm.meter import Meter
from prose_data.llm.pool import each
from prose_data.stages import workers_of

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Questions:
    """What every judge is asked: each pair `repeats` times, and each probe in both orders."""

    pairs: tuple[Pair, ...]
    repeats: int
    probes: tuple[Probe, ...]

    @property
    def count(self) -> int:
        """The number of answers to one judge's questions."""
        return len(self.pairs) * self.repeats + 2 * len(self.probes)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of a pair the `repeat`-th time, from 0; `verdict` is None where `reason` says why there is none."""

    pair: Pair
    judge: str
    repeat: int
    verdict: str | None
    reason: str

    @property
    def degree(self) -> int | None:
        """The verdict from -2 to 2, None where there is none."""
        return None if self.verdict is None else EXHIBITS[self.verdict]


@dataclass(frozen=True, slots=True)
class Pick:
    """Whom a judge picked of a probe's two users in one order: the number of the user, None where it can't be had."""

    probe: Probe
    swapped: bool
    picked: int | None


@dataclass(frozen=True, slots=True)
class Heard:
    """All that one judge said."""

    judge: str
    verdicts: tuple[Verdict, ...]
    picks: tuple[Pick, ...]


def as_judge(config: Config, name: str) -> Config:
    """Return `config` with `name` (a key of `models`) as the judge, and as everybody else, so that no other model's
    endpoint or key is needed. Raises InputError for an unknown name."""
    if name not in config.models:
        raise InputError(
            f"--judge {name}: models defines no such name; it defines {', '.join(sorted(config.models))}"
        )
    roles = Roles(human=name, writer=name, inferrer=name, judge=name)
    return parse_config(config.model_copy(update={"roles": roles}).model_dump(mode="json"), f"--judge {name}")


async def ask_judge(
    config: Config, name: str, questions: Questions, store: str | None, meter: Meter, tick: Tick
) -> Heard:
    """Return the answers of the judge `name`; repeats are independent replies.

    `tick` is called after each answer. A request that fails for good costs that answer.
    """
    settings = as_judge(config, name)
    workers = workers_of(settings, "judge")
    async with open_door(settings, store, meter) as door:

        async def about(task: tuple[int, tuple[int, Pair]]) -> Verdict:
            order, (repeat, pair) = task
            verdict = await _verdict(door, config.seeds[0] + repeat, order, name, repeat, pair)
            tick()
            return verdict

        async def between(task: tuple[int, tuple[Probe, bool]]) -> Pick:
            order, (probe, swapped) = task
            picked = await _pick(door, config.seeds[0], order, probe, swapped)
            tick()
            return Pick(probe, swapped, picked)

        verdicts = await each(enumerate(product(range(questions.repeats), questions.pairs)), about, workers)
        picks = await each(enumerate(product(questions.probes, (False, True))), between, workers)
    return Heard(name, tuple(verdicts), tuple(picks))


async def _verdict(door: Door, seed: int, order: int, judge: str, repeat: int, pair: Pair) -> Verdict:
    view = door.view("score", seed, order=order)
    try:
        verdict = await verdict_on(view, *pair)
    except RequestFailed as error:
        return Verdict(pair, judge, repeat, None, error.reason)
    return Verdict(pair, judge, repeat, verdict, view.notes[-1][0] if verdict is None else "")


async def _pick(door: Door, seed: int, order: int, probe: Probe, swapped: bool) -> int | None:
    try:
        place = await fitting(
            door.view("score", seed, order=order), probe.description, probe.offered(swapped)
        )
    except RequestFailed:
        return None
    return None if place is None else 1 - place if swapped else place
