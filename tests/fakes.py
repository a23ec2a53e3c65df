"""Fakes that fail on cue: an `LLM` that answers from a script and remembers what it was asked."""

from collections.abc import Callable, Sequence

from prose_data.llm.types import Message, Reply, Role, Schema

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

    def note(self, reason: str, message: str) -> None:
        self.notes.append((reason, message))
