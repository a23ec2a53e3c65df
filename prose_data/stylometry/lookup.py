"""Known words in many texts at once: every word is hashed and looked up in a table, without making it a string.

A word's hash is the polynomial of its bytes in an odd base modulo 2^64 (Karp & Rabin 1987), from running sums over the whole
of the texts; a multiplier spreads the known words over a table so that no two of them share a place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from prose_data.stylometry.ordinary import Bytes, Ints

Hashes = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_PLACES = 20  # bits of a place in the table
_BLANK = 32


class Words(NamedTuple):
    """The words of some texts in order: the text of each, its number among the known words or -1, its first byte."""

    text: Ints
    known: Ints
    initial: Bytes


class Lookup:
    """A table of known words, each of small letters, digits and apostrophes."""

    def __init__(self, known: Sequence[str]) -> None:
        self._keys = np.array([_hash(word) for word in known], dtype=np.uint64)
        self._factor, places = _spread(self._keys)
        self._table = np.zeros(1 << _PLACES, dtype=np.int16)
        self._table[places] = np.arange(len(known))

    def words(self, texts: Sequence[bytes]) -> Words:
        """Return the words of `texts`, which are what stands between blanks."""
        whole = np.frombuffer(b" ".join((b"", *texts, b"")), dtype=np.uint8)
        inside = whole != _BLANK
        edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        starts, ends = edges[::2], edges[1::2]
        powers, inverses = _powers(len(whole))
        sums = np.cumsum(whole * powers)
        hashes = (sums[ends - 1] - sums[starts - 1]) * inverses[starts]
        known = self._table[_place(hashes, self._factor)].astype(np.int64)
        known[self._keys[known] != hashes] = -1
        begins = np.cumsum([1, *(len(text) + 1 for text in texts)])
        sizes = np.diff(np.searchsorted(starts, begins))
        return Words(np.repeat(np.arange(len(texts)), sizes), known, whole[starts])


def _hash(word: str) -> int:
    return sum(byte * pow(_BASE, place, 1 << 64) for place, byte in enumerate(word.encode())) % (1 << 64)


def _place(hashes: Hashes, factor: int) -> Hashes:
    places: Hashes = (hashes * np.uint64(factor)) >> np.uint64(64 - _PLACES)
    return places


def _spread(keys: Hashes) -> tuple[int, Hashes]:
    """Return the first multiplier that gives every key a place of its own, and these places."""
    for number in range(1, 1_000):
        factor = pow(_BASE, number, 1 << 64)
        places = _place(keys, factor)
        if len(np.unique(places)) == len(keys):
            return factor, places
    raise ValueError("no multiplier gives every known word a place of its own")


_held: list[Hashes] = [np.ones(1, dtype=np.uint64), np.ones(1, dtype=np.uint64)]


def _powers(length: int) -> tuple[Hashes, Hashes]:
    """Return the powers of the base and of its inverse, at least `length` of each."""
    if len(_held[0]) < length:
        for number, base in enumerate((_BASE, _INVERSE)):
            factors = np.full(2 * length, base, dtype=np.uint64)
            factors[0] = 1
            _held[number] = np.cumprod(factors)
    return _held[0][:length], _held[1][:length]
