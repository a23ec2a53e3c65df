"""Words by class: persons, registers, hedges, boosters, conditions, contracted forms, comparisons, alliteration.

Only known words are counted; phrases are looked for where the word that they hang on occurs.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise, starmap
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from prose_data.measures import FIRST_PLURAL, FIRST_SINGULAR, SECOND, THIRD
from prose_data.stylometry import words as lists
from prose_data.stylometry.lookup import Lookup
from prose_data.stylometry.ordinary import Bools, Floats, Ints
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
        "wonder": frozenset("wonder wonders wondering curious".split()),
        **{word: frozenset((word,)) for word in ("like", "as", "e", "g", "u", "s")},
    }
)
_TYPES = ("archaic", "slang", "onomatopoeia", "certainty")  # of which the same word counts once
_MILD = MappingProxyType(
    {"archaic": lists.ARCHAIC_MILD, "slang": lists.SLANG_MILD, "onomatopoeia": lists.SOUNDS_MILD}
)
_PHRASES: Mapping[str, tuple[tuple[str, bytes], ...]] = MappingProxyType(
    {
        word: tuple((name, phrase.encode()) for phrase in phrases)
        for name, by_word in lists.PHRASES.items()
        for word, phrases in by_word.items()
    }
)
_WORDS = tuple(sorted(frozenset().union(*_CLASSES.values(), _PHRASES, lists.STOP)))
_LOOKUP = Lookup(_WORDS)
_IS_STOP = np.array(
    [*(word in lists.STOP for word in _WORDS), False]
)  # the last is any word that is not known
_GROUPS, _GROUP = np.unique(
    [[float(word in words) for words in _CLASSES.values()] for word in _WORDS], axis=0, return_inverse=True
)  # of words that are in the same classes, and the group of each word
_IS_TYPE = {name: np.array([word in _CLASSES[name] for word in _WORDS]) for name in _TYPES}
_IS_MILD = {name: np.array([word in words for word in _WORDS]) for name, words in _MILD.items()}
_IS_ALONE = np.array(
    [word in _PHRASES or any(word in _CLASSES[name] for name in _TYPES) for word in _WORDS]
)  # wanted one by one
_LIKE = (b" like a ", b" like an ", b" like the ")
_NO_SIMILE = tuple(map(str.encode, lists.NO_SIMILE))
_NO_COMPARED = frozenset(map(str.encode, lists.NO_COMPARED))
_NO_COMPARISON = frozenset(map(str.encode, lists.NO_COMPARISON))
_SPELLED = (
    bytes(
        code if chr(code).islower() or chr(code).isdigit() or code == ord("'") else ord(" ")
        for code in range(128)
    )
    + b" " * 128
)
_ENGLISH = 0.04  # least share of function words in English
_FEW_WORDS = 8  # below which nothing is said about vocabulary
_TOLD = 1.5  # words of the third person per 100 from which persons are told about
_FEW_PERSONS = 3  # personal words below which nothing is said about the person
_FEW_FORMS = 4  # forms that are or could be contracted, below which nothing is said about them


class Vocabulary(NamedTuple):
    """What the words of some texts say: hits and chances of all texts by row of the table, and two answers about each text.

    `english`: it is long enough, and English, else its counts mean nothing; `wonders`: it may wonder at something.
    """

    hits: dict[str, Floats]
    chances: dict[str, Floats]
    english: Bools
    wonders: Bools


def vocabulary(lowers: Sequence[bytes]) -> Vocabulary:
    """Return what is said about the words of texts in small letters; best for some 50 texts at once."""
    texts = len(lowers)
    text, known, initial = _LOOKUP.words([lower.translate(_SPELLED) for lower in lowers])
    length = np.bincount(text, minlength=texts)
    content = ~_IS_STOP[known]
    runs = alliterations(initial[content], text[content], texts)
    text, known = text[known >= 0], known[known >= 0]
    groups = np.bincount(text * len(_GROUPS) + _GROUP[known], minlength=texts * len(_GROUPS))
    found = dict(zip(_CLASSES, (groups.reshape(texts, len(_GROUPS)) @ _GROUPS).T, strict=True))
    alone = _IS_ALONE[known]
    owner, word = np.divmod(np.unique(text[alone] * len(_WORDS) + known[alone]), len(_WORDS))
    hits, chances = _persons_and_forms(found, length)
    hits |= {
        "hedges": found["hedges"],
        "conditionals": found["conditionals"],
        "similes": _similes(lowers, found["like"], found["as"]),
        "alliteration": runs.astype(np.float64),
        **{
            name: np.bincount(owner[_IS_TYPE[name][word]], minlength=texts).astype(np.float64)
            for name in _TYPES
        },
    }
    _add_phrases(lowers, owner, word, hits)
    _leave_out_mild(owner, word, hits)
    hits["slang"] -= (found["u"] > 0) & (found["u"] <= found["s"]) & (hits["slang"] > 0)  # "U.S."
    english = (length >= _FEW_WORDS) & (found["function"] >= _ENGLISH * length)
    return Vocabulary(hits, chances, english, found["wonder"] > 0)


def _persons_and_forms(
    found: Mapping[str, Floats], length: Ints
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return hits and chances of the persons, and of contracted forms, from words by class."""
    i = np.maximum(0, found["i"] - np.maximum(0, found["e"] - found["g"]))  # "i.e." beside "e.g."
    third, contracted, full = found["third"], found["contracted"], found["full"]
    persons = i + found["we"] + found["you"] + third
    forms = contracted + full
    forms_to_tell = np.where(forms >= _FEW_FORMS, forms, 0.0)
    hits = {
        "first_singular": i,
        "first_plural": found["we"],
        "second_person": found["you"],
        "third_person": np.where(third >= np.maximum(2, _TOLD * length / 100), third, 0.0),
        "contractions": contracted,
        "no_contractions": full,
    }
    chances = {
        "third_person": np.where(persons >= _FEW_PERSONS, persons, 0.0),
        "contractions": forms_to_tell,
        "no_contractions": forms_to_tell,
    }
    return hits, chances


def _add_phrases(lowers: Sequence[bytes], owner: Ints, word: Ints, hits: dict[str, Floats]) -> None:
    """Add the phrases that hang on words of the texts; `owner` are the texts that hold each `word`."""
    for text, number in zip(owner.tolist(), word.tolist(), strict=True):
        for name, phrase in _PHRASES.get(_WORDS[number], ()):
            if found := lowers[text].count(phrase):
                hits[name][text] += 1 if name in _TYPES else found


def _leave_out_mild(owner: Ints, word: Ints, hits: dict[str, Floats]) -> None:
    """Take out words that are mild marks of a register where no stronger ones are beside them."""
    for name, mild in _IS_MILD.items():
        hits[name][hits[name] <= np.bincount(owner[mild[word]], minlength=len(hits[name]))] = 0


def _similes(lowers: Sequence[bytes], likes: Floats, compared: Floats) -> Floats:
    """Return how many comparisons there are of the forms "like a thing" and "as fresh as dew"."""
    found = np.zeros(len(lowers))
    for text in np.flatnonzero(likes).tolist():
        like = sum(map(lowers[text].count, _LIKE))
        found[text] = like - sum(map(lowers[text].count, _NO_SIMILE)) if like else 0
    for text in np.flatnonzero(compared > 1).tolist():
        found[text] += sum(starmap(_compares, pairwise(lowers[text].split(b" as ")[1:])))
    return np.maximum(0, found)


def _compares(between: bytes, after: bytes) -> bool:
    """Return whether what stands between two "as", and what comes after them, make a comparison."""
    plain = b" " not in between and between not in _NO_COMPARED
    return plain and after[: after.find(b" ")] not in _NO_COMPARISON
