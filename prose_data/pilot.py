"""A pilot: a few of a run's users go through the real stages on the simulated model, and what they ask is written down.

Nothing is sent. Of equal requests an endpoint gets one, and the request store answers the rest; so a pilot tells what
is asked (calls) from what would be sent.
"""

import asyncio
import heapq
import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from prose_data.audiences import block_size
from prose_data.config import ROLES, Budget, Config, Model, Protocol, Shards
from prose_data.documents import draw_documents, pool_of
from prose_data.llm.door import Door, open_door
from prose_data.llm.store import key_of
from prose_data.llm.types import Reply, Request
from prose_data.methods import ORACLE
from prose_data.runs import STAGES, Run, open_run
from prose_data.spaces import Kind
from prose_data.stages import DRIVERS, Ground, check, shard_size, unit_count
from prose_data.users import user_count, user_range
from prose_data.values import Stage, User
from prose_data.writing import writing_messages

USERS = 18
_FEWEST = 2  # rounds of each user in a pilot that is cut short
_DRAFTS = 800  # of all pilot users together; they take about three seconds
_LOOK = 2_000  # users whose kinds are counted; a longer run has kinds in the same shares
_WITHOUT_MEMORY = (
    "no_learning",
    ORACLE,
)  # their drafts depend on the document and the user's components alone

_COLUMNS = {
    "user": pl.Int64,
    "stage": pl.String,
    "method": pl.String,
    "role": pl.String,
    "unit": pl.Int64,
    "sent": pl.Boolean,
    "common": pl.Boolean,
    "prompt_tokens": pl.Int64,
    "completion_tokens": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """What one unit of a stage takes (`stages.unit_count` says what a unit is), and how many the run has.

    `seconds` is time of one processor on this machine, the simulated model's included.
    """

    units: float
    calls: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Member:
    """A user of the pilot, or several who are served together, and how many such the run has for each.

    Of requests that depend on the document alone, the share `documents` differs between these; of all others the share
    `turns`, which is below 1 where a fixed space's documents come round again.
    """

    served: tuple[User, ...]
    users: float
    documents: float
    turns: float


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a pilot found, for one seed.

    `length` is how many rounds of the run stand behind each of the pilot's, where users who are served together have so
    many that the pilot is cut short.

    `asked` has one row per call: `user` (index into `members`), `stage`, `method`, `role`, `unit` (number within user and
    stage), tokens, `sent` (false where this user had asked just this before, and the store answers) and `common`
    (whether other users with this document ask the same).
    """

    users: int  # of the run
    shard_size: int  # of the run, in users
    members: tuple[Member, ...]
    paces: Mapping[Stage, Pace]
    asked: pl.DataFrame
    length: float = 1.0

    def times(self, stage: Stage) -> float:
        """Return how many calls of a unit of the run stand behind each of the pilot's; scores have more units instead."""
        return 1.0 if stage == "score" else self.length


def pilot(config: Config, users: int = USERS, ground: Ground | None = None) -> Pilot:
    """Return what a few users of the run, at most `users`, ask under the first seed; nothing is sent.

    `ground` is that of the run, if there is one. Must not be called where an event loop runs. Raises InputError as
    `stages.check` does.
    """
    ground = ground or check(config)
    count = user_count(config, ground.space, ground.kinds)
    block = block_size(config, ground.space, ground.kinds)
    users = max(1, min(users, count, max(2, _DRAFTS // (config.rounds * len(config.methods)))))
    flown = config if block == 1 else _cut_short(config, block, users)
    if block == 1:
        members = _members(config, ground, count, users)
    else:
        members = _blocks(config, ground, count, max(1, users // block), block)
    with (
        TemporaryDirectory(prefix="prose-data-") as folder,
        open_run(Path(folder), _simulated(flown)) as run,
    ):
        run.write("documents", ground.documents.rows)
        return asyncio.run(_fly(flown, run, ground, count, members, config.rounds / flown.rounds))


def _cut_short(config: Config, block: int, users: int) -> Config:
    """Return the configuration with so few rounds that a block has about as many as `users` users have in the run.

    Held-out ones are cut in proportion. What a protocol counts rounds by stays as it is.
    """
    rounds = max(_FEWEST, config.rounds * users // block)
    if rounds >= config.rounds or config.protocol != Protocol():
        return config
    heldout = config.samples.heldout * rounds // config.rounds
    samples = config.samples.model_copy(update={"per_user": rounds - heldout, "heldout": heldout})
    return config.model_copy(update={"samples": samples})


def _simulated(config: Config) -> Config:
    """Return the configuration of the pilot's run: one seed, every user a shard, every role a simulated model."""
    models = {
        name: model if model.backend == "simulated" else Model() for name, model in config.models.items()
    }
    changes = {"models": models, "seeds": config.seeds[:1], "shards": Shards(users=1), "budget": Budget()}
    return config.model_copy(update={**changes, "store": None, "offline": False})


def _members(config: Config, ground: Ground, count: int, wanted: int) -> dict[int, Member]:
    """Return the pilot's users by their index in the run: of every kind as many, as far as that goes."""
    looked = user_range(config, ground.space, ground.kinds, 0, min(count, _LOOK))
    kinds: dict[Kind, list[int]] = defaultdict(list)
    for index, user in enumerate(looked):
        kinds[user.task, user.source].append(index)
    order = sorted(kinds.values(), key=len, reverse=True)
    if wanted < len(order):
        order = [order[number * len(order) // wanted] for number in range(wanted)]
    chosen: list[int] = []
    for place, indices in enumerate(order):  # evenly from the whole length of the kind
        turns = min(len(indices), -(-(wanted - place) // len(order)))
        chosen += [indices[(2 * turn + 1) * len(indices) // (2 * turns)] for turn in range(turns)]
    chosen.sort()
    taken = Counter((looked[index].task, looked[index].source) for index in chosen)
    known = sum(len(kinds[kind]) for kind in taken)
    members = {}
    for index in chosen:
        user = looked[index]
        kind = user.task, user.source
        theirs = len(kinds[kind]) * count / len(looked)
        stands = len(kinds[kind]) * count / known / taken[kind]
        members[index] = Member((user,), stands, *_different(config, ground, user, theirs))
    return members


def _blocks(config: Config, ground: Ground, count: int, wanted: int, size: int) -> dict[int, Member]:
    """Return the pilot's audiences by the number of their shard, evenly from the whole run; their requests differ."""
    blocks = math.ceil(count / size)
    chosen = sorted({(2 * turn + 1) * blocks // (2 * wanted) for turn in range(min(wanted, blocks))})
    members = {}
    for number in chosen:
        start, stop = number * size, min(count, (number + 1) * size)
        served = tuple(user_range(config, ground.space, ground.kinds, start, stop))
        members[number] = Member(served, count / len(served) / len(chosen), 1.0, 1.0)
    return members


def _different(config: Config, ground: Ground, user: User, users: float) -> tuple[float, float]:
    """Return which share of the documents, and of the whole turns, differs among so many users of one kind."""
    n = config.rounds
    pool = len(pool_of(config, ground.documents, user))
    if ground.space.kind == "fixed" and config.protocol.documents == "source":  # each user takes the next n
        return min(1.0, pool / (users * n)), min(1.0, pool / math.gcd(n, pool) / users)
    n = n if "no_learning" in config.methods else 1  # the others write without a preference only at first
    return pool * (1 - (1 - n / pool) ** users) / (users * n), 1.0


async def _fly(
    config: Config, run: Run, ground: Ground, count: int, members: Mapping[int, Member], length: float
) -> Pilot:
    seconds: dict[Stage, list[float]] = {stage: [] for stage in STAGES}
    units: dict[Stage, list[int]] = {stage: [] for stage in STAGES}
    async with open_door(run.config, None) as door:
        recorder = _Recorder(door, config, ground)
        for index, member in members.items():
            recorder.next(member.served)
            for stage in STAGES:
                start = time.thread_time()
                await DRIVERS[stage](run, index, recorder, lambda: None)
                done = unit_count(run, ground, stage, index)
                seconds[stage].append((time.thread_time() - start) / max(1, done))
                units[stage].append(done)
    asked = pl.DataFrame(recorder.rows, schema=_COLUMNS, orient="row")
    standing = [member.users * len(config.seeds) for member in members.values()]
    flown = Pilot(count, shard_size(config, ground), tuple(members.values()), {}, asked, length)
    paces = {}
    for stage in STAGES:
        calls = Counter(asked.filter(stage=stage)["user"].to_list())
        each = flown.times(stage)
        total = sum(n * times for n, times in zip(units[stage], standing, strict=True)) * length / each
        every = sum(calls[user] * times for user, times in enumerate(standing)) * length
        paces[stage] = Pace(total, every / max(1.0, total), statistics.median(seconds[stage]) * each)
    return replace(flown, paces=paces)


class _Recorder(Door):
    """A door that writes down what is asked."""

    def __init__(self, door: Door, config: Config, ground: Ground) -> None:
        super().__init__({role: door.way(role) for role in ROLES}, door.meter)
        self.rows: list[tuple[Any, ...]] = []
        self._config = config
        self._ground = ground
        self._names = {role: getattr(config.roles, role) for role in ROLES}
        self._stored = {role: config.model_of(role).backend != "simulated" for role in ROLES}
        self._user = -1
        self._seen: set[bytes] = set()
        self._plain: set[str] = set()

    def next(self, served: Sequence[User]) -> None:
        """Take what is asked from here on as of these users."""
        config, ground = self._config, self._ground
        self._plain = {
            writing_messages(document)[-1]["content"]
            for user in served
            for document in draw_documents(
                config, ground.space, ground.documents, user, config.seeds[0], config.rounds
            )
        }
        self._seen.clear()
        self._user += 1

    async def ask(self, way: Any, request: Request, stage: Stage, method: str) -> Reply:
        """Return the reply, and write the request down."""
        role = request.role
        key = key_of({**request.body, "model": self._names[role]}, "")
        sent = key not in self._seen or not self._stored[role]
        self._seen.add(key)
        reply = await super().ask(way, request, stage, method)
        alike = self._ground.space.kind == "fixed" and (stage == "synthesize" or method in _WITHOUT_MEMORY)
        common = self._stored[role] and (alike or request.body["messages"][-1]["content"] in self._plain)
        tokens = reply.prompt_tokens, reply.completion_tokens
        self.rows.append((self._user, stage, method, role, request.order, sent, common, *tokens))
        return reply


def last_end(lengths: Sequence[float], workers: int) -> float:
    """Return when the last of `lengths` ends, if each is begun in turn by the first worker that is free."""
    free = [0.0] * max(1, min(workers, len(lengths)))
    for length in lengths:
        heapq.heapreplace(free, free[0] + length)
    return max(free)
