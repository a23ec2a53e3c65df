"""RUN/hub/: the data set folder of a finished run, made anew as a whole and then put in the place of the old one.

README.md          the card: YAML (`card`) and text (`readme`)
CONFIG/SPLIT-00000-of-0000N.parquet
croissant.json  config.yaml  manifest.json  figures/NAME.png
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from prose_data.errors import InputError
from prose_data.hub.card import Card, Facts, make_card
from prose_data.hub.configs import tables_of
from prose_data.hub.croissant import croissant
from prose_data.hub.language import is_english
from prose_data.hub.licences import licence_of
from prose_data.hub.loading import HUB
from prose_data.hub.origin import write_origin
from prose_data.hub.parquet import HubConfig
from prose_data.hub.readme import Told, text_of, what
from prose_data.hub.records import write_records
from prose_data.hub.tables import write_table
from prose_data.report import SUMMARY, make_report
from prose_data.report.basis import Summary
from prose_data.report.figures import FIGURES
from prose_data.report.summary import simulated_notice
from prose_data.runs import CONFIG, MANIFEST, Run, land, read_json, write_json
from prose_data.spaces import load_space
from prose_data.workers import processors, worker_processes

README, CROISSANT = "README.md", "croissant.json"
_FIRST = ("alignx", "samples", "edits", "documents")  # the config that is loaded where none is named
_TEXTS = ("text", "chosen")  # columns by which the language is told
_WORTH_A_PROCESS = 50_000  # records; with fewer a process takes longer to start than to do them


def build_folder(run: Run, card: Mapping[str, Any] = MappingProxyType({})) -> Path:
    """Write the data set folder of `run` and return it; what was there is replaced as a whole.

    `card` holds fields of the card that the publisher sets (`card.FIELDS`). Raises InputError for a folder that is no run,
    a run that is not finished, and a field that is unknown or contradicts what is in the files.
    """
    _finished_or_error(run)
    folder = run.path / HUB
    new = run.path / f".{HUB}.new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        _write(run, new, card)
        _swap(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def _finished_or_error(run: Run) -> None:
    if not (run.path / CONFIG).is_file():
        raise InputError(f"{run.path}: is not a run folder, it has no {CONFIG}")
    if not run.finished:
        raise InputError(f"{run.path}: is not finished; run prose-data run {run.path} to go on with it first")


def _write(run: Run, folder: Path, said: Mapping[str, Any]) -> None:
    summary = None if run.config.space == "alignx" else _summary(run)
    notice = simulated_notice(run.config)
    configs = write_configs(run, folder)
    manifest = write_origin(run, folder)
    licence = licence_of(run, notice is not None)
    english = is_english(_texts(folder, configs[0]))
    tags = ("simulated",) if notice else ()
    card = make_card(Facts(configs, run.config.name, licence, english, tags), said)
    figures = _copy_figures(run, folder)
    told = Told(
        run.config, manifest, summary, notice, configs, licence, figures, _listed(run), _repeated(run)
    )
    _write_card(folder, card, told)
    write_json(folder / CROISSANT, croissant(configs, card, what(told)))


def write_configs(run: Run, folder: Path) -> list[HubConfig]:
    """Write the tables of `run` into `folder` and return them, the one that is loaded by default first."""
    configs = [write_table(table, folder) for table in tables_of(run)]
    if run.config.space == "alignx":
        several = max(1, min(processors(), run.count("records") // _WORTH_A_PROCESS))
        with worker_processes(several) as spread:
            configs.append(write_records(run, folder, spread))
    return sorted(
        configs, key=lambda config: _FIRST.index(config.name) if config.name in _FIRST else len(_FIRST)
    )


def _summary(run: Run) -> Summary:
    """Return the summary of the run's report, which is made where there is none since the run was finished."""
    path = run.path / SUMMARY
    if path.exists() and path.stat().st_mtime >= (run.path / MANIFEST).stat().st_mtime:
        return read_json(path)
    return make_report(run)


def _texts(folder: Path, config: HubConfig) -> list[str]:
    """Return the texts in the first row group of a config."""
    first = next(iter(config.splits.values()))[0]
    column = next(name for name in _TEXTS if name in config.schema.names)
    with pq.ParquetFile(folder / first.path) as file:
        return list(file.read_row_group(0, columns=[column]).column(0).to_pylist())


def _listed(run: Run) -> bool:
    """Return whether the run's space is a list of what users of each kind hold."""
    try:
        return run.config.space != "alignx" and load_space(run.config.space).kind == "fixed"
    except InputError:  # its file is no longer there
        return False


def _repeated(run: Run) -> dict[str, int]:
    """Return, by table, how many rows have a text that another row has too."""
    tables = [table for table in ("documents", "samples") if run.count(table)]
    return {
        table: int(run.scan(table).select(pl.col("text").is_duplicated().sum()).collect().item())
        for table in tables
    }


def _copy_figures(run: Run, folder: Path) -> list[str]:
    """Copy the report's figures and return their names."""
    found = sorted((run.path / FIGURES).glob("*.png"))
    for path in found:
        (folder / FIGURES).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / FIGURES / path.name)
    return [path.stem for path in found]


def _write_card(folder: Path, card: Card, told: Told) -> None:
    text = f"---\n{card.data.to_yaml()}\n---\n\n{text_of(told, card)}"
    land(folder / README, lambda file: file.write(text.encode()))


def _swap(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
