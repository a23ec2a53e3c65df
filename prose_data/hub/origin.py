"""What a data set folder tells of how it was made: configuration and manifest, without what is somebody's own.

Addresses, stores and folders of the machine stay out, and so does what differs between repetitions of the same run.
"""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from prose_data.config import Config, OwnDocuments, dump_config, parse_config
from prose_data.runs import CONFIG, MANIFEST, Run, land, read_json, write_json

_FILES = ("space", "path")  # keys that may name files: the last part stays
_ADDRESSES = ("base_url", "store")
_VOLATILE = ("written", "requests")  # differ between repetitions


def write_origin(run: Run, folder: Path) -> dict[str, Any]:
    """Write config.yaml and manifest.json into the data set folder, and return the manifest."""
    config = public_config(run.config)
    land(folder / CONFIG, lambda file: file.write(dump_config(config).encode()))
    kept = {key: value for key, value in read_json(run.path / MANIFEST).items() if key not in _VOLATILE}
    manifest: dict[str, Any] = _without(kept, f"{run.path}{os.sep}") | {
        "config": config.model_dump(mode="json")
    }
    write_json(folder / MANIFEST, manifest)
    return manifest


def public_config(config: Config) -> Config:
    """Return `config` as it can be published: file names without their folders, no addresses, no store, no cluster."""
    data = _public(config.model_dump(mode="json")) | {"offline": False, "engine": {}}
    return parse_config(data, "the configuration")


def own_files(config: Config) -> list[str]:
    """Return the names of the files that `config` names: a space, and documents."""
    space = [config.space] if config.space.endswith((".yaml", ".yml")) else []
    documents = [config.documents.path] if isinstance(config.documents, OwnDocuments) else []
    return [PurePath(path).name for path in (*space, *documents)]


def _public(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _public(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_public(inner, key) for inner in value]
    if key in _ADDRESSES:
        return None
    return PurePath(value).name if key in _FILES and isinstance(value, str) else value


def _without(value: Any, folder: str) -> Any:
    """Return JSON values whose texts do not name `folder`."""
    if isinstance(value, Mapping):
        return {name: _without(inner, folder) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, folder) for inner in value]
    return value.replace(folder, "") if isinstance(value, str) else value
