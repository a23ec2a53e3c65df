"""What can be heard in a text by its spelling: lines that rhyme, and words that begin alike."""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from prose_data.stylometry.bodies import Codes
from prose_data.stylometry.lookup import among
from prose_data.stylometry.ordinary import Bools, Bytes, Ints

_TAIL = 24  # characters in which the last word of a line is looked for
_RIME = re.compile(r"[aeiouy]+[^aeiouy]*e?$")
_VOWELS = re.compile(r"[aeiouy]+")
_ALIKE = {
    "ight": "ite",
    "ey": "ay",
    "eigh": "ay",
    "are": "air",
    "ear": "eer",
    "ere": "eer",
    "ier": "eer",
    "ale": "ail",
    "ain": "ane",
    "oar": "ore",
    "oor": "ore",
    "our": "ore",
    "eak": "eek",
    "eam": "eem",
    "ean": "een",
    "eat": "eet",
    "ead": "ed",
    "y": "i",
    "igh": "i",
    "ie": "i",
    "ye": "i",
    "eye": "i",
    "ea": "ee",
    "e": "ee",
    "ew": "oo",
    "ue": "oo",
    "ough": "oo",
    "o": "oo",
    "ow": "oh",
    "oe": "oh",
    "oal": "ole",
    "oll": "ole",
    "ime": "yme",
}
_UNSTRESSED = frozenset(
    "ed er ers es ing ings y ly ion ions on en or al als is us ent ents ence ance ity ies e ic ics um an ive able ible "
    "ment et le les ure ous ary ery".split()
)
_REACH = 2  # a line rhymes with one of so many before or after it
_LEAST = 0.25  # of the lines end in the same two letters as another one, or there is no rhyme to speak of
_FAINT = frozenset(
    "ed er es ng ly on en al rs ns ts ty".split()
)  # the last two letters before the mark of endings without stress
_FAINT_TAILS = np.array(sorted(ord(pair[0]) << 21 | ord(pair[1]) for pair in _FAINT))
_NONE = (1 << 21) - 1  # no character has this number
_MARKS = ".,;:!?…\"')*_ "
_CONSONANT = np.isin(np.arange(256), [*b"bcdfghjklmnpqrstvwxyz"])  # by the number of a letter


def rhymes(ends: Sequence[str]) -> tuple[int, int]:
    """Return how many of these lines end in a rhyme with another nearby, and how many there are.

    Spelling stands for sound; equal words and unstressed endings ("-ing", "-ed") are no rhyme. Where hardly two lines end
    in the same letters there is no rhyme to speak of.
    """
    tails = [tail for end in ends if (tail := end[-3:-1]) not in _FAINT]
    if len(tails) - len(set(tails)) < _LEAST * len(ends):
        return 0, len(ends)
    words = [end[-_TAIL:].rstrip(_MARKS).rpartition(" ")[2].lower() for end in ends]
    rimes = [rime(word) for word in words]
    found = 0
    for i, own in enumerate(rimes):
        if own:
            near = range(max(0, i - _REACH), min(len(rimes), i + _REACH + 1))
            found += any(rimes[j] == own and words[j] != words[i] for j in near)
    return found, len(ends)


def may_rhyme(codes: Codes, starts: Ints, ends: Ints, owner: Ints, texts: int) -> Bools:
    """Return of which texts so many sentences end in the same letters that `rhymes` may find a rhyme.

    `codes` are the characters, `starts` and `ends` the places of the sentences, `owner` the text of each, sorted.
    """
    last, before = (
        np.where(ends - n >= starts, codes.take(ends - n, mode="clip"), _NONE).astype(np.int64)
        for n in (2, 3)
    )
    tails = before << 21 | last
    loud = ~among(tails, _FAINT_TAILS)
    tails = np.sort(owner[loud] << 42 | tails[loud])
    again = tails[1:][tails[1:] == tails[:-1]] >> 42
    return np.bincount(again, minlength=texts) >= _LEAST * np.bincount(owner, minlength=texts)


@lru_cache(maxsize=10_000)
def rime(word: str) -> str:
    """Return the spelling of a lower-cased word's last sound, "" where it carries no stress."""
    match = _RIME.search(word)
    if match is None:
        return ""
    ending = match[0]
    syllables = len(_VOWELS.findall(word)) - word.endswith("e")
    if syllables > 1 and (ending in _UNSTRESSED or len(ending) < 2):
        return ""
    return _ALIKE.get(ending, ending)


def alliterations(initials: Bytes, owner: Ints, texts: int) -> Ints:
    """Return for each text how many words belong to runs of three or more that begin with the same consonant.

    `initials` are the first letters of the words that carry meaning, in order; `owner` is the text of each, sorted.
    """
    alike = (initials[1:] == initials[:-1]) & (owner[1:] == owner[:-1]) & _CONSONANT[initials[1:]]
    three = alike[1:] & alike[:-1]
    members = np.zeros(len(initials), dtype=np.bool_)
    for place in range(3 if len(three) else 0):
        members[place : place + len(three)] |= three
    return np.bincount(owner[members], minlength=texts)
