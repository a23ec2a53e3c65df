"""TICL (arXiv 2502.08972): trial, error, explain, and all three go into the writer's prompt beside the examples.

Learning: our draft is the first trial; the inferrer explains what it misses of the user's text, and we try again by what
was explained. Trials that missed stay with their example, each with its explanation.

The paper shows explanations with the examples alone. Here their items also head the prompt as preferences, latest first,
so that what is scored is what the writer was told. The trials of a sample never show the sample itself.
"""

from dataclasses import replace
from functools import partial

from prose_data.config import Config, Retrieval
from prose_data.llm.ask import ask_line
from prose_data.llm.types import LLM
from prose_data.methods.components import distinct, items, joined
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Entry, Memory, Method, Preference
from prose_data.prompts import render
from prose_data.values import Document
from prose_data.writing import Example, Miss, write

_STATED = 12  # items at most; an older one that falls out is missed by the next draft, and so explained again


async def _recall(
    memory: Memory, document: Document, llm: LLM, *, retrieve: int, retrieval: Retrieval
) -> Preference:
    examples = tuple(memory[place].example for place in related(memory, document, retrieve, retrieval))
    stated = _stated([miss for example in examples for miss in reversed(example.misses)])
    return Preference(stated, joined(stated), examples)


async def _learn(memory: Memory, example: Example, draft: Draft, llm: LLM, *, trials: int) -> Memory:
    """Explain up to `trials` drafts, each written by what was explained before; stop at one that misses nothing.

    An explanation that can't be read ends the trials and leaves those before it.
    """
    preference, tried = draft.preference, draft.text
    misses: list[Miss] = []
    for trial in range(1, trials + 1):
        explanation = await _explain(llm, example, tried)
        if not explanation:
            break
        misses.append(Miss(tried, explanation))
        if trial < trials:
            told = distinct((*_stated(misses[::-1]), *preference.components))[:_STATED]
            again = await write(llm, example.document, told, preference.examples)
            if again is None:
                break
            tried = again
    return (*memory, Entry(replace(example, misses=tuple(misses)), _stated(misses)))


async def _explain(llm: LLM, example: Example, tried: str) -> str | None:
    """Return what `tried` misses of the user's text, "" where that is nothing, None for an unreadable reply."""
    if tried == example.text:
        return ""
    messages = render("ticl_explain", document=example.document.text, draft=tried, text=example.text)
    return await ask_line(llm, messages, "inferrer", "Missing")


def _stated(misses: list[Miss]) -> tuple[str, ...]:
    """Return the items of the explanations in order, without repeats and not too many."""
    return distinct(item for miss in misses for item in items(miss.explanation))[:_STATED]


def ticl(config: Config) -> Method:
    """Return TICL with `ticl.trials` trials per sample and at most `prose.retrieve` related samples shown."""
    recall = partial(_recall, retrieve=config.prose.retrieve, retrieval=config.retrieves)
    return Method(recall, partial(_learn, trials=config.ticl.trials), infers=True)
