"""Methods beside the model: the processor time that their own work takes, every reply being there at once."""

import asyncio
import json
import time
from collections.abc import Sequence
from itertools import count
from statistics import median

from bench.values import Figure, Setup, Unusable
from prose_data.config import Config, Prose
from prose_data.documents import load_documents
from prose_data.llm.types import LLM, Message, Reply, Role, Schema
from prose_data.methods import METHODS
from prose_data.methods.types import Draft, Memory, Method
from prose_data.spaces import load_space
from prose_data.values import Document
from prose_data.writing import Example, write

SAMPLES = 5
_COMPONENTS = 7
_CALLS = (
    25 + 25 + 4 + 5 + 105
)  # drafts and candidates, comparisons, merges, breakdowns, votes: all that there can be
_USERS = 200


class _Instant:
    """A model that answers in the form asked for, each time with other components, none of them ever settled.

    `seconds` is the processor time that it took itself.
    """

    def __init__(self, text: str) -> None:
        self.calls = 0
        self.seconds = 0.0
        self._text = text
        self._numbers = count()

    async def __call__(
        self, messages: Sequence[Message], *, role: Role, schema: Schema | None = None, replicate: int = 0
    ) -> Reply:
        """Return the reply to any of PROSE's prompts."""
        began = time.thread_time()
        reply = Reply(self._answer(messages[0]["content"]), "stop", 10, 5, "instant", "simulated")
        self.calls += 1
        self.seconds += time.thread_time() - began
        return reply

    def note(self, reason: str, message: str) -> None:
        """Refuse a reply that could not be read: then something else would be measured."""
        raise Unusable(f"a reply could not be read: {reason}, {message}")

    def _answer(self, system: str) -> str:
        if "writer" in system:
            return f'"""\n{self._text} {next(self._numbers)}\n"""'
        if "checker" in system:
            return "Verdict: somewhat confirms"
        fresh = [f"use the device number {next(self._numbers)} now and then" for _ in range(_COMPONENTS)]
        if "breaks descriptions" in system:
            return json.dumps({"components": fresh})
        return f"The person's text differs in these.\n\nPreferences: {'; '.join(fresh)}"


def prose_cpu(setup: Setup) -> Figure:
    """Measure PROSE's own processor time for a user of five samples, with as many calls as there can be."""
    documents = load_documents(Config(), load_space("plume")).rows[:SAMPLES]
    method = METHODS["prose"](Config(prose=Prose(steps=5)))
    seconds = asyncio.run(_users(method, documents, setup.some(_USERS, 20)))
    words = sum(len(document.text.split()) for document in documents) // SAMPLES
    milliseconds = 1000 * median(seconds)
    absolute = (
        f"{len(seconds)} users of {SAMPLES} documents and texts of {words} words, {_CALLS} calls each; "
        f"{1000 * milliseconds / _CALLS:.0f} µs a call"
    )
    return Figure(milliseconds, absolute)


async def _users(method: Method, documents: Sequence[Document], number: int) -> list[float]:
    """Return the processor time of each of so many users in seconds, the model's own not counted."""
    seconds = []
    for _ in range(number):
        llm = _Instant(documents[0].text)
        began = time.thread_time()
        await _live(method, documents, llm)
        seconds.append(time.thread_time() - began - llm.seconds)
        if llm.calls != _CALLS:
            raise Unusable(f"a user takes {llm.calls} calls, not {_CALLS}: that is another work")
    return seconds


async def _live(method: Method, documents: Sequence[Document], llm: LLM) -> None:
    memory: Memory = ()
    for document in documents:
        preference = await method.recall(memory, document, llm)
        text = await write(llm, document, preference.components, preference.examples)
        memory = await method.learn(
            memory, Example(document, document.text), Draft(text or "", preference), llm
        )
