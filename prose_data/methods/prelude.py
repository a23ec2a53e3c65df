"""PRELUDE's agents beside CIPHER (arXiv 2404.15269, section on baselines): what each makes of past edits.

An edit is a draft and what the user made of it, changed or not; no inference shows a document. What the paper leaves
open of CoT-edit is decided here: one call reasons over the related edits, and the writer is told what they ask for.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from prose_data.config import Config, Retrieval
from prose_data.llm.ask import ask_line
from prose_data.llm.types import LLM
from prose_data.methods.components import items, joined, phrase_items
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Entry, Memory, Method, Preference
from prose_data.prompts import Fragment, render
from prose_data.values import Document
from prose_data.writing import Example, shown_edit


async def _remember(memory: Memory, example: Example, draft: Draft, llm: LLM) -> Memory:
    return (*memory, _edit(example, draft))


async def _keep_latest(memory: Memory, example: Example, draft: Draft, llm: LLM, *, rounds: int) -> Memory:
    return (*memory, _edit(example, draft))[-rounds:]


async def _settle(memory: Memory, example: Example, draft: Draft, llm: LLM, *, rounds: int) -> Memory:
    """Gather so many edits, then conclude once, in the last one's entry; from there on memory stays as it is.

    Where the conclusion can't be read, the oldest edit gives way to one more round.
    """
    if len(memory) == rounds:
        return memory
    gathered = (*memory, _edit(example, draft))
    if len(gathered) < rounds:
        return gathered
    phrase = await _concluded(gathered, llm)
    if phrase is None:
        return gathered[1:]
    return (*gathered[:-1], replace(gathered[-1], components=(phrase,) if phrase else ()))


async def _recall_settled(memory: Memory, document: Document, llm: LLM) -> Preference:
    return _believed(next(iter(memory[-1].components), "") if memory else "")


async def _recall_latest(memory: Memory, document: Document, llm: LLM) -> Preference:
    """Return what the latest edits have in common; nothing where that can't be read, as nothing else is kept."""
    return _believed((await _concluded(memory, llm)) or "") if memory else Preference()


async def _recall_edits(
    memory: Memory, document: Document, llm: LLM, *, retrieve: int, retrieval: Retrieval
) -> Preference:
    past = related(memory, document, retrieve, retrieval)
    return Preference(description=None, examples=tuple(memory[place].example for place in past))


async def _recall_reasons(
    memory: Memory, document: Document, llm: LLM, *, retrieve: int, retrieval: Retrieval
) -> Preference:
    """Return what one call concludes from the related edits; nothing where that can't be read."""
    past = related(memory, document, retrieve, retrieval)
    if not past:
        return Preference()
    messages = render("prelude_reason", edits=_shown([memory[place] for place in past]))
    asked_for = items(await ask_line(llm, messages, "inferrer", "Preferences") or "")
    return Preference(asked_for, joined(asked_for))


async def _concluded(entries: Sequence[Entry], llm: LLM) -> str | None:
    """Return the phrase for what the edits have in common, "" for nothing, None if it can't be read."""
    messages = render("prelude_infer", edits=_shown(entries))
    return await ask_line(llm, messages, "inferrer", "Preference")


def _shown(entries: Sequence[Entry]) -> Fragment:
    edits = (
        shown_edit(str(number), entry.example.draft or "", entry.example.text)
        for number, entry in enumerate(entries, 1)
    )
    return Fragment("\n\n".join(edits))


def _edit(example: Example, draft: Draft) -> Entry:
    return Entry(replace(example, draft=draft.text))


def _believed(phrase: str) -> Preference:
    return Preference(phrase_items(phrase), phrase)


def explore_exploit(config: Config) -> Method:
    """Return explore-then-exploit: `prelude.rounds` plain drafts, one inference over their edits, kept for good."""
    return Method(_recall_settled, partial(_settle, rounds=config.prelude.rounds), infers=True)


def continual(config: Config) -> Method:
    """Return continual inference: before each draft one over the edits of the `prelude.rounds` latest rounds."""
    return Method(_recall_latest, partial(_keep_latest, rounds=config.prelude.rounds), infers=True)


def icl_edit(config: Config) -> Method:
    """Return ICL-edit: the `prelude.retrieve` related edits in the writer's prompt, nearest first; nothing inferred."""
    recall = partial(_recall_edits, retrieve=config.prelude.retrieve, retrieval=config.retrieves)
    return Method(recall, _remember, infers=False)


def cot_edit(config: Config) -> Method:
    """Return CoT-edit: before each draft one call that reasons over the `prelude.retrieve` related edits."""
    recall = partial(_recall_reasons, retrieve=config.prelude.retrieve, retrieval=config.retrieves)
    return Method(recall, _remember, infers=True)
