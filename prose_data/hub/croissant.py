"""`croissant.json`: the data set in the words of Croissant 1.0 (mlcommons.org/croissant), a record set for each config and
split, read from the files beside it or, where the repository is known, from there."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from prose_data.hub.card import Card
from prose_data.hub.parquet import HubConfig

_OWN = """
    citeAs column conformsTo equivalentProperty extract field fileProperty fileObject fileSet format includes
    isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator
    source subField transform
""".split()
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    **{word: f"cr:{word}" for word in _OWN},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}
_TYPES = {pa.string(): "sc:Text", pa.int64(): "sc:Integer", pa.float64(): "sc:Float"}
_REPO = "repo"


def croissant(configs: Sequence[HubConfig], card: Card, description: str) -> dict[str, Any]:
    """Return the content of `croissant.json`; `description` says in plain words what the data set is."""
    repo = f"https://huggingface.co/datasets/{card.repo}"
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": card.title,
        "description": description,
        "license": card.data["license"],
        "keywords": card.data["tags"],
        "inLanguage": card.data["language"],
    }
    distribution: list[dict[str, Any]] = []
    if card.repo:
        found["url"] = repo
        distribution.append(_repository(repo))
    splits = [(config, split) for config in configs for split in config.splits]
    distribution += [_files(config, split, bool(card.repo)) for config, split in splits]
    return {
        **found,
        "distribution": distribution,
        "recordSet": [_records(config, split) for config, split in splits],
    }


def _repository(url: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": _REPO,
        "name": _REPO,
        "description": "The repository with all files.",
        "contentUrl": url,
        "encodingFormat": "git+https",
        "sha256": "main",  # a repository has no checksum; the branch stands there in the format's own examples
    }


def _files(config: HubConfig, split: str, within: bool) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{config.name}-{split}-files",
        "name": f"{config.name}-{split}-files",
        **({"containedIn": {"@id": _REPO}} if within else {}),
        "encodingFormat": "application/x-parquet",
        "includes": f"{config.name}/{split}-*.parquet",
    }


def _records(config: HubConfig, split: str) -> dict[str, Any]:
    name = f"{config.name}-{split}"
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": config.about,
        "field": [
            _field(f"{name}/{column.name}", column.name, column.type, [f"{name}-files", column.name])
            | {"description": config.columns[column.name]}
            for column in config.schema
        ],
    }


def _field(identifier: str, name: str, kind: pa.DataType, path: list[str]) -> dict[str, Any]:
    """Return a field; `path` is the file set, the column, and the key within its items, if any."""
    field: dict[str, Any] = {"@type": "cr:Field", "@id": identifier.replace(" ", "_"), "name": name}
    while pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        field["repeated"] = True
        kind = kind.value_type
    if pa.types.is_struct(kind):
        inner = [_field(f"{identifier}/{key.name}", key.name, key.type, [*path, key.name]) for key in kind]
        return field | {"subField": inner}
    files, column, *keys = path
    source: dict[str, Any] = {"fileSet": {"@id": files}, "extract": {"column": column}}
    if keys:
        source["transform"] = {"jsonPath": f"'{keys[0]}'"}
    return field | {"dataType": _TYPES[kind], "source": source}
