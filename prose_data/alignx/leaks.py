"""Labels that a text must not quote: who finds one there reads the answer and not the text.

Labels of one word ("Young", "Male") are left out: they are words like any other.
"""

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from prose_data.alignx.dimensions import COUNT, label, meanings

PHRASES = tuple(
    phrase
    for index in range(COUNT)
    for pole in ((index, True), (index, False))
    for phrase in (label(pole), meanings()[pole])
    if " " in phrase
)
_PATTERN = rf"\b(?:{'|'.join(map(re.escape, sorted(PHRASES, key=len, reverse=True)))})\b"


@cache
def _compiled() -> re.Pattern[str]:
    return re.compile(_PATTERN, re.IGNORECASE)


def quoted(text: str) -> str:
    """Return the first label, or meaning as prompts state it, that `text` quotes word for word, whatever the case; "" if
    there is none."""
    found = _compiled().search(text)
    return found[0] if found else ""


def quoting(texts: pa.StringArray) -> NDArray[np.int64]:
    """Return the places of those of `texts` that quote a label."""
    found = pc.match_substring_regex(texts, _PATTERN, ignore_case=True)
    return np.flatnonzero(found.to_numpy(zero_copy_only=False))
