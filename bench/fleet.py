"""What to set for a fleet of machines, worked out: the table of docs/scale.md.

python -m bench.fleet

For each fleet it takes the endpoint's limits and the users, sizes shards and divides limits as the engines do, and then
plays the stage through: a driver that hands out one shard after the other, workers that take as long as their shard's
requests do, each shard a little longer or shorter than the mean. The constants below are measured, or said to be assumed.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prose_data.streams import stream

# Found by `python -m bench --only dask-speedup` on two cores, rounded up: what one shard takes of the driver's processor, the
# flow's start and end included, and what it takes a worker beside waiting for the model.
DRIVER, WORKER = 0.3, 1.5  # seconds
EVENTS = (
    4  # that Prefect's server is told per shard and stage: a task run's states, and now and then the progress
)
# Assumed: a model that takes two seconds a request, the quickstart's seven methods with one seed, and how far shards differ.
LATENCY, REQUESTS, SPREAD = 2.0, 60, 0.25  # seconds, requests of one user, share of the mean
# Decided: a worker gets about this many shards, so that the last ones do not keep the others waiting; a shard is no shorter
# than a minute, so that its own cost stays small, nor so short that the driver is busy for more than this share of
# the time; and no longer than ten minutes, which is what a dead worker loses.
EACH, SHORTEST, BUSY, LONGEST = 20, 60.0, 0.5, 600.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many machines with one worker each, the requests that the endpoint takes at once, and the users to be made."""

    machines: int
    concurrency: int
    users: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to set for a fleet, and what comes of it: hours, share of the workers' time that goes on the model, share of the
    driver's time that is taken, and events a second for Prefect's server."""

    each: int
    shard_users: int
    shards: int
    shard_seconds: float
    hours: float
    efficiency: float
    driver: float
    events: float


FLEETS = (Fleet(1, 64, 2_000), Fleet(10, 640, 20_000), Fleet(1_000, 64_000, 2_000_000))


def plan(fleet: Fleet) -> Plan:
    """Return what to set for `fleet`, as `prose_data.spread` divides it, and what comes of it by the simulation."""
    each = max(1, fleet.concurrency // fleet.machines)
    per_user = REQUESTS * LATENCY / each
    wanted = fleet.users / (fleet.machines * EACH)
    shortest = max(SHORTEST, DRIVER * fleet.machines / BUSY)
    size = max(1, math.ceil(min(max(wanted, shortest / per_user), LONGEST / per_user)))
    shards = math.ceil(fleet.users / size)
    seconds = size * per_user
    wall, work = played(shards, fleet.machines, seconds)
    return Plan(
        each,
        size,
        shards,
        seconds,
        wall / 3600,
        work / fleet.machines / wall,
        shards * DRIVER / wall,
        shards * EVENTS / wall,
    )


def played(shards: int, workers: int, seconds: float) -> tuple[float, float]:
    """Return the seconds until all shards are done, and those that workers spent on the model, added up.

    A shard takes `seconds` in the mean. A worker does one at a time, and so does the driver, who takes the last one back and
    hands out the next.
    """
    draws = stream(0, "fleet", shards, workers)
    free, back = 0.0, [0.0] * min(workers, shards)  # when the driver is free, and when each worker is
    end = work = 0.0
    for _ in range(shards):
        ready = heapq.heappop(back)
        free = max(free, ready) + DRIVER
        asking = seconds * draws.uniform(1 - SPREAD, 1 + SPREAD)
        heapq.heappush(back, free + WORKER + asking)
        end = max(end, free + WORKER + asking)
        work += asking
    return end, work


def table(fleets: Sequence[Fleet] = FLEETS) -> Iterator[str]:
    """Yield the lines of the table, in Markdown."""
    yield (
        "| machines | users | endpoint takes at once | of that each worker | `shards.users` | shards | a shard takes | "
        "a stage takes | on the model | driver busy | server, events/s |"
    )
    yield "| ---: " * 11 + "|"
    for fleet in fleets:
        found = plan(fleet)
        yield (
            f"| {fleet.machines:,} | {fleet.users:,} | {fleet.concurrency:,} | {found.each} | {found.shard_users} | "
            f"{found.shards:,} | {found.shard_seconds:.0f} s | {found.hours:.2f} h | {found.efficiency:.1%} | "
            f"{found.driver:.1%} | {found.events:.1f} |"
        )


if __name__ == "__main__":
    print("\n".join(table()))
