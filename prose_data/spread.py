"""A stage spread over workers: one driver hands out shards, and each worker does one at a time by a door of its own.

The driver holds the run and writes its manifest; a worker gets an `Order`, lands the shard's parts in the run folder and
answers with an `Outcome`. What one process would keep to, all workers together keep to:

- limits of the endpoints (concurrency, requests and tokens per minute) are divided by the number of workers, and no more
  workers are used than the smallest limit has units;
- of the budget a shard is given an equal part, for each free worker, of what is neither spent nor given to others. One that
  comes to the end of its part goes back to the queue with its replies stored; when all have come back, what is left is
  divided anew, and when nothing could be done with it the budget is reached.
"""

import socket
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from prose_data.config import ROLES, Budget, Config, dump_config
from prose_data.errors import BudgetReached, InputError
from prose_data.llm.door import open_door
from prose_data.llm.meter import Counts, Known, Meter
from prose_data.llm.reply_folder import ReplyFolder, is_reply_folder
from prose_data.llm.store_tools import move_to
from prose_data.places import is_url
from prose_data.remote import fetch_shard, mirror_at, worked_on
from prose_data.runs import CONFIG, REPLIES, SPENT, SQLITE, Run, config_from_yaml, place_of
from prose_data.stages import Progress, Tick, do_shard, ground_of, to_do, unit_count
from prose_data.values import Stage

_TRIES = 3  # of a shard whose worker was lost
_DIVIDED = ("concurrency", "requests_per_minute", "tokens_per_minute")
_SPENT_AS = {"max_requests": "requests", "max_tokens": "tokens", "max_cost": "cost"}

# What this process has learned of the endpoints, for the next shard that it does.
_known: dict[tuple[str | None, str], Known] = {}


@dataclass(frozen=True, slots=True)
class Order:
    """One stage of one shard for a worker: `place` is the run folder or the URL of it, `config_yaml` the run's configuration
    with the worker's part of all limits."""

    place: str
    stage: Stage
    shard: int
    config_yaml: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order: what it took, whether the shard is done, and whether its part of the budget ended before."""

    counts: Counts
    done: bool
    stopped: bool


class Future(Protocol):
    """What an engine returns for an order."""

    def result(self) -> Outcome:
        """Return the outcome, or raise what the worker raised."""
        ...


class Lost(Exception):
    """A worker went away with its order; the message says how."""


Submit = Callable[
    [Order, Callable[[Future], None]], Future
]  # the order, and whom to call when its future is done


def prepare(run: Run, away: bool) -> None:
    """Begin the reply folder of a run that several workers will work on, with the replies that one process has stored.

    `away` says that workers may be on other machines. Raises InputError for what several workers can't share: batches, and
    where they are away a request store of one file.
    """
    config = run.config
    models = [config.model_of(role) for role in ROLES]
    if any(model.mode == "batch" for model in models):
        raise InputError(
            "mode batch: batches are sent by one process; use --engine prefect or plain for them"
        )
    if config.store is not None:
        if away and not is_reply_folder(config.store):
            raise InputError(
                f"store {config.store}: is one file, which only processes of one machine can share; name a folder that all "
                "machines see, with / at its end, or a URL, or leave store out"
            )
    elif not is_url(place_of(run.path)) and any(model.backend != "simulated" for model in models):
        file = run.path / SQLITE
        (run.path / REPLIES).mkdir(exist_ok=True)
        if file.exists():
            folder = ReplyFolder(run.store)
            try:
                move_to(file, folder)
            finally:
                folder.close()


def workers_for(config: Config, workers: int) -> int:
    """Return how many of so many workers can be used: each needs one unit of every limit of the endpoints."""
    asked = [config.model_of(role) for role in ROLES if config.model_of(role).backend != "simulated"]
    limits: list[int | None] = [getattr(model, name) for model in asked for name in _DIVIDED]
    return max(1, min([workers, *(limit for limit in limits if limit is not None)]))


def part_of(config: Config, workers: int, budget: Budget) -> Config:
    """Return the configuration for one of `workers`: its part of the endpoints' limits, and `budget`."""
    models = {}
    for name, model in config.models.items():
        limits = {limit: getattr(model, limit) for limit in _DIVIDED}
        parts = {limit: max(1, total // workers) for limit, total in limits.items() if total is not None}
        models[name] = model.model_copy(update=parts)
    return config.model_copy(update={"models": models, "budget": budget})


async def do_order(order: Order) -> Outcome:
    """Do one stage of one shard, in a worker.

    Raises what `prose_data.stages.do_shard` raises, and InputError for a run folder that this machine does not see.
    """
    config = config_from_yaml(order.config_yaml, "config_yaml")
    meter = Meter(config.budget)
    meter.known = _known
    stopped = False
    with worked_on(order.place, order.shard) as path:
        if not (path / CONFIG).exists():
            raise InputError(
                f"{path}: the worker on {socket.gethostname()} does not see this run folder; put it on a file system "
                "that all machines share, or use a URL such as s3://bucket/run as --out"
            )
        run = Run(path, config)
        try:
            async with open_door(config, run.store, meter) as door:
                await do_shard(run, order.stage, order.shard, door, lambda: None)
        except BudgetReached:
            stopped = True
    return Outcome(meter.counts(), done=not stopped, stopped=stopped)


class Purse:
    """What is left of a run's budget, given out in parts."""

    def __init__(self, budget: Budget, meter: Meter) -> None:
        self._budget = budget
        self._meter = meter
        self._given: dict[int, Budget] = {}

    def give(self, shard: int, hands: int) -> Budget:
        """Return what `shard` may spend: an equal part, for each of `hands`, of what is neither spent nor given."""
        spent = self._meter.spent()
        parts: dict[str, float] = {}
        for name, word in _SPENT_AS.items():
            limit = getattr(self._budget, name)
            if limit is not None:
                held = sum(getattr(budget, name) for budget in self._given.values())
                left = max(0, limit - spent[word] - held)
                parts[name] = left / hands if name == "max_cost" else int(left) // hands
        self._given[shard] = self._budget.model_copy(update=parts)
        return self._given[shard]

    def take_back(self, shard: int, counts: Counts) -> None:
        """Count what `shard` has spent, and have what it left of its part again."""
        del self._given[shard]
        self._meter.take(counts)


class Driver:
    """Spreads the stages of a run that this process holds for writing; `submit` gives an order to one of `workers`.

    `landed` is called with the share of a stage's shards that is done, 0 to 1.
    """

    def __init__(
        self,
        run: Run,
        workers: int,
        submit: Submit,
        meter: Meter,
        progress: Progress | None = None,
        landed: Callable[[float], None] = lambda share: None,
    ) -> None:
        place = place_of(run.path)
        self._run = run
        self._place = place
        self._mirror = mirror_at(run.path)
        self._config = run.config.model_copy(
            update={"store": run.config.store or f"{place.rstrip('/')}/{REPLIES}/"}
        )
        self._workers = workers_for(run.config, workers)
        self._submit = submit
        self._meter = meter
        self._progress = progress
        self._landed = landed
        self._lost: Counter[int] = Counter()

    def do_stage(self, stage: Stage) -> None:
        """Do what is missing of one stage.

        Raises what a worker raised, BudgetReached, and InputError for a shard whose workers were lost again and again.
        """
        ticks = dict(to_do(self._run, stage, self._progress))
        if self._mirror is not None and ticks:
            self._mirror.begin()
        purse = Purse(self._run.config.budget, self._meter)
        waiting, flying, back = deque(ticks), dict[Future, int](), SimpleQueue[Future]()
        landed = 0
        stopped, before = False, (0, self._meter.requests)  # since the budget was divided
        while waiting or flying:
            while waiting and len(flying) < self._workers and not stopped:
                hands = min(self._workers - len(flying), len(waiting))
                shard = waiting.popleft()
                flying[self._submit(self._order(stage, shard, purse.give(shard, hands)), back.put)] = shard
            done = back.get()
            shard = flying.pop(done)
            outcome = self._outcome(done, stage, shard)
            purse.take_back(shard, outcome.counts)
            self._run.write_counts(SPENT, self._meter.spent())
            if outcome.done:
                landed += 1
                self._land(stage, shard, ticks[shard])
                self._landed(landed / len(ticks))
            else:
                waiting.append(shard)
                stopped = stopped or outcome.stopped
            if stopped and not flying:
                if before == (landed, self._meter.requests):
                    raise self._meter.used_up()
                stopped, before = False, (landed, self._meter.requests)

    def _order(self, stage: Stage, shard: int, budget: Budget) -> Order:
        return Order(self._place, stage, shard, dump_config(part_of(self._config, self._workers, budget)))

    def _outcome(self, done: Future, stage: Stage, shard: int) -> Outcome:
        """Return what came of a shard; nothing where its worker was lost, which may be so a few times."""
        try:
            return done.result()
        except Lost as error:
            self._lost[shard] += 1
            if self._lost[shard] >= _TRIES:
                raise InputError(
                    f"{stage}, shard {shard}: {_TRIES} workers were lost over it, the last one as follows: {error}; "
                    "look at their logs and memory, or make shards.users smaller"
                ) from None
            return Outcome(Meter(Budget()).counts(), done=False, stopped=False)

    def _land(self, stage: Stage, shard: int, tick: Tick) -> None:
        if self._mirror is not None:
            fetch_shard(self._mirror, stage, shard)
        for _ in range(unit_count(self._run, ground_of(self._run), stage, shard)):
            tick()
