"""Words by class: persons, registers, hedges, boosters, conditions, contracted forms, comparisons, alliteration.

Only known words are counted; phrases are looked for where the word that they hang on occurs.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from prose_data.measures import FIRST_PLURAL, FIRST_SINGULAR, SECOND, THIRD
from prose_data.stylometry import words as lists
from prose_data.stylometry.lookup import Lookup
from prose_data.stylometry.sound import alliterations

_CLASSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "function": lists.FUNCTION,
        "i": FIRST_SINGULAR,
        "we": FIRST_PLURAL,
        "you": SECOND,
        "third": THIRD,
        "archaic": lists.ARCHAIC,
        "slang": lists.SLANG,
        "hedges": lists.HEDGES,
        "certainty": lists.BOOSTERS,
        "conditionals": lists.CONDITIONALS,
        "onomatopoeia": lists.SOUNDS,
        "contracted": lists.CONTRACTED,
        "full": lists.NEGATIONS,
    }
)
_TYPES = ("archaic", "slang", "onomatopoeia", "certainty")  # of which the same word counts once
_MILD = MappingProxyType(
    {"archaic": lists.ARCHAIC_MILD, "slang": lists.SLANG_MILD, "onomatopoeia": lists.SOUNDS_MILD}
)
_PHRASES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        word: tuple((name, phrase) for phrase in phrases)
        for name, by_word in lists.PHRASES.items()
        for word, phrases in by_word.items()
    }
)
_ALONE_WORDS = tuple(
    sorted(frozenset().union(*(_CLASSES[name] for name in _TYPES), _PHRASES, lists.ALONE))
)  # wanted one by one
_NAMES = {word: tuple(name for name in _TYPES if word in _CLASSES[name]) for word in _ALONE_WORDS}
_WORDS = tuple(sorted(frozenset().union(*_CLASSES.values(), _ALONE_WORDS, lists.STOP)))
_LOOKUP = Lookup(_WORDS)
_ALONE = np.array([_WORDS.index(word) for word in _ALONE_WORDS])
_IS_STOP = np.array(
    [*(word in lists.STOP for word in _WORDS), False]
)  # the last is any word that is not known
_CLASS = np.array([[float(word in words) for words in _CLASSES.values()] for word in _WORDS])
_WONDER = frozenset("wonder wonders wondering curious".split())
_ENGLISH = 0.04  # least share of function words in English
_FEW_WORDS = 8  # below which nothing is said about vocabulary
_TOLD = 1.5  # words of the third person per 100 from which persons are told about
_FEW_PERSONS = 3  # personal words below which nothing is said about the person
_FEW_FORMS = 4  # forms that are or could be contracted, below which nothing is said about them


class Vocabulary(NamedTuple):
    """What the words of a text say: hits, chances of shares, and whether the text may wonder at something."""

    hits: dict[str, float]
    chances: dict[str, float]
    wonders: bool


def vocabularies(lowers: Sequence[str], spelled: Sequence[bytes]) -> list[Vocabulary | None]:
    """Return what is said about the words of each text; None where it is too short for that, or not English.

    `lowers` are the texts in small letters, `spelled` the same with blanks for marks. Best for some 50 texts at once.
    """
    texts = len(spelled)
    text, known, initial = _LOOKUP.words(spelled)
    lengths = np.bincount(text, minlength=texts).tolist()
    content = ~_IS_STOP[known]
    runs = alliterations(initial[content], text[content], texts).tolist()
    text, known = text[known >= 0], known[known >= 0]
    counts = np.bincount(text * len(_WORDS) + known, minlength=texts * len(_WORDS)).reshape(
        texts, len(_WORDS)
    )
    tokens = (counts.astype(np.float64) @ _CLASS).tolist()
    alone: list[dict[str, int]] = [{} for _ in lowers]
    owners, places = np.nonzero(counts[:, _ALONE])
    times = counts[owners, _ALONE[places]]
    for owner, place, often in zip(owners.tolist(), places.tolist(), times.tolist(), strict=True):
        alone[owner][_ALONE_WORDS[place]] = often
    return [*map(_vocabulary, lowers, lengths, tokens, alone, runs)]


def _vocabulary(
    lower: str, length: int, tokens: list[float], alone: dict[str, int], runs: int
) -> Vocabulary | None:
    """Return what is said about one text of `length` words; `tokens` are counted by class, `alone` by word."""
    function, i, we, you, third, _, _, hedges, _, conditionals, _, contracted, full = tokens
    if length < _FEW_WORDS or function < _ENGLISH * length:
        return None
    i = max(0, i - max(0, alone.get("e", 0) - alone.get("g", 0)))  # "i.e." beside "e.g."
    persons, forms = i + we + you + third, contracted + full
    hits: dict[str, float] = {
        "first_singular": i,
        "first_plural": we,
        "second_person": you,
        "third_person": third if third >= max(2, _TOLD * length / 100) else 0,
        "hedges": hedges,
        "conditionals": conditionals,
        "contractions": contracted,
        "no_contractions": full,
        "similes": _similes(lower, alone.get("like", 0), alone.get("as", 0)),
        "alliteration": runs,
    }
    for word in alone:
        for name in _NAMES[word]:
            hits[name] = hits.get(name, 0) + 1
        for name, phrase in _PHRASES.get(word, ()):
            if found := lower.count(phrase):
                hits[name] = hits.get(name, 0) + (1 if name in _TYPES else found)
    for name, mild in _MILD.items():  # mild words count beside others only
        if name in hits and hits[name] <= len(mild & alone.keys()):
            hits[name] = 0
    if 0 < alone.get("u", 0) <= alone.get("s", 0) and hits["slang"]:  # "U.S."
        hits["slang"] -= 1
    chances: dict[str, float] = {
        "third_person": persons if persons >= _FEW_PERSONS else 0,
        "contractions": forms if forms >= _FEW_FORMS else 0,
        "no_contractions": forms if forms >= _FEW_FORMS else 0,
    }
    return Vocabulary(hits, chances, not _WONDER.isdisjoint(alone))


def _similes(lower: str, like: int, compared: int) -> int:
    """Return how many comparisons there are of the forms "like a thing" and "as fresh as dew"."""
    found = 0
    if like:
        found += sum([lower.count(f" like {article} ") for article in ("a", "an", "the")])
        found -= sum(map(lower.count, lists.NO_SIMILE)) if found else 0
    if compared > 1:
        for between, after in pairwise(lower.split(" as ")[1:]):
            plain = " " not in between and between not in lists.NO_COMPARED
            found += plain and after[: after.find(" ")] not in lists.NO_COMPARISON
    return max(0, found)
