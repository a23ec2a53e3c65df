"""How long the summary of a run with a million scores takes, from its tables on disk, and how much memory.

python -m bench.summary RUN

is the process that is measured: it reads the tables of a run, makes the summary and prints one JSON object.
"""

import json
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from bench.children import child
from bench.engine import peak_mb
from bench.speed import scratch
from bench.values import Figure, Setup, Unusable
from prose_data.config import Config, Samples, Shards, Users, dump_config
from prose_data.report import tables_of
from prose_data.report.summary import summarize
from prose_data.runs import CONFIG, Run, load_run
from prose_data.stats import DRAWS
from prose_data.stats.comparison import FLIPS
from prose_data.streams import numpy_stream
from schemas import SCHEMAS

ROWS = 1_000_000  # of scores
_SHARDS, _STEPS = 20, 5
_COMPONENTS = ("be highly inquisitive", "include alliterations", "use emojis", "write using bullet points")
_INFERRING = ("cipher_1", "cipher_n", "prose", "prose_icl", "oracle")
# Metrics with one value per draft, and their highest value; the second kind is there for methods that infer.
_OF_DRAFTS = {
    "cpm": 2,
    "edit_distance": 300,
    "edit_distance_normalised": 1,
    "faithfulness": 4,
    "coherence": 100,
}
_OF_DESCRIPTIONS = {
    "recovery_f1": 1, "recovery_precision": 1, "recovery_recall": 1, "identification": 1, "description_length": 200,
    "similarity": 4, "topic_leak": 1,
}  # fmt: skip
MANIFEST = {"version": "", "prompts": {}, "rungs": {}, "samples": {"rejected": {}}}


def seconds(setup: Setup) -> Figure:
    """Measure the seconds from a run's tables on disk to its whole summary, with 2,000 draws of users."""
    took, _, absolute = _measured(setup)
    return Figure(took, absolute)


def memory(setup: Setup) -> Figure:
    """Measure the most memory of the process that makes the summary."""
    _, most, absolute = _measured(setup)
    return Figure(most, absolute)


@cache
def _measured(setup: Setup) -> tuple[float, float, str]:
    with scratch() as folder:
        rows, users = write_run(folder / "run", setup.some(ROWS, 10_000))
        with child("-m", "bench.summary", folder / "run", stdout=subprocess.PIPE) as process:
            printed, _ = process.communicate()
        if process.returncode:
            raise Unusable(f"the summary ended with exit code {process.returncode}")
    found = json.loads(printed)
    absolute = (
        f"{rows:,} scores of {users:,} users and {found['methods']} methods in {found['metrics']} metrics: "
        f"{found['read']:.1f} s to read, {found['seconds'] - found['read']:.1f} s for {DRAWS:,} draws and {FLIPS:,} flips of "
        f"{found['estimates']:,} estimates; {found['cpu']:.1f} s of a processor; {found['peak_mb']:.0f} MB at most"
    )
    return found["seconds"], found["peak_mb"], absolute


def write_run(path: Path, rows: int) -> tuple[int, int]:
    """Write the tables of a run with about so many scores, in shards, and return how many they are and the users."""
    config = Config()
    methods = len(config.methods)
    each = methods * (len(_COMPONENTS) + len(_OF_DRAFTS))
    each += len(_INFERRING) * (len(_COMPONENTS) + len(_OF_DESCRIPTIONS))
    users = max(_SHARDS, round(rows / each / _STEPS))
    config = config.model_copy(
        update={
            "space": "style", "seeds": (0,), "users": Users(count=users), "samples": Samples(per_user=_STEPS),
            "shards": Shards(users=-(-users // _SHARDS)),
        }
    )  # fmt: skip
    path.mkdir()
    (path / CONFIG).write_text(dump_config(config))
    run, written = Run(path, config), 0
    for shard in range(_SHARDS):
        first, stop = (number * users // _SHARDS for number in (shard, shard + 1))
        written += _write_shard(run, shard, first, stop)
    return written, users


def _write_shard(run: Run, shard: int, first: int, stop: int) -> int:
    """Write the tables of some users and return the number of their scores."""
    rng, number = numpy_stream(0, "bench", "summary", shard), stop - first
    names = pl.Series("user_id", [f"style-{index:07d}" for index in range(first, stop)])
    users = pl.DataFrame(
        {
            "user_id": names, "task": ["email", "summarization"] * (number // 2) + ["email"] * (number % 2),
        }
    ).with_columns(
        space=pl.lit("style"), source=pl.lit("imdb"), persona=pl.lit(""), seed=pl.lit(0, pl.Int64),
        components=pl.lit(list(_COMPONENTS), pl.List(pl.String)),
    )  # fmt: skip
    run.write("users", users.select(list(_columns("users"))), shard)
    cells = users.select("user_id", seed="seed").join(
        pl.DataFrame({"step": range(_STEPS)}, schema={"step": pl.Int64}), how="cross"
    )
    cells = cells.with_columns(document_id=pl.format("d{}-{}", pl.col("user_id").str.tail(2), pl.col("step")))
    samples = cells.with_columns(
        sample_id=pl.format("s{}-{}", pl.col("user_id"), pl.col("step")), model=pl.lit("sim-strong"),
        text=pl.Series(_texts(rng, cells.height)), attempt=pl.lit(1, pl.Int64), split=pl.lit("learn"),
    )  # fmt: skip
    run.write("samples", samples.select(list(_columns("samples"))), shard)
    run.write("failures", pl.DataFrame(schema=_columns("failures")), shard, "score")
    inferences = cells.join(pl.DataFrame({"method": list(run.config.methods)}), how="cross")
    inferences = inferences.with_columns(
        inference_id=pl.concat_str("method", "user_id", pl.col("step").cast(pl.String), separator="-"),
        components=pl.lit(list(_COMPONENTS), pl.List(pl.String)), description=pl.lit("; ".join(_COMPONENTS)),
        confidences=pl.lit(None, pl.List(pl.Float64)), draft=pl.lit("A draft."), model=pl.lit("sim-strong"),
        calls=pl.lit(5, pl.Int64), cost_usd=pl.lit(0.001),
        **{name: pl.Series(rng.integers(100, 900, inferences.height)) for name in ("prompt_tokens", "completion_tokens")},
    )  # fmt: skip
    run.write("inferences", inferences.select(list(_columns("inferences"))), shard)
    scores = _scores(rng, inferences)
    run.write("scores", scores, shard)
    return scores.height


def _scores(rng: np.random.Generator, inferences: pl.DataFrame) -> pl.DataFrame:
    inferring = inferences.filter(pl.col("method").is_in(_INFERRING))
    wanted = [(inferences, "ppcm", component, 2.0) for component in _COMPONENTS]
    wanted += [(inferring, "recovered", component, 1.0) for component in _COMPONENTS]
    wanted += [(inferences, metric, "", float(most)) for metric, most in _OF_DRAFTS.items()]
    wanted += [(inferring, metric, "", float(most)) for metric, most in _OF_DESCRIPTIONS.items()]
    parts = [
        of.select(
            "inference_id", "user_id", "method", "seed", "step", metric=pl.lit(metric), component=pl.lit(component),
            value=pl.Series(np.clip(rng.normal(0.6, 0.25, of.height), 0, 1) * most), verdict=pl.lit("clearly exhibits"),
            judge=pl.lit("sim-strong"),
        )
        for of, metric, component, most in wanted
    ]  # fmt: skip
    return pl.concat(parts).select(list(_columns("scores")))


def _texts(rng: np.random.Generator, number: int) -> list[str]:
    """Return texts of 150 words, frequent and rare ones as in a language."""
    words = np.array([f"word{rank}" for rank in range(20_000)])
    ranks = np.minimum(rng.zipf(1.3, size=(number, 150)), len(words)) - 1
    return [" ".join(row) for row in words[ranks]]


def _columns(table: str) -> dict[str, pl.DataType]:
    return dict(SCHEMAS[table].create_empty().schema)


def main() -> None:
    """Make the summary of a run and print what it took."""
    run = load_run(Path(sys.argv[1]))
    began, used = time.perf_counter(), time.process_time()
    tables = tables_of(run)
    read = time.perf_counter() - began
    summary = summarize(run.config, tables, MANIFEST)
    took, cpu = time.perf_counter() - began, time.process_time() - used
    means = [estimate for row in summary["methods"].values() for estimate in row.values()]
    curves = [
        one for curve in summary["curves"].values() for points in curve["methods"].values() for one in points
    ]
    gaps = [one for row in summary["gap_closed"].values() for one in row.values()]
    print(
        json.dumps(
            {
                "seconds": took,
                "cpu": cpu, "read": read, "peak_mb": peak_mb(), "methods": len(summary["methods"]),
                "metrics": len(summary["curves"]),
                "estimates": sum(map(len, (means, curves, gaps, summary["paired"]))),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
