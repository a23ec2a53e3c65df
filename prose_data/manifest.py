"""The manifest: what a run was made with and what came of it, in one file that is written when all tables are there.

Everything is counted from the run folder, so a run that was interrupted and resumed says the same as one that was not
(apart from times, and from requests whose shard was lost: these count again as answered by the store).
"""

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from prose_data import __version__
from prose_data.config import ROLES, Config, Model
from prose_data.llm.prices import price_of, price_source
from prose_data.prompts import prompt_hashes
from prose_data.runs import MANIFEST, Run, failed_share, write_json
from prose_data.samples import acceptance
from schemas import SCHEMAS

_LIBRARIES = ("dataframely", "numpy", "openai", "polars", "prefect", "pyarrow", "pydantic")


def write_manifest(run: Run) -> dict[str, Any]:
    """Write `manifest.json` of a run whose stages are all done, and return its content."""
    manifest = {
        **origin_of(run.config),
        "rows": {table: run.count(table) for table in SCHEMAS},
        "documents": next(iter(run.read_counts("documents")), {}),
        "samples": acceptance(_sum(run.read_counts("synthesize-*"))),
        "failures": failures_by_reason(run),
        "failed_share": failed_share(run),
        "requests": requests_by_source(run),
        "rungs": _rungs(run),
    }
    write_json(run.path / MANIFEST, manifest)
    return manifest


def origin_of(config: Config) -> dict[str, Any]:
    """Return what a manifest says of how its tables were made: configuration, code, models, prompts, libraries, time."""
    return {
        "name": config.name,
        "version": __version__,
        "commit": _commit(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": config.model_dump(mode="json"),
        "seeds": list(config.seeds),
        "models": {role: config.model_of(role).model for role in ROLES},
        "prices": {role: _price(config.model_of(role)) for role in ROLES},
        "prompts": prompt_hashes(),
        "python": sys.version.split()[0],
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def _price(model: Model) -> dict[str, Any] | None:
    """Return US dollars per million tokens and where they are from; None where the price is unknown."""
    price = price_of(model)
    return None if price is None else {**price.model_dump(), "source": price_source(model)}


def failures_by_reason(run: Run) -> dict[str, dict[str, int]]:
    """Return stage -> reason -> number of failures."""
    return _counted(run, "failures", "reason")


def _rungs(run: Run) -> dict[str, dict[str, int]]:
    """Return stage -> rung -> number of replies; each `correction` follows another reply that could not be read."""
    return _counted(run, "requests", "rung")


def _counted(run: Run, table: str, column: str) -> dict[str, dict[str, int]]:
    """Return stage -> value of `column` -> number of rows."""
    counted = run.scan(table).group_by("stage", column).len().sort("stage", column).collect()
    stages: dict[str, dict[str, int]] = {}
    for stage, value, number in counted.iter_rows():
        stages.setdefault(stage, {})[value] = number
    return stages


def requests_by_source(run: Run) -> dict[str, dict[str, dict[str, Any]]]:
    """Return stage -> source -> requests, tokens and US dollars (null where a price is unknown)."""
    counted = (
        run.scan("requests")
        .group_by("stage", "source")
        .agg(
            requests=pl.len(),
            prompt_tokens=pl.col("prompt_tokens").sum(),
            completion_tokens=pl.col("completion_tokens").sum(),
            cost_usd=pl.when(pl.col("cost_usd").is_not_null().all()).then(pl.col("cost_usd").sum()),
        )
        .sort("stage", "source")
        .collect()
    )
    stages: dict[str, dict[str, dict[str, Any]]] = {}
    for row in counted.iter_rows(named=True):
        stages.setdefault(row.pop("stage"), {})[row.pop("source")] = row
    return stages


def _sum(counts: list[dict[str, Any]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return total


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit of the checkout this code runs from; None once installed, or without git."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
