"""What the flows share: one Prefect task per shard and stage, and how far a stage is as a progress artifact.

Without a cluster (`flows.cluster`) all tasks of a stage live in one event loop and ask through one door, so that together
they keep to the endpoints' limits.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from flows.cluster import Cluster, submit
from prose_data import stages
from prose_data.llm.door import Door
from prose_data.llm.meter import Meter
from prose_data.runs import Run, config_from_yaml
from prose_data.spread import Driver
from prose_data.stages import Progress, Tick, finish, ground_of, shard_count, started
from prose_data.values import Stage

_BEAT = 1.0  # seconds between two updates of the progress artifact, each of which is a request to the server
# Nothing of Prefect's is used twice over: a run folder resumes by itself, and the door retries by itself.
FLOW: dict[str, Any] = {"retries": 0, "persist_result": False, "log_prints": False}


@dataclass(frozen=True, slots=True)
class Session:
    """What can be no parameter of a flow, as those are JSON: the run held by this process, who watches, what it may spend,
    and the cluster that does its shards (None: this process).

    A flow in another process makes its own: it holds the run itself and tells nobody.
    """

    run: Run
    progress: Progress | None
    meter: Meter
    cluster: Cluster | None = None


session: ContextVar[Session | None] = ContextVar("session", default=None)


@dataclass(frozen=True, slots=True)
class _Work:
    """What a task of this process does its shard with."""

    run: Run
    door: Door
    tick: Tick


_at_work: ContextVar[_Work] = ContextVar("_at_work")


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
async def do_shard(stage: Stage, shard: int) -> None:
    """Do one stage of one shard in this process."""
    ours = _at_work.get()
    await stages.do_shard(ours.run, stage, shard, ours.door, ours.tick)


def do_stage(run: Run, stage: Stage) -> None:
    """Do what is missing of one stage of a run that is held for writing, one task per shard."""
    ours = session.get()
    assert ours is not None, "whoever holds the run has made a session"
    with _shown(stage, run.config.name) as show:
        if ours.cluster is not None:
            Driver(run, ours.cluster.workers, submit, ours.meter, ours.progress, show).do_stage(stage)
            return
        shards, done = shard_count(run.config, ground_of(run)), 0

        async def do(run: Run, stage: Stage, shard: int, door: Door, tick: Tick) -> None:
            nonlocal done
            _at_work.set(_Work(run, door, tick))  # every shard has a context of its own
            await do_shard(stage, shard)
            done += 1
            await asyncio.to_thread(show, done / shards)

        asyncio.run(stages.run_stage(run, stage, ours.progress, ours.meter, do))


@contextmanager
def _shown(stage: Stage, name: str) -> Iterator[Callable[[float], None]]:
    """Give a function that shows the share of a stage that is done as a progress artifact, now and then, and at the end all."""
    artifact = create_progress_artifact(0.0, key=stage, description=f"{stage}: shards of {name}")
    assert isinstance(artifact, UUID)
    shown = time.monotonic()

    def show(share: float) -> None:
        nonlocal shown
        if time.monotonic() - shown >= _BEAT:
            shown = time.monotonic()
            update_progress_artifact(artifact, 100 * share)

    yield show
    update_progress_artifact(artifact, 100.0)
