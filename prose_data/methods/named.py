"""Methods by name, a name with parameters included: `prose:steps=3,threshold=0.25`.

Parameters take the place of keys in the section of the configuration that the method reads, for this method alone, so
that one run can hold the same method with several settings.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from prose_data.config import Config, parse_config
from prose_data.errors import InputError
from prose_data.methods import METHODS, ORACLE
from prose_data.methods.prose import VARIANTS
from prose_data.methods.types import Method

_BETWEEN = re.compile(r",(?![^\[]*\])")  # commas, but not those of a list


def base(name: str) -> str:
    """Return a method's name without its parameters."""
    return name.partition(":")[0]


def make(name: str, config: Config) -> Method:
    """Return the method called `name`, its parameters taken over keys of `config`.

    Raises InputError naming the method and the key.
    """
    return METHODS[_known(name)](configured(name, config))


def configured(name: str, config: Config) -> Config:
    """Return `config` with the parameters in `name` in the section that its method reads."""
    known, changes = _known(name), parameters(name)
    if not changes:
        return config
    section = _section(known)
    if section is None:
        raise InputError(f"method {name}: {known} takes no parameters")
    if fixed := sorted(set(changes) & set(VARIANTS.get(known, {}))):
        raise InputError(f"method {name}: {fixed[0]} is what makes {known}, so it can't be set")
    before: BaseModel = getattr(config, section)
    changed = parse_config({section: {**before.model_dump(), **changes}}, f"method {name}")
    return config.model_copy(update={section: getattr(changed, section)})


def check_names(names: Sequence[str], config: Config) -> None:
    """Raise InputError for the first of `names` that is no method, the oracle apart, or that is an earlier one in
    another spelling."""
    seen: dict[tuple[str, str], str] = {}
    for name in names:
        if name != ORACLE:
            key = base(name), configured(name, config).model_dump_json()
            if key in seen:
                raise InputError(f"methods: {seen[key]} and {name} are the same; list one of them")
            seen[key] = name


def parameters(name: str) -> dict[str, Any]:
    """Return the parameters in `name`, their values read as YAML and not yet checked against a configuration.

    Raises InputError for a name that is not of the form METHOD:KEY=VALUE,KEY=VALUE.
    """
    if re.search(r"\s", name):
        raise InputError(f"method {name!r}: must not hold white space")
    _, colon, listed = name.partition(":")
    if not colon:
        return {}
    if not listed:
        raise InputError(f"method {name}: no parameter follows the colon; write {base(name)}:KEY=VALUE")
    found: dict[str, Any] = {}
    for part in _BETWEEN.split(listed):
        key, sign, value = part.partition("=")
        if not (key and sign and value):
            raise InputError(f"method {name}: {part!r} must look like KEY=VALUE")
        if key in found:
            raise InputError(f"method {name}: {key} is there twice")
        try:
            found[key] = yaml.safe_load(value)
        except (yaml.YAMLError, RecursionError):
            raise InputError(f"method {name}: the value of {key} is not valid YAML") from None
    return found


def _known(name: str) -> str:
    known = base(name)
    if known not in METHODS:
        raise InputError(f"methods: {known!r} is not known; use some of {', '.join([*METHODS, ORACLE])}")
    return known


def _section(known: str) -> str | None:
    """Return the section of the configuration that bears the method's name or its first words, None if there is none."""
    words = known.split("_")
    names = ("_".join(words[:length]) for length in range(len(words), 0, -1))
    return next((name for name in names if isinstance(getattr(Config(), name, None), BaseModel)), None)
