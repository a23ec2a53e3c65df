"""The meter: what a run has sent, has in flight and has paid, held against its budget, and shown while it goes on."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from prose_data.config import Budget, Price
from prose_data.errors import BudgetReached
from prose_data.llm.dialect import Dialect
from prose_data.llm.types import Source


def cost_of(price: Price | None, prompt_tokens: int, completion_tokens: int) -> float | None:
    """Return US dollars for these tokens, None where the price is unknown."""
    if price is None:
        return None
    return (price.prompt * prompt_tokens + price.completion * completion_tokens) / 1e6


@dataclass(slots=True)
class Known:
    """What was learned of one model of one endpoint, for the doors to come: what it takes and how much of it.

    `allowed` is how many requests may be in flight just now, `ceiling` how many it took before it refused some.
    """

    dialect: Dialect = field(default_factory=Dialect)
    allowed: int = 0
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a meter has counted, to be handed to another one, which may be on another machine; the words are the meter's."""

    requests: int
    replies: Mapping[Source, int]
    tokens: int
    cost: float
    unpriced: bool
    retries: int
    failed: int


class Meter:
    """The counts of one run; one meter serves all its doors, in any thread.

    An attempt counts as a request when it starts; tokens and cost count when its reply is there, so they may pass
    their limit where requests in flight take more than those before. Replies from the store cost nothing and count only as `replies`.

    requests    attempts started                replies    answers by source
    tokens      paid, prompt and completion     cost       US dollars, as far as prices are known (`unpriced`: not all)
    retries     attempts after a failed one     failed     requests that failed for good
    in_flight   attempts that wait for replies  known      what was learned of each (base URL, model)
    waiting     those of `in_flight` that wait for a batch
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._earlier = (0, 0, 0.0)
        self._paid = 0  # replies that were paid
        self.requests = 0
        self.replies: Counter[Source] = Counter()
        self.tokens = 0
        self.cost = 0.0
        self.unpriced = False
        self.retries = 0
        self.failed = 0
        self.in_flight = 0
        self.waiting = 0
        self.known: dict[tuple[str | None, str], Known] = {}

    @property
    def allowed(self) -> int:
        """How many attempts may be in flight just now; it moves with the load on the endpoints."""
        return sum(known.allowed for known in tuple(self.known.values()))

    def begin_with(self, requests: int, tokens: int, cost: float) -> None:
        """Count what the run has spent in earlier tries; the budget is for all of them together."""
        with self._lock:
            self._earlier = (requests, tokens, cost)

    def spent(self) -> dict[str, float]:
        """Return all requests, tokens and US dollars of the run, those of earlier tries included."""
        requests, tokens, cost = self._earlier
        return {
            "requests": requests + self.requests,
            "tokens": tokens + self.tokens,
            "cost": cost + self.cost,
        }

    def start(self) -> None:
        """Count one request; raises BudgetReached instead if a limit is used up.

        Requests in flight count beforehand with what one has taken on average.
        """
        with self._lock:
            ahead = self.in_flight / self._paid if self._paid else 0
            for key, used, limit in self._used(self.tokens * ahead, self.cost * ahead):
                if used >= limit:
                    raise _used_up(key, used, limit)
            self.requests += 1

    def used_up(self) -> BudgetReached:
        """Return the error for the limit of the budget of which most is used; there must be a limit."""
        with self._lock:
            return _used_up(*max(self._used(), key=lambda limit: limit[1] / max(limit[2], 1e-9)))

    def _used(self, tokens: float = 0, cost: float = 0) -> list[tuple[str, float, float]]:
        """Return key, use and limit for each limit that there is, with so many tokens and US dollars on top."""
        spent = self.spent()
        return [
            (key, used, limit)
            for key, used, limit in (
                ("max_requests", spent["requests"], self._budget.max_requests),
                ("max_tokens", spent["tokens"] + tokens, self._budget.max_tokens),
                ("max_cost", spent["cost"] + cost, self._budget.max_cost),
            )
            if limit is not None
        ]

    def add(self, tokens: int, cost: float | None) -> None:
        """Count what a reply used; cost is in US dollars."""
        with self._lock:
            self._paid += 1
            self.tokens += tokens
            self.cost += cost or 0.0
            self.unpriced = self.unpriced or cost is None

    def counts(self) -> Counts:
        """Return what this meter has counted itself, earlier tries left out."""
        with self._lock:
            return Counts(
                self.requests,
                dict(self.replies),
                self.tokens,
                self.cost,
                self.unpriced,
                self.retries,
                self.failed,
            )

    def take(self, counts: Counts) -> None:
        """Count what another meter has counted."""
        with self._lock:
            self.requests += counts.requests
            self.replies.update(counts.replies)
            self.tokens += counts.tokens
            self.cost += counts.cost
            self.unpriced = self.unpriced or counts.unpriced
            self.retries += counts.retries
            self.failed += counts.failed


def _used_up(key: str, used: float, limit: float) -> BudgetReached:
    return BudgetReached(
        f"budget.{key} is used up ({used:.6g} of {limit:.10g}); raise it and run again on the same folder to go on "
        "from here"
    )
