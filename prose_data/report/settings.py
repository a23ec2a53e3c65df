"""The numbers that PROSE went by, where the configuration leaves them to the inferring model's preset as well."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from prose_data.config import Config
from prose_data.methods.named import base, configured
from prose_data.methods.presets import preset_of
from prose_data.methods.prose import VARIANTS, settings_of

_OPEN = {"steps": "S", "threshold": "v"}  # the keys that may be left open, and what the paper calls them


def prose_settings(config: Config) -> dict[str, Any] | None:
    """Return the effective settings of each variant of PROSE in the run, and of plain `prose` where each open number is
    from; None for a run without any."""
    variants = [name for name in config.methods if base(name) in VARIANTS]
    if not variants:
        return None
    inferrer = config.model_of("inferrer").model
    published = preset_of(inferrer).model
    preset = (
        f"published for {published}" if published else f"the default, as nothing is published for {inferrer}"
    )
    return {
        "inferrer": inferrer,
        "published_for": published,
        "origin": {key: "configured" if getattr(config.prose, key) is not None else preset for key in _OPEN},
        "methods": {name: _effective(name, config) for name in variants},
    }


def _effective(name: str, config: Config) -> dict[str, Any]:
    settings = settings_of(base(name), configured(name, config))
    return {**asdict(settings), "stop": list(settings.stop), "retrieval": settings.retrieval.model_dump()}


def settings_line(found: Mapping[str, Any] | None) -> str:
    """Return a sentence on plain PROSE's open numbers, "" for a run without it."""
    if found is None or "prose" not in found["methods"]:
        return ""
    used, origin = found["methods"]["prose"], found["origin"]
    numbers = " and ".join(f"{sign} = {used[key]:g} ({origin[key]})" for key, sign in _OPEN.items())
    return f"PROSE goes by {numbers}."
