"""The floor and plain in-context learning (arXiv 2505.23815, section on baselines). Neither infers anything."""

from functools import partial

from prose_data.config import Config, Retrieval
from prose_data.llm.types import LLM
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Entry, Memory, Method, Preference
from prose_data.values import Document
from prose_data.writing import Example


async def _nothing(memory: Memory, document: Document, llm: LLM) -> Preference:
    return Preference(description=None)


async def _forget(memory: Memory, example: Example, draft: Draft, llm: LLM) -> Memory:
    return memory


async def _show(
    memory: Memory, document: Document, llm: LLM, *, retrieve: int, retrieval: Retrieval
) -> Preference:
    places = related(memory, document, retrieve, retrieval)
    return Preference(description=None, examples=tuple(memory[place].example for place in places))


async def remember(memory: Memory, example: Example, draft: Draft, llm: LLM) -> Memory:
    """Return `memory` with the example, and nothing concluded from it."""
    return (*memory, Entry(example))


def no_learning(config: Config) -> Method:
    """Return the method that writes without any preference and never learns: the floor."""
    return Method(_nothing, _forget, infers=False)


def icl(config: Config) -> Method:
    """Return in-context learning: related samples, each with its own document, in the writer's prompt."""
    show = partial(_show, retrieve=config.prose.retrieve, retrieval=config.retrieves)
    return Method(show, remember, infers=False)
