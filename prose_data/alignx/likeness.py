"""Which of many texts are nearly the same: MinHash signatures, made from the bytes of a whole column at once.

A text's signature holds, for each of 16 hash functions, the least value over its five-word sequences (Broder, "On the
resemblance and containment of documents", 1997); the share of equal places estimates the share of sequences that two
texts have in common. Texts are compared where four places in a row are equal, of which pairs as alike as LIKE miss one
in eight.
"""

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LIKE = 13  # equal places of 16, about 0.8 of the sequences in common
PLACES = 16
_WORDS = 5
_BAND = 4  # places that fill one 64-bit number

Signatures = NDArray[np.uint16]  # texts × PLACES
Whole = NDArray[np.uint64]
Places = NDArray[np.int64]

_PRIME = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


def signatures(words: Whole, bounds: Places) -> Signatures:
    """Return the signatures of texts by their words, as `words_of` gives them; fewer than five count as one sequence."""
    lengths = np.diff(bounds)
    spread = np.maximum(lengths - _WORDS + 1, 1)  # sequences of a text
    starts = np.cumsum(spread) - spread
    first = np.repeat(bounds[:-1], spread) + np.arange(spread.sum()) - np.repeat(starts, spread)
    last = np.repeat(bounds[1:], spread)
    padded = np.append(words, np.zeros(_WORDS, np.uint64))
    sequences = np.zeros(len(first), np.uint64)
    for place in range(_WORDS):
        inside = first + place < last
        sequences = mixed(sequences + np.where(inside, padded[first + place], np.uint64(0)))
    found = np.empty((len(lengths), PLACES), np.uint16)
    for place, factor in enumerate(_factors()):
        hashed = (sequences * factor) >> np.uint64(32)
        least = np.minimum.reduceat(hashed, starts) if len(lengths) else hashed
        found[:, place] = least & np.uint64(0xFFFF)  # its low half: the high one of a minimum is nearly 0
    return found


def alike(signature: Signatures) -> int:
    """Return how many texts are nearly the same as an earlier one."""
    bands = np.ascontiguousarray(signature).view(np.uint64)
    marked = np.zeros(len(signature), bool)
    for band in range(bands.shape[1]):
        order = np.argsort(bands[:, band], kind="stable")
        keys = bands[order, band]
        beside = np.flatnonzero(keys[1:] == keys[:-1])
        one, other = order[beside], order[beside + 1]
        equal = (signature[one] == signature[other]).sum(axis=1)
        marked[other[equal >= LIKE]] = True
    return int(marked.sum())


def hashes(texts: pa.StringArray) -> Whole:
    """Return a 64-bit number for each text; equal texts have equal ones."""
    content, offsets = _bytes(texts)
    sums = np.zeros(len(content) + 1, np.uint64)
    np.cumsum((content.astype(np.uint64) + np.uint64(1)) * _powers(len(content)), out=sums[1:])
    return mixed(_between(sums, offsets[:-1], offsets[1:]))


def _bytes(texts: pa.StringArray) -> tuple[NDArray[np.uint8], Places]:
    """Return the bytes of all texts one after another, and where each begins and the last ends."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    content = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return content[offsets[0] : offsets[-1]], (offsets - offsets[0]).astype(np.int64)


def words_of(texts: pa.StringArray) -> tuple[Whole, Places]:
    """Return a number for each word of all texts, whatever its case, and where the words of each text begin and the last
    one's end."""
    content, offsets = _bytes(texts)
    letters = _letters()[content]
    inside = np.concatenate(([False], letters > 0, [False]))
    begins, ends = inside[1:-1] & ~inside[:-2], inside[1:-1] & ~inside[2:]
    edges = offsets[(offsets > 0) & (offsets < len(content))]  # a word does not go on in the next text
    begins[edges] |= inside[1:-1][edges]
    ends[edges - 1] |= inside[1:-1][edges - 1]
    first, last = np.flatnonzero(begins), np.flatnonzero(ends) + 1
    sums = np.zeros(len(content) + 1, np.uint64)
    np.cumsum(letters * _powers(len(content)), out=sums[1:])
    return mixed(_between(sums, first, last)), np.searchsorted(first, offsets)


def _between(sums: Whole, first: Places, last: Places) -> Whole:
    """Return what stands between two places of a running sum, wherever it stands there."""
    return (sums[last] - sums[first]) * _powers(len(sums), inverse=True)[first]


def mixed(numbers: Whole) -> Whole:
    """Return numbers all of whose bits depend on all bits (the finalizer of SplitMix64)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _powers(count: int, inverse: bool = False) -> Whole:
    """Return the first `count` powers of the prime modulo 2**64, or of its inverse."""
    return _table(max(1 << 16, 1 << (count - 1).bit_length()), inverse)[:count]


@cache
def _table(count: int, inverse: bool) -> Whole:
    base = _INVERSE if inverse else _PRIME
    table = np.full(count, base, np.uint64)
    table[0] = 1
    return np.multiply.accumulate(table)


@cache
def _letters() -> Whole:
    """Return, by byte, a number for what belongs to a word, 0 for what does not."""
    table = np.zeros(256, np.uint64)
    for byte in range(256):
        if byte >= 128 or chr(byte).isalnum():
            table[byte] = ord(chr(byte).lower()) if byte < 128 else byte
    return table


@cache
def _factors() -> tuple[np.uint64, ...]:
    """Return odd numbers, one per hash function."""
    seeds = np.arange(1, PLACES + 1, dtype=np.uint64) * _PRIME
    return tuple(mixed(seeds) | np.uint64(1))
