"""What the stages of a run still have to do, for the estimate of when it ends: counted, and foreseen by a small pilot."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from statistics import fmean, pvariance

import numpy as np

from prose_data.config import ROLES, Config
from prose_data.eta import Work
from prose_data.pilot import Pilot, pilot
from prose_data.runs import Run
from prose_data.stages import ASKING, ground_of, shard_count, unit_count, workers_of
from prose_data.users import user_count
from prose_data.values import Stage

_PILOT_USERS = 2
_PILOT_SHARE = (
    30  # a pilot on the processor that a simulated run needs has one user for so many users and seeds
)
_LINED_UP = 20_000  # units put in line to see how a stage ends
_MOMENTS = 50  # of the time that a stage takes, at which what is left is known
# Processor seconds: of the simulated model per call, of the rest per call and per unit. Measured with the quickstart: a
# pilot is too short to tell, as it finds more in caches and has to fill others. The run's own pace corrects them.
_PROCESSOR: Mapping[Stage, tuple[float, float, float]] = {
    "synthesize": (0.6e-3, 0.45e-3, 0.0),
    "infer": (0.53e-3, 0.05e-3, 0.0),
    "score": (0.25e-3, 0.0, 0.9e-3),
}
_STORED_CALL = 0.1e-3  # of a reply from the store
# The methods meet a document at the same time, so what they ask alike waits for the same reply; their drafts come
# to the judge one by one, and only this share of what it was asked before is under way.
_WAITS_AGAIN: Mapping[Stage, float] = {"synthesize": 1.0, "infer": 1.0, "score": 0.3}

Units = Mapping[Stage, int]


def count_units(run: Run, stages: Sequence[Stage]) -> tuple[Units, Units]:
    """Return the units that each stage has not done, and all of them.

    The run must have been started. What there will be to score counts as if no request failed.
    """
    ground, config = ground_of(run), run.config
    missing: dict[Stage, int] = dict.fromkeys(stages, 0)
    totals: dict[Stage, int] = dict.fromkeys(stages, 0)
    for stage in stages:
        for shard in range(shard_count(config, ground)):
            if stage == "score" and not run.done("infer", shard):
                units = unit_count(run, ground, "synthesize", shard) * config.rounds * len(config.methods)
            else:
                units = unit_count(run, ground, stage, shard)
            totals[stage] += units
            missing[stage] += 0 if run.done(stage, shard) else units
    return missing, totals


def foreseen(run: Run, missing: Units) -> dict[Stage, Work]:
    """Return what the missing units will take, after a pilot with a few users; not to be called in an event loop."""
    config, ground, users = run.config, ground_of(run), _PILOT_USERS
    if all(config.model_of(role).backend == "simulated" for role in ROLES):
        turns = user_count(config, ground.space, ground.kinds) * len(config.seeds)
        users = max(1, min(users, turns // _PILOT_SHARE))
    flown = pilot(config, users, ground)
    return {stage: _work(config, flown, stage, units) for stage, units in missing.items()}


def _work(config: Config, flown: Pilot, stage: Stage, units: int) -> Work:
    calls = flown.paces[stage].calls
    model, beside, unit = _PROCESSOR[stage]
    asked, waits = _asked(config, flown, stage)
    workers = workers_of(config, *ASKING[stage])
    users = [length for user in waits for _ in config.seeds for length in user]
    lined_up = list(islice(cycle(users), min(units, _LINED_UP)))
    ending = _ending(lined_up, workers, units / max(1, len(lined_up)), _limited(config))
    return Work(
        units=units,
        workers=workers,
        clock="endpoint" if any(users) else "simulated",
        calls=calls,
        spread=pvariance(asked) / fmean(asked) ** 2 if asked else 0.0,
        simulated=calls * (model + beside) + unit,
        store=calls * (_STORED_CALL + beside) + unit,
        waits=fmean(users) if users else 0.0,
        ending=ending,
    )


def _asked(config: Config, flown: Pilot, stage: Stage) -> tuple[list[int], list[list[float]]]:
    """Return the calls of each of the pilot's units, and, by user, how many replies of an endpoint each waits for."""
    remote = {role for role in ROLES if config.model_of(role).backend != "simulated"}
    calls: Counter[tuple[int, int]] = Counter()
    waits: dict[int, defaultdict[int, float]] = {}
    asked, times = flown.asked.filter(stage=stage), flown.times(stage)
    for user, role, unit, sent in asked.select("user", "role", "unit", "sent").iter_rows():
        wait = (1.0 if sent else _WAITS_AGAIN[stage]) if role in remote else 0.0
        calls[user, unit] += 1
        waits.setdefault(user, defaultdict(float))[unit] += wait * times
    return [*calls.values()], [list(units.values()) for units in waits.values()]


def _limited(config: Config) -> bool:
    """Return whether a model takes so many requests or tokens a minute, whatever the number of workers."""
    models = [config.model_of(role) for role in ROLES]
    return any(model.requests_per_minute or model.tokens_per_minute for model in models)


def _ending(
    lengths: Sequence[float], workers: int, times: float, even: bool
) -> tuple[tuple[float, float], ...]:
    """Return `Work.ending` of a stage with so many `times` the units of these lengths, counted in calls to wait for.

    Each unit is begun in turn by the first worker that is free; not so if an `even` stream of calls sets the pace.
    """
    total = sum(lengths)
    if not total:
        return (0.0, 0.0), (1.0, 0.0)
    free = [0.0] * min(workers, len(lengths))
    begun = np.array([heapq.heapreplace(free, free[0] + length) for length in lengths])
    last = max(free)
    if even:
        return (0.0, 0.0), (1.0, total / len(free) * times)
    length = np.array(lengths)
    moments = np.linspace(last, 0.0, _MOMENTS + 1)
    left = [float(np.clip(begun + length - moment, 0.0, length).sum()) / total for moment in moments]
    return tuple((share, float(last - moment) * times) for share, moment in zip(left, moments, strict=True))
