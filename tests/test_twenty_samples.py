"""After twenty samples a description of our own methods is short and speaks of writing, not of what the samples are about."""

import asyncio
from pathlib import Path

import polars as pl
import pytest

from prose_data.config import load_config
from prose_data.stages import run_all

OURS = ("prose_plus", "stylometric")


@pytest.mark.slow
def test_descriptions_stay_short_and_name_no_topic_word(tmp_path: Path) -> None:
    settings = ["users.count=4", f"methods=[{', '.join(OURS)}]", "metrics=[recovery, topic_leak]"]
    run = asyncio.run(run_all(load_config(Path("few"), settings), tmp_path / "run"))
    last = run.read("inferences").filter(step=20)
    words = last.group_by("method").agg(pl.col("description").str.split(" ").list.len().max())
    assert {method: most < 120 for method, most in words.iter_rows()} == dict.fromkeys(OURS, True)
    leaks = run.read("scores").filter(metric="topic_leak").select("method", "value")
    assert leaks["method"].n_unique() == len(OURS) and leaks["value"].max() == 0.0
    recall = run.read("scores").filter(metric="recovery_recall", step=20, method="prose_plus")["value"]
    assert recall.mean() > 0.8  # short by leaving nothing out
