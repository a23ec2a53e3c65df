"""Majority of k replies (self-consistency, arXiv 2203.11171): what a single reply makes up, most others do not.

Learning: the inferrer is asked k times alike, and what at least half of the replies name is kept; replies differ only
where its temperature is above 0. Recall: what the related samples left, first what at least half of them did.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from prose_data.config import Config, Retrieval
from prose_data.llm.ask import ask_groups, ask_line
from prose_data.llm.types import LLM
from prose_data.methods.components import distinct, folded, items, joined
from prose_data.methods.retrieval import related
from prose_data.methods.types import Draft, Entry, Memory, Method, Preference
from prose_data.prompts import render
from prose_data.values import Document
from prose_data.writing import Example


async def _recall(
    memory: Memory, document: Document, llm: LLM, *, retrieve: int, retrieval: Retrieval
) -> Preference:
    past = [memory[place] for place in related(memory, document, retrieve, retrieval)]
    samples = Counter(name for entry in past for name in {folded(item) for item in entry.components})
    found = distinct(item for entry in past for item in entry.components)
    components = tuple(sorted(found, key=lambda item: 2 * samples[folded(item)] < len(past)))
    return Preference(components, joined(components))


async def _learn(memory: Memory, example: Example, draft: Draft, llm: LLM, *, votes: int) -> Memory:
    """Keep what most replies name; a draft that equals the user's text bears out what it was written by."""
    if draft.text == example.text:
        return (*memory, Entry(example, draft.preference.components))
    messages = render("majority_infer", draft=draft.text, text=example.text)
    replies = [
        await ask_line(llm, messages, "inferrer", "Preferences", replicate) for replicate in range(votes)
    ]
    ballots = [distinct(items(reply)) for reply in replies if reply is not None]
    return (*memory, Entry(example, await _elected(ballots, llm)))


async def _elected(ballots: Sequence[Sequence[str]], llm: LLM) -> tuple[str, ...]:
    """Return what at least half of the ballots name, most votes first, in the wording that came first.

    A reply that can't be read is no ballot.
    """
    named = distinct(item for ballot in ballots for item in ballot)
    voted = [{folded(item) for item in ballot} for ballot in ballots]
    groups = await _same(named, llm) if len(ballots) > 1 else [[item] for item in named]
    votes: dict[str, int] = {}
    for group in groups:
        meant = {folded(item) for item in group}
        votes[group[0]] = sum(not meant.isdisjoint(ballot) for ballot in voted)
    elected = [item for item in votes if 2 * votes[item] >= len(ballots)]
    return tuple(sorted(elected, key=lambda item: -votes[item]))


async def _same(named: Sequence[str], llm: LLM) -> list[list[str]]:
    """Return the items in groups of one meaning, by the inferrer's word; each alone where that can't be read."""
    if len(named) < 2:
        return [[item] for item in named]
    listed = "\n".join(f"{number}. {item}" for number, item in enumerate(named, 1))
    groups = await ask_groups(llm, render("majority_group", preferences=listed), "inferrer", len(named)) or []
    grouped = {number for group in groups for number in group}
    alone = [[number] for number in range(len(named)) if number not in grouped]
    return [[named[number] for number in sorted(group)] for group in sorted([*map(sorted, groups), *alone])]


def majority(config: Config) -> Method:
    """Return the majority of `majority.votes` replies, of at most `prose.retrieve` related samples."""
    recall = partial(_recall, retrieve=config.prose.retrieve, retrieval=config.retrieves)
    return Method(recall, partial(_learn, votes=config.majority.votes), infers=True)
