"""PROSE's published numbers (arXiv 2505.23815): steps S and threshold v were chosen for each inferring model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """S and v, and the model they were published for; None for a model without published numbers."""

    model: str | None
    steps: int
    threshold: float


_PUBLISHED: Mapping[str, tuple[int, float]] = {
    "gpt-4o": (5, 0.5),
    "gpt-4o-mini": (3, 0.5),
    "qwen-2.5-7b": (5, 0.25),
    "qwen-2.5-72b": (5, 0.75),
}
_OTHERWISE = Preset(None, 5, 0.5)


def preset_of(model: str) -> Preset:
    """Return the numbers published for `model`, whatever its name has before and behind (`Qwen/Qwen2.5-7B-Instruct`).

    Of published names that fit, the longest counts.
    """
    for name in sorted(_PUBLISHED, key=len, reverse=True):
        words = r"[-_:. ]?".join(re.escape(word) for word in name.split("-"))
        if re.search(rf"(?<![a-z0-9]){words}(?![a-z0-9])", model.lower()):
            return Preset(name, *_PUBLISHED[name])
    return _OTHERWISE
