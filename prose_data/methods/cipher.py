"""CIPHER (arXiv 2404.15269, section 4): a short phrase per round, reused for the nearest contexts.

`retrieval` says which contexts are nearest: the paper's are those of highest `cosine`. The phrase used and the phrase
newly inferred stay apart: a `Preference` holds the one, memory the other, or the one used where the draft was accepted.
"""

from functools import partial

from prose_data.config import Config, Retrieval
from prose_data.llm.ask import ask_line
from prose_data.llm.types import LLM
from prose_data.methods.components import phrase_items
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Entry, Memory, Method, Preference
from prose_data.prompts import render
from prose_data.values import Document
from prose_data.writing import Example


def _believed(phrase: str) -> Preference:
    return Preference(phrase_items(phrase), phrase)


def _phrases(memory: Memory, document: Document, k: int, retrieval: Retrieval) -> list[str]:
    """Return the phrases of the `k` nearest rounds, nearest first; a round that left none gives none."""
    nearest = [memory[place] for place in related(memory, document, k, retrieval)]
    return [entry.components[0] for entry in nearest if entry.components]


async def _recall_nearest(
    memory: Memory, document: Document, llm: LLM, *, retrieval: Retrieval
) -> Preference:
    return _believed(next(iter(_phrases(memory, document, 1, retrieval)), ""))


async def _recall_aggregate(
    memory: Memory, document: Document, llm: LLM, *, retrieve: int, retrieval: Retrieval
) -> Preference:
    phrases = _phrases(memory, document, retrieve, retrieval)
    if not phrases:
        return Preference()
    bullets = "\n".join(f"- {phrase}" for phrase in phrases)
    phrase = await ask_line(llm, render("cipher_aggregate", phrases=bullets), "inferrer", "Preference")
    return _believed(phrases[0] if phrase is None else phrase)


async def _learn(memory: Memory, example: Example, draft: Draft, llm: LLM) -> Memory:
    """Infer a phrase from this round's pair alone, no document shown; an unchanged draft keeps the phrase used."""
    phrase: str | None = None
    if draft.text != example.text:
        messages = render("cipher_infer", draft=draft.text, text=example.text)
        phrase = await ask_line(llm, messages, "inferrer", "Preference")
    if phrase is None:
        phrase = draft.preference.description or ""
    return (*memory, Entry(example, (phrase,) if phrase else ()))


def cipher_1(config: Config) -> Method:
    """Return CIPHER with k = 1: the phrase of the nearest round, no aggregation."""
    return Method(partial(_recall_nearest, retrieval=config.retrieves), _learn, infers=True)


def cipher_n(config: Config) -> Method:
    """Return CIPHER with k = `cipher.retrieve`: one call names what the nearest rounds' phrases share."""
    recall = partial(_recall_aggregate, retrieve=config.cipher.retrieve, retrieval=config.retrieves)
    return Method(recall, _learn, infers=True)
