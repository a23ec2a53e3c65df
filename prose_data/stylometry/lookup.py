"""Known words in many texts at once: every word is a number of its letters, looked up in a table, and never made a string.

The number of a word is its first eight bytes and, times an odd factor, its next eight, modulo 2^64. A multiplier spreads the
known words over a table so that no two of them share a place (Knuth, The Art of Computer Programming 3, 6.4).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from prose_data.stylometry.ordinary import Bools, Bytes, Ints

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]
_FACTOR = 0x9E3779B97F4A7C15
_PLACES = 16  # bits of a place in the table, which is to stay in the processor's cache
_BLANK = ord(" ")
_EIGHT = 8  # bytes of a number
_LONGEST = 2 * _EIGHT
_FIRST = np.array([(1 << 8 * length) - 1 for length in range(_EIGHT + 1)], dtype=np.uint64)  # bytes by length


class Words(NamedTuple):
    """The words of some texts in order: the text of each, its number among the known words or -1, its first byte."""

    text: Ints
    known: Ints
    initial: Bytes


class Lookup:
    """A table of known words, each of at most 16 small letters, digits and apostrophes; ValueError for a longer one."""

    def __init__(self, known: Sequence[str]) -> None:
        spelled = [word.encode() for word in known]
        if max(map(len, spelled), default=0) > _LONGEST:
            raise ValueError(f"a known word is longer than {_LONGEST} bytes")
        self._numbers = self._read(spelled)[0]
        self._factor, places = _spread(self._numbers)
        self._table = np.zeros(1 << _PLACES, dtype=np.int16)
        self._table[places] = np.arange(len(known))

    def words(self, texts: Sequence[bytes]) -> Words:
        """Return the words of `texts`, which are what stands between blanks."""
        numbers, starts, initial = self._read(texts)
        known = self._table[_place(numbers, self._factor)].astype(np.int64)
        known[self._numbers[known] != numbers] = -1
        begins = np.cumsum([1, *(len(text) + 1 for text in texts)])
        sizes = np.diff(np.searchsorted(starts, begins))
        return Words(np.repeat(np.arange(len(texts)), sizes), known, initial)

    @staticmethod
    def _read(texts: Sequence[bytes]) -> tuple[Numbers, Ints, Bytes]:
        """Return of each word its number (all ones where it is too long to be known), its place and its first byte."""
        joined = b" ".join((b"", *texts, b" " * _LONGEST))
        whole = np.frombuffer(joined, dtype=np.uint8)
        inside = whole != _BLANK
        edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        # eight bytes from each place on, which lie across each other
        eights: Numbers = np.ndarray(len(joined) - _EIGHT + 1, dtype="<u8", buffer=joined, strides=(1,))
        numbers = eights[starts] & _FIRST[np.minimum(lengths, _EIGHT)]
        long = np.flatnonzero(lengths > _EIGHT)
        rest = eights[starts[long] + _EIGHT] & _FIRST[np.minimum(lengths[long] - _EIGHT, _EIGHT)]
        numbers[long] += rest * np.uint64(_FACTOR)
        numbers[lengths > _LONGEST] = ~np.uint64(0)
        return numbers, starts, whole[starts]


def among(values: Ints, known: Ints) -> Bools:
    """Return whether each value is one of the known ones, which are sorted; `np.isin` is slow for few values."""
    found: Bools = known.take(np.searchsorted(known, values), mode="clip") == values
    return found


def _place(numbers: Numbers, factor: int) -> Numbers:
    places: Numbers = (numbers * np.uint64(factor)) >> np.uint64(64 - _PLACES)
    return places


def _spread(numbers: Numbers) -> tuple[int, Numbers]:
    """Return the first multiplier that gives every number a place of its own, and these places."""
    for power in range(1, 10_000):
        factor = pow(_FACTOR, power, 1 << 64)
        places = _place(numbers, factor)
        if len(np.unique(places)) == len(numbers):
            return factor, places
    raise ValueError("no multiplier gives every known word a place of its own")
