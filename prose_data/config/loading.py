"""YAML -> `Config` and back."""

import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from prose_data.config.explaining import explain
from prose_data.config.whole import Config
from prose_data.errors import InputError
from prose_data.paths import DATA


def load_config(path: Path | None, overrides: Sequence[str] = ()) -> Config:
    """Return the configuration in `path` (the bundled quickstart if None) with `key.sub=value` overrides applied.

    Where there is no such file, the name of a bundled configuration (`local`) stands for that.
    Relative file names in the file (`documents.path`, `space`, `store`) count from the file's folder.
    Raises InputError naming the file and key.
    """
    bundled = {Path(file.stem): file for file in sorted((DATA / "configs").glob("*.yaml"))}
    if path is None:
        path = bundled[Path("quickstart")]
    elif path in bundled and not path.exists():
        path = bundled[path]
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        names = ", ".join(map(str, bundled))
        raise InputError(f"{path}: no such configuration file; bundled ones are {names}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a UTF-8 text file ({error})") from None
    data = load_yaml(text, str(path))
    _anchor_paths(data, path.resolve().parent)
    for override in overrides:
        _override(data, override)
    _anchor_paths(data, Path.cwd())
    settings = (f"with --set {override.partition('=')[0]}" for override in overrides)
    return parse_config(data, " ".join([str(path), *settings]))


def load_yaml(text: str, origin: str) -> dict[str, Any]:
    """Return the keys and values of a YAML file, none for an empty one; `origin` is named in errors.

    Raises InputError, also for a key that is there twice, of which YAML would silently take the last.
    """
    try:
        data = yaml.load(text, _Loader)  # a safe one
    except yaml.YAMLError as error:
        problem = " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
        raise InputError(f"{origin}: not valid YAML: {problem}") from None
    except RecursionError:
        raise InputError(f"{origin}: not a configuration: it is nested too deeply") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InputError(f"{origin}: must hold keys and values, not a {type(data).__name__}")
    return data


class _Loader(yaml.SafeLoader):
    """Safe YAML in which no key is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping of `node`; raises ConstructorError at the second of two equal keys."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value} is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else key)
        return super().construct_mapping(node, deep)


def parse_config(data: Mapping[str, Any], origin: str) -> Config:
    """Return `data` as a Config; `origin` is named in errors."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{origin}: {explain(error)}") from None


def dump_config(config: Config) -> str:
    """Return `config` as YAML; loading it gives an equal Config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def anchored(place: str, folder: Path) -> str:
    """Return a path as it counts from `folder`, with its `/` at the end if it has one; a URL as it is."""
    if not place or "://" in place:
        return place
    return os.path.normpath(folder / place) + "/" * (place.endswith("/") and len(place) > 1)


def _anchor_paths(data: dict[str, Any], folder: Path) -> None:
    documents = data.get("documents")
    if isinstance(documents, dict) and isinstance(documents.get("path"), str):
        documents["path"] = anchored(documents["path"], folder)
    if isinstance(data.get("store"), str):
        data["store"] = anchored(data["store"], folder)
    if isinstance(data.get("space"), str) and data["space"].endswith((".yaml", ".yml")):
        data["space"] = anchored(data["space"], folder)


def _override(data: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    if not sign or not key:
        raise InputError(f"--set {override}: must look like key.sub=value")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"--set {key}: the value is not valid YAML") from None
    *parents, last = key.split(".")
    for parent in parents:
        inner = data.setdefault(parent, {})
        if not isinstance(inner, dict):  # e.g. documents: bundled, overridden by documents.path=…
            inner = data[parent] = {}
        data = inner
    data[last] = parsed
