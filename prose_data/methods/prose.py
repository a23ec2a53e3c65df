"""PROSE (arXiv 2505.23815, method section): iterative refinement against own candidates, breakdown, verification.

Learning: refine a description by rewriting our candidate until it reads like the user's text (at most S steps), break
it into components, keep those that the user's samples confirm (mean vote > v). Recall: merge what earlier samples left.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from prose_data.config import Config, Retrieval
from prose_data.llm.ask import ask_line, ask_list, ask_verdict
from prose_data.llm.types import LLM
from prose_data.methods.components import items, joined, json_items, unique
from prose_data.methods.presets import preset_of
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Entry, Memory, Method, Preference
from prose_data.methods.verification import verify
from prose_data.prompts import render
from prose_data.values import Document
from prose_data.writing import Example, write

# PROSE and its ablations by name: what each fixes, whatever the configuration's section `prose` says.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "prose": {},
    "prose_icl": {"show_examples": True},
    "prose_nv": {"verify": False},
    "prose_sc": {"candidates": "single"},
    "prose_1sc": {"candidates": "single", "steps": 1},
    "prose_1nc": {"candidates": "none", "steps": 1},
    "prose_1sc_ap_nv": {"candidates": "single", "steps": 1, "breakdown": "once", "verify": False},
    "prose_breakdown_each": {"breakdown": "each"},
    "prose_no_breakdown": {"breakdown": "off"},
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What one variant goes by: the section `prose`, the inferring model's preset where that leaves a number open, how
    related samples are found, and whether the writer of drafts and candidates is shown them."""

    steps: int
    threshold: float
    retrieve: int
    candidates: Literal["iterate", "single", "none"]
    verify: bool
    breakdown: Literal["once", "each", "off"]
    stop: tuple[str, ...]
    retrieval: Retrieval
    show_examples: bool = False


def settings_of(name: str, config: Config) -> Settings:
    """Return what the variant called `name` (a key of `VARIANTS`) goes by under `config`."""
    preset = preset_of(config.model_of("inferrer").model)
    chosen = config.prose.model_dump(exclude_none=True)
    numbers = {"steps": preset.steps, "threshold": preset.threshold}
    return Settings(retrieval=config.retrieves, **{**numbers, **chosen, **VARIANTS[name]})


def variant(name: str, config: Config) -> Method:
    """Return PROSE as the variant called `name` (a key of `VARIANTS`)."""
    settings = settings_of(name, config)
    return Method(partial(_recall, settings=settings), partial(_learn, settings=settings), infers=True)


async def _recall(memory: Memory, document: Document, llm: LLM, *, settings: Settings) -> Preference:
    places = related(memory, document, settings.retrieve, settings.retrieval)
    past: list[Entry] = [memory[place] for place in places]
    examples = tuple(entry.example for entry in past) if settings.show_examples else ()
    found = unique(component for entry in past for component in entry.components)
    if not found:
        return Preference(examples=examples)
    if settings.breakdown == "each":
        messages = render("prose_coalesce_list", preferences=_as_list(found))
        components = unique(await ask_list(llm, messages, "inferrer") or found)
        return Preference(components, joined(components), examples)
    messages = render("prose_coalesce", preferences=joined(found))
    description = await ask_line(llm, messages, "inferrer", "Preferences") or joined(found)
    return Preference(items(description), description, examples)


async def _learn(memory: Memory, example: Example, draft: Draft, llm: LLM, *, settings: Settings) -> Memory:
    description = await _refine(example, draft, llm, settings)
    once = settings.breakdown == "once"
    components = await _break_down(description, llm) if once else items(description)
    entries: list[Entry] = [*memory, Entry(example)]
    if settings.verify:
        past = related(memory, example.document, settings.retrieve, settings.retrieval)
        places = [len(memory), *past]
        texts = [entries[place].example.text for place in places]
        given = [dict(entries[place].votes) for place in places]
        components, votes = await verify(components, texts, given, settings.threshold, llm)
        for place, after in zip(places, votes, strict=True):
            entries[place] = replace(entries[place], votes=tuple(after.items()))
    return (*entries[:-1], replace(entries[-1], components=components))


async def _refine(example: Example, draft: Draft, llm: LLM, settings: Settings) -> str:
    """Return the description after at most S rounds of: compare, correct the description, write again.

    An unreadable reply ends it with the description as it was. Without a candidate, the stops that look at one never
    come about.
    """
    each = settings.breakdown == "each"
    known = draft.preference.components
    description = _as_list(known) if each else joined(known)
    candidate = None if settings.candidates == "none" else draft.text
    for step in range(1, settings.steps + 1):
        is_new = step == 1 or settings.candidates == "iterate"
        if candidate is not None and is_new and await _arrived(candidate, example.text, llm, settings.stop):
            break
        corrected = await _correct(example, description, candidate, llm)
        if corrected is None:
            break
        if each and items(corrected) != items(description):
            corrected = _as_list(await _break_down(corrected, llm))
        if items(corrected) != items(description):
            description = corrected
        elif "unchanged" in settings.stop:
            break
        if settings.candidates == "iterate" and step < settings.steps:
            again = await write(llm, example.document, items(description), draft.preference.examples)
            candidate = candidate if again is None else again
    return description


async def _arrived(candidate: str, text: str, llm: LLM, stop: tuple[str, ...]) -> bool:
    """Return whether the candidate is the user's text, or (an unreadable verdict says no) judged to be as theirs."""
    if "equal_text" in stop and candidate == text:
        return True
    if "judged_equal" not in stop:
        return False
    messages = render("prose_equal", draft=candidate, text=text)
    return await ask_verdict(llm, messages, "inferrer", ("same", "different")) == "same"


async def _correct(example: Example, description: str, candidate: str | None, llm: LLM) -> str | None:
    """Return the description as one comparison of the user's text corrects it, None where the reply can't be read."""
    fields = {
        "document": example.document.text,
        "preferences": description or "(nothing yet)",
        "text": example.text,
    }
    if candidate is None:
        messages = render("prose_infer_no_candidate", **fields)
    else:
        messages = render("prose_infer", draft=candidate, **fields)
    return await ask_line(llm, messages, "inferrer", "Preferences")


async def _break_down(description: str, llm: LLM) -> tuple[str, ...]:
    """Return the description's single components: no call for a JSON list, its own items where a reply holds none."""
    ready = () if not description else json_items(description)
    if ready is not None:
        return ready
    listed = await ask_list(llm, render("prose_breakdown", preferences=description), "inferrer")
    return unique(listed or items(description))


def _as_list(components: Iterable[str]) -> str:
    """Return components as a JSON list, "" for none."""
    listed = list(components)
    return json.dumps(listed, ensure_ascii=False) if listed else ""
