"""A finished run with what an export has to cope with: two shards, hostile text, a draft and a score that failed."""

import asyncio
from pathlib import Path

import polars as pl

from prose_data.config import parse_config
from prose_data.manifest import write_manifest
from prose_data.runs import Run
from prose_data.stages import run_all

HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"> \N{GRINNING FACE} \x01 attachment://0 "
METHODS = ["no_learning", "cipher_1", "prose:steps=2", "oracle"]
CONFIG = {
    "name": "trial",
    "seeds": [7, 8],
    "tasks": ["email", "summarization"],
    "samples": {"per_user": 2},
    "methods": METHODS,
    "metrics": ["ppcm", "recovery", "edit_distance"],
    "shards": {"users": 5},
}


def finished(path: Path, **changes: object) -> Run:
    """Return a run of the simulated model as it comes."""
    run = asyncio.run(run_all(parse_config({**CONFIG, **changes}, "test"), path))
    write_manifest(run)
    return run


def damaged(path: Path) -> tuple[Run, str, str]:
    """Return such a run, the inference of `oracle` whose draft failed, and that of `cipher_1` whose ppcm failed."""
    run = finished(path)
    shard, scores = 1, pl.read_parquet(run.part("scores", 1))
    inferences = pl.read_parquet(run.part("inferences", shard))
    lost, unscored = (
        inferences.filter(pl.col("method") == method, pl.col("step") == 1)["inference_id"][0]
        for method in ("oracle", "cipher_1")
    )
    said = pl.concat_str(pl.lit(HOSTILE), pl.col("draft"))
    kept = inferences.filter(pl.col("inference_id") != lost).with_columns(draft=said)
    run.write("inferences", kept, shard)
    gone = (pl.col("inference_id") == unscored) & (pl.col("metric") == "ppcm")
    run.write("scores", scores.filter(pl.col("inference_id") != lost, ~gone), shard)
    for stage, key, reason in (
        ("infer", lost, "endpoint"),
        ("score", f"{unscored}/ppcm", "unreadable_verdict"),
    ):
        row = {"failure_id": key, "stage": stage, "key": key, "reason": reason, "message": HOSTILE}
        run.write("failures", pl.DataFrame([row]), shard, stage)
    write_manifest(run)
    return run, lost, unscored
