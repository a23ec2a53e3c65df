"""The runs of a schedule: one folder per time that a run was due, RUNS/NAME/2026-11-26T06-00-00Z (always UTC).

A run that was interrupted goes on in its own folder. All runs of a name share the request store RUNS/NAME/store.sqlite,
so that a configuration that has not changed costs nothing and gives the same tables: what is new is then up to its
seeds, its documents and its models. With `fresh`, every run asks anew and keeps its replies to itself.
"""

from datetime import UTC, datetime
from pathlib import Path

from prose_data.config import Config
from prose_data.errors import InputError, printable
from prose_data.report.basis import cell, grid
from prose_data.report.comparison import compare, comparison_table
from prose_data.runs import Run, land, load_run, write_json

_DUE = "%Y-%m-%dT%H-%M-%SZ"
_STORE = "store.sqlite"
COMPARISON, COMPARISON_PAGE = "comparison.json", "comparison.md"


def folder_at(runs: Path, name: str, due: datetime) -> Path:
    """Return the folder of the run of `name` that was due at `due` (with a time zone), to the second."""
    return runs.resolve() / name / due.astimezone(UTC).strftime(_DUE)


def config_at(folder: Path, config: Config, fresh: bool) -> Config:
    """Return the configuration of the run in the dated `folder`: `config`, with the shared request store unless `fresh`
    or the configuration names its own.

    A run that has begun keeps the configuration it began with, whatever became of the file since, apart from the budget.
    """
    if Run(folder, config).begun:
        return load_run(folder).config.model_copy(update={"budget": config.budget})
    if fresh or config.store is not None:
        return config
    return config.model_copy(update={"store": str(folder.parent / _STORE)})


def last_finished(folder: Path) -> Run | None:
    """Return the last finished run that was due before the one in the dated `folder`; None where there is none."""
    for other in sorted((path for path in folder.parent.iterdir() if path.name < folder.name), reverse=True):
        if _due(other.name) is not None and Run(other, Config()).finished:
            return load_run(other)
    return None


def write_comparison(run: Run) -> str:
    """Compare a finished run with the last finished one before it, keep that as comparison.json and comparison.md in its
    folder, and return the page; where there is nothing to compare, return a sentence and keep nothing."""
    before = last_finished(run.path)
    if before is None:
        return f"{run.path.name} is the first finished run of {run.config.name}."
    try:
        found = compare(before, run)
    except InputError as error:
        return f"{run.path.name} cannot be compared: {cell(printable(str(error)))}."
    page = "\n\n".join(
        [
            f"# {cell(run.config.name)}: {run.path.name} (other) after {before.path.name} (one)",
            *dict.fromkeys(found[side]["notice"] for side in ("one", "other") if found[side]["notice"]),
            "Differences are other minus one, paired where user, seed and document agree, with 95 % intervals.",
            grid(*comparison_table(found["rows"])),
        ]
    )
    write_json(run.path / COMPARISON, found)
    land(run.path / COMPARISON_PAGE, lambda file: file.write(f"{page}\n".encode()))
    return page


def _due(name: str) -> datetime | None:
    """Return the time that a folder's name says; None for another name."""
    try:
        return datetime.strptime(name, _DUE).replace(tzinfo=UTC)
    except ValueError:
        return None
