"""What the simulated model reads out of a text about the 90 directions of AlignX: from its words alone.

A sentence shows a pole when it holds two three-word sequences, or a whole description, that only this pole's wordings
have; an interest when it names one of its things in a sentence of liking or disliking. So a text by anybody shows what
it happens to share with the tables, and a sentence that says nothing shows nothing.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar

from prose_data.alignx.dimensions import COUNT, Pole
from prose_data.simulator.alignx_tables import wordings
from prose_data.simulator.skills import Skills

_WORD = re.compile(r"[a-z0-9]+(?:['’-][a-z0-9]+)*")
_CLAUSE = re.compile(r"(?<=[.!?])\s+|, while\b|\n+")
_SLOT = re.compile(r"\{\w+\}")
_PLAIN = 2  # sequences of a pole's own that make a sentence show it

Words = tuple[str, ...]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class _Index:
    """What gives a pole away: sequences of three words, whole phrases by their first word; for interests things, and
    what tells liking (True) from disliking."""

    sequences: dict[Words, Pole]
    traits: dict[str, tuple[tuple[Words, Pole], ...]]
    things: dict[str, tuple[tuple[Words, int], ...]]
    tastes: dict[Words, bool]


@lru_cache(maxsize=20_000)  # a history is read again for every question about it
def shown(text: str) -> tuple[Pole, ...]:
    """Return the poles that `text` shows, by index; of two poles of one dimension the one that shows more often."""
    votes: Counter[Pole] = Counter()
    for clause in _CLAUSE.split(text.lower()):
        votes.update(set(_poles(tuple(_WORD.findall(clause)))))
    return tuple(
        (index, positive)
        for index, positive in sorted(votes)
        if votes[index, positive] > votes[index, not positive]
    )


def noticed(text: str, skills: Skills, rng: random.Random) -> tuple[Pole, ...]:
    """Return the poles that a reader with these skills sees in `text`, by index: some are missed, few taken for their
    opposite, and now and then one is seen that is not there."""
    seen = {}
    for index, positive in shown(text):
        if rng.random() < skills.notice:
            seen[index] = positive != (rng.random() < skills.misjudge)
    if rng.random() < skills.invent:
        seen.setdefault(rng.randrange(COUNT), rng.random() < 0.5)
    return tuple(sorted(seen.items()))


def _poles(words: Words) -> Iterator[Pole]:
    """Yield the poles that one clause shows, some more than once."""
    index = _index()
    own: Counter[Pole] = Counter()
    taste = 0
    for triple in zip(words, words[1:], words[2:], strict=False):
        if triple in index.sequences:
            own[index.sequences[triple]] += 1
        elif triple in index.tastes:
            taste += 1 if index.tastes[triple] else -1
    yield from (pole for pole, count in own.items() if count >= _PLAIN)
    yield from _found(words, index.traits)
    if taste:
        yield from ((thing, taste > 0) for thing in _found(words, index.things))


def _found(words: Words, phrases: Mapping[str, tuple[tuple[Words, Key], ...]]) -> Iterator[Key]:
    """Yield what belongs to each of `phrases` that stands in `words`."""
    for at, word in enumerate(words):
        for phrase, means in phrases.get(word, ()):
            if words[at : at + len(phrase)] == phrase:
                yield means


@cache
def _index() -> _Index:
    tables = wordings()
    frames: dict[Pole | bool, list[str]] = {
        True: [*tables.phrases["like"], *tables.phrases["fond"]],
        False: [*tables.phrases["dislike"], *tables.phrases["averse"]],
    }
    for taste in tables.phrases["taste"]:
        liking, disliking = taste.split(", while ")
        frames[True].append(liking)
        frames[False].append(disliking)
    own = {pole: texts for pole, texts in tables.says.items() if pole[0] not in tables.things}
    means = _told_apart({**own, **frames})
    return _Index(
        sequences={sequence: key for sequence, key in means.items() if not isinstance(key, bool)},
        traits=_by_first((_words(text), pole) for pole, texts in tables.traits.items() for text in texts),
        things=_by_first((_words(thing), index) for index, own in tables.things.items() for thing in own),
        tastes={sequence: key for sequence, key in means.items() if isinstance(key, bool)},
    )


def _told_apart(texts: Mapping[Key, Sequence[str]]) -> dict[Words, Key]:
    """Return the three-word sequences that only one key's texts have, and no phrase that says nothing, with that key."""
    owners: defaultdict[Words, set[Key]] = defaultdict(set)
    for key, own in texts.items():
        for text in own:
            for sequence in _sequences(text):
                owners[sequence].add(key)
    phrases = wordings().phrases
    silent = {
        sequence
        for kind in ("lead", "opener", "filler", "portrait", "more")
        for text in phrases[kind]
        for sequence in _sequences(text)
    }
    return {
        sequence: next(iter(keys))
        for sequence, keys in owners.items()
        if len(keys) == 1 and sequence not in silent
    }


def _sequences(text: str) -> Iterator[Words]:
    """Yield the three-word sequences of a wording that no slot interrupts."""
    for piece in _SLOT.split(text):
        words = _words(piece)
        yield from zip(words, words[1:], words[2:], strict=False)


def _by_first(phrases: Iterable[tuple[Words, Key]]) -> dict[str, tuple[tuple[Words, Key], ...]]:
    found: defaultdict[str, list[tuple[Words, Key]]] = defaultdict(list)
    for phrase, means in phrases:
        found[phrase[0]].append((phrase, means))
    return {word: tuple(own) for word, own in found.items()}


def _words(text: str) -> Words:
    return tuple(_WORD.findall(text.lower()))
