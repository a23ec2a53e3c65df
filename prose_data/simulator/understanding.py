"""What the simulated model understands: the blocks of a prompt, what a phrase means, what a text shows."""

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from prose_data.features import features
from prose_data.simulator.devices import DEVICES

PLAIN, CLEAR = 0.3, 0.6  # strength from which a device shows at all, and clearly

_NEGATION = re.compile(
    r"\b(?:do not|don't|does not|doesn't|avoid|avoids|never|without|no|not)\b", re.IGNORECASE
)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase asks for: a device, or (positive False) to keep clear of it."""

    device: str
    positive: bool


def blocks(prompt: str, tag: str) -> list[str]:
    """Return what stands between each <tag> and its end."""
    return re.findall(rf"<{tag}>\n(.*?)\n</{tag}>", prompt, re.DOTALL)


def block(prompt: str, tag: str) -> str:
    """Return what stands between the last <tag> and its end, "" if there is none."""
    return next(reversed(blocks(prompt, tag)), "")


def listed(text: str) -> list[str]:
    """Return the items of a block: its lines without bullets or numbers."""
    return [_ITEM.sub("", line).strip() for line in text.splitlines() if line.strip()]


def split_items(line: str) -> list[str]:
    """Return the items of "a; b; c" or of a JSON list."""
    parts = _json_items(line) or re.split(r";\s+|;$|\n", line)
    return [item.strip() for item in parts if item.strip() and item.strip()[0] != "("]


def _json_items(line: str) -> list[str]:
    """Return the texts of a JSON list, none for anything else."""
    try:
        listed = json.loads(line) if line.startswith("[") else []
    except (ValueError, RecursionError):
        return []
    return [item for item in listed if isinstance(item, str)]


@cache
def _phrases() -> dict[str, str]:
    return {_plain(phrase): device.name for device in DEVICES.values() for phrase in device.phrases}


@cache
def _keys() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(key, re.IGNORECASE), device.name) for device in DEVICES.values() for key in device.keys
    ]


def _plain(phrase: str) -> str:
    return " ".join(re.sub(r"[^\w&;() ]", "", phrase.lower()).split())


@lru_cache(maxsize=5_000)
def meaning(phrase: str) -> Meaning | None:
    """Return what `phrase` asks for: a device's own phrase first, else the first device one of whose keys matches."""
    exact = _phrases().get(_plain(phrase))
    if exact is not None:
        return Meaning(exact, True)
    for pattern, device in _keys():
        if pattern.search(phrase):
            return Meaning(device, _NEGATION.search(phrase) is None)
    return None


@lru_cache(maxsize=10_000)
def strength(text: str, device: str) -> float:
    """Return how strongly `text` shows `device`, 0 to 1."""
    return DEVICES[device].strength(features(text))


@lru_cache(maxsize=1_000)
def shown(text: str) -> dict[str, float]:
    """Return the strengths of all devices in `text`."""
    seen = features(text)
    return {name: device.strength(seen) for name, device in DEVICES.items()}


def bears_out(text: str, phrase: str) -> float | None:
    """Return from -1 (contradicts) over 0 (nothing to see) to 1 (plainly shows) how `text` stands to `phrase`.

    None where the phrase means no device and names nothing that the text mentions.
    """
    means = meaning(phrase)
    if means is None:
        words = set(features(text).counts)
        named = [word for word in features(phrase).words if len(word) > 4 and word not in _GENERIC]
        return 0.4 if named and all(word in words for word in named) else None
    degree = strength(text, means.device)
    if not means.positive:
        return -degree if degree >= PLAIN else 0.4
    if degree < PLAIN:
        against = max((strength(text, other) for other in DEVICES[means.device].opposites), default=0.0)
        return -against if against >= CLEAR else 0.0
    return degree


_GENERIC = frozenset("mention write include about always often keep stick using where their short".split())
