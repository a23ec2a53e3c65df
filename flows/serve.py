"""A schedule: the flow `scheduled` deployed to a Prefect server and served by this process until it is interrupted.

Where no server is configured, one of our own runs beside it with its database in RUNS/NAME/.prefect, and is started
again when it dies. One run at a time: what comes due while another one is going on is cancelled (CANCEL_NEW), so that
nothing piles up. On start, the last run goes on in its folder if it was interrupted, and of the runs that came due while
nothing served them the latest is made, unless one goes on.
"""

import asyncio
import fcntl
import logging
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
)
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
    FlowRun,
    StateType,
)
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron, Schedule
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_RUNNER_POLL_FREQUENCY, temporary_settings
from prefect.states import AwaitingRetry, Scheduled
from prefect.types.entrypoint import EntrypointType

from flows.pipeline import server_of
from flows.scheduled import scheduled
from flows.server import LocalServer, local_server, marked
from prose_data.errors import InputError

_POLL_SECONDS = 2
_AGAIN_SECONDS = 10  # before a server that cannot be reached is tried again
# They say in tracebacks that a server went away; what matters of it is said in a line.
_LOUD = ("prefect.FlowRunCancellingObserver", "prefect.FlowRunSuspendingObserver", "asyncio")
_RUNS = 200  # the latest, up to a hundred of which are due in future
# What a process that ended leaves behind.
_INTERRUPTED = (StateType.PENDING, StateType.RUNNING, StateType.CRASHED)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run when: the schedule, the name and the JSON parameters of the flow `scheduled`, and whether once at once."""

    name: str
    schedule: Schedule
    parameters: dict[str, Any]
    now: bool

    @property
    def folder(self) -> Path:
        """Where the dated folders are."""
        return Path(self.parameters["runs"]) / self.name


def schedule_of(cron: str, timezone: str) -> Schedule:
    """Return the schedule of five cron fields in an IANA time zone. Raises InputError."""
    if len(cron.split()) != 5:
        raise InputError(f"--cron {cron!r}: must have five fields, minute hour day month weekday")
    try:
        found = Cron(cron, timezone=timezone)
    except ValueError:
        raise InputError(
            f"--cron {cron!r}: is no cron expression; every Monday at six is '0 6 * * 1'"
        ) from None
    return found


def serve(plan: Plan) -> None:
    """Serve `plan` until an interrupt, which is raised as KeyboardInterrupt once all has ended.

    Raises InputError where another process serves the same folder, or the server cannot be used.
    """
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with _held(plan.folder), marked(plan.folder), _server(plan.folder / ".prefect") as ours:
        first = True
        while True:
            try:
                _until_interrupted(_watch(plan, ours, first))
            except* (RuntimeError, httpx.HTTPError):  # what the runner ends with when its server is long away
                where = PREFECT_API_URL.value()
                print(f"Prefect: {where}: does not answer; trying again", file=sys.stderr, flush=True)
                time.sleep(_AGAIN_SECONDS)
            first = False


def _until_interrupted(watching: Coroutine[Any, Any, None]) -> None:
    """Run `watching`; an interrupt that came again while it ended is an interrupt, and no group of errors."""
    try:
        asyncio.run(watching)
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from None
        raise


async def _watch(plan: Plan, ours: LocalServer | None, first: bool) -> None:
    """Deploy the flow and start its runs when they are due; start our own server again whenever it ends."""
    loop = asyncio.get_running_loop()

    def restart() -> None:
        assert ours is not None
        loop.remove_reader(ours.closed)
        print("Prefect: the server ended; starting it again", file=sys.stderr, flush=True)
        ours.again()
        loop.add_reader(ours.closed, restart)

    if ours is not None:
        loop.add_reader(ours.closed, restart)
    runner = _Runner(name=plan.name, pause_on_shutdown=False)
    async with get_client() as client:
        left = await _left(client, plan.name)  # deploying deletes what came due and has not begun
        deployed = await runner.aadd_deployment(await _deployment(plan))
        if left is not None and left.state_type is StateType.SCHEDULED:
            await client.create_flow_run_from_deployment(deployed, state=Scheduled(scheduled_time=_due(left)))
        elif left is not None:
            await client.set_flow_run_state(
                left.id, AwaitingRetry(scheduled_time=datetime.now(UTC)), force=True
            )
        if plan.now and first:
            await client.create_flow_run_from_deployment(deployed)
    if first:
        print(f"serving {plan.name}: {plan.schedule.cron} ({plan.schedule.timezone})", flush=True)
        print(f"runs in {plan.folder}; Prefect at {PREFECT_API_URL.value()}; Ctrl-C ends it", flush=True)
    await runner.start()


async def _left(client: PrefectClient, name: str) -> FlowRun | None:
    """Return what an earlier process left to do: its last run if that was interrupted, else the latest that came due since."""
    runs = await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[scheduled.name])),
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[name])),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=_RUNS,
    )
    now = datetime.now(UTC)
    past = [run for run in runs if run.state is not None and _due(run) <= now]
    begun = next((run for run in past if run.state_type is not StateType.SCHEDULED), None)
    if begun is not None and begun.state_type in _INTERRUPTED:
        return begun
    missed = past[0] if past and past[0] is not begun else None
    return missed if missed is not None and missed.auto_scheduled and not missed.run_count else None


class _Runner(Runner):
    """Prefect's runner, for which SIGTERM is what Ctrl-C is."""

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:
        """Interrupt."""
        heed = signal.getsignal(
            signal.SIGINT
        )  # the event loop's, unless this process was started deaf to Ctrl-C
        (heed if callable(heed) else signal.default_int_handler)(signal.SIGINT, None)


async def _deployment(plan: Plan) -> RunnerDeployment:
    return await scheduled.ato_deployment(
        plan.name,
        schedule=plan.schedule,
        parameters=plan.parameters,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _due(run: FlowRun) -> datetime:
    assert run.expected_start_time is not None
    return run.expected_start_time


@contextmanager
def _server(home: Path) -> Iterator[LocalServer | None]:
    """Use the configured Prefect server, or one of our own, which is yielded."""
    polls = {PREFECT_RUNNER_POLL_FREQUENCY: _POLL_SECONDS}
    if PREFECT_API_URL.value() is not None:
        with server_of(home), temporary_settings(polls):
            yield None
        return
    with (
        local_server(home) as ours,
        temporary_settings({**polls, PREFECT_API_URL: ours.url, PREFECT_HOME: home}),
    ):
        yield ours


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other processes from serving the same folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".serving").open("ab")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another --runs") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{folder}: another process serves it; end that, or choose another --runs"
            ) from None
        yield
