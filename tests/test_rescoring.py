"""Making stages anew from replies that are there already: nothing is sent, and the tables are the same."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from prose_data.config import Config, parse_config
from prose_data.report import make_report
from prose_data.runs import load_run
from prose_data.simulator.server import Faults, make_app, running
from prose_data.stages import run_all

TINY = {
    "seeds": [0],
    "tasks": ["email"],
    "users": {"count": 2},
    "samples": {"per_user": 2},
    "methods": ["no_learning", "prose"],
    "metrics": ["ppcm", "recovery", "similarity", "faithfulness", "coherence", "edit_distance"],
    "shards": {"users": 1},
}


@asynccontextmanager
async def served(model: str) -> AsyncIterator[tuple[Callable[..., Config], Callable[[], Awaitable[int]]]]:
    """Serve a simulated model over HTTP; give a maker of configurations, and what says how many requests there were."""
    async with running(make_app(Faults())) as url, aiohttp.ClientSession() as session:

        def make(**changes: Any) -> Config:
            models = {"default": {"backend": "openai", "model": model, "base_url": f"{url}/v1"}}
            return parse_config({**TINY, "models": models, **changes}, "test")

        async def requests() -> int:
            async with session.get(f"{url}/count") as answer:
                return int((await answer.json())["requests"])

        yield make, requests


def test_stages_that_are_made_anew_send_no_request(tmp_path: Path) -> None:
    """Every reply is read anew, those that can't be read and their corrections as well."""
    out = tmp_path / "run"

    async def drive() -> tuple[int, int]:
        async with served("sim-weak") as (make, requests):
            run = await run_all(make(), out)
            before = {table: run.read(table) for table in ("samples", "inferences", "scores", "failures")}
            asked = await requests()
            assert asked > 50 and "correction" in run.read("requests")["rung"]
            make_report(run)
            report = (out / "report.md").read_bytes()
            for place in range(3):
                for table in ("samples", "inferences", "scores")[place:]:
                    shutil.rmtree(out / table)
                (out / "manifest.json").unlink()
                run = await run_all(load_run(out).config, out)
                for table, rows in before.items():
                    assert run.read(table).equals(rows), table
                make_report(run)
                assert (out / "report.md").read_bytes() == report
            return asked, await requests()

    asked, then = asyncio.run(drive())
    assert then == asked


def test_another_metric_asks_for_its_own_replies_only(tmp_path: Path) -> None:
    """A run with more metrics on the same store scores the same drafts."""

    async def drive() -> tuple[int, int, int]:
        async with served("sim-strong") as (make, requests):
            store = str(tmp_path / "store.sqlite")
            run = await run_all(make(store=store, metrics=["ppcm", "quoted"]), tmp_path / "few")
            asked = await requests()
            more = make(store=store, metrics=["ppcm", "quoted", "text_likeness", "coherence"])
            await run_all(more, tmp_path / "more")
            return asked, await requests(), run.read("inferences")["draft"].n_unique()

    asked, then, drafts = asyncio.run(drive())
    assert drafts <= then - asked <= 2 * drafts, "coherence is asked once a draft, now and then corrected"
