"""Texts as vectors whose dot products say how alike the texts are; a text's vector depends on that text alone.

`hashing` counts words and parts of words and needs nothing, so it is the default; it sees wording, genre included, not
meaning. `minilm` is a sentence encoder, read from the package of the extra `embeddings`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from prose_data import minilm
from prose_data.errors import InputError

Vector = NDArray[np.float32]

LONGEST = 20_000  # characters of a text that are read: what it is about shows by then, and work and memory stay bounded
_WIDTH = 4096  # a text of 300 words has about 1,500 features; in 1,024 places too many of them meet
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_DECIMALS = 6  # similarities that differ by less differ by a processor's rounding: that is a tie


def _hashing(text: str) -> Vector:
    """Return signed counts (1 + ln of each) of lower-cased words, pairs of words and runs of three characters."""
    words = _WORD.findall(text.lower())
    letters = f" {' '.join(words)} ".encode("utf-32-le")
    codes = np.frombuffer(letters, "<u4").astype(np.uint64)  # of at most 21 bits each
    single = np.array([crc32(word.encode()) for word in words], np.uint64)
    pairs = single[:-1] << np.uint64(32) | single[1:]
    runs = codes[:-2] << np.uint64(42) | codes[1:-1] << np.uint64(21) | codes[2:]
    families = [_mixed(features, number) for number, features in enumerate((single, pairs, runs), 1)]
    features, counts = np.unique(np.concatenate(families), return_counts=True)
    signs = np.where(features >> np.uint64(63), 1.0, -1.0)  # what meets in one place cancels on average
    places = (features % np.uint64(_WIDTH)).astype(np.intp)
    return np.bincount(places, signs * (1 + np.log(counts)), _WIDTH).astype(np.float32)


def _mixed(keys: NDArray[np.uint64], family: int) -> NDArray[np.uint64]:
    """Return 64 well-spread bits per key (the finalizer of SplitMix64), other ones in each family."""
    bits = keys + np.uint64(family * 0x9E3779B97F4A7C15 % 2**64)
    bits = (bits ^ bits >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ bits >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return bits ^ bits >> np.uint64(31)


ENCODERS: Mapping[str, Callable[[str], Vector]] = {"hashing": _hashing, "minilm": minilm.vector}


def check_encoder(encoder: str) -> None:
    """Raise InputError if there is no such encoder, or what it needs is not installed."""
    if encoder not in ENCODERS:
        raise InputError(f"encoder {encoder!r} is not known; use {' or '.join(ENCODERS)}")
    if encoder == "minilm":
        minilm.model_folder()


def encode(texts: Sequence[str], encoder: str, normalise: bool = True) -> Vector:
    """Return one row per text, shape (n, d) with d = 4,096 for `hashing` and 384 for `minilm`; (0, 0) for no texts.

    Rows have length 1, or 0 for a text in which the encoder finds nothing; without `normalise` the length that the
    encoder gives them. Of each text at most 20,000 characters are read, by `minilm` at most 256 word pieces.
    Raises InputError for an unknown encoder or one that is not installed.
    """
    check_encoder(encoder)
    rows = [_row(text[:LONGEST], encoder, normalise) for text in texts]
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def similarities(
    text: str, others: Sequence[str], encoder: str, normalise: bool = True
) -> NDArray[np.float64]:
    """Return the dot product of `text` with each of `others`, shape (n,), to six decimals.

    That is their cosine, from -1 to 1; without `normalise` it grows with the vectors' lengths (PRELUDE's code before
    October 2024 ranks by that, arXiv 2404.15269).
    """
    first, *rest = encode([text, *others], encoder, normalise).astype(np.float64)
    return np.array([round(float(first @ row), _DECIMALS) for row in rest])


@lru_cache(maxsize=1024)
def _row(text: str, encoder: str, normalise: bool) -> Vector:
    row = ENCODERS[encoder](text)
    length = float(np.linalg.norm(row))
    if normalise and length > 0:
        row = row / np.float32(length)
    row.flags.writeable = False
    return row
