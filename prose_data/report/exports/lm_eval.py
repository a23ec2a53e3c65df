"""`results.json` in the layout that lm-evaluation-harness 0.4.13 writes, so that its table and its readers take it.

A task is one method on one kind of writing; a method is the group of its tasks, whose values are over all users (not the
mean of the tasks' means). The model is the one that writes the drafts. `stderr` is from resampling users
(`stats.standard_errors`), "N/A" where they are too few, as the harness writes it. A metric that is undefined for a method,
or of which no value could be read, is absent. Of `n-samples`, `original` are the drafts that the run wanted and
`effective` those that were made; how many values of each metric are there and missing is in the task's `metadata`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.report.basis import LOWER_IS_BETTER
from prose_data.report.exports.measured import (
    Measure,
    measured,
    models_of,
    of_kind,
    solver_of,
    task_name,
    wanted_drafts,
)
from prose_data.report.summary import Tables, simulated_notice
from prose_data.runs import Run, land
from prose_data.stats import DRAWS

_FILTER = "none"  # the harness's name for replies that are scored as they are
# Settings of the harness that a run of ours does not have.
_NOT_OURS = (
    *("batch_size", "batch_sizes", "device", "use_cache", "limit", "gen_kwargs"),
    *("random_seed", "numpy_seed", "torch_seed", "fewshot_seed"),
)
_PARTS = (
    "results",
    "groups",
    "group_subtasks",
    "configs",
    "versions",
    "n-shot",
    "higher_is_better",
    "n-samples",
)


def write_results(run: Run, tables: Tables, manifest: Mapping[str, Any], out: Path) -> list[Path]:
    """Write `results.json` of a run to the file `out` and return it. Raises InputError for another kind of file."""
    if out.suffix != ".json" or out.is_dir():
        raise InputError(f"--out {out}: lm-eval's results are one file, whose name must end in .json")
    text = json.dumps(results_of(run, tables, manifest), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    land(out, lambda file: file.write(text.encode()))
    return [out]


def results_of(run: Run, tables: Tables, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of `results.json`; `manifest` is the run's."""
    config, there = run.config, set(tables.users["task"])
    kinds = [kind for kind in config.tasks if kind in there]
    tasks = {kind: _tasks(config, of_kind(tables, kind), kind) for kind in kinds}
    whole = measured(config, tables)
    found: dict[str, dict[str, Any]] = {part: {} for part in _PARTS}
    for method in config.methods:
        entries = {task_name(config, method): _group(config, tables, method, kinds, whole[method])}
        entries |= {task_name(config, method, kind): tasks[kind][method] for kind in kinds}
        for name, entry in entries.items():
            for part, value in {**entry, "versions": manifest["version"]}.items():
                found[part][name] = value
    notice = simulated_notice(config)
    return {**({"notice": notice} if notice else {}), **found, **_origin(config, manifest)}


def _group(
    config: Config, tables: Tables, method: str, kinds: Sequence[str], measures: Mapping[str, Measure]
) -> dict[str, Any]:
    """Return what each part of the results says of a method over all kinds of writing."""
    drafts, name = _drafts(tables, method), task_name(config, method)
    values = {"name": name, "alias": method, "sample_len": drafts.height, **_values(measures)}
    return {
        "results": values,
        "groups": values,
        "group_subtasks": [task_name(config, method, kind) for kind in kinds],
        "n-shot": _shots(drafts),
        "higher_is_better": _higher(measures),
    }


def _tasks(config: Config, tables: Tables, kind: str) -> dict[str, dict[str, Any]]:
    """Return by method what each part of the results says of it on one kind of writing, whose rows `tables` has."""
    return {
        method: _task(config, tables, method, kind, measures)
        for method, measures in measured(config, tables).items()
    }


def _task(
    config: Config, tables: Tables, method: str, kind: str, measures: Mapping[str, Measure]
) -> dict[str, Any]:
    drafts, name = _drafts(tables, method), task_name(config, method, kind)
    return {
        "results": {"name": name, "alias": kind, "sample_len": drafts.height, **_values(measures)},
        "configs": _task_config(config, tables, method, kind, measures),
        "n-shot": _shots(drafts),
        "higher_is_better": _higher(measures),
        "n-samples": {"original": wanted_drafts(config, tables), "effective": drafts.height},
    }


def _drafts(tables: Tables, method: str) -> pl.DataFrame:
    return tables.inferences.filter(pl.col("method") == method)


def _shots(drafts: pl.DataFrame) -> int:
    """Return the most of a user's samples that a method had seen before a draft."""
    return max(drafts["step"].to_list(), default=0)


def _task_config(
    config: Config, tables: Tables, method: str, kind: str, measures: Mapping[str, Measure]
) -> dict[str, Any]:
    solver, parameters = solver_of(method)
    return {
        "task": task_name(config, method, kind),
        "dataset_path": config.name,
        "dataset_name": Path(config.space).stem,
        "output_type": "generate_until",
        "repeats": len(config.seeds),
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": better}
            for metric, better in _higher(measures).items()
        ],
        "metadata": {
            "method": solver,
            "parameters": parameters,
            "users": tables.users.height,
            "seeds": list(config.seeds),
            "values": {
                metric: {"n": one.n, "failed": one.failed, "low": one.low, "high": one.high}
                for metric, one in measures.items()
            },
            "stderr": f"by user, from {DRAWS} bootstrap draws; low and high are the 95 % interval",
        },
    }


def _values(measures: Mapping[str, Measure]) -> dict[str, float | str]:
    """Return `metric,none` and `metric_stderr,none` of each metric that has a mean."""
    found: dict[str, float | str] = {}
    for metric, one in measures.items():
        if one.mean is not None:
            found[f"{metric},{_FILTER}"] = one.mean
            found[f"{metric}_stderr,{_FILTER}"] = "N/A" if one.stderr is None else one.stderr
    return found


def _higher(measures: Mapping[str, Measure]) -> dict[str, bool]:
    return {metric: metric not in LOWER_IS_BETTER for metric in measures}


def _origin(config: Config, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of the results that say what was run, with which models, when."""
    writer = config.model_of("writer")
    return {
        "config": {
            "model": writer.backend,
            "model_args": f"model={writer.model},{models_of(manifest)}",
            **dict.fromkeys(_NOT_OURS),
            "bootstrap_iters": DRAWS,
        },
        "git_hash": manifest["commit"],
        "date": datetime.fromisoformat(manifest["written"]).timestamp(),
        "pretty_env_info": f"prose-data {manifest['version']}, Python {manifest['python']}",
        "transformers_version": None,
        "lm_eval_version": None,
        "task_hashes": {},
        "model_source": writer.backend,
        "model_name": writer.model,
        "model_name_sanitized": re.sub(r"[^\w.-]+", "__", writer.model),
        "system_instruction": None,
        "chat_template": None,
    }
