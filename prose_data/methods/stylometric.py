"""Preferences from counting alone (ours): what stands out in a user's texts beside ordinary writing of the kind.

No model is asked. References are the documents that the texts are about, and the drafts that were written while nothing
was believed yet, so that what a document brings along, or a model does anyway, is not taken for a habit.
"""

from dataclasses import dataclass
from functools import partial

from prose_data.config import Config
from prose_data.llm.types import LLM
from prose_data.methods.components import joined
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Evidence, Memory, Method, Preference
from prose_data.stylometry import habits
from prose_data.values import Document
from prose_data.writing import Example

_MOST_TEXTS = 20  # related samples that are read, the latest
_MOST_WORDS = 110  # of a whole description


@dataclass(frozen=True, slots=True)
class _Seen:
    """One remembered sample, and the draft for its document if that was written without any preference, else ""."""

    example: Example
    plain: str


async def _recall(memory: Memory, document: Document, llm: LLM, *, config: Config) -> Preference:
    seen: list[_Seen] = [memory[i] for i in sorted(related(memory, document, _MOST_TEXTS, config.retrieves))]
    references = [text for one in seen for text in (one.example.document.text, one.plain) if text]
    components: dict[str, Evidence] = {}
    words = 0
    for habit in habits([one.example.text for one in seen], references, document.task):
        words += len(habit.component.split())
        if words > _MOST_WORDS:
            break
        components[habit.component] = Evidence(habit.confidence, habit.support, habit.of)
    return Preference(tuple(components), joined(components), evidence=tuple(components.values()))


async def _learn(memory: Memory, example: Example, draft: Draft, llm: LLM) -> Memory:
    unbiased = not draft.preference.components and not draft.preference.examples
    return (*memory, _Seen(example, draft.text if unbiased else ""))


def stylometric(config: Config) -> Method:
    """Return the method that states habits by the statistics of `prose_data.stylometry`, strongest first."""
    return Method(partial(_recall, config=config), _learn, infers=True)
