"""PROSE with counted evidence, contrastive verification and keyed changes; ours, beyond arXiv 2505.23815.

Learning: a reader sees our draft, the person's text and what stands out in numbers (`prose_data.stylometry`), and says
what to add to, remove from or sharpen in a numbered list, until it has nothing to change. All components are then
checked in one call per text, against a draft of the same document without any preference, without saying which of the
two texts is the person's. Recall: the components whose votes make them sure enough, each with its confidence, and the
most related sample, which shows the writer of the draft what words leave open. Candidates, and the first draft after a
sample, are written by the list alone: only so does what it lacks come to light.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from prose_data.config import Config
from prose_data.llm.ask import ask_changes, ask_verdict_pairs
from prose_data.llm.parse import Changes
from prose_data.llm.types import LLM
from prose_data.methods.belief import Weighed, add_votes, renamed, stated, weigh
from prose_data.methods.components import joined
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Memory, Method, Preference
from prose_data.methods.verification import VOTES
from prose_data.prompts import render
from prose_data.streams import digest
from prose_data.stylometry import Habit, habits, shows
from prose_data.stylometry.table import TABLE
from prose_data.values import Document
from prose_data.writing import Example, write

_NOTHING = "(nothing yet)"
_COUNTED = {row.component: row.name for row in TABLE.values()}  # components that need no model to be checked
_ENOUGH = 3  # votes after which a component is not checked on earlier texts any more


async def _recall(memory: Memory, document: Document, llm: LLM, *, config: Config) -> Preference:
    places = related(memory, document, config.prose_plus.retrieve, config.retrieves)
    found = stated([memory[i] for i in sorted(places)])
    shown = places[: config.prose_plus.examples] if len(places) > 1 else ()
    examples = tuple(memory[i].example for i in shown)
    return Preference(tuple(found), joined(found), examples, tuple(found.values()))


async def _learn(memory: Memory, example: Example, draft: Draft, llm: LLM, *, config: Config) -> Memory:
    settings, believed = config.prose_plus, draft.preference.components
    first = not believed and not draft.preference.examples
    current = Weighed(example, draft.text if first and settings.contrast else "")
    if draft.text == example.text:  # it bears out what it was written by
        return (*memory, add_votes(current, dict.fromkeys(believed, True)))
    places = sorted(related(memory, example.document, settings.retrieve, config.retrieves))
    measured = _measured([memory[i] for i in places], current) if settings.evidence else ()
    held, wordings = await _refine(example, draft, measured, llm, settings.steps)
    memory = tuple(renamed(memory, wordings))
    dropped = [component for component in believed if wordings.get(component, component) not in held]
    current = add_votes(current, dict.fromkeys(dropped, False))
    fresh = not {*held} <= {component for i in places for component, _ in memory[i].votes}
    if settings.contrast and fresh and not first:
        current = replace(current, plain=await write(llm, example.document) or "")
    current, *checked = await _verify([current, *(memory[i] for i in reversed(places))], held, llm)
    after = dict(enumerate(memory)) | dict(zip(reversed(places), checked, strict=True))
    return (*after.values(), current)


def _measured(past: Sequence[Weighed], current: Weighed) -> tuple[Habit, ...]:
    """Return what stands out in the person's texts against documents and drafts of the same kind."""
    entries = [*past, current]
    references = [entry.example.document.text for entry in entries] + [
        entry.plain for entry in entries if entry.plain
    ]
    return habits([entry.example.text for entry in entries], references, current.example.document.task)


async def _refine(
    example: Example, draft: Draft, measured: Sequence[Habit], llm: LLM, steps: int
) -> tuple[list[str], dict[str, str]]:
    """Return the list after at most `steps` looks, and old -> new wordings of what was believed.

    Stops when the candidate equals the person's text or a look changes nothing. An unreadable reply changes nothing.
    """
    held, candidate = list(draft.preference.components), draft.text
    origin = {component: component for component in held}  # as it is worded now -> as it was believed
    for step in range(1, steps + 1):
        if candidate == example.text:
            break
        fresh = [habit for habit in measured if habit.component not in held]
        changed = await _changes(example, held, candidate, fresh if step == 1 else (), llm)
        after = _applied(held, changed, origin)
        if after == held:
            break
        held = after
        if step < steps:
            again = await write(llm, example.document, held)
            candidate = candidate if again is None else again
    return held, {old: new for new, old in origin.items() if new != old}


async def _changes(
    example: Example, held: Sequence[str], candidate: str, measured: Sequence[Habit], llm: LLM
) -> Changes:
    messages = render(
        "plus_infer",
        preferences=_numbered(held) or _NOTHING,
        draft=candidate,
        text=example.text,
        evidence="\n".join(f"- {habit.component}: {habit.evidence}" for habit in measured) or _NOTHING,
    )
    return await ask_changes(llm, messages, "inferrer", len(held)) or Changes()


def _applied(held: Sequence[str], changes: Changes, origin: dict[str, str]) -> list[str]:
    """Return the list after `changes`, no component in it twice; `origin` follows the believed ones through it."""
    wordings = dict(changes.update)
    after: list[str] = []
    for number, component in enumerate(held):
        new = wordings.get(number, component)
        was = origin.pop(component, None)
        if number in changes.remove or new in after:
            continue
        after.append(new)
        if was is not None:
            origin[new] = was
    return list(dict.fromkeys([*after, *changes.add]))


async def _verify(entries: Sequence[Weighed], components: Sequence[str], llm: LLM) -> list[Weighed]:
    """Return the entries, the current one first, with votes on `components`: all of them on the current text, and on
    earlier ones those that have too few votes yet."""
    checked: list[Weighed] = []
    for number, entry in enumerate(entries):
        weights = weigh([*checked, *entries[number:]])
        missing = [
            component
            for component in components
            if component not in dict(entry.votes)
            and (not checked or component not in weights or weights[component].of < _ENOUGH)
        ]
        checked.append(add_votes(entry, await _votes(entry, missing, llm)))
    return checked


async def _votes(entry: Weighed, components: Sequence[str], llm: LLM) -> dict[str, bool]:
    """Return which components the person's text bears out and the plain draft does not: counted where they can be
    counted, else asked in one call. What can't be read is no vote."""
    votes: dict[str, bool] = {}
    for component in components:
        name = _COUNTED.get(component)
        own = None if name is None else shows(entry.example.text, name)
        if own is not None and name is not None:
            votes[component] = own >= 0.5 and own > (shows(entry.plain, name) or 0.0)
    asked = [component for component in components if component not in votes]
    if not asked:
        return votes
    first = int(digest("first", entry.example.text, entry.plain), 16) % 2 == 0
    texts = (entry.example.text, entry.plain or "(missing)")
    messages = render(
        "plus_contrast",
        first=texts[0] if first else texts[1],
        second=texts[1] if first else texts[0],
        components=_numbered(asked),
    )
    verdicts = await ask_verdict_pairs(llm, messages, "inferrer", len(asked), list(VOTES))
    for number, pair in verdicts.items():
        own_vote, plain_vote = (VOTES[verdict] for verdict in (pair if first else reversed(pair)))
        votes[asked[number]] = own_vote > max(0, plain_vote)
    return {component: votes[component] for component in components if component in votes}


def _numbered(components: Sequence[str]) -> str:
    return "\n".join(f"{number}. {component}" for number, component in enumerate(components, 1))


def prose_plus(config: Config) -> Method:
    """Return PROSE with evidence and contrast, by `prose_plus` of the configuration."""
    return Method(partial(_recall, config=config), partial(_learn, config=config), infers=True)
