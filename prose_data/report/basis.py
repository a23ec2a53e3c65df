"""What all parts of a report have in common: its words, estimates as JSON values and as text, and Markdown tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from prose_data.methods import ORACLE
from prose_data.stats import Effect, Estimate, Spread

Summary = dict[str, Any]
Cells = Mapping[tuple[str, str], pl.DataFrame]  # by method and metric: the values that are averaged

FLOOR, CEILING = "no_learning", ORACLE
COSTS = ("calls", "prompt_tokens", "completion_tokens", "cost_usd")
DIGITS = {"edit_distance": 1, "description_length": 0, "calls": 1, "prompt_tokens": 0, "completion_tokens": 0}
DIGITS |= {"tokens": 0, "cost_usd": 4}
LOWER_IS_BETTER = frozenset(
    "edit_distance edit_distance_normalised description_length topic_leak quoted stale rival crosstalk".split()
)
DASH = "–"


def plain(estimate: Estimate | Effect | Spread) -> dict[str, Any]:
    """Return an estimate as JSON values, rounded beyond what could matter."""
    return {key: rounded(value) for key, value in asdict(estimate).items()}


def rounded(value: Any) -> Any:
    """Return a number to six decimals, anything else as it is."""
    return round(value, 6) if isinstance(value, float) else value


def optional(estimate: Estimate | None) -> dict[str, Any] | None:
    """Return an estimate as JSON values, None for none."""
    return None if estimate is None else plain(estimate)


def show(estimate: Mapping[str, Any] | None, metric: str, *, signed: bool = False) -> str:
    """Return an estimate as `0.83 [0.79, 0.87]`, with `n of N` where something is missing; a dash where undefined.

    `signed` is for differences: a plus in front of what is above 0.
    """
    if estimate is None or (estimate["mean"] is None and not estimate.get("failed")):
        return DASH
    digits, sign = DIGITS.get(metric, 2), "+" if signed else ""
    failed, n = estimate.get("failed", 0), estimate["n"]

    def number(value: float) -> str:
        rounded = round(value, digits) + 0.0  # never -0.00
        return f"{rounded:{sign if rounded else ''},.{digits}f}"

    text = DASH if estimate["mean"] is None else number(estimate["mean"])
    if estimate["low"] is not None:
        text += f" [{number(estimate['low'])}, {number(estimate['high'])}]"
    return f"{text} ({n} of {n + failed})" if failed else text


def named(method: str) -> str:
    """Return a method's name, and whether it is one end of the scale."""
    return method + {FLOOR: " (floor)", CEILING: " (ceiling)"}.get(method, "")


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is to the left, all others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def cell(text: str) -> str:
    """Return `text` so that it can neither end a cell nor start markup."""
    return "".join(f"\\{c}" if c in "\\`*|<!" else c for c in " ".join(text.split()))
