"""Work over several processes, for what no model is asked and the interpreter itself is the limit.

Where models are asked, `llm.pool` is the place.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import wait
from typing import Protocol, TypeVar

from prose_data.errors import InputError

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2  # pieces of work per process that are handed out before their turn


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Spread(Protocol):
    """What does a piece of work for each of many items."""

    def __call__(self, work: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Yield `work(item)` of each item, in the order of `items`, of which only a few are looked at ahead."""
        ...


@contextmanager
def worker_processes(count: int) -> Iterator[Spread]:
    """Give what does work in so many processes while the context is open, for one in this process alone.

    They start with the first item. Work and what passes in and out must be picklable. An exception in a process is raised
    as it is. The processes end with the context, and with this process, however that ends.
    """
    if count < 2:
        yield map
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of libraries' threads
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin)

    def spread(work: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        waiting = iter(items)
        begun: deque[Future[R]] = deque()
        begun.extend(pool.submit(work, item) for item in islice(waiting, _AHEAD * count))
        while begun:
            done = begun.popleft().result()
            begun.extend(pool.submit(work, item) for item in islice(waiting, 1))
            yield done

    try:
        yield spread
    except BrokenProcessPool:
        raise InputError(
            "a worker process was ended from outside, for memory perhaps; run the same command again to go on"
        ) from None
    except BaseException:
        for process in list(pool._processes.values()):  # shutdown alone would wait for what they are doing
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Prepare a worker process: it leaves Ctrl-C to its parent, takes one processor, and ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["POLARS_MAX_THREADS"] = "1"
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
