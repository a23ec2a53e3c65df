"""What methods take and give; nothing here has room for a user's true components.

A method is two async functions: `recall(memory, document, llm) -> Preference`, what it believes this user wants for
this document, and `learn(memory, example, draft, llm) -> Memory`, a new memory after seeing the user's own text.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from prose_data.llm.types import LLM
from prose_data.values import Document
from prose_data.writing import Example


@dataclass(frozen=True, slots=True)
class Entry:
    """One remembered sample: what was concluded from it, and the verification votes given on its text so far."""

    example: Example
    components: tuple[str, ...] = ()
    votes: tuple[tuple[str, int], ...] = ()


# Immutable, oldest first; a user starts with (). What an item is, an `Entry` or something of its own, is the method's affair.
Memory = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How sure a method is of one component: `confidence` from 0 to 1, and that `support` of `of` samples show it."""

    confidence: float
    support: int
    of: int


@dataclass(frozen=True, slots=True)
class Preference:
    """What a method believes: components for the writer, and/or earlier samples to show it.

    `description` is the text they came from, "" when nothing is known yet, None for a method that never infers any.
    `evidence` stands beside `components`, one each, or is empty for a method that weighs nothing.
    """

    components: tuple[str, ...] = ()
    description: str | None = ""
    examples: tuple[Example, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """The method's text for a document and the belief it was written by."""

    text: str
    preference: Preference


Recall = Callable[[Memory, Document, LLM], Awaitable[Preference]]
Learn = Callable[[Memory, Example, Draft, LLM], Awaitable[Memory]]


class Method(NamedTuple):
    """A method's two functions.

    `infers` is False where it states no preferences (its recovery is undefined), `drafts` where it learns from the
    user's text alone, whatever the draft: its caller need not have one made.
    """

    recall: Recall
    learn: Learn
    infers: bool
    drafts: bool = True
