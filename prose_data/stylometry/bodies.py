"""The bodies of some texts one after another: what is asked of every character is asked of all texts at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prose_data.stylometry.layout import Layout
from prose_data.stylometry.ordinary import Bytes, Ints

Codes = np.ndarray[tuple[int, ...], np.dtype[np.uint32]]
OTHER, DOTS = 128, 129  # in `Bodies.low`: a character that is no ASCII, and "…"
_BLANK, _BREAK, _DOTS = map(ord, " \n…")
_QUOTATION = 400  # characters; what is longer is no quotation, but a text between two inch marks


@dataclass(frozen=True, slots=True)
class Bodies:
    """The prose of the first text, the items of its lists, those of the next, and so on, each with a line break behind it.

    texts:   the body of each text
    whole:   all of that
    codes:   the number of every character
    low:     the same as bytes, with `OTHER` and `DOTS` for what is no ASCII
    blanks:  the places of the blanks
    breaks:  the places of the line breaks
    begins:  where the prose and the items of each text begin, and at last where all ends; (2 * texts + 1)
    ends:    where the body of each text ends
    """

    texts: list[str]
    whole: str
    codes: Codes
    low: Bytes
    blanks: Ints
    breaks: Ints
    begins: Ints
    ends: Ints

    def lowered(self) -> list[bytes]:
        """Return the bodies in small letters, without what stands in quotation marks, if these come in pairs."""
        lower = self.low.tobytes().lower()
        places = zip(self.begins[:-1:2].tolist(), self.ends.tolist(), strict=True)
        return [_unquoted(lower[start:end]) for start, end in places]

    def blanks_by_text(self) -> Ints:
        """Return how many blanks the body of each text has."""
        return np.diff(np.searchsorted(self.blanks, self.begins[::2]))


def side_by_side(pages: Sequence[Layout]) -> Bodies:
    """Return the bodies of these pages."""
    parts = ["\n".join(lines) for page in pages for lines in (page.prose, page.items)]
    texts = [
        f"{prose}\n{items}" if items else prose for prose, items in zip(parts[::2], parts[1::2], strict=True)
    ]
    whole = "\n".join((*parts, ""))
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    low = np.minimum(codes, OTHER).astype(np.uint8)
    if not whole.isascii():
        low[codes == _DOTS] = DOTS
    sizes = np.array([*map(len, parts)]) + 1
    begins = np.concatenate(([0], np.cumsum(sizes)))
    ends = np.where(sizes[1::2] > 1, begins[2::2], begins[1::2]) - 1
    blanks, breaks = (np.flatnonzero(low == code) for code in (_BLANK, _BREAK))
    return Bodies(texts, whole, codes, low, blanks, breaks, begins, ends)


def _unquoted(lower: bytes) -> bytes:
    if b'"' not in lower:
        return lower
    pieces = lower.split(b'"')
    paired = len(pieces) % 2 and max(map(len, pieces[1::2])) <= _QUOTATION
    return b" ".join(pieces[::2]) if paired else lower
