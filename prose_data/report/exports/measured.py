"""What the exports have in common: names of tasks, and each method's means with standard errors from resampling users."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from prose_data.config import Config
from prose_data.methods.named import base, parameters
from prose_data.report.summary import Tables, in_order, missing_values
from prose_data.stats import estimates, panel, standard_errors
from prose_data.stats.values import per_inference


@dataclass(frozen=True, slots=True)
class Measure:
    """A method's mean in one metric over `n` values, with its 95 % interval and standard error (None: too few users);
    `failed` values are missing. `mean` is None where all are."""

    mean: float | None
    low: float | None
    high: float | None
    stderr: float | None
    n: int
    failed: int


def task_name(config: Config, method: str, kind: str = "") -> str:
    """Return what a method's task is called, as a whole or for one kind of writing: `prose_data_plume_prose_email`."""
    return "_".join(filter(None, ("prose_data", Path(config.space).stem, method, kind)))


def solver_of(method: str) -> tuple[str, dict[str, Any]]:
    """Return a method's name without its parameters, and these."""
    return base(method), dict(parameters(method))


def measured(config: Config, tables: Tables) -> dict[str, dict[str, Measure]]:
    """Return per method its metrics in the report's order; those that are undefined for it are not there.

    Means are over users and demonstrations, the standard error is that of `stats.standard_errors`: by user.
    """
    sides = panel(per_inference(tables.scores, tables.inferences), ["method", "metric"])
    metrics = in_order({str(metric) for _, metric in sides.rows})
    failed = missing_values(config, tables, metrics, sides.rows.keys())
    keys = [(method, metric) for method in config.methods for metric in metrics]
    ratios = [sides.mean(key) for key in keys]
    found: dict[str, dict[str, Measure]] = {method: {} for method in config.methods}
    for key, one, error in zip(keys, estimates(ratios), standard_errors(ratios), strict=True):
        lost = failed.get(key, 0)
        if one is not None:
            found[key[0]][key[1]] = Measure(one.mean, one.low, one.high, error, one.n, lost)
        elif lost:
            found[key[0]][key[1]] = Measure(None, None, None, None, 0, lost)
    return found


def of_kind(tables: Tables, kind: str) -> Tables:
    """Return the rows of the users with one kind of writing, in the tables that `measured` reads; of failures all."""
    users = tables.users.filter(pl.col("task") == kind)
    ids = users.select("user_id")
    kept = {
        table: getattr(tables, table).join(ids, on="user_id", how="semi")
        for table in ("samples", "inferences", "scores")
    }
    return replace(tables, users=users, **kept)


def wanted_drafts(config: Config, tables: Tables) -> int:
    """Return how many drafts each method was to make: one per sample, or per round where users answer drafts."""
    if config.framework == "prelude":
        return tables.users.height * len(config.seeds) * config.rounds
    return tables.samples.height


def models_of(manifest: Mapping[str, Any]) -> str:
    """Return the model of each role as `human=…,writer=…`."""
    return ",".join(f"{role}={model}" for role, model in manifest["models"].items())
