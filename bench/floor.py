"""The floor: the bare openai client with its aiohttp transport asks N distinct requests, C at a time, and keeps nothing.

python -m bench.floor --port 8899 -n 2000 -c 64
"""

import argparse
import asyncio
import time
from collections.abc import Iterator

from openai import AsyncOpenAI, DefaultAioHttpClient


async def ask(client: AsyncOpenAI, content: str) -> None:
    """Ask once and drop the reply."""
    await client.chat.completions.create(model="mock", messages=[{"role": "user", "content": content}])


async def worker(client: AsyncOpenAI, numbers: Iterator[int]) -> None:
    """Ask for one number after the other, as long as there are any."""
    for number in numbers:
        await ask(client, "hi " * 200 + str(number))


async def measure(port: int, number: int, concurrency: int) -> tuple[float, float]:
    """Return wall and CPU seconds of all requests; a first one, which opens the client, is not counted."""
    async with (
        DefaultAioHttpClient() as http,
        AsyncOpenAI(
            api_key="none", base_url=f"http://127.0.0.1:{port}/v1", http_client=http, max_retries=0
        ) as client,
    ):
        await ask(client, "warm")
        numbers = iter(range(number))
        start, used = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(worker(client, numbers))
        return time.perf_counter() - start, time.process_time() - used


def main() -> None:
    """Print requests per second, CPU milliseconds a request and the wall time in seconds."""
    parser = argparse.ArgumentParser(description="The bare client.")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("-n", type=int, default=2000)
    parser.add_argument("-c", type=int, default=64)
    options = parser.parse_args()
    wall, used = asyncio.run(measure(options.port, options.n, options.c))
    print(f"floor req/s={options.n / wall:.1f} cpu_ms/req={used / options.n * 1000:.3f} wall={wall:.3f}")


if __name__ == "__main__":
    main()
