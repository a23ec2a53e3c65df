"""What the flows share: one Prefect task per shard and stage, and how far a stage is as a progress artifact.

All tasks of a stage live in one event loop and ask through one door, so that together they keep to the endpoints' limits.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from prose_data import stages
from prose_data.llm.door import Door, open_door
from prose_data.llm.meter import Meter
from prose_data.runs import Run, config_from_yaml, load_run
from prose_data.stages import Progress, Tick, finish, ground_of, shard_count, started
from prose_data.values import Stage

# Nothing of Prefect's is used twice over: a run folder resumes by itself, and the door retries by itself.
FLOW: dict[str, Any] = {"retries": 0, "persist_result": False, "log_prints": False}


@dataclass(frozen=True, slots=True)
class Session:
    """What can be no parameter of a task, as those are JSON: the run held by this process, who watches, what it may spend.

    A flow in another process makes its own: it holds the run itself and tells nobody.
    """

    run: Run
    progress: Progress | None
    meter: Meter


session: ContextVar[Session | None] = ContextVar("session", default=None)


@dataclass(frozen=True, slots=True)
class _Work:
    """What a task of this process does its shard with; one in another process opens a door of its own."""

    run: Run
    door: Door
    tick: Tick


_at_work: ContextVar[_Work | None] = ContextVar("_at_work", default=None)


@contextmanager
def holding(config_yaml: str, out: str) -> Iterator[Run]:
    """Hold the run in folder `out` for writing (`prose_data.stages.started`), unless this process does so already."""
    ours = session.get()
    if ours is not None and ours.run.path == Path(out):
        yield ours.run
        finish(ours.run)
        return
    config = config_from_yaml(config_yaml, "config_yaml")
    meter = Meter(config.budget)
    with started(config, Path(out), meter) as run:
        token = session.set(Session(run, None, meter))
        try:
            yield run
        finally:
            session.reset(token)


@task(task_run_name="{stage} shard {shard}", cache_policy=NO_CACHE, **FLOW)
async def do_shard(out: str, stage: Stage, shard: int) -> None:
    """Do one stage of one shard of the run in folder `out`."""
    ours = _at_work.get()
    if ours is not None:
        await stages.do_shard(ours.run, stage, shard, ours.door, ours.tick)
        return
    run = load_run(Path(out))
    async with open_door(run.config, run.store) as door:
        await stages.do_shard(run, stage, shard, door, lambda: None)


def do_stage(run: Run, stage: Stage) -> None:
    """Do what is missing of one stage of a run that is held for writing, one task per shard."""
    ours = session.get()
    shards = shard_count(run.config, ground_of(run))
    artifact = create_progress_artifact(0.0, key=stage, description=f"{stage}: shards of {run.config.name}")
    assert isinstance(artifact, UUID)
    done = 0

    async def do(run: Run, stage: Stage, shard: int, door: Door, tick: Tick) -> None:
        nonlocal done
        _at_work.set(_Work(run, door, tick))  # every shard has a context of its own
        await do_shard(str(run.path), stage, shard)
        done += 1
        await asyncio.to_thread(update_progress_artifact, artifact, 100 * done / shards)

    progress, meter = (ours.progress, ours.meter) if ours else (None, None)
    asyncio.run(stages.run_stage(run, stage, progress, meter, do))
    update_progress_artifact(artifact, 100.0)
