"""Preference spaces: which components there are, and how users come to theirs.

A `fixed` space gives each (task, source) its set, as PLUME and PRELUDE do; a `drawn` one lists single components on
axes from which `prose_data.users` draws. Both are YAML files, read once and checked strictly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from prose_data.config import load_yaml
from prose_data.errors import InputError
from prose_data.measures import MEASURES
from prose_data.paths import DATA
from prose_data.values import Task

Kind = tuple[Task, str]  # what a user writes about: (task, source)

_COMMON = ("space", "version", "kind", "join", "paraphrases")
_KEYS = {"fixed": (*_COMMON, "tasks", "checks"), "drawn": (*_COMMON, "components")}
_COMPONENT_KEYS = ("text", "axis", "excludes", "check")


@dataclass(frozen=True, slots=True)
class StyleComponent:
    """One component of a drawn space; `excludes` holds texts (both sides name each other), `check` a measure."""

    text: str
    axis: str
    excludes: tuple[str, ...] = ()
    check: str | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """A set of components and the rule by which users get theirs.

    `sets` (fixed spaces) maps (task, source) to components in file order; `components` is for drawn spaces;
    `checks` maps a component to the name of the measure that shows it without a model; `join` makes one text of a set.
    `paraphrases` names the space whose components this one says in other words, "" for one of its own.
    """

    name: str
    version: str
    kind: Literal["fixed", "drawn"]
    sets: Mapping[Kind, tuple[str, ...]]
    components: tuple[StyleComponent, ...]
    checks: Mapping[str, str]
    join: str = "; "
    paraphrases: str = ""


def load_space(name_or_path: str) -> Space:
    """Return the bundled space of that name, or the one in that YAML file.

    Raises InputError naming the file and the field, or the known names.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        path = Path(name_or_path)
    else:
        known = sorted(file.stem for file in (DATA / "spaces").glob("*.yaml"))
        if name_or_path == "alignx":
            raise InputError(
                "space: alignx makes records and no samples; use prose-data synthesize, experiment, or score pairs"
            )
        if name_or_path not in known:
            raise InputError(
                f"space: {name_or_path!r} is not known; use {', '.join(known)} or the path of a YAML file"
            )
        path = DATA / "spaces" / f"{name_or_path}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such space file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a UTF-8 text file ({error})") from None
    return _parse(load_yaml(text, str(path)), str(path))


def _parse(fields: Mapping[str, Any], origin: str) -> Space:
    kind = fields.get("kind")
    if kind not in ("fixed", "drawn"):
        raise InputError(f"{origin}: kind is {kind!r}; it must be fixed or drawn")
    _known(fields, _KEYS[kind], origin, "")
    name = _text(fields.get("space"), origin, "space")
    if not all(char.isalnum() or char in "-_" for char in name):
        raise InputError(f"{origin}: space is {name!r}; only letters, digits, - and _ can stand in user ids")
    version = _text(fields.get("version"), origin, "version")
    join = fields.get("join", "; ")
    if not isinstance(join, str) or not join:
        raise InputError(f"{origin}: join is {join!r}; it must be a text such as '; '")
    original = _text(fields["paraphrases"], origin, "paraphrases") if "paraphrases" in fields else ""
    if kind == "fixed":
        sets = dict(_sets(fields.get("tasks"), origin))
        checks = _checks(
            fields.get("checks", {}), {text for texts in sets.values() for text in texts}, origin
        )
        return Space(name, version, "fixed", sets, (), checks, join, original)
    components = _components(fields.get("components"), origin)
    checks = {component.text: component.check for component in components if component.check is not None}
    return Space(name, version, "drawn", {}, components, checks, join, original)


def _sets(value: object, origin: str) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    tasks = _mapping(value, origin, "tasks")
    _known(tasks, get_args(Task), origin, "tasks.")
    for task in tasks:
        for source, components in _mapping(tasks[task], origin, f"tasks.{task}").items():
            where = f"tasks.{task}.{_text(source, origin, f'a source of tasks.{task}')}"
            if not isinstance(components, list) or not components:
                raise InputError(f"{origin}: {where} must be a list of components, at least one")
            texts = tuple(_text(text, origin, f"{where}[{i}]") for i, text in enumerate(components))
            _no_repeats(texts, origin, where)
            yield (task, source), texts


def _checks(value: object, known: set[str], origin: str) -> dict[str, str]:
    checks = {}
    for component, measure in _mapping(value, origin, "checks", empty=True).items():
        if component not in known:
            raise InputError(f"{origin}: checks names {component!r}, which is no component of this space")
        checks[component] = _measure(measure, origin, f"checks.{component}")
    return checks


def _components(value: object, origin: str) -> tuple[StyleComponent, ...]:
    if not isinstance(value, list) or not value:
        raise InputError(f"{origin}: components must be a list of {{text, axis}}, at least one")
    texts, axes, checks = [], [], []
    excluded: dict[str, list[str]] = {}
    for i, item in enumerate(value):
        where = f"components[{i}]"
        fields = _mapping(item, origin, where)
        _known(fields, _COMPONENT_KEYS, origin, f"{where}.")
        text = _text(fields.get("text"), origin, f"{where}.text")
        texts.append(text)
        axes.append(_text(fields.get("axis"), origin, f"{where}.axis"))
        checks.append(_measure(fields["check"], origin, f"{where}.check") if "check" in fields else None)
        others = fields.get("excludes", [])
        if not isinstance(others, list):
            raise InputError(
                f"{origin}: {where}.excludes is {others!r}; it must be a list of component texts"
            )
        excluded[text] = others
    _no_repeats(texts, origin, "components")
    both: dict[str, set[str]] = {text: set() for text in texts}
    for i, text in enumerate(texts):
        for other in excluded[text]:
            if other not in both or other == text:
                reason = "itself" if other == text else f"{other!r}, which is no component of this space"
                raise InputError(f"{origin}: components[{i}].excludes names {reason}")
            both[text].add(other)
            both[other].add(text)
    return tuple(
        StyleComponent(text, axis, tuple(sorted(both[text])), check)
        for text, axis, check in zip(texts, axes, checks, strict=True)
    )


def _mapping(value: object, origin: str, where: str, empty: bool = False) -> Mapping[Any, Any]:
    if not isinstance(value, dict) or not (value or empty):
        raise InputError(f"{origin}: {where} must hold keys and values, not {value!r}")
    return value


def _known(fields: Mapping[Any, Any], known: tuple[str, ...], origin: str, prefix: str) -> None:
    for key in fields:
        if key not in known:
            raise InputError(f"{origin}: {prefix}{key} is not a known key; known are {', '.join(known)}")


def _text(value: object, origin: str, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{origin}: {where} is {value!r}; it must be a text that is not empty")
    if value != value.strip():
        raise InputError(f"{origin}: {where} is {value!r}; take away the spaces around it")
    return value


def _measure(value: object, origin: str, where: str) -> str:
    if not isinstance(value, str) or value not in MEASURES:
        raise InputError(
            f"{origin}: {where} is {value!r}, which is no measure; use one of {', '.join(sorted(MEASURES))}"
        )
    return value


def _no_repeats(texts: tuple[str, ...] | list[str], origin: str, where: str) -> None:
    seen: set[str] = set()
    for text in texts:
        if text.casefold() in seen:
            raise InputError(f"{origin}: {where} holds the component {text!r} twice")
        seen.add(text.casefold())
