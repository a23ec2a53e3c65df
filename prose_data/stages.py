"""The three stages as plain async functions: `synthesize`, `infer` and `score` one shard, and all of them in a row.

A shard's rows are in memory until it is finished; then its parts land, the stage's own table last, so that a shard
either is done or is done again (the request store then answers what was already paid for).
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, product
from pathlib import Path
from typing import Any

from prose_data.audiences import (
    Audience,
    as_shown,
    audiences_of,
    block_size,
    in_sequence,
    right_sources,
)
from prose_data.bertscore import check_bertscore
from prose_data.config import ROLES, Config
from prose_data.documents import Documents, draw_documents, load_documents
from prose_data.editing import answer
from prose_data.embedding import check_encoder
from prose_data.episode import Answer, Episode, Round, live
from prose_data.errors import InputError, RequestFailed
from prose_data.failures import failures_of
from prose_data.llm.door import Door, View, open_door
from prose_data.llm.meter import Meter
from prose_data.llm.pool import drive, each
from prose_data.llm.types import LLM, Role
from prose_data.manifest import write_manifest
from prose_data.methods import ORACLE
from prose_data.methods.components import joined
from prose_data.methods.named import check_names, make
from prose_data.methods.types import Draft, Memory, Method, Preference
from prose_data.metrics import ENCODED, METRICS
from prose_data.metrics.types import Case, Finding, at_truth
from prose_data.runs import OWN_TABLE, SPENT, STAGES, Run, load_run, open_run
from prose_data.samples import write_samples
from prose_data.spaces import Kind, Space, load_space
from prose_data.surroundings import surroundings
from prose_data.truths import constant, truths_of
from prose_data.users import kinds_of, peers_of, user_count, user_range
from prose_data.values import (
    Document,
    Edit,
    Failure,
    Inference,
    Sample,
    Score,
    Split,
    Stage,
    Task,
    Truth,
    User,
)
from prose_data.writing import Example

BATCH_WORKERS = 10_000
_LOOK = 2_000  # users for whom it is looked beforehand whether a protocol can change what they hold
# The roles that do most of the asking in a stage; their models say how much goes on at once.
ASKING: Mapping[Stage, tuple[Role, ...]] = {
    "synthesize": ("human",),
    "infer": ("writer", "inferrer"),
    "score": ("judge",),
}

Tick = Callable[[], None]  # called after every finished unit of work
Progress = Callable[[Stage, int, int], None]  # stage, units done, units in all
ShardDriver = Callable[[Run, int, Door, Tick], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all shards of a run stand on: its space, its documents, and the kinds of users these two make."""

    space: Space
    documents: Documents
    by_id: Mapping[str, Document]
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What one unit of work gave: rows of the stage's own table, and what failed on the way."""

    rows: list[Any] = field(default_factory=list)
    beside: list[Any] = field(default_factory=list)  # rows of the table beside it: truths, edits
    failures: list[Failure] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)


def check(config: Config) -> Ground:
    """Return the ground for a new run of `config`, after every check that needs no request.

    Raises InputError for an unknown method or metric, a space or documents that do not load, or too few of these.
    """
    _check_names(config)
    space = load_space(config.space)
    ground = _ground(config, space, load_documents(config, space))
    block_size(config, space, ground.kinds)
    count = min(len(ground.kinds), user_count(config, space, ground.kinds))
    for user in user_range(config, space, ground.kinds, 0, count):  # one of each kind
        draw_documents(config, space, ground.documents, user, config.seeds[0], config.rounds)
    if config.varies:
        count = min(_LOOK, user_count(config, space, ground.kinds))
        for user in user_range(config, space, ground.kinds, 0, count):
            truths_of(config, space, user, config.seeds[0], ())
    return ground


@contextmanager
def started(config: Config, out: Path, meter: Meter | None = None) -> Iterator[Run]:
    """Check `config`, create or resume the run folder `out`, and hold it for writing; raises InputError.

    `meter` begins with what the run has spent before, and what it has spent in the end is kept. When all stages have
    done all shards by then, the manifest is written.
    """
    _check_names(config)
    there = Run(out, config)
    fresh = None if there.begun and there.part("documents").exists() else check(config)
    with open_run(out, config) as run:
        if fresh is not None:
            run.write_counts("documents", fresh.documents.counts)
            run.write("documents", fresh.documents.rows)
            fresh = None  # a second copy of all documents, for as long as the run takes
        if meter is not None:
            meter.begin_with(*run.read_spent())
        try:
            yield run
        finally:
            if meter is not None:
                run.write_counts(SPENT, meter.spent())
        finish(run)


def finish(run: Run) -> None:
    """Write the manifest, unless it is there or some stage has a shard to do."""
    shards = range(shard_count(run.config, ground_of(run)))
    if not run.finished and all(run.done(stage, shard) for stage in STAGES for shard in shards):
        write_manifest(run)


def ground_of(run: Run) -> Ground:
    """Return the ground of a run that was started; its documents are the run's own."""
    part = run.part("documents")
    written = part.stat().st_mtime_ns if part.exists() else 0
    return _ground_at(run.path, written, run.config.space, run.config.tasks)


@lru_cache(maxsize=1)  # there may be many documents, and every stage of every shard needs them
def _ground_at(path: Path, written: int, space: str, tasks: tuple[Task, ...]) -> Ground:
    run = load_run(path)
    return _ground(run.config, load_space(space), Documents(tuple(run.values(Document)), {}))


def shard_count(config: Config, ground: Ground) -> int:
    """Return the number of shards that the users make."""
    return math.ceil(user_count(config, ground.space, ground.kinds) / shard_size(config, ground))


def shard_size(config: Config, ground: Ground) -> int:
    """Return the users of a shard: `shards.users`, and so many more that no audience is split."""
    block = block_size(config, ground.space, ground.kinds)
    return math.ceil(config.shards.users / block) * block


def users_of(config: Config, ground: Ground, shard: int) -> list[User]:
    """Return the users of a shard, in order of their index."""
    start, stop = _bounds(config, ground, shard)
    return user_range(config, ground.space, ground.kinds, start, stop)


def unit_count(run: Run, ground: Ground, stage: Stage, shard: int) -> int:
    """Return how many times a shard's stage ticks: per user and seed, per audience, seed and method, or per inference.

    For `score` the shard must be inferred already.
    """
    config = run.config
    if stage == "score":
        return run.count("inferences", shard)
    if stage == "infer":
        audiences = audiences_of(config, ground.space, ground.kinds, users_of(config, ground, shard))
        return len(audiences) * len(config.seeds) * len(config.methods)
    start, stop = _bounds(config, ground, shard)
    return (stop - start) * len(config.seeds)


async def synthesize_shard(run: Run, shard: int, door: Door, tick: Tick) -> None:
    """Write the shard's users and their samples: a unit is one user under one seed.

    Users who answer drafts write nothing beforehand.
    """
    config, ground = run.config, ground_of(run)
    users = users_of(config, ground, shard)

    async def unit(item: tuple[int, tuple[User, int]]) -> Result:
        order, (user, seed) = item
        view = door.view("synthesize", seed, order=order)
        documents = draw_documents(config, ground.space, ground.documents, user, seed, config.rounds)
        truths = truths_of(config, ground.space, user, seed, documents)
        result = Result(beside=truths)
        if config.framework != "prelude":
            samples, failures, outcomes = await write_samples(
                user, documents, truths, config, ground.space, view
            )
            place = f"samples of {user.user_id}, seed {seed}"
            notes = failures_of("synthesize", f"{user.user_id}/{seed}", view.notes, place)
            result = Result(samples, truths, [*failures, *notes], outcomes)
        tick()
        return result

    units = enumerate(product(users, config.seeds))
    results = await each(units, unit, workers_of(config, *ASKING["synthesize"]))
    run.write("users", users, shard)
    if config.varies:
        run.write("truths", chain.from_iterable(result.beside for result in results), shard)
    outcomes = sum((result.outcomes for result in results), Counter[str]())
    run.write_counts(f"synthesize-{shard:05d}", dict(sorted(outcomes.items())))
    _land(run, "synthesize", shard, door, results)


async def infer_shard(run: Run, shard: int, door: Door, tick: Tick) -> None:
    """Let every method infer from the shard's samples: a unit is one audience under one seed, as one method sees it."""
    config, ground = run.config, ground_of(run)
    samples: dict[tuple[str, int], dict[int, Sample]] = {}
    for sample in run.values(Sample, shard):
        if sample.document_id not in ground.by_id:
            raise _stranger(run.part("samples", shard), sample.document_id)
        samples.setdefault((sample.user_id, sample.seed), {})[sample.step] = sample
    users = {user.user_id: user for user in run.values(User, shard)}
    held = _truths(run, shard)
    methods = {name: make(name, config) for name in config.methods if name != ORACLE}

    async def unit(item: tuple[int, tuple[Audience, int, str]]) -> Result:
        order, (audience, seed, name) = item
        rounds, truths = _rounds(config, ground, audience, seed, samples, held)
        method = _oracle(truths) if name == ORACLE else methods[name]
        role: Role = "inferrer" if method.infers else "writer"
        episode = Episode(audience.name, name, seed, config.model_of(role).model)

        async def respond(turn: Round, draft: str) -> Answer:
            view = door.view("infer", seed, name, order)  # what the user is asked is no cost of the method
            return await answer(turn.document, draft, truths[turn.document.document_id].told, view)

        lived = await live(episode, method, rounds, respond, lambda: door.view("infer", seed, name, order))
        tick()
        return Result(lived.inferences, lived.edits, lived.failures)

    audiences = audiences_of(config, ground.space, ground.kinds, _in_order(config, ground, shard, users))
    if config.serves.users != 1:
        pairs = [
            right_sources(config, _rounds(config, ground, audience, seed, samples, held)[0])
            for audience, seed in product(audiences, config.seeds)
        ]
        right, found = (sum(numbers) for numbers in zip(*pairs, strict=True))
        run.write_counts(f"related-{shard:05d}", {"right": right, "found": found})
    units = enumerate(product(audiences, config.seeds, config.methods))
    results = await each(units, unit, workers_of(config, *ASKING["infer"]))
    if config.framework == "prelude":
        run.write("edits", chain.from_iterable(result.beside for result in results), shard)
    _land(run, "infer", shard, door, results)


def _in_order(config: Config, ground: Ground, shard: int, users: Mapping[str, User]) -> list[User]:
    """Return the shard's users as the table has them, in order of their index, as audiences are made."""
    return [users[user.user_id] for user in users_of(config, ground, shard) if user.user_id in users]


def _truths(run: Run, shard: int) -> dict[tuple[str, int, str], Truth]:
    """Return the truths of a shard by user, seed and document; none where users hold their components throughout."""
    if not run.config.varies:
        return {}
    return {(t.user_id, t.seed, t.document_id): t for t in run.values(Truth, shard)}


def _rounds(
    config: Config,
    ground: Ground,
    audience: Audience,
    seed: int,
    samples: Mapping[tuple[str, int], Mapping[int, Sample]],
    held: Mapping[tuple[str, int, str], Truth],
) -> tuple[list[Round], dict[str, Truth]]:
    """Return the rounds of an audience that have a text, or whose user answers drafts, and the truth of each by the
    document's id as the method sees it."""
    drawn = {
        user.user_id: draw_documents(config, ground.space, ground.documents, user, seed, config.rounds)
        for user in audience.users
    }
    rounds, truths = [], {}
    for user, step in in_sequence(config, ground.space, ground.documents, audience, seed):
        document = drawn[user.user_id][step]
        shown = as_shown(config, audience, user, document, seed)
        truths[shown.document_id] = held.get((user.user_id, seed, document.document_id)) or constant(
            user, seed, step, document
        )
        if config.framework == "prelude":
            split: Split = "learn" if step < config.samples.per_user else "heldout"
            rounds.append(Round(user.user_id, shown, document.document_id, None, split))
        elif sample := samples.get((user.user_id, seed), {}).get(step):
            rounds.append(Round(user.user_id, shown, document.document_id, sample.text, sample.split))
    return rounds, truths


async def score_shard(run: Run, shard: int, door: Door, tick: Tick) -> None:
    """Measure the shard's inferences by every metric of the configuration: a unit is one inference."""
    config, ground = run.config, ground_of(run)
    documents = ground.by_id
    users = {user.user_id: user for user in run.values(User, shard)}
    samples = {(s.user_id, s.seed, s.document_id): s.text for s in run.values(Sample, shard)}
    edits = {e.inference_id: e for e in run.values(Edit, shard)} if config.framework == "prelude" else {}
    truths = _truths(run, shard)
    inferences = run.values(Inference, shard)
    audiences = audiences_of(config, ground.space, ground.kinds, _in_order(config, ground, shard, users))
    around = surroundings(config, ground.space, documents, audiences, truths.values(), inferences)
    peers = {name: peers_of(config, ground.space, ground.kinds, user) for name, user in users.items()}

    async def unit(item: tuple[int, Inference]) -> Result:
        order, inference = item
        place = inference.user_id, inference.seed, inference.document_id
        edit = edits.get(inference.inference_id)
        text = samples.get(place) if edit is None else edit.text
        known = inference.user_id in users and inference.document_id in documents
        if text is None or not known or (config.varies and place not in truths):
            raise _stranger(run.part("inferences", shard), f"{inference.user_id} on {inference.document_id}")
        user, document = users[inference.user_id], documents[inference.document_id]
        case = Case(
            inference,
            user,
            document,
            text,
            peers[inference.user_id],
            encoder=config.retrieval.encoder,
            around=around[inference.user_id, inference.seed],
        )
        if place in truths:
            case = at_truth(case, truths[place])
        result = Result()
        for name in config.metrics:
            view = door.view("score", inference.seed, inference.method, order)
            await _measure(case, name, view, config, result)
        tick()
        return result

    units = enumerate(inferences)
    _land(run, "score", shard, door, await each(units, unit, workers_of(config, *ASKING["score"])))


DRIVERS: Mapping[Stage, ShardDriver] = {
    "synthesize": synthesize_shard,
    "infer": infer_shard,
    "score": score_shard,
}


def workers_of(config: Config, *roles: Role) -> int:
    """Return how many units of work go on at once, for a stage in which these roles do most of the asking.

    In batch mode the more units wait, the fewer batches there are; each takes some kilobytes.
    """
    models = [config.model_of(role) for role in roles]
    if any(model.mode == "batch" for model in models):
        return BATCH_WORKERS
    return max(model.concurrency for model in models)


def to_do(run: Run, stage: Stage, progress: Progress | None = None) -> Iterator[tuple[int, Tick]]:
    """Yield each shard that `stage` has not done, with what to call after each of its units.

    `progress` hears of the units, also of shards done in an earlier try. Raises InputError if the stage before is
    behind.
    """
    ground = ground_of(run)
    shards = range(shard_count(run.config, ground))
    units = [unit_count(run, ground, stage, shard) for shard in shards]
    total, counted = sum(units), 0

    def count(done: int) -> None:
        nonlocal counted
        counted += done
        if progress is not None and done:
            progress(stage, counted, total)

    if progress is not None:
        progress(stage, 0, total)
    for shard in shards:
        if run.done(stage, shard):
            count(units[shard])
        else:
            yield shard, lambda: count(1)


async def do_shard(run: Run, stage: Stage, shard: int, door: Door, tick: Tick) -> None:
    """Do one stage of one shard."""
    await DRIVERS[stage](run, shard, door, tick)


async def run_stage(
    run: Run,
    stage: Stage,
    progress: Progress | None = None,
    meter: Meter | None = None,
    do: Callable[[Run, Stage, int, Door, Tick], Awaitable[None]] = do_shard,
) -> None:
    """Do what is missing of one stage by `do`, in a run that is held for writing (`started`).

    While the last units of a shard wait for their replies, the next shard's begin. Stages that share a `meter` share
    the budget.
    """
    async with open_door(run.config, run.store, meter) as door:

        async def one(item: tuple[int, Tick]) -> None:
            shard, tick = item
            await do(run, stage, shard, door.part(shard), tick)
            run.write_counts(SPENT, door.meter.spent())  # as far as a kill can not take it

        units = unit_count(run, ground_of(run), stage, 0)
        await drive(to_do(run, stage, progress), one, shards_at_once(run.config, stage, units))


def shards_at_once(config: Config, stage: Stage, units: int) -> int:
    """Return how many shards of `units` units go on at the same time: enough that no worker is idle while one ends.

    The simulated model takes the whole processor, so there a second shard gains nothing.
    """
    if all(config.model_of(role).backend == "simulated" for role in ROLES):
        return 1
    return 1 + math.ceil(workers_of(config, *ASKING[stage]) / max(1, units))


async def run_all(
    config: Config,
    out: Path,
    progress: Progress | None = None,
    stages: Sequence[Stage] = STAGES,
    meter: Meter | None = None,
) -> Run:
    """Make what is missing of the run of `config` in folder `out`, or of some of its stages, and return the run.

    Whoever passes the `meter` can watch what is asked and paid. Raises InputError, EndpointError or BudgetReached;
    shards that are done by then stay.
    """
    meter = meter or Meter(config.budget)
    with started(config, out, meter) as run:
        for stage in stages:
            await run_stage(run, stage, progress, meter)
    return run


def _stranger(part: Path, what: str) -> InputError:
    return InputError(
        f"{part}: is of another run, as it has {what} and this run has not; delete it and run again to make it anew"
    )


def _oracle(truths: Mapping[str, Truth]) -> Method:
    """Return the ceiling: a writer that is given the true components. No other method looks at them."""

    async def recall(memory: Memory, document: Document, llm: LLM) -> Preference:
        held = truths[document.document_id].components
        return Preference(held, joined(held))

    async def learn(memory: Memory, example: Example, draft: Draft, llm: LLM) -> Memory:
        return memory

    return Method(recall, learn, infers=False)


async def _measure(case: Case, name: str, view: View, config: Config, result: Result) -> None:
    """Add what one metric finds in one inference to `result`: scores, and failures for what it could not read."""
    inference = case.inference
    key = f"{inference.inference_id}/{name}"
    place = (
        f"{name} of {inference.method} on {inference.user_id}, seed {inference.seed}, step {inference.step}"
    )
    findings: list[Finding] = []
    lost = False
    try:
        findings = await METRICS[name](case, view)
    except RequestFailed as error:
        view.notes.append((error.reason, str(error)))
        lost = True
    for finding in findings:
        if not math.isfinite(finding.value):
            view.notes.append(("not_finite", f"{finding.metric} {finding.component!r} is {finding.value}"))
    result.failures.extend(failures_of("score", key, view.notes, place, lost=lost))
    result.rows.extend(
        Score(
            inference_id=inference.inference_id,
            metric=finding.metric,
            component=finding.component,
            user_id=inference.user_id,
            method=inference.method,
            seed=inference.seed,
            step=inference.step,
            value=float(finding.value),
            verdict=finding.verdict,
            judge=config.model_of("judge").model if view.calls else "",
        )
        for finding in findings
        if math.isfinite(finding.value)
    )


def _land(run: Run, stage: Stage, shard: int, door: Door, results: Sequence[Result]) -> None:
    """Write the parts of a finished shard; that of the stage's own table lands last and says that it is done."""
    run.write("failures", chain.from_iterable(result.failures for result in results), shard, stage)
    run.write("requests", door.drain(stage), shard, stage)
    run.write(OWN_TABLE[stage], chain.from_iterable(result.rows for result in results), shard)


def _ground(config: Config, space: Space, documents: Documents) -> Ground:
    by_id = {document.document_id: document for document in documents.rows}
    return Ground(space, documents, by_id, kinds_of(config, space, documents.rows))


def _bounds(config: Config, ground: Ground, shard: int) -> tuple[int, int]:
    """Return the indices of a shard's users, from the first to behind the last."""
    count, size = user_count(config, ground.space, ground.kinds), shard_size(config, ground)
    return min(count, shard * size), min(count, (shard + 1) * size)


def _check_names(config: Config) -> None:
    check_names(config.methods, config)
    for name in config.metrics:
        if name not in METRICS:
            raise InputError(f"metrics: {name!r} is not known; use some of {', '.join(METRICS)}")
    if config.retrieves.by == "cosine" or ENCODED & set(config.metrics):
        check_encoder(config.retrieval.encoder)
    if "bertscore" in config.metrics:
        check_bertscore()
