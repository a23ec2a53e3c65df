"""A fixed number of workers pulling from an iterator: the one place where many things are asked at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def drive(items: Iterable[T], work: Callable[[T], Awaitable[object]], workers: int) -> None:
    """Await `work(item)` of all items, which may be a lazy iterator of any length, and keep nothing.

    The first exception cancels the rest and is raised as it is.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}, must be at least 1")
    waiting = iter(items)
    started = 1

    async def worker() -> None:
        nonlocal started
        for item in waiting:
            if started < workers:  # there may be fewer items than workers
                started += 1
                group.create_task(worker())
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(worker())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def each(items: Iterable[T], work: Callable[[T], Awaitable[R]], workers: int) -> list[R]:
    """Return `await work(item)` of all items, in the order of `items`; otherwise as `drive`."""
    results: dict[int, R] = {}

    async def kept(numbered: tuple[int, T]) -> None:
        number, item = numbered
        results[number] = await work(item)

    await drive(enumerate(items), kept, workers)
    return [results[number] for number in range(len(results))]
