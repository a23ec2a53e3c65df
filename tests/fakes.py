"""Fakes that fail on cue: an `LLM` and a door that answer from a script and remember what they were asked."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from prose_data.config import Budget
from prose_data.llm.door import Door
from prose_data.llm.meter import Meter
from prose_data.llm.types import Message, Reply, Request, Role, Schema
from prose_data.values import Stage

FRESH = ["system", "user"]
CORRECTION = [*FRESH, "assistant", "user"]
Answer = Callable[[str, str, Role, int], str]  # system, user, role, replicate -> reply


class ScriptedLLM:
    """Answers with `answer(system, user, role, replicate)`; `notes` holds the reasons.

    `asked` holds (role, system, user) of every call, where a correction turn counts as its first request once more;
    `corrections` holds what such turns add: (assistant, user).
    """

    def __init__(self, answer: Answer | Sequence[str]) -> None:
        if callable(answer):
            self._answer = answer
        else:
            lines = iter(answer)
            self._answer = lambda system, user, role, replicate: next(lines)
        self.asked: list[tuple[str, str, str]] = []
        self.corrections: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []

    async def __call__(
        self, messages: Sequence[Message], *, role: Role, schema: Schema | None = None, replicate: int = 0
    ) -> Reply:
        system, user, *turn = (message["content"] for message in messages)
        assert [message["role"] for message in messages] in (FRESH, CORRECTION), "no other conversations"
        if turn:
            self.corrections.append((turn[0], turn[1]))
        self.asked.append((role, system, user))
        return Reply(self._answer(system, user, role, replicate), "stop", 10, 5, "fake", "simulated", 0.0)

    @property
    def calls(self) -> int:
        return len(self.asked)

    def note(self, reason: str, message: str) -> None:
        self.notes.append((reason, message))


class FakeDoor(Door):
    """A door whose every reply comes from `answer(role, messages)`; `asked` holds what was asked."""

    def __init__(self, answer: Any = lambda role, messages: '"""A draft."""') -> None:
        super().__init__({}, Meter(Budget()))
        self._answer = answer
        self.asked: list[tuple[Stage, Role, str]] = []

    def way(self, role: Role) -> Any:
        return SimpleNamespace(decoding={})

    async def ask(self, way: Any, request: Request, stage: Stage, method: str) -> Reply:
        text = "\n".join(message["content"] for message in request.body["messages"])
        self.asked.append((stage, request.role, text))
        return Reply(self._answer(request.role, text), "stop", 10, 5, "fake", "simulated", 0.25)
