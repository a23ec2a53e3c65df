"""The project's side: the engine asks distinct requests through the whole door, as a stage of the pipeline does.

python -m bench.engine --port 8899 --numbers 0:2000 -c 64 [--store FILE] [--log FILE]

It prints one JSON object. `--numbers` may be several ranges with commas between. With --log, the number of each reply
is appended to a file as soon as the worker has it, by one system call, so that it survives kill -9.
"""

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from prose_data.config import Config, parse_config
from prose_data.errors import RequestFailed
from prose_data.llm.door import Door, open_door
from prose_data.llm.pool import drive

ROLES = ("human", "writer", "inferrer", "judge")
SHARD = 20_000  # requests after which the log of requests is taken, as at the end of a shard


def config_for(port: int, concurrency: int) -> Config:
    """Return a configuration whose roles are all played by the endpoint at `port`."""
    model = {
        "backend": "openai",
        "model": "mock",
        "base_url": f"http://127.0.0.1:{port}/v1",
        "concurrency": concurrency,
    }
    return parse_config({"models": {"mock": model}, "roles": dict.fromkeys(ROLES, "mock")}, "bench")


def numbers_in(ranges: str) -> Iterator[int]:
    """Yield the numbers of ranges such as `0:10,20:30`, one at a time."""
    parts = (part.split(":") for part in ranges.split(","))
    return chain.from_iterable(range(int(first), int(last)) for first, last in parts)


class Asking:
    """Asks and counts: replies by source, and requests that failed by reason."""

    def __init__(self, door: Door, log: int | None) -> None:
        self._door = door
        self._log = log
        self.replies: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._since_drained = 0

    async def ask(self, number: int) -> None:
        """Ask for one number through a view of its own."""
        view = self._door.view("synthesize", 0)
        try:
            reply = await view([{"role": "user", "content": "hi " * 200 + str(number)}], role="human")
        except RequestFailed as error:
            self.failures[error.reason] += 1
            return
        self.replies[reply.source] += 1
        if self._log is not None:
            os.write(self._log, b"%d\n" % number)
        self._since_drained += 1
        if self._since_drained >= SHARD:
            self.drain()

    def drain(self) -> None:
        """Take the rows of the table `requests` and drop them, as a shard that is written."""
        self._since_drained = 0
        self._door.drain("synthesize")


async def measure(
    config: Config, numbers: str, concurrency: int, store: Path | None, log: int | None
) -> dict[str, object]:
    """Return what was answered and what it took; a first request, which opens the connection, is not counted."""
    async with open_door(config, store) as door:
        await door.view("synthesize", 0)([{"role": "user", "content": "warm"}], role="human")
        asking = Asking(door, log)
        start, used = time.perf_counter(), time.process_time()
        await drive(numbers_in(numbers), asking.ask, concurrency)
        wall, used = time.perf_counter() - start, time.process_time() - used
        asking.drain()
        return {
            "wall": wall,
            "cpu": used,
            "peak_mb": peak_mb(),
            "replies": dict(asking.replies),
            "failures": dict(asking.failures),
        }


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB (10^6 bytes), as Linux counts it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("/proc/self/status has no VmHWM")


def main() -> None:
    """Ask, and print what it took."""
    parser = argparse.ArgumentParser(description="The engine.")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--numbers", default="0:2000")
    parser.add_argument("-c", type=int, default=64)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if options.log else None
    config = config_for(options.port, options.c)
    print(json.dumps(asyncio.run(measure(config, options.numbers, options.c, options.store, log))))


if __name__ == "__main__":
    main()
