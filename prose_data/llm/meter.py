"""The meter: what a run has sent, has in flight and has paid, held against its budget, and shown while it goes on."""

import threading
from collections import Counter
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


class Meter:
    """The counts of one run; one meter serves all its doors, in any thread.

    An attempt counts as a request when it starts; tokens and cost count when its reply is there, so they may pass
    their limit by what is in flight at that moment. Replies from the store cost nothing and count only as `replies`.

    requests    attempts started                replies    answers by source
    tokens      paid, prompt and completion     cost       US dollars, as far as prices are known (`unpriced`: not all)
    retries     attempts after a failed one     failed     requests that failed for good
    in_flight   attempts that wait for replies  known      what was learned of each (base URL, model)
    waiting     those of `in_flight` that wait for a batch
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._lock = threading.Lock()
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

    def start(self) -> None:
        """Count one request; raises BudgetReached instead if a limit is used up."""
        with self._lock:
            for key, spent, limit in (
                ("max_requests", self.requests, self._budget.max_requests),
                ("max_tokens", self.tokens, self._budget.max_tokens),
                ("max_cost", self.cost, self._budget.max_cost),
            ):
                if limit is not None and spent >= limit:
                    raise BudgetReached(
                        f"budget.{key} is used up ({spent:.10g} of {limit:.10g}); raise it and run again on the same "
                        "folder to go on from here"
                    )
            self.requests += 1

    def add(self, tokens: int, cost: float | None) -> None:
        """Count what a reply used; cost is in US dollars."""
        with self._lock:
            self.tokens += tokens
            self.cost += cost or 0.0
            self.unpriced = self.unpriced or cost is None
