"""Sentences of laid-out prose, and what can be said about them: how many are short, long or questions, what each ends in.

The sentences of many texts are found at once, as places in their bodies, and only those are made strings that are looked
at one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prose_data.stylometry.bodies import DOTS, Bodies
from prose_data.stylometry.lookup import among
from prose_data.stylometry.ordinary import Bools, Bytes, Ints
from prose_data.stylometry.sound import may_rhyme

_ABBREVIATED = (
    "dr mr mrs ms prof st no vs etc e.g i.e approx fig figs cf al jr sr inc ltd co corp dept u.s u.k a.m p.m eq vol ed eds "
    "gen rep sen gov jan feb mar apr jun jul aug sept oct nov dec (e.g (i.e (cf".split()
)
_ABBREVIATIONS = frozenset(
    f"{form}." for word in _ABBREVIATED for form in (word, word.capitalize(), word.upper())
)
_END = 4  # characters at the end of a piece by which it may be one that an abbreviation cut off
_ABBREVIATED_ENDS = np.array(
    sorted(
        {
            int.from_bytes(f"{before}{word}"[-_END:].encode(), "big")
            for word in _ABBREVIATIONS
            for before in ("", " ", "(", '"')
        }
    ),
    dtype=np.int64,
)
_SHORT, _LONG = 7, 30  # words: a punchy sentence has at most so many, a winding one at least
_SHORT_ITEM = 5  # the items of lists are short by nature
_WHOLE = 8  # words from which a piece without a final mark is a sentence
_CLOSERS = "\"')*_]"  # may stand behind a final mark
_FINAL = frozenset(".!?…")
_BLANK, _BREAK, _STOP, _ASKED = map(ord, " \n.?")
_ORDERED = {
    "first": "first",
    "firstly": "first",
    "second": "second",
    "secondly": "second",
    "third": "third",
    "thirdly": "third",
    "next": "next",
    "then": "then",
    "after that": "after that",
    "from there": "from there",
    "finally": "last",
    "lastly": "last",
}
_LONGEST_ORDER = 11  # characters, with the mark


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of some texts in order, and counts of them by text.

    starts, ends:        the place of each sentence in the bodies
    asks:                whether it is a question; one that is none is a statement
    firsts:              the number of each text's first sentence, and at last that of all; (texts + 1)
    number, questions, statements, short, long: counts by text
    small, cased:        how many sentences begin with a small letter, and with a small or a large one
    first_asks:          whether the first sentence is a question
    may_rhyme:           whether so many end in the same letters that there may be a rhyme
    ordered:             by text the words of order that begin one of its sentences ("first", "next", "last")
    """

    whole: str
    starts: Sequence[int]
    ends: Sequence[int]
    asks: Sequence[bool]
    firsts: Sequence[int]
    number: Ints
    questions: Ints
    statements: Ints
    short: Ints
    long: Ints
    small: Ints
    cased: Ints
    first_asks: Bools
    may_rhyme: Bools
    ordered: dict[int, set[str]]

    def all(self, text: int) -> list[str]:
        """Return the sentences of a text."""
        return self._strings(range(self.firsts[text], self.firsts[text + 1]))

    def last(self, text: int, most: int) -> list[str]:
        """Return the last sentences of a text, `most` at most."""
        end = self.firsts[text + 1]
        return self._strings(range(max(self.firsts[text], end - most), end))

    def asked(self, text: int) -> list[str]:
        """Return the questions of a text."""
        mine = range(self.firsts[text], self.firsts[text + 1])
        return self._strings([number for number in mine if self.asks[number]])

    def _strings(self, numbers: Sequence[int]) -> list[str]:
        return [self.whole[self.starts[n] : self.ends[n]].replace("\n", " ") for n in numbers]


def split(bodies: Bodies) -> Sentences:
    """Return the sentences of some texts, a paragraph or item of a list being one or more."""
    low, whole = bodies.low, bodies.whole
    starts, ends, part = _joined(bodies, *_pieces(bodies))
    blanks = _between(bodies.blanks, starts, ends) + _between(bodies.breaks, starts, ends)
    keep = ends > starts
    for piece in np.flatnonzero(keep & ~_is_final(low[ends - 1]) & (blanks < _WHOLE - 1)).tolist():
        keep[piece] = _is_closed(whole[starts[piece] : ends[piece]])
    head = low[starts]
    small, large = (head >= ord("a")) & (head <= ord("z")), (head >= ord("A")) & (head <= ord("Z"))
    for piece in np.flatnonzero(keep & ~(small | large)).tolist():
        letter = next(filter(str.isalpha, whole[starts[piece] : ends[piece]]), "")
        keep[piece], small[piece], large[piece] = bool(letter), letter.islower(), letter.isupper()
    starts, ends, blanks, part = (column[keep] for column in (starts, ends, blanks, part))
    small, large = small[keep], large[keep]
    text = part // 2
    texts = len(bodies.ends)
    asks = np.logical_or.reduce([_back(low, starts, ends, n) == _ASKED for n in (1, 2, 3)])
    short = blanks < np.where(part % 2, _SHORT_ITEM, _SHORT)
    firsts = np.searchsorted(text, np.arange(texts + 1))
    return Sentences(
        whole, starts.tolist(), ends.tolist(), asks.tolist(), firsts.tolist(),
        number=np.diff(firsts),
        questions=np.bincount(text[asks], minlength=texts),
        statements=np.bincount(text[~asks], minlength=texts),
        short=np.bincount(text[~asks & short], minlength=texts),
        long=np.bincount(text[~asks & (blanks >= _LONG - 1)], minlength=texts),
        small=np.bincount(text[small], minlength=texts),
        cased=np.bincount(text[small | large], minlength=texts),
        first_asks=(firsts[1:] > firsts[:-1]) & np.append(asks, False)[firsts[:-1]],
        may_rhyme=may_rhyme(bodies.codes, starts, ends, text, texts),
        ordered=_order(bodies, text, starts, ends),
    )  # fmt: skip


def _pieces(bodies: Bodies) -> tuple[Ints, Ints]:
    """Return where the pieces begin and end that lie between line breaks and behind final marks."""
    low = bodies.low
    stop, called = low == _STOP, low == ord("!")
    final = stop | called | (low == _ASKED)
    end = final | (low == DOTS)
    end[1:] |= final[:-1] & ((low == ord('"')) | (low == ord(")")))[1:]
    end[1:] |= (stop | called)[:-1] & (low == ord("*"))[1:]
    cuts = low == _BREAK
    cuts[1:] |= end[:-1] & (low == _BLANK)[1:]
    ends = np.flatnonzero(cuts)
    return np.concatenate(([0], ends[:-1] + 1)), ends


def _joined(bodies: Bodies, starts: Ints, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """Return starts and ends of pieces, and the part of the bodies in which each lies.

    Those are put together that were cut after an abbreviation, or after dots within a sentence.
    """
    low, whole = bodies.low, bodies.whole
    part = np.searchsorted(bodies.begins, starts, side="right") - 1
    tail = [_back(low, starts, ends, n).astype(np.int64) for n in range(_END, 0, -1)]
    dots = (tail[-1] == DOTS) | ((tail[-1] == _STOP) & (tail[-2] == _STOP))
    held = dots.copy()
    maybe = among(tail[0] << 24 | tail[1] << 16 | tail[2] << 8 | tail[3], _ABBREVIATED_ENDS)
    for piece in np.flatnonzero(maybe & ~dots).tolist():
        held[piece] = whole[starts[piece] : ends[piece]].rpartition(" ")[2] in _ABBREVIATIONS
    joins = np.append(False, held[:-1] & (part[1:] == part[:-1]))
    for piece in np.flatnonzero(joins[1:] & dots[:-1]).tolist():
        joins[piece + 1] = whole[starts[piece + 1]].islower() and ends[piece + 1] > starts[piece + 1]
    first = np.flatnonzero(~joins)
    last = np.append(first[1:], len(joins)) - 1
    return starts[first], ends[last], part[first]


def _between(places: Ints, starts: Ints, ends: Ints) -> Ints:
    """Return how many of the places, which are sorted, lie in each piece."""
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)


def _back(low: Bytes, starts: Ints, ends: Ints, n: int) -> Bytes:
    """Return the nth character from the end of each piece, 0 where it has none."""
    return np.where(ends - n >= starts, low.take(ends - n, mode="clip"), np.uint8(0))


def _is_final(last: Bytes) -> Bools:
    found: Bools = np.logical_or.reduce([last == mark for mark in (*b".!?", DOTS)])
    return found


def _is_closed(piece: str) -> bool:
    """Return whether a short piece without a final mark is a sentence: it ends in closed quotation, or in an emoji."""
    if piece.rstrip(_CLOSERS)[-1:] in _FINAL:
        return True
    return piece[-1:] > "\u2190" and not piece[-1].isalnum()


def _order(bodies: Bodies, text: Ints, starts: Ints, ends: Ints) -> dict[int, set[str]]:
    """Return by text the words of order that begin one of its sentences."""
    marks = np.flatnonzero((bodies.low == ord(",")) | (bodies.low == ord(":")))
    nearest = np.append(marks, len(bodies.low))[np.searchsorted(marks, starts)]
    found: dict[int, set[str]] = {}
    for number in np.flatnonzero(nearest < np.minimum(ends, starts + _LONGEST_ORDER)).tolist():
        start = bodies.whole[starts[number] : min(ends[number], starts[number] + _LONGEST_ORDER)]
        order = _ORDERED.get(start.partition("," if "," in start else ":")[0].lower())
        if order:
            found.setdefault(int(text[number]), set()).add(order)
    return found
