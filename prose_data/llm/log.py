"""The log of answered requests: the rows of the table `requests`, in columns, as there may be millions of them."""

import secrets
from array import array
from typing import TYPE_CHECKING, Any

from prose_data.llm.types import Reply, Role
from prose_data.values import Stage

if TYPE_CHECKING:
    import polars as pl


class _Words:
    """A column of a few different words, as numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._column = array("I")

    def add(self, word: str) -> None:
        """Append `word`."""
        self._column.append(self._numbers.setdefault(word, len(self._numbers)))

    def series(self) -> "pl.Series":
        """Return the words in order."""
        import polars as pl

        words = pl.Series(list(self._numbers), dtype=pl.String)
        return words.gather(pl.Series(self._column, dtype=pl.UInt32))


class _Part:
    """What one stage asked."""

    def __init__(self) -> None:
        self.words = {name: _Words() for name in ("role", "method", "model", "source", "rung")}
        self.prompt_tokens, self.completion_tokens, self.attempts = array("q"), array("q"), array("q")
        self.cost, self.seconds = array("d"), array("d")  # an unknown cost is NaN here


class RequestLog:
    """Rows of the table `requests` by stage; one log per door, and no two rows of any logs have one id."""

    def __init__(self) -> None:
        self._parts: dict[Stage, _Part] = {}
        self._name = secrets.token_hex(8)
        self._count = 0

    def add(self, stage: Stage, role: Role, method: str, reply: Reply, cost: float | None) -> None:
        """Keep a row for `reply`, for which `cost` US dollars were really paid (None: unknown)."""
        part = self._parts.get(stage)
        if part is None:
            part = self._parts[stage] = _Part()
        words = part.words
        words["role"].add(role)
        words["method"].add(method)
        words["model"].add(reply.model)
        words["source"].add(reply.source)
        words["rung"].add(reply.rung)
        part.prompt_tokens.append(reply.prompt_tokens)
        part.completion_tokens.append(reply.completion_tokens)
        part.attempts.append(reply.attempts)
        part.cost.append(float("nan") if cost is None else cost)
        part.seconds.append(reply.seconds)

    def drain(self, stage: Stage) -> "pl.DataFrame":
        """Return the rows of `stage` as the table has them, oldest first, and forget them."""
        import polars as pl

        from schemas.requests import Requests

        part = self._parts.pop(stage, None) or _Part()
        number = len(part.cost)
        columns: dict[str, Any] = {name: words.series() for name, words in part.words.items()}
        columns |= {
            "request_id": pl.Series(range(self._count, self._count + number), dtype=pl.Int64),
            "stage": pl.repeat(stage, number, dtype=pl.String, eager=True),
            "prompt_tokens": pl.Series(part.prompt_tokens, dtype=pl.Int64),
            "completion_tokens": pl.Series(part.completion_tokens, dtype=pl.Int64),
            "attempts": pl.Series(part.attempts, dtype=pl.Int64),
            "cost_usd": pl.Series(part.cost, dtype=pl.Float64).fill_nan(None),
            "seconds": pl.Series(part.seconds, dtype=pl.Float64),
        }
        self._count += number
        frame = pl.DataFrame(columns).with_columns(
            pl.format(f"{self._name}-{{}}", "request_id").alias("request_id")
        )
        return frame.select(list(Requests.columns()))
