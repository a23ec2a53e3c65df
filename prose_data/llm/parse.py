"""Reading replies: strict, the last answer counts, and only if it was on offer. Case is kept; None is "can't be read".

Small damage is repaired where the answer is beyond doubt: markup, quotes and fences around it, brackets and commas of a
list that are missing or too many.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+(.+?)\s*$")
_STRING = r'"(?:[^"\\\x00-\x1f]|\\.)*"'
# A JSON list of whole strings and then nothing, or brackets and commas in whatever order; a comma alone promises more.
_DAMAGED = re.compile(
    rf'\s*+(?:\{{\s*+"components"\s*+:\s*+)?\[\s*+({_STRING}(?:\s*+,\s*+{_STRING})*+)'
    r"\s*+(?:,?\s*+[\]}][\s,\]}]*+)?"
)
_NUMBERED_PAIR = re.compile(r"[\s>*#-]*(\d{1,4})\s*[:.)]\s*([^|]+?)\s*\|\s*([^|]+?)\s*")
_PAIRS = {'"': '"', "'": "'", "“": "”", "`": "`", "*": "*", "_": "_", "<": ">"}


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to change in a numbered list; numbers count from 0, and what is added goes to its end."""

    add: tuple[str, ...] = ()
    remove: tuple[int, ...] = ()
    update: tuple[tuple[int, str], ...] = ()


def quoted_text(reply: str) -> str:
    """Return the first triple-quoted span of `reply` that is not empty, else (none, or never closed) what else there is."""
    parts = reply.split('"""')
    for span in parts[1:-1:2]:
        if span.strip():
            return span.strip()
    return (parts[1] if len(parts) == 2 else "".join(parts)).strip()


def last_verdict(reply: str, options: Sequence[str], label: str = "Verdict") -> str | None:
    """Return the option named on the last line `label: …`, or without a label by the last line; compared whole, case
    folded."""
    answers = _labelled(reply, label)
    answer = answers[-1][0] if answers else next(iter(reply.rstrip().splitlines()[-1:]), "")
    if answers and not answer:  # the verdict stands on the line below its label
        answer = next(iter(answers[-1][1]), "")
    wanted = _bare(answer).rstrip(".!").casefold()
    wanted = _bare(wanted)
    return next((option for option in options if option.casefold() == wanted), None)


def last_line(reply: str, label: str) -> str | None:
    """Return what follows the last `label:`, on its line or as the list right below it (items joined by "; ").

    An answer of none is "". A reply without the label, or with nothing behind it, can't be read.
    """
    answers = _labelled(reply, label)
    if not answers:
        return None
    line, below = answers[-1]
    if not line:
        items: list[str] = []
        for following in below:
            item = _ITEM.match(following)
            if item is None and items and not items[-1].endswith(";"):
                break
            items.append(item[1] if item else following)
        line = "; ".join(_bare(item.rstrip("; ")) for item in items)
    line = _bare(line)
    return "" if line.rstrip(".").casefold() in ("none", "n/a", "nothing") else line or None


def string_list(reply: str) -> list[str] | None:
    """Return the list of non-empty strings in `reply`: `{"components": […]}` or a bare JSON list, alone, in a fenced
    block or amid text; or a plain bulleted or numbered list. None if there is no such list.

    Of JSON, the brackets and commas at its end may be wrong, but each string must be whole.
    """
    candidates = [reply, *reversed(_FENCE.findall(reply)), *_brackets(reply)]
    for candidate in candidates:
        damaged = _DAMAGED.fullmatch(candidate)
        try:
            value = json.loads(f"[{damaged[1]}]" if damaged else candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            value = value.get("components")
        if isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value):
            return [item.strip() for item in value]
        return None
    items = [match[1] for line in reply.splitlines() if (match := _ITEM.match(line))]
    return items or None


def texts(reply: str, count: int) -> list[str] | None:
    """Return the `count` texts of a reply's `{"texts": […]}`, alone, in a fenced block or amid words; None if there is no
    such object, one of them is empty, or there are more or fewer."""
    for candidate in [reply, *reversed(_FENCE.findall(reply)), *_brackets(reply)]:
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        found = value.get("texts") if isinstance(value, dict) else None
        if not isinstance(found, list) or len(found) != count:
            return None
        return [text.strip() for text in found] if all(_is_text(text) for text in found) else None
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def number_pairs(line: str, first: int, second: int) -> list[tuple[int, int]] | None:
    """Return the pairs "2-1, 3-4" as zero-based numbers below `first` and `second`, each number used once; [] for "".

    None if anything else stands there, a number is out of range, or one is used twice.
    """
    if not line:
        return []
    pairs = []
    for part in re.split(r"\s*[,;]\s*", line.rstrip(".")):
        match = re.fullmatch(r"(\d{1,4})\s*[-–]\s*(\d{1,4})", part)
        if match is None:
            return None
        pairs.append((int(match[1]) - 1, int(match[2]) - 1))
    used_first, used_second = {a for a, _ in pairs}, {b for _, b in pairs}
    if len(used_first) < len(pairs) or len(used_second) < len(pairs):
        return None
    if not used_first <= set(range(first)) or not used_second <= set(range(second)):
        return None
    return pairs


def number_groups(line: str, count: int) -> list[list[int]] | None:
    """Return the groups "1, 4; 2, 5" as zero-based numbers below `count`, each number in one group; [] for "".

    None if anything else stands there, a number is out of range, or one is used twice.
    """
    if not line:
        return []
    groups = []
    for part in line.rstrip(".; ").split(";"):
        if re.fullmatch(r"\s*\d{1,4}(?:\s*,\s*\d{1,4})*\s*", part) is None:
            return None
        groups.append([int(number) - 1 for number in part.split(",")])
    used = [number for group in groups for number in group]
    return groups if len(used) == len(set(used)) and set(used) <= set(range(count)) else None


def verdict_pairs(reply: str, count: int, options: Sequence[str]) -> dict[int, tuple[str, str]] | None:
    """Return the two verdicts of each line "3: verdict | verdict" by its zero-based number below `count`.

    The last line of a number counts, and only with two verdicts on offer, compared whole; a number without such a line
    has none. None if no number has.
    """
    wanted = {option.casefold(): option for option in options}
    found: dict[int, tuple[str, str]] = {}
    for line in reply.splitlines():
        match = _NUMBERED_PAIR.fullmatch(line)
        if match is None or not 1 <= int(match[1]) <= count:
            continue
        one, other = (wanted.get(_bare(answer).rstrip(".").casefold()) for answer in match.group(2, 3))
        found.pop(int(match[1]) - 1, None)
        if one is not None and other is not None:
            found[int(match[1]) - 1] = one, other
    return found or None


def changes(reply: str, count: int) -> Changes | None:
    """Return the changes in a reply's JSON object to a list of `count` items; None if it holds no such object.

    Items are non-empty strings, numbers those of the list (1 to `count`), none both removed and updated or updated twice.
    """
    for candidate in [reply, *reversed(_FENCE.findall(reply)), *_brackets(reply)]:
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return _changes(value, count)
    return None


def _changes(value: dict[str, Any], count: int) -> Changes | None:
    add, remove, update = (value.get(key, []) for key in ("add", "remove", "update"))
    if not all(isinstance(part, list) for part in (add, remove, update)):
        return None
    if not all(isinstance(item, dict) for item in update):
        return None
    numbers = [*remove, *(item.get("number") for item in update)]
    texts = [*add, *(item.get("text") for item in update)]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return None
    if not all(type(number) is int and 1 <= number <= count for number in numbers):
        return None
    if len({*numbers}) < len({*remove}) + len(update):
        return None
    return Changes(
        tuple(" ".join(text.split()) for text in add),
        tuple(sorted({number - 1 for number in remove})),
        tuple((item["number"] - 1, " ".join(item["text"].split())) for item in update),
    )


@cache
def _label(label: str) -> re.Pattern[str]:
    return re.compile(rf"^[\s#>*_`-]*{re.escape(label)}\s*[*_`]*\s*[:=]\s*(.*?)\s*$", re.IGNORECASE)


def _labelled(reply: str, label: str) -> list[tuple[str, list[str]]]:
    """Return for each line that begins with `label:` (markup allowed) its rest and the non-empty lines below it."""
    pattern = _label(label)
    lines = reply.splitlines()
    found = []
    for number, line in enumerate(lines):
        match = pattern.match(line)
        if match:
            rest = match[1]
            if rest.count("**") % 2:  # it closes the bold face of the label
                rest = rest.replace("**", "", 1).strip()
            found.append((rest, [below.strip() for below in lines[number + 1 :] if below.strip()]))
    return found


def _bare(text: str) -> str:
    """Return `text` without surrounding space and without quotes or markup that both open and close it."""
    text = text.strip()
    while len(text) > 1 and text[0] in _PAIRS and text[-1] == _PAIRS[text[0]] and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    if text.startswith("**") and text.endswith("**") and len(text) > 4:
        return text[2:-2].strip()
    return text


def _brackets(reply: str) -> list[str]:
    """Return the widest spans of `reply` that could be JSON: from the first brace or bracket to its last partner."""
    spans = []
    for opening, closing in (("{", "}"), ("[", "]")):
        start, end = reply.find(opening), reply.rfind(closing)
        if 0 <= start < end:
            spans.append((start, reply[start : end + 1]))
    return [span for _, span in sorted(spans)]
