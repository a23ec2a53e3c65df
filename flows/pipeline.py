"""The flow `pipeline`: synthesize, infer and score in a row, then the headline and the report as artifacts.

Where no Prefect server is configured, the embedded one keeps its database in the run folder (`RUN/.prefect`): two runs
at once do not lock each other's, nothing is written outside the folder, and `PREFECT_HOME=RUN/.prefect prefect server
start` shows the run afterwards. That costs a few seconds once per run folder.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_SERVER_ALLOW_EPHEMERAL_MODE,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    temporary_settings,
)

from flows.artifacts import show
from flows.cluster import Kind, cluster_of, require
from flows.infer import infer
from flows.score import score
from flows.shards import FLOW, Session, do_stage, holding, session
from flows.synthesize import synthesize
from prose_data.config import Config, dump_config
from prose_data.errors import InputError
from prose_data.llm.meter import Meter
from prose_data.report import make_report
from prose_data.runs import STAGES, Run
from prose_data.spread import prepare
from prose_data.stages import Progress, started
from prose_data.values import Stage

Engine = Literal["prefect"] | Kind
_START_SECONDS = 120  # the embedded server takes five to fifteen, more on a busy machine


@flow(name="pipeline", **FLOW)
def pipeline(config_yaml: str, out: str) -> None:
    """Make the run in folder `out`, or what is missing of it, with its report.

    `config_yaml` is the whole configuration as `dump_config` gives it.
    """
    with holding(config_yaml, out) as run:
        for stage in STAGES:
            do_stage(run, stage)
    show(make_report(run))


FLOWS: dict[tuple[Stage, ...], Flow[[str, str], None]] = {
    STAGES: pipeline,
    ("synthesize",): synthesize,
    ("infer",): infer,
    ("score",): score,
}


def run_pipeline(
    config: Config,
    out: Path,
    progress: Progress | None = None,
    stages: Sequence[Stage] = STAGES,
    meter: Meter | None = None,
    engine: Engine = "prefect",
) -> Run:
    """Run the flow of these `stages` (all, or one) from this process and return the run; its shards are done here, or on
    the cluster of `engine`.

    Whoever passes the `meter` can watch what is asked and paid. Raises what `prose_data.stages.run_all` raises, as it
    is; a wrong configuration before any server is started.
    """
    if engine != "prefect":
        require(engine, config.engine.address)
    meter = meter or Meter(config.budget)
    made = FLOWS[tuple(stages)]
    with ExitStack() as stack:
        run = stack.enter_context(started(config, out, meter))
        stack.enter_context(server_of(out))
        cluster = None
        if engine != "prefect":
            address, workers = config.engine.address, config.engine.workers
            prepare(run, away=address is not None)
            cluster = stack.enter_context(cluster_of(engine, address, workers))
            made = made.with_options(task_runner=cluster.runner)
        token = session.set(Session(run, progress, meter, cluster))
        try:
            made(dump_config(config), str(out))
        finally:
            session.reset(token)
    return run


@contextmanager
def server_of(out: Path) -> Iterator[None]:
    """Use the Prefect server or home that is configured, or else an embedded server whose home is in `out`.

    Raises InputError for a server that cannot be reached.
    """
    if PREFECT_API_URL.value() is not None or "PREFECT_HOME" in os.environ:
        _reach()
        yield
        return
    home = out.resolve() / ".prefect"
    home.mkdir(exist_ok=True)
    end_leftover(home)
    with temporary_settings(
        {
            PREFECT_HOME: home,
            PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True,
            PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: _START_SECONDS,
        }
    ):
        _reach()
        yield


def end_leftover(home: Path) -> None:
    """End the embedded servers that killed processes left behind in `home`.

    The caller holds the run's lock, so no other process uses one. Where the system does not show what a process is
    (no /proc), they are left alone.
    """
    marks = {os.fsencode(f"PREFECT_HOME={home}"), b"PREFECT__SERVER_EPHEMERAL=1"}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # somebody else's, or gone by now
            if b"prefect.server.api.server" not in (process / "cmdline").read_bytes():
                continue
            environment = set((process / "environ").read_bytes().split(b"\0"))
            ours = f"PPid:\t{os.getpid()}\n" in (process / "status").read_text()
            if marks <= environment and not ours:
                os.kill(int(process.name), signal.SIGTERM)


def _reach() -> None:
    """Start the embedded server, or find the configured one."""
    try:
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
    except RuntimeError as error:
        problem = error
    if problem is not None:
        where = PREFECT_API_URL.value() or "embedded server"
        raise InputError(
            f"Prefect: {where} cannot be reached ({problem}); correct PREFECT_API_URL, or use --engine plain"
        )
