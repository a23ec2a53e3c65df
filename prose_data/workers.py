"""Work over several processes, for what no model is asked and the interpreter itself is the limit.

Where models are asked, `llm.pool` is the place; these two are all the concurrency there is.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import wait
from typing import TypeVar

from prose_data.errors import InputError

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2  # pieces of work per process that are handed out before their turn


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(work: Callable[[T], R], items: Iterable[T], processes: int) -> Iterator[R]:
    """Yield `work(item)` of each item, in the order of `items`, from so many processes; from this one alone for one.

    `work` and what passes in and out must be picklable. Only a few items are looked at ahead. An exception in a process
    ends the others and is raised as it is; they end with this process too, however that ends.
    """
    if processes < 2:
        yield from map(work, items)
        return
    waiting = iter(items)
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of libraries' threads
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)
    try:
        begun: deque[Future[R]] = deque()
        begun.extend(pool.submit(work, item) for item in islice(waiting, _AHEAD * processes))
        while begun:
            done = begun.popleft().result()
            begun.extend(pool.submit(work, item) for item in islice(waiting, 1))
            yield done
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
