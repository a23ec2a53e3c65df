"""The engines for many machines: one stage of one shard is one Prefect task on a Dask or a Ray cluster.

The cluster moves an order to a worker and does it again when that worker dies; everything else is
`prose_data.spread`. Where no address is given, a cluster of this machine's processes is started and ended with the run.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal
from urllib.parse import urlsplit

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.exceptions import CrashedRun, TerminationSignal
from prefect.futures import PrefectFuture
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner

from prose_data.errors import InputError
from prose_data.spread import Future, Lost, Order, Outcome, do_order
from prose_data.values import Stage

Kind = Literal["dask", "ray"]
_LIBRARIES: Mapping[Kind, str] = {"dask": "prefect_dask", "ray": "prefect_ray"}
_PORTS: Mapping[Kind, int] = {"dask": 8786, "ray": 6379}
_PATIENCE = 10.0  # seconds until a cluster that is given must answer
_RAY_MEMORY = 100 * 2**20  # bytes of shared memory: orders and outcomes are small


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster: the task runner that reaches it, and how many shards it does at the same time."""

    runner: TaskRunner[Any]
    workers: int


@task(
    name="do_shard",
    task_run_name="{stage} shard {shard}",
    cache_policy=NO_CACHE,
    retries=0,
    persist_result=False,
    log_prints=False,
)
async def do_shard(stage: Stage, shard: int, order: Order) -> Outcome:
    """Do an order in a worker; `stage` and `shard` are its own, for the name of the task run."""
    return await do_order(order)


def submit(order: Order, done: Callable[[Future], None]) -> Future:
    """Hand `order` to the task runner of the flow that is running, and call `done` when it has come back."""
    answer = _Answer(do_shard.submit(order.stage, order.shard, order))
    answer.future.add_done_callback(lambda _: done(answer))
    return answer


@dataclass(frozen=True, eq=False, slots=True)
class _Answer:
    """What will come back for an order."""

    future: PrefectFuture[Any]

    def result(self) -> Outcome:
        """Return the outcome; raises what the worker raised, and Lost for one that was ended while at it."""
        try:
            outcome: Outcome = self.future.result()
        except (CrashedRun, TerminationSignal) as error:
            raise Lost(str(error)) from None
        return outcome


def require(kind: Kind, address: str | None) -> None:
    """Raise InputError for an engine whose extra is not installed, and for an address at which nothing answers."""
    if find_spec(_LIBRARIES[kind]) is None:
        raise InputError(f"--engine {kind}: is not installed; pip install 'prose-data[{kind}]'")
    if address is None:
        return
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        host, port = parts.hostname, parts.port or _PORTS[kind]
    except ValueError as error:
        raise _silent(address, str(error)) from None
    if not host:
        raise _silent(address, "it names no host")
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except OSError as error:
        raise _silent(address, error.strerror or str(error)) from None


@contextmanager
def cluster_of(kind: Kind, address: str | None, workers: int | None) -> Iterator[Cluster]:
    """Give the cluster at `address`, of which `workers` (all) are used, or one of so many processes that ends with the context.

    Meanwhile the workers find the Prefect server that this process uses. Raises InputError for a cluster that does not
    answer, has no worker, or has workers that cannot reach that server.
    """
    start = {"dask": _dask, "ray": _ray}[kind]
    with _server_named(), start(address, workers) as cluster:
        yield cluster


@contextmanager
def _dask(address: str | None, workers: int | None) -> Iterator[Cluster]:
    import distributed
    from prefect_dask import DaskTaskRunner

    if address is None:
        number = workers or _processors()
        with distributed.LocalCluster(
            n_workers=number,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs="CRITICAL",
        ) as local:
            yield Cluster(DaskTaskRunner(address=local.scheduler_address), number)
        return
    try:
        with distributed.Client(address, timeout=_PATIENCE, set_as_default=False) as client:
            found = client.scheduler_info(n_workers=-1)["workers"]
    except OSError as error:
        raise _silent(address, str(error)) from None
    _check_hosts([urlsplit(name).hostname for name in found])
    threads = sum(worker["nthreads"] for worker in found.values())
    yield Cluster(DaskTaskRunner(address=address), _at_least_one(address, workers or threads))


@contextmanager
def _ray(address: str | None, workers: int | None) -> Iterator[Cluster]:
    import ray
    from prefect_ray import RayTaskRunner

    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        number = workers or _processors()
        ray.init(num_cpus=number, object_store_memory=_RAY_MEMORY, include_dashboard=False, **quiet)
    else:
        try:
            ray.init(address, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            raise _silent(address, str(error).partition("\n")[0]) from None
        _check_hosts([node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]])
        number = _at_least_one(address, workers or int(ray.cluster_resources().get("CPU", 0)))
    try:
        yield Cluster(RayTaskRunner(), number)  # it uses what is initialized already
    finally:
        ray.shutdown()


@contextmanager
def _server_named() -> Iterator[None]:
    """Set the address of the Prefect server in use, also of an embedded one, so that tasks take it along."""
    with get_client(sync_client=True) as client:
        url = str(client.api_url)
    with temporary_settings({PREFECT_API_URL: url}):
        yield


def _check_hosts(hosts: list[str | None]) -> None:
    """Raise InputError where workers are on other machines, and the Prefect server is one that only this machine reaches."""
    server = urlsplit(PREFECT_API_URL.value() or "").hostname
    away = next((host for host in hosts if host and not _here(host)), None)
    if away is not None and server in ("127.0.0.1", "localhost", "::1"):
        raise InputError(
            f"engine.address: the worker on {away} cannot reach the Prefect server at {server}; start one for all machines "
            "(prefect server start --host 0.0.0.0) and name it in PREFECT_API_URL"
        )


def _here(host: str) -> bool:
    """Return whether `host` is an address of this machine."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(place)
    except OSError:
        return False
    return True


def _at_least_one(address: str, workers: int) -> int:
    if not workers:
        raise InputError(f"engine.address {address}: the cluster has no worker; start some and run again")
    return workers


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _silent(address: str, why: str) -> InputError:
    return InputError(
        f"engine.address {address}: no cluster answers there ({why}); start one, or leave the address out"
    )
