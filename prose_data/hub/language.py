"""Are texts English? Told by the share of words that no English text is without."""

import re
from collections.abc import Iterable

_COMMON = frozenset(
    "a an and are as at be but by for from have i in is it not of on that the this to was with you".split()
)
_ENOUGH = 0.15  # of all words; English prose has some 0.3, other languages that share a few of them below 0.1
_WORD = re.compile(r"\w+")


def is_english(texts: Iterable[str]) -> bool:
    """Return whether `texts`, all together, are English."""
    words = [word for text in texts for word in _WORD.findall(text.lower())]
    return sum(word in _COMMON for word in words) >= _ENOUGH * max(1, len(words))
