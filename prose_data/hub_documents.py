"""Documents from Hugging Face: rows of any data set, and the nine published sources with their filters.

What each published source is and how its text is built stands in data/documents/sources.yaml.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import yaml

from prose_data.config import HubDocuments
from prose_data.errors import InputError
from prose_data.paths import DATA
from prose_data.values import Document, Task

Fields = Mapping[str, Any]


def load_preset(
    where: HubDocuments, tasks: Sequence[Task], space: str
) -> tuple[list[Document], dict[str, dict[str, int]]]:
    """Return up to `where.limit` documents of each published source, and the rows left after each filter.

    The filters are those of `space`, plume's for a space that publishes none. Raises InputError.
    """
    own = where.model_dump(include={"config", "split", "column", "revision"})
    default = HubDocuments(dataset="plume").model_dump(include=set(own))
    for key in own:
        if own[key] != default[key]:
            raise InputError(f"documents.{key}: dataset plume sets it for each of its sources; leave it out")
    documents: list[Document] = []
    counts: dict[str, dict[str, int]] = {}
    for source, spec in published_sources().items():
        wanted = [task for task in spec["tasks"] if task in tasks]
        if not wanted:
            continue
        filters = spec.get("filters", {})
        place = spec.get("replacement", spec)
        origin = place.get("data_files", place["dataset_id"])
        rows = stream_rows(
            place["dataset_id"],
            place.get("config"),
            spec["split"],
            place.get("revision"),
            place.get("data_files"),
        )
        texts, left = build_texts(rows, spec, filters.get(space, filters.get("plume", {})), where.limit)
        for task in wanted:
            counts[f"{task}/{source}"] = left
            documents += [
                Document(
                    f"{task}-{source}-{number:06d}", task, source, text, origin, "as its data set's page says"
                )
                for number, text in texts
            ]
    return documents, counts


def published_sources() -> dict[str, Any]:
    """Return the published sources by key, as in data/documents/sources.yaml."""
    path = DATA / "documents" / "sources.yaml"
    sources: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    return sources


def stream_rows(
    dataset: str,
    config: str | None = None,
    split: str = "train",
    revision: str | None = None,
    data_files: str | None = None,
    key: str = "documents.dataset",
    instead: str = "documents: bundled or documents: {path: FILE-OR-FOLDER}",
) -> Iterator[Fields]:
    """Yield the rows of a data set as they are fetched, so that the first few need no full download.

    `key` is what names the data set and `instead` what to use without the hub, for errors. Raises InputError in one
    sentence if the hub can't be reached or the data set can't be found or loaded.
    """
    with _explained(dataset, key, instead):
        from datasets import load_dataset

        rows = iter(
            load_dataset(
                dataset, config, split=split, revision=revision, data_files=data_files, streaming=True
            )
        )
    while True:
        with _explained(dataset, key, instead):
            row = next(rows, None)
        if row is None:
            return
        yield row


@contextmanager
def _explained(dataset: str, key: str, instead: str) -> Iterator[None]:
    """Turn whatever the hub's client raises into one InputError, and keep its retry messages off the terminal."""
    from huggingface_hub.utils import logging as hub_logging

    level = hub_logging.get_verbosity()
    hub_logging.set_verbosity(logging.ERROR)
    try:
        yield
    except Exception as error:  # the client's own, httpx's, fsspec's, pyarrow's: all mean "not loaded"
        raise InputError(f"{key}: {_reason(dataset, error, instead)}") from error
    finally:
        hub_logging.set_verbosity(level)


def _reason(dataset: str, error: Exception, instead: str) -> str:
    detail = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    name = type(error).__name__
    if isinstance(error, ConnectionError) or name in ("ConnectError", "ConnectTimeout", "ReadTimeout"):
        return f"Hugging Face can't be reached for {dataset}; check the network and HF_HUB_OFFLINE, or use {instead}"
    if "scripts are no longer supported" in detail:
        return (
            f"{dataset} is loaded by a Python script, which datasets no longer runs; use a Parquet copy (often "
            f"revision refs/convert/parquet) or {instead}"
        )
    if name == "DatasetNotFoundError":
        return f"{dataset} can't be found ({detail}); check the name, and HF_TOKEN if it is private"
    return f"{dataset} can't be loaded ({detail})"


def build_texts(
    rows: Iterable[Fields], spec: Mapping[str, Any], filters: Mapping[str, Any], limit: int
) -> tuple[list[tuple[int, str]], dict[str, int]]:
    """Return up to `limit` texts as (row number from 0, text), and how many rows were left after each filter.

    `spec` names the fields and the build rule, `filters` maps a filter of FILTERS to its value. Raises InputError
    naming a field that is missing.
    """
    counts = dict.fromkeys(("read", *filters, "not_empty"), 0)
    texts: list[tuple[int, str]] = []
    for number, row in enumerate(rows):
        missing = [field for field in spec["fields"] if field not in row]
        if missing:
            raise InputError(
                f"documents.dataset: {spec['dataset_id']} has no field {missing[0]!r}; it has {', '.join(row)}"
            )
        values = [row[field] for field in spec["fields"]]
        text = BUILD[spec["build"]](values).strip()
        counts["read"] += 1
        for name, value in filters.items():
            if not FILTERS[name](value, row, _flat(values[0]), text):
                break
            counts[name] += 1
        else:
            if text:
                counts["not_empty"] += 1
                texts.append((number, text))
        if len(texts) == limit:
            break
    return texts, counts


def _flat(value: Any) -> str:
    """Return a field as one text: lists joined by spaces, null as nothing, records by their values."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        value = value.get("sentence", list(value.values()))
    if isinstance(value, Sequence):
        return " ".join(part for part in (_flat(item) for item in value) if part)
    return str(value)


def joined(values: Sequence[Any]) -> str:
    """Return the first field as is; the segments of a review are joined by a space."""
    return _flat(values[0])


def labelled(values: Sequence[Any]) -> str:
    """Return title, abstract and highlights, each after a first-person label; an empty one is left out."""
    labels = ("My title", "My abstract", "My highlights")
    parts = zip(labels, (_flat(value) for value in values), strict=True)
    return "\n\n".join(f"{label}: {part}" for label, part in parts if part)


def quoted(values: Sequence[Any]) -> str:
    """Return what stands from after the first double quote to two characters before the last one; "" if nothing."""
    text = _flat(values[0])
    start, end = text.find('"') + 1, text.rfind('"') - 2
    return text[start:end] if 0 < start <= end else ""


BUILD: dict[str, Callable[[Sequence[Any]], str]] = {
    "text": joined,
    "segments": joined,
    "labelled": labelled,
    "quoted": quoted,
}

# name -> test of (value in sources.yaml, row, first field before building, built text)
FILTERS: dict[str, Callable[[Any, Fields, str, str], bool]] = {
    "min_words": lambda value, row, raw, text: len(text.split()) > value,
    "max_words": lambda value, row, raw, text: len(text.split()) < value,
    "require_nonempty": lambda value, row, raw, text: bool(_flat(row[value])),
    "require_contains": lambda value, row, raw, text: value in raw,
    "drop_if_contains": lambda value, row, raw, text: value not in raw,
}
