"""A run folder: the tables of one configuration, as Parquet parts that land whole, so that running again resumes.

RUN/config.yaml        the effective configuration
RUN/<table>/part-00000.parquet             one part per shard (`documents`: one in all)
RUN/failures/part-00000-infer.parquet      one part per stage and shard; `requests` likewise
RUN/counts/synthesize-00000.json           what the manifest counts and no table holds
RUN/counts/spent.json                      what all tries together have spent, for the budget
RUN/manifest.json      written last (`prose_data.manifest`)

A part is validated against its schema when written and when read, sorted by its key, and holds nothing that differs
between repetitions (`requests` apart, which is a log).
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import dataframely as dy
import polars as pl

from prose_data.config import Config, dump_config, load_yaml, parse_config
from prose_data.errors import InputError
from prose_data.places import is_url
from prose_data.values import Document, Edit, Inference, Sample, Score, Stage, Truth, User
from schemas import SCHEMAS

STAGES: tuple[Stage, ...] = ("synthesize", "infer", "score")
OWN_TABLE: Mapping[Stage, str] = {"synthesize": "samples", "infer": "inferences", "score": "scores"}
CONFIG, MANIFEST, LOCK = "config.yaml", "manifest.json", ".lock"
MIRRORED = ".mirror"  # in a mirror of a run in an object store: its URL
SQLITE, REPLIES = "store.sqlite", "store"  # the request store of a run; that of several machines
SPENT = "spent"  # the name of the counts of what all tries of a run have spent

_VALUES: Mapping[type, str] = {
    User: "users",
    Document: "documents",
    Sample: "samples",
    Truth: "truths",
    Inference: "inferences",
    Edit: "edits",
    Score: "scores",
}
# What does not decide what the tables hold: budget, request store, the experiment on a data set, and of a model where and
# how it is asked.
_RUN_MAY_CHANGE = {"budget", "store", "offline", "experiment", "engine"}
_MODEL_MAY_CHANGE = {"base_url", "api_key_env", "concurrency", "timeout", "attempts", "mode"} | {
    "requests_per_minute",
    "tokens_per_minute",
}
_ROW_GROUP = 50_000  # fixed: polars' own choice is free to change

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder and its configuration."""

    path: Path
    config: Config

    @property
    def store(self) -> str:
        """The request store: `config.store`, or the run's own, a reply folder (`store/`) where several machines began one."""
        if self.config.store:
            return self.config.store
        if is_url(place := place_of(self.path)):
            return f"{place.rstrip('/')}/{REPLIES}/"
        return f"{self.path / REPLIES}/" if (self.path / REPLIES).is_dir() else str(self.path / SQLITE)

    def part(self, table: str, shard: int = 0, stage: Stage | None = None) -> Path:
        """Return where a shard's part of `table` lies; `stage` for the tables that every stage adds to."""
        suffix = f"-{stage}" if stage else ""
        return self.path / table / f"part-{shard:05d}{suffix}.parquet"

    def done(self, stage: Stage, shard: int) -> bool:
        """Return whether `stage` has finished `shard`: its own table's part lands last, and nobody took the others."""
        parts = [self.part(OWN_TABLE[stage], shard), self.part("failures", shard, stage)]
        if stage == "synthesize":
            parts.append(self.part("users", shard))
        if stage == "synthesize" and self.config.varies:
            parts.append(self.part("truths", shard))
        if stage == "infer" and self.config.framework == "prelude":
            parts.append(self.part("edits", shard))
        return all(part.exists() for part in parts)

    @property
    def begun(self) -> bool:
        """Whether a shard has landed; before that, another configuration may still take the folder over."""
        return bool(self.parts("users"))

    @property
    def finished(self) -> bool:
        """Whether the manifest is there: it is written last, and goes as soon as a table changes."""
        return (self.path / MANIFEST).exists()

    def parts(self, table: str) -> list[Path]:
        """Return the parts of `table` that are there, in order of shards."""
        return sorted((self.path / table).glob("part-*.parquet"))

    def write(
        self, table: str, rows: Iterable[Any] | pl.DataFrame, shard: int = 0, stage: Stage | None = None
    ) -> None:
        """Write `rows` (a frame, or values with the table's columns as attributes) as one part, sorted by key, whole or
        not at all."""
        schema = SCHEMAS[table]
        frame = schema.validate(_frame(table, rows)).sort(schema.primary_key(), maintain_order=True)
        (self.path / MANIFEST).unlink(missing_ok=True)  # it describes finished tables
        land(
            self.part(table, shard, stage),
            lambda file: frame.write_parquet(file, compression="zstd", row_group_size=_ROW_GROUP),
        )

    def read(self, table: str) -> pl.DataFrame:
        """Return the whole table, validated. Raises InputError naming the file and what is wrong with it."""
        parts = self._parts_or_error(table)
        whole = pl.concat([_read(path, table) for path in parts])
        return _validated(whole, table, str(self.path / table))

    def scan(self, table: str) -> pl.LazyFrame:
        """Return the table to query; its columns and types are checked now, its values are not."""
        parts = self._parts_or_error(table)
        for path in parts:
            _check_columns(path, table)
        return pl.scan_parquet(parts)

    def count(self, table: str, shard: int | None = None) -> int:
        """Return the number of rows of `table` so far, or of one shard's part; 0 where there are none yet."""
        parts = self.parts(table) if shard is None else [self.part(table, shard)]
        if not parts or not parts[0].exists():
            return 0
        with _damage_named(self.path / table if shard is None else parts[0]):
            return int(pl.scan_parquet(parts).select(pl.len()).collect().item())

    def values(self, kind: type[T], shard: int = 0) -> list[T]:
        """Return a shard's part of the table of `kind` as values, in order of keys."""
        table = _VALUES[kind]
        path = self.part(table, shard)
        if not path.exists():
            raise InputError(f"{path}: is missing; run the stage that writes {table} first")
        rows = _validated(_read(path, table), table, str(path)).iter_rows()
        return [kind(*(tuple(item) if isinstance(item, list) else item for item in row)) for row in rows]

    def write_counts(self, name: str, counts: Mapping[str, Any]) -> None:
        """Keep `counts` for the manifest under `name`."""
        write_json(self.path / "counts" / f"{name}.json", counts)

    def read_counts(self, pattern: str) -> list[dict[str, Any]]:
        """Return the counts whose names match the glob `pattern`, in order of names."""
        return [read_json(path) for path in sorted((self.path / "counts").glob(f"{pattern}.json"))]

    def read_spent(self) -> tuple[int, int, float]:
        """Return the requests, tokens and US dollars that all tries of this run have spent so far."""
        counts = next(iter(self.read_counts(SPENT)), {})
        try:
            return (
                int(counts.get("requests", 0)),
                int(counts.get("tokens", 0)),
                float(counts.get("cost", 0.0)),
            )
        except (TypeError, ValueError):
            raise InputError(
                f"{self.path / 'counts' / SPENT}.json: must hold numbers; correct or delete it"
            ) from None

    def _parts_or_error(self, table: str) -> list[Path]:
        parts = self.parts(table)
        if not parts:
            raise InputError(f"{self.path / table}: the run has no table {table} yet; run its stage first")
        return parts


def place_of(path: Path) -> str:
    """Return where other machines find the run in folder `path`: the URL of which it is a mirror, or its absolute path."""
    mark = path / MIRRORED
    return mark.read_text(encoding="utf-8").strip() if mark.exists() else str(path.absolute())


@contextmanager
def open_run(path: Path, config: Config) -> Iterator[Run]:
    """Create the run folder `path`, or resume the one that is there, and keep other processes from writing to it.

    Raises InputError for a folder of something else, a run with another configuration, or one being written already.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        strangers = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"{path}: cannot be a run folder ({error.strerror}); choose another --out") from None
    if strangers and CONFIG not in strangers:
        raise InputError(
            f"{path}: is not a run folder but holds {strangers[0]}; choose an empty or new folder as --out"
        )
    with _locked(path):
        if Run(path, config).begun:
            _same_or_error(path, load_run(path).config, config)
        for entry in path.iterdir():
            if entry.name != REPLIES:  # of which there may be millions, none of them in the way
                for leftover in (entry, *entry.glob("**/.*.tmp")):
                    if leftover.match(".*.tmp"):
                        leftover.unlink()
        land(path / CONFIG, lambda file: file.write(dump_config(config).encode()))
        yield Run(path, config)


def load_run(path: Path) -> Run:
    """Return the run in folder `path`, for reading. Raises InputError if there is none."""
    file = path / CONFIG
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: is not a run folder, it has no {CONFIG}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None
    return Run(path, config_from_yaml(text, str(file)))


def config_from_yaml(text: str, origin: str) -> Config:
    """Return the configuration that `dump_config` wrote; file names in it are taken as they stand."""
    data = load_yaml(text, origin)
    if not data:
        raise InputError(f"{origin}: must hold keys and values")
    return parse_config(data, origin)


def failed_share(run: Run) -> float:
    """Return the share that failed, 0 to 1: of samples and inferences, or of the metrics' answers if that is more.

    What went wrong without costing a row (keys with a `#`) does not count.
    """
    config = run.config
    wanted = run.count("users") * len(config.seeds) * config.rounds
    written, answered = (0, wanted) if config.framework == "prelude" else (wanted, run.count("samples"))
    inferred = answered * len(config.methods) if run.parts("inferences") else 0
    measured = run.count("inferences") * len(config.metrics) if run.parts("scores") else 0
    if not run.parts("failures"):
        return 0.0
    noted = pl.col("key").str.contains("#", literal=True)
    lost = dict(run.scan("failures").filter(~noted).group_by("stage").len().collect().iter_rows())
    made = (lost.get("synthesize", 0) + lost.get("infer", 0)) / max(1, written + inferred)
    return float(max(made, lost.get("score", 0) / max(1, measured)))


def land(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Make `path` hold what `write` puts into a file, whole or not at all, also when the machine goes down.

    Raises InputError naming the file when it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write `data` to `path` as JSON, whole or not at all."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    land(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`. Raises InputError naming the file."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: must hold a JSON object")
    return data


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the folder's lock; it is the kernel's and goes with the process, however that ends."""
    try:
        lock = (path / LOCK).open("ab+", buffering=0)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another --out") from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InputError(
                f"{path}: process {file.read().decode().strip() or 'unknown'} is writing this run; "
                "wait for it or choose another --out"
            ) from None
        with suppress(OSError):  # a full disk: the number only helps whoever comes second
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def _same_or_error(path: Path, before: Config, now: Config) -> None:
    old, new = (dict(_leaves(config.model_dump(mode="json"))) for config in (before, now))
    differing = [
        ".".join(key) for key in dict.fromkeys([*old, *new]) if old.get(key, ...) != new.get(key, ...)
    ]
    if differing:
        raise InputError(
            f"{path}: was made with another configuration (different: {', '.join(differing)}); "
            "choose another --out, or the configuration in its config.yaml"
        )


def _leaves(data: Any, key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the values that decide what the tables hold, each with its path of keys."""
    if isinstance(data, dict):
        for name, inner in data.items():
            yield from _leaves(inner, (*key, str(name)))
    elif key[0] not in _RUN_MAY_CHANGE and not (key[0] == "models" and key[-1] in _MODEL_MAY_CHANGE):
        yield key, data


def _frame(table: str, rows: Iterable[Any] | pl.DataFrame) -> pl.DataFrame:
    if isinstance(rows, pl.DataFrame):
        return rows
    rows = list(rows)
    types = SCHEMAS[table].create_empty().schema
    return pl.DataFrame({name: [getattr(row, name) for row in rows] for name in types}, schema=types)


def _read(path: Path, table: str) -> pl.DataFrame:
    _check_columns(path, table)
    with _damage_named(path):
        return pl.read_parquet(path)


def _check_columns(path: Path, table: str) -> None:
    wanted = SCHEMAS[table].create_empty().schema
    with _damage_named(path):
        found = pl.read_parquet_schema(path)
    for name, kind in wanted.items():
        if name not in found:
            raise InputError(f"{path}: has no column {name}; the table {table} needs {', '.join(wanted)}")
        if found[name] != kind:
            raise InputError(f"{path}: column {name} is {found[name]} and must be {kind}")
    if extra := [name for name in found if name not in wanted]:
        raise InputError(f"{path}: has the column {extra[0]}, which the table {table} does not have")


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: is damaged ({reason}); delete it and run again to make it anew") from None


def _validated(frame: pl.DataFrame, table: str, place: str) -> pl.DataFrame:
    try:
        return SCHEMAS[table].validate(frame)
    except dy.exc.ValidationError as error:
        problems = " ".join(str(error).split())
        raise InputError(f"{place}: does not hold what the table {table} must hold: {problems}") from None
