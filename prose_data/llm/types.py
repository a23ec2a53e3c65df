"""What passes through the door to the models: messages and a role in, a `Reply` out.

Behind `LLM` stand layers of one shape, `Send`: request store, then limits and budget, then transport.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["human", "writer", "inferrer", "judge"]
Source = Literal["endpoint", "store", "batch", "simulated"]
# How a reply was brought into its form: by the endpoint's own JSON schema, its JSON mode, in words alone, or by a
# second turn in which the model corrects what could not be read.
Rung = Literal["schema", "json", "text", "correction"]
Message = Mapping[str, str]  # {"role": "system" | "user" | "assistant", "content": ...}
Schema = Mapping[str, Any]  # a JSON schema of the wanted reply


@dataclass(frozen=True, slots=True)
class Request:
    """One chat completion as it would be sent; `body` is the OpenAI request body, `seed` (the replicate) included.

    Where requests have to queue, those of the lowest `order` go first.
    """

    role: Role
    body: Mapping[str, Any]
    order: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer; `cost_usd` is None where the price is unknown, `seconds` is wall time at the endpoint."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    source: Source
    cost_usd: float | None = None
    seconds: float = 0.0
    attempts: int = 1
    rung: Rung = "text"


Send = Callable[[Request], Awaitable[Reply]]


class Fault(Exception):
    """One attempt that failed.

    `reason` is the word for the failures table, `retry` whether another attempt can help, `wait` the seconds the
    endpoint asked for, `overload` whether it has too much to do, `unreachable` whether not even a connection came
    about.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        retry: bool = True,
        wait: float | None = None,
        overload: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry = retry
        self.wait = wait
        self.overload = overload
        self.unreachable = unreachable


class LLM(Protocol):
    """One async callable: messages in, `Reply` out; whoever holds it sees no endpoint, key, store or limit.

    Raises `RequestFailed` when this request failed for good, `EndpointError` or `BudgetReached` when no
    request can succeed any more.
    """

    async def __call__(
        self, messages: Sequence[Message], *, role: Role, schema: Schema | None = None, replicate: int = 0
    ) -> Reply:
        """Return the reply of `role`'s model; another `replicate` asks for another, independent reply.

        A message of the assistant among `messages` is an earlier reply, which the last message asks to correct.
        """
        ...

    def note(self, reason: str, message: str) -> None:
        """Count a reply that could not be read; it becomes a row in `failures`."""
        ...
