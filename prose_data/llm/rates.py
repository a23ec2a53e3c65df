"""What endpoints say in headers about when to ask again: `Retry-After` and the rate-limit headers of several makers."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# What is left, and when there is more: OpenAI and most others, Anthropic, the draft of a standard.
_HEADERS = tuple(
    (f"{prefix}{name[0]}", f"{prefix}{name[1]}")
    for prefix, names in (
        ("x-ratelimit-", (("remaining-requests", "reset-requests"), ("remaining-tokens", "reset-tokens"))),
        (
            "anthropic-ratelimit-",
            (("requests-remaining", "requests-reset"), ("tokens-remaining", "tokens-reset")),
        ),
        ("ratelimit-", (("remaining", "reset"),)),
    )
    for name in names
)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` (a number or an HTTP date) or `retry-after-ms` asks to wait, else None."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    return seconds if seconds is not None else _until(value, parsedate_to_datetime)


def seconds_to_wait(headers: Mapping[str, str]) -> float:
    """Return the seconds until the endpoint has room again, by its rate-limit headers; 0 where it has some."""
    wait = 0.0
    for left, reset in _HEADERS:
        remaining = headers.get(left)
        if remaining is not None and _number(remaining) == 0:
            wait = max(wait, _duration(headers.get(reset, "")))
    return wait


def _duration(value: str) -> float:
    """Return the seconds in "1s", "6m0s", "20ms", "12.5" or an ISO time; 0 for anything else."""
    seconds = _number(value)
    if seconds is not None:
        return seconds
    parts = _PART.findall(value)
    if parts and "".join(number + unit for number, unit in parts) == value:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return _until(value, datetime.fromisoformat) or 0.0


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _until(value: str, parse: Callable[[str], datetime]) -> float | None:
    """Return the seconds from now to the time that `value` names; None if it names none."""
    try:
        then = parse(value)
    except (ValueError, OverflowError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())
