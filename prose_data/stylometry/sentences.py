"""Sentences of laid-out prose, and what can be said about them: how many are short, long or questions, what each ends in."""

from dataclasses import dataclass, field
from types import MappingProxyType

_ABBREVIATED = (
    "dr mr mrs ms prof st no vs etc e.g i.e approx fig figs cf al jr sr inc ltd co corp dept u.s u.k a.m p.m eq vol ed eds "
    "gen rep sen gov jan feb mar apr jun jul aug sept oct nov dec (e.g (i.e (cf".split()
)
_ABBREVIATIONS = frozenset(
    f"{form}." for word in _ABBREVIATED for form in (word, word.capitalize(), word.upper())
)
_END = 4  # characters at the end of a piece by which it may be one that an abbreviation cut off
_ABBREVIATED_ENDS = frozenset(
    f"{before}{word}"[-_END:] for word in _ABBREVIATIONS for before in ("", " ", "(", '"')
)
_SHORT, _LONG = 7, 30  # words: a punchy sentence has at most so many, a winding one at least
_SHORT_ITEM = 5  # the items of lists are short by nature
_WHOLE = 8  # words from which a piece without a final mark is a sentence
_PLAIN = (". ", "! ", "? ")
_CLOSED = MappingProxyType({'"': ('." ', '!" ', '?" '), ")": (".) ", "!) ", "?) "), "*": (".* ", "!* ")})
_CLOSERS = "\"')*_]"  # may stand behind a final mark
_FINAL = frozenset(".!?…")
_DOTS = ("..", "…")
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
_ORDER_HEADS = frozenset("fstnalFSTNAL")


@dataclass(slots=True)
class Sentences:
    """Counts over the sentences of a text.

    A statement is a sentence that does not ask; `small` of the `cased` sentences begin with a small letter; `all`
    holds the sentences in order, `ordered` the words of order that begin one ("first", "next", "last").
    """

    statements: int = 0
    short: int = 0
    long: int = 0
    small: int = 0
    cased: int = 0
    first_asks: bool = False
    all: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    ordered: set[str] = field(default_factory=set)


def split(prose: str, items: str) -> Sentences:
    """Return the counts over the sentences of `prose` and of the `items` of lists, a paragraph or item a line."""
    found = Sentences(all=_pieces(prose))
    _measure(found.all, _SHORT, "?" in prose, found)
    if items:
        listed = _pieces(items)
        _measure(listed, _SHORT_ITEM, "?" in items, found)
        found.all += listed
    if found.questions:
        found.first_asks = found.questions[0] == found.all[0]
    heads = [sentence[0] for sentence in found.all]
    if not all(map(str.isalpha, heads)):
        heads = [next(filter(str.isalpha, sentence)) for sentence in found.all]
    found.small = sum(map(str.islower, heads))
    found.cased = found.small + sum(map(str.isupper, heads))
    if not _ORDER_HEADS.isdisjoint(heads):
        _note_order(found)
    return found


def _measure(sentences: list[str], short: int, may_ask: bool, found: Sentences) -> None:
    statements = sentences
    if may_ask:
        found.questions += [sentence for sentence in sentences if "?" in sentence[-3:]]
        statements = [sentence for sentence in sentences if "?" not in sentence[-3:]]
    blanks = [sentence.count(" ") for sentence in statements]
    found.statements += len(blanks)
    found.short += sum([n < short for n in blanks])
    found.long += sum([n >= _LONG - 1 for n in blanks])


def _note_order(found: Sentences) -> None:
    for sentence in found.all:
        start = sentence[:_LONGEST_ORDER]
        if "," in start or ":" in start:
            order = _ORDERED.get(start.partition("," if "," in start else ":")[0].lower())
            if order:
                found.ordered.add(order)


def _pieces(text: str) -> list[str]:
    """Return the sentences of a text; pieces without a letter, or few words without a final mark, are none."""
    for mark in _PLAIN:
        text = text.replace(mark, f"{mark[0]}\n")
    for closer, marks in _CLOSED.items():
        if closer in text:
            for mark in marks:
                text = text.replace(mark, f"{mark[:2]}\n")
    if "… " in text:
        text = text.replace("… ", "…\n")
    pieces = text.split("\n")
    if ".." in text or "…" in text or not _ABBREVIATED_ENDS.isdisjoint([piece[-_END:] for piece in pieces]):
        pieces = _joined(pieces)
    pieces = [piece for piece in pieces if piece[-1:] in _FINAL or _is_whole(piece)]
    if not all(map(str.isalpha, [piece[0] for piece in pieces])):
        pieces = [piece for piece in pieces if any(map(str.isalpha, piece))]
    return pieces


def _is_whole(piece: str) -> bool:
    """Return whether a piece without a final mark is a sentence: it is long, ends in closed quotation, or in an emoji."""
    if piece.count(" ") >= _WHOLE - 1 or piece.rstrip(_CLOSERS)[-1:] in _FINAL:
        return True
    return piece[-1:] > "\u2190" and not piece[-1].isalnum()


def _joined(pieces: list[str]) -> list[str]:
    """Return the pieces, those put together that were cut after an abbreviation, or after dots within a sentence."""
    out: list[str] = []
    held = False
    for piece in pieces:
        if held and (not out[-1].endswith(_DOTS) or piece[:1].islower()):
            out[-1] = f"{out[-1]} {piece}"
        else:
            out.append(piece)
        held = out[-1].endswith(_DOTS) or out[-1][out[-1].rfind(" ") + 1 :] in _ABBREVIATIONS
    return out
