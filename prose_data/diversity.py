"""How varied some texts are: distinct n-grams, self-BLEU, and near-duplicates, without a model.

All take texts as lists of lower-cased words. The first two depend on how much text they are given, so only equal numbers of
texts compare. Near-duplicates share half of their five-word sequences or more, which is what samples are checked for.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from math import exp, log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from prose_data.streams import numpy_stream

Words = Sequence[str]
Hashes = NDArray[np.uint64]

LIKE = 0.5  # Jaccard similarity of two near-duplicates' sets of shingles, at least
_SHINGLE = 5
_ORDERS = (1, 2, 3, 4)  # of BLEU's n-grams
_NOTHING = 0.1  # what BLEU counts where no n-gram of an order is shared (Chen and Cherry, 2014, smoothing 1)
# With bands of three hashes, 42 of them, a pair that shares half of its shingles meets with probability 0.996.
_BANDS, _ROWS = 42, 3
_MARGIN = 0.15  # more than three standard errors of a similarity that 126 hashes estimate
_NEIGHBOURS = 8  # of a text in each bucket of a band
_PAIRS = 200_000  # compared at once


def distinct(texts: Sequence[Words], n: int) -> float | None:
    """Return the share of different ones among all n-grams of the texts (Li et al., 2016, arXiv 1510.03055), 0 to 1; None
    if they have none."""
    grams = [gram for words in texts for gram in _grams(words, n)]
    return len(set(grams)) / len(grams) if grams else None


def self_bleu(texts: Sequence[Words]) -> float | None:
    """Return the mean BLEU-4 of each text with all others as its references (Zhu et al., "Texygen", 2018, arXiv 1802.01886),
    0 to 1, lower being more varied; None for fewer than two texts with a word."""
    texts = [words for words in texts if words]
    if len(texts) < 2:
        return None
    counts = {n: [Counter(_grams(words, n)) for words in texts] for n in _ORDERS}
    most = {n: _two_most(counts[n]) for n in _ORDERS}
    lengths = sorted(len(words) for words in texts)
    return sum(_bleu(texts, counts, most, lengths, place) for place in range(len(texts))) / len(texts)


def near_duplicates(texts: Sequence[Words]) -> list[bool]:
    """Return of each text whether another one shares half of its shingles or more.

    Pairs are found by MinHash (Broder, "On the Resemblance and Containment of Documents", 1997) in bands, then compared in
    full, so that none is found wrongly and about one in a hundred at the limit is missed. Texts of fewer than five words
    are none.
    """
    shingles = [_shingles(words) for words in texts]
    long = np.array([place for place, found in enumerate(shingles) if len(found)], np.intp)
    flagged = np.zeros(len(texts), bool)
    if len(long) < 2:
        return [False] * len(texts)
    signatures = np.stack([_signature(shingles[place]) for place in long])
    for band in range(_BANDS):
        for ones, others in _meeting(signatures[:, band * _ROWS : (band + 1) * _ROWS]):
            fresh = ~(flagged[long[ones]] & flagged[long[others]])
            ones, others = ones[fresh], others[fresh]
            alike = (signatures[ones] == signatures[others]).mean(axis=1)
            likely = alike >= LIKE - _MARGIN
            for one, other in zip(long[ones[likely]], long[others[likely]], strict=True):
                if not (flagged[one] and flagged[other]) and _jaccard(shingles[one], shingles[other]) >= LIKE:
                    flagged[one] = flagged[other] = True
    return [bool(flag) for flag in flagged]


def _grams(words: Words, n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(islice(words, start, None) for start in range(n)), strict=False)


def _two_most(counts: Sequence[Counter[tuple[str, ...]]]) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """Return per n-gram the most times that a text has it, the first such text, and the most that another one has it."""
    found: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for place, count in enumerate(counts):
        for gram, number in count.items():
            most, owner, second = found.get(gram, (0, -1, 0))
            if number > most:
                found[gram] = number, place, most
            elif number > second:
                found[gram] = most, owner, number
    return found


def _bleu(
    texts: Sequence[Words],
    counts: dict[int, list[Counter[tuple[str, ...]]]],
    most: dict[int, dict[tuple[str, ...], tuple[int, int, int]]],
    lengths: list[int],
    place: int,
) -> float:
    """Return BLEU-4 of the text at `place` with all others as references."""
    logs = 0.0
    for n in _ORDERS:
        shared = 0
        for gram, number in counts[n][place].items():
            highest, owner, second = most[n][gram]
            shared += min(number, second if owner == place else highest)
        logs += log((shared or _NOTHING) / max(1, counts[n][place].total()))
    own = len(texts[place])
    others = list(lengths)
    others.remove(own)
    closest = min(others, key=lambda length: (abs(length - own), length))
    return min(1.0, exp(1 - closest / own)) * exp(logs / len(_ORDERS))


@lru_cache(maxsize=100_000)
def _number(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def _shingles(words: Words) -> Hashes:
    """Return a number of 64 bits for each different run of five words, sorted."""
    numbers = np.fromiter(map(_number, words), np.uint64, len(words))
    if len(numbers) < _SHINGLE:
        return np.zeros(0, np.uint64)
    mixed = np.zeros(len(numbers) - _SHINGLE + 1, np.uint64)
    for start in range(_SHINGLE):
        mixed = (mixed ^ numbers[start : start + len(mixed)]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


@lru_cache(maxsize=1)
def _family() -> tuple[Hashes, Hashes]:
    """Return multipliers (odd) and additions of the hash functions."""
    drawn = numpy_stream(0, "minhash").integers(2**64, size=(2, _BANDS * _ROWS), dtype=np.uint64)
    return drawn[0] | np.uint64(1), drawn[1]


def _signature(shingles: Hashes) -> NDArray[np.uint32]:
    """Return the least value that each hash function (multiply-shift) takes on the shingles."""
    times, plus = _family()
    least: Hashes = (shingles[:, None] * times + plus).min(axis=0)
    return (least >> np.uint64(32)).astype(np.uint32)


def _meeting(band: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield pairs of texts with the same values in a band: each with the next few in its bucket."""
    order = np.lexsort(band.T)
    placed = band[order]
    for distance in range(1, min(_NEIGHBOURS + 1, len(order))):
        same = np.flatnonzero((placed[distance:] == placed[:-distance]).all(axis=1))
        for first in range(0, len(same), _PAIRS):
            chosen = same[first : first + _PAIRS]
            yield order[chosen], order[chosen + distance]


def _jaccard(one: Hashes, other: Hashes) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
