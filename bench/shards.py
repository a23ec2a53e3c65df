"""The project's side of `bench.cluster`: the samples of a run of many shards, by one engine, from an endpoint that answers
every request alike.

python -m bench.shards --port 8899 --out FOLDER --engine dask --shards 16 [--users 4] [--workers 2] [-c 8]

It prints one JSON object: `start` is what passes until the first shard may begin, `wall` what passes from then on until the
run is over, both in seconds, and `cpu` the processor seconds of this process in that time.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path

from prose_data.config import Config, parse_config
from prose_data.llm.meter import Meter
from prose_data.stages import run_all
from prose_data.values import Stage

_ROLES = ("human", "writer", "inferrer", "judge")
_SEEDS = 10


def config_for(options: argparse.Namespace) -> Config:
    """Return a run in which every user has one sample of ten seeds to write; `-c` is for all workers together."""
    model = {
        "backend": "openai",
        "model": "mock",
        "base_url": f"http://127.0.0.1:{options.port}/v1",
        "concurrency": options.c,
    }
    settings = {
        "space": "style",
        "users": {"count": options.shards * options.users},
        "seeds": list(range(_SEEDS)),
        "samples": {"per_user": 1, "attempts": 1},
        "methods": ["no_learning"],
        "metrics": [],
        "shards": {"users": options.users},
        "models": {"mock": model},
        "roles": dict.fromkeys(_ROLES, "mock"),
        "engine": {"workers": options.workers},
    }
    return parse_config(settings, "bench")


def measure(config: Config, out: Path, engine: str) -> dict[str, float]:
    """Return what the stage took."""
    heard: list[tuple[float, float]] = []

    def note(stage: Stage, done: int, total: int) -> None:
        heard.append((time.monotonic(), time.process_time()))

    began = time.monotonic()
    if engine == "plain":
        asyncio.run(run_all(config, out, note, ["synthesize"], Meter(config.budget)))
    else:
        from flows.pipeline import run_pipeline

        run_pipeline(config, out, note, ["synthesize"], engine=engine)  # type: ignore[arg-type]
    first, used = heard[0]
    return {
        "start": first - began,
        "wall": time.monotonic() - first,
        "cpu": time.process_time() - used,
    }


def main() -> None:
    """Do the stage, and print what it took."""
    parser = argparse.ArgumentParser(description="A stage of many shards.")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--engine", default="plain")
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-c", type=int, default=8)
    options = parser.parse_args()
    print(json.dumps(measure(config_for(options), options.out, options.engine)))


if __name__ == "__main__":
    main()
