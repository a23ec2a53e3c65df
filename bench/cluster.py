"""Engines: what a second Dask worker is worth, and what Prefect takes, on work that waits for the model."""

import json
import subprocess
from functools import cache
from pathlib import Path

from bench.children import OWN_ENDPOINT, Endpoint, child, endpoint
from bench.speed import scratch
from bench.values import Figure, Setup, Unusable

_LATENCY = 0.2  # seconds
_EACH = 8  # requests in flight of each worker
_SHARDS, _USERS = 20, 10  # of a cluster's run: a hundred requests a shard
_MANY, _WATCHED = 100, 4  # shards of the run that Prefect watches, and users of each: forty requests


def dask_speedup(setup: Setup) -> Figure:
    """Measure how much sooner two Dask workers end a stage than one, each with the same number of requests in flight."""
    shards = max(4, round(_SHARDS * setup.share))
    with endpoint(OWN_ENDPOINT, latency=_LATENCY) as at, scratch() as folder:
        one = _stage(at, folder / "one", "dask", shards, _USERS, workers=1)
        two = _stage(at, folder / "two", "dask", shards, _USERS, workers=2)
    ideal = shards * _USERS * 10 * _LATENCY / _EACH
    return Figure(
        one["wall"] / two["wall"],
        f"{shards} shards of {_USERS * 10} samples: {one['wall']:.1f} s with one worker (ideal {ideal:.1f}), "
        f"{two['wall']:.1f} s with two; before that {two['start']:.0f} s to start server and workers; "
        f"{two['cpu'] / shards * 1000:.0f} ms of the driver's processor a shard",
    )


def prefect_share(setup: Setup) -> Figure:
    """Measure Prefect's own share of the wall time of a stage of 100 shards, its server's start apart."""
    plain, prefect, shards = _watched(setup)
    return Figure(
        (prefect["wall"] - plain["wall"]) / prefect["wall"],
        f"{shards} shards: {plain['wall']:.1f} s plain, {prefect['wall']:.1f} s as Prefect tasks, and "
        f"{prefect['start'] - plain['start']:.1f} s for the start of the server",
    )


@cache
def _watched(setup: Setup) -> tuple[dict[str, float], dict[str, float], int]:
    shards = max(10, round(_MANY * setup.share))
    with endpoint(OWN_ENDPOINT, latency=_LATENCY) as at, scratch() as folder:
        plain = _stage(at, folder / "plain", "plain", shards, _WATCHED)
        prefect = _stage(at, folder / "prefect", "prefect", shards, _WATCHED)
    return plain, prefect, shards


def _stage(
    at: Endpoint, out: Path, engine: str, shards: int, users: int, workers: int = 1
) -> dict[str, float]:
    """Return what `bench.shards` printed, once every request was answered by the endpoint."""
    at.reset()
    words = {
        "--port": at.port,
        "--out": out,
        "--engine": engine,
        "--shards": shards,
        "--users": users,
        "--workers": workers,
        "-c": _EACH * workers,
    }
    command = [str(word) for pair in words.items() for word in pair]
    with child("-m", "bench.shards", *command, stdout=subprocess.PIPE) as process:
        printed, _ = process.communicate()
        if process.returncode:
            raise Unusable(f"{engine} ended with exit code {process.returncode}")
    asked = at.get("/count")
    if asked["requests"] < shards * users * 10:
        raise Unusable(
            f"{engine}: {asked['requests']} requests, and there were {shards * users * 10} to make"
        )
    took: dict[str, float] = json.loads(printed.splitlines()[-1])
    print(f"  {engine}, {workers}: {took}, {asked['requests']} requests", flush=True)
    return took
