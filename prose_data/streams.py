"""Named random streams: every draw says what it is for, so adding one never changes another."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import permutations
from typing import TypeVar

import numpy as np

T = TypeVar("T")
_SHORT = 6  # items whose orders can all be listed
_FEW = 1 << 128  # what is left of a hash below this would give skewed draws


def _seed(*words: str | int) -> int:
    text = "\x1f".join(str(word) for word in words)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def stream(seed: int, *words: str | int) -> random.Random:
    """Return the generator named by `seed` and `words`; equal names give equal draws on every machine."""
    return random.Random(_seed(seed, *words))


def numpy_stream(seed: int, *words: str | int) -> np.random.Generator:
    """Return a numpy generator named as in `stream`, for draws by the column."""
    return np.random.default_rng(_seed(seed, *words))


def digest(*words: str | int) -> str:
    """Return a short stable id (16 hex digits) of `words`, for keys of rows."""
    return f"{_seed(*words):016x}"


class Draws:
    """Whole numbers drawn from a hash of `words`; where a name needs but a few dozen, far quicker than a generator."""

    __slots__ = ("_block", "_left", "_name")

    def __init__(self, *words: str | int) -> None:
        self._name = "\x1f".join(map(str, words)).encode(errors="surrogatepass")
        self._block = 0
        self._left = self._number()

    def _number(self) -> int:
        salt = self._block.to_bytes(16, "big")
        return int.from_bytes(hashlib.blake2b(self._name, digest_size=64, salt=salt).digest(), "big")

    def below(self, bound: int) -> int:
        """Return a number from 0 to `bound` - 1 (`bound` at most 2**32), each equally likely."""
        if self._left < _FEW:
            self._block += 1
            self._left = self._number()
        self._left, drawn = divmod(self._left, bound)
        return drawn

    def pick(self, items: Sequence[T]) -> T:
        """Return one of `items`."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` items of different places in `items`; quick where that is a small part of them."""
        places: list[int] = []
        while len(places) < count:
            place = self.below(len(items))
            if place not in places:
                places.append(place)
        return [items[place] for place in places]

    def shuffle(self, items: Iterable[T]) -> list[T]:
        """Return `items` in a drawn order."""
        left = list(items)
        if len(left) <= _SHORT:
            return [left[place] for place in self.pick(_orders(len(left)))]
        for last in range(len(left) - 1, 0, -1):
            other = self.below(last + 1)
            left[last], left[other] = left[other], left[last]
        return left


@cache
def _orders(count: int) -> tuple[tuple[int, ...], ...]:
    """Return all orders of `count` places."""
    return tuple(permutations(range(count)))
