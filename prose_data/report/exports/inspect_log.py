"""Inspect logs of a run, one `.eval` file per method, which `inspect view` opens and `inspect_ai.log` reads.

A log is a zip archive of JSON files in the layout of inspect_ai's log format 2: `header.json` with what was run and its
results, a file per sample, and `summaries.json` for the viewer's list. It is written without inspect_ai, sample by sample,
so that memory stays flat. Means and their standard errors are those of the report: over users and demonstrations, `stderr`
from resampling users. As each draft counts once, there are no reductions over epochs. A run keeps no times of its parts:
all times are when its manifest was written, and so are parts of the files' names.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.report.exports.inspect_samples import Json, samples_of
from prose_data.report.exports.measured import Measure, measured, solver_of, task_name
from prose_data.report.summary import Tables, simulated_notice
from prose_data.runs import Run, land
from prose_data.streams import digest

_FORMAT = 2  # of inspect_ai's logs
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can state: equal runs give equal bytes
_UNIX = 3
_LEVEL = 5  # of compression, as inspect_ai's own
_SHOWN = 300  # characters of a document in the viewer's list
_CLUSTER = {"cluster": "user_id"}


def write_logs(run: Run, tables: Tables, manifest: Mapping[str, Any], out: Path) -> list[Path]:
    """Write a log of each method of a run into the folder `out` and return them.

    Raises InputError where `out` is a file or cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: must be a folder for the logs ({error.strerror})") from None
    model = model_name(run.config)
    documents = dict(run.scan("documents").select("document_id", "text").collect().iter_rows())
    measures = measured(run.config, tables)
    with ExitStack() as stack:
        logs = {method: stack.enter_context(_opened(out)) for method in run.config.methods}
        for shard in range(len(run.parts("users"))):
            for method, sample in samples_of(run, shard, documents, model):
                logs[method].add(sample)
        paths = []
        for method, log in logs.items():
            head = _header(run.config, manifest, method, measures[method], log)
            log.finish(head)
            paths.append(out / file_name(head["eval"]))
            land(paths[-1], log.copy_to)
    return paths


def model_name(config: Config) -> str:
    """Return the model that writes the drafts, with its backend in front, as Inspect names models; where another one
    infers, both: tokens of a draft are not told apart."""
    roles = [config.model_of("writer"), config.model_of("inferrer")]
    return "+".join(dict.fromkeys(f"{model.backend}/{model.model}" for model in roles))


@dataclass(slots=True)
class _Log:
    """A log that is being written: its `archive` in `file`, and beside it the `summaries` of its samples."""

    file: IO[bytes]
    summaries: IO[bytes]
    archive: ZipFile
    ids: list[str] = field(default_factory=list)
    failed: int = 0
    tokens: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, sample: Json) -> None:
        """Write one sample."""
        self._write(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", orjson.dumps(sample))
        self.summaries.write((b",\n" if self.ids else b"") + orjson.dumps(summarized(sample)))
        self.ids.append(sample["id"])
        self.failed += "error" in sample
        for model, usage in sample.get("model_usage", {}).items():
            total = self.tokens.setdefault(model, dict.fromkeys(usage, 0))
            for kind, number in usage.items():
                total[kind] += number

    def finish(self, head: Json) -> None:
        """Write what is there once, and end the archive."""
        entry = _entry("summaries.json")
        entry.file_size = self.summaries.tell() + 2  # said beforehand: the viewer reads no sizes of 64 bits
        self.summaries.seek(0)
        with self.archive.open(entry, "w") as target:
            target.write(b"[")
            copyfileobj(self.summaries, target)
            target.write(b"]")
        start = {key: head[key] for key in ("version", "eval", "plan")}
        self._write("_journal/start.json", orjson.dumps(start))
        self._write("header.json", orjson.dumps(head))
        self.archive.close()

    def copy_to(self, file: IO[bytes]) -> None:
        """Copy the whole archive to `file`."""
        self.file.seek(0)
        copyfileobj(self.file, file)

    def _write(self, name: str, content: bytes) -> None:
        self.archive.writestr(_entry(name), content, ZIP_DEFLATED, _LEVEL)


@contextmanager
def _opened(folder: Path) -> Iterator[_Log]:
    """Open a log in unnamed files on the disk of `folder`."""
    with (
        tempfile.TemporaryFile(dir=folder) as file,
        tempfile.TemporaryFile(dir=folder) as summaries,
        ZipFile(file, "w") as archive,
    ):
        yield _Log(file, summaries, archive)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _FIRST_DAY)
    entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, _UNIX, 0o644 << 16
    return entry


def summarized(sample: Json) -> Json:
    """Return what the viewer's list shows of a sample: the beginning of its document, and of its scores the values."""
    kept = {key: sample[key] for key in ("id", "epoch", "target")}
    document = sample["input"]
    kept["input"] = document if len(document) <= _SHOWN else f"{document[:_SHOWN]}…"
    if "scores" in sample:
        kept["scores"] = {
            name: {key: score[key] for key in ("value", "answer") if key in score}
            for name, score in sample["scores"].items()
        }
    if "error" in sample:
        kept["error"] = sample["error"]["message"]
    return kept


def file_name(spec: Mapping[str, Any]) -> str:
    """Return a log's name as Inspect makes it: time, task and id, of which only the marks between them are `_`."""
    parts = (re.sub(r"[^\w.+-]|_", "-", spec[key]) for key in ("created", "task", "task_id"))
    return "_".join(parts) + ".eval"


def _header(
    config: Config, manifest: Mapping[str, Any], method: str, measures: Mapping[str, Measure], log: _Log
) -> Json:
    """Return what was run and what came of it: the content of `header.json`."""
    solver, parameters = solver_of(method)
    written, total = manifest["written"], len(log.ids)
    return {
        "version": _FORMAT,
        "status": "success",
        "eval": _spec(config, manifest, method, measures, log.ids),
        "plan": {"name": "plan", "steps": [{"solver": solver, "params": parameters}], "config": {}},
        "results": {
            "total_samples": total,
            "completed_samples": total - log.failed,
            "scores": [_result(metric, one) for metric, one in measures.items() if one.mean is not None],
        },
        "stats": {"started_at": written, "completed_at": written, "model_usage": log.tokens},
    }


def _spec(
    config: Config, manifest: Mapping[str, Any], method: str, measures: Mapping[str, Measure], ids: list[str]
) -> Json:
    notice, written, space = simulated_notice(config), manifest["written"], Path(config.space).stem
    run_id = digest("inspect run", config.name, written)
    solver, parameters = solver_of(method)
    metrics = [{"name": "mean"}, {"name": "stderr", "options": _CLUSTER}]
    return {
        "run_id": run_id,
        "created": written,
        "task": task_name(config, method),
        "task_id": digest("inspect task", run_id, method),
        "task_version": 0,
        "task_args": {"space": space, "framework": config.framework, "tasks": list(config.tasks)},
        "solver": solver,
        "solver_args": parameters,
        "tags": ["simulated"] if notice else [],
        "dataset": {"name": space, "samples": len(ids), "sample_ids": ids, "shuffled": False},
        "model": model_name(config),
        "config": {"epochs": 1, "fail_on_error": config.budget.max_failures, "log_samples": True},
        "packages": {"prose_data": manifest["version"], **manifest["libraries"]},
        "metadata": {
            **({"notice": notice} if notice else {}),
            "run": config.name,
            "seeds": list(config.seeds),
            "models": manifest["models"],
            "commit": manifest["commit"],
        },
        "scorers": [{"name": metric, "metrics": metrics} for metric in measures],
    }


def _result(metric: str, one: Measure) -> Json:
    """Return a metric's mean and standard error, and how many values are behind it and missing."""
    found: Json = {"mean": {"name": "mean", "value": one.mean, "params": {}}}
    if one.stderr is not None:
        found["stderr"] = {"name": "stderr", "value": one.stderr, "params": _CLUSTER}
    return {
        "name": metric,
        "scorer": metric,
        "params": {},
        "scored_samples": one.n,
        "unscored_samples": one.failed,
        "metrics": found,
        "metadata": {"low": one.low, "high": one.high, "interval": "95 %, from resampling users"},
    }
