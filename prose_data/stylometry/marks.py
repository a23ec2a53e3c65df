"""Marks on the page: ampersands, capitals, brackets, dashes, dots, stars. Marks of lists and labels are no part of a body.

What only looks like a habit does not count: "AT&T", "NASA", "(2019)", 1914-1918, "--verbose", "!=".
"""

import re
from itertools import groupby, pairwise, starmap

from prose_data.measures import ACRONYMS, EMOJI, NO_ASIDE, pronounceable
from prose_data.stylometry.words import SHOUTED

_ASIDE = re.compile(r"(?<!\w)[^\W\d_A-Z]{4,}|[^\W\d_A-Z] [^\W\d_A-Z]")
_NO_SEMICOLON = re.compile(r"\([^()\n]*\)|&#?\w+;")
_SEMICOLON = re.compile(r";(?=\s)")
_SHORTEST, _LONGEST = 3, 250  # characters of an aside
_DOTS = re.compile(r"\.\.\.+")
_SHOUTS = re.compile(r"!+(?!=)")
_STARRED = re.compile(r"\*{1,2}[^\s*](?:[^*\n]{0,60}?[^\s*])?\*{1,2}(?!\w)")
_EMOTICON = re.compile(r"(?<!\S)(?:[:;=8][-'o^]?[)(DPp/\\|*3]|<3|[xX]D|\^_?\^|[-o]_[-o]|\\o/)(?![^\s.,!?)])")
_MOUTHS = frozenset(")(-DPp'o/\\|*3^")
_EYES = ":;=<"
_LETTERS = re.compile(r"[A-Za-z][A-Za-z']*")
_CAPITALS = bytes(ord("A") if chr(code).isupper() else ord(" ") for code in range(128)) + b" " * 128
_TITLE = 4  # words in capitals in a row that are a title, not emphasis
_QUOTED_WORDS = 3  # more words in quotation marks are a quotation


def marks(text: str, body: str) -> dict[str, int]:
    """Return how many of each mark there are in the body of a text; emojis count wherever they stand."""
    found = {"allcaps": _shouted(body)}
    if "&" in body:
        found["ampersands"] = sum(starmap(_joins, pairwise(body.split(" & "))))
    if "(" in body:
        found["parentheses"] = _asides(body)
    if ";" in body:
        found["semicolons"] = len(_SEMICOLON.findall(_NO_SEMICOLON.sub("", body) if "(" in body else body))
    if "-" in body:
        found["dashes"] = sum(starmap(_parts, pairwise(body.split("--")))) + body.count(" - ")
    if ".." in body:
        found["ellipses"] = len(_DOTS.findall(body.replace("[...]", "").replace("(...)", "")))
    if "!" in body:
        found["exclamations"] = len(_SHOUTS.findall(body))
    if "*" in body:
        found["asterisks"] = len({term.lower() for term in _STARRED.findall(body)})
    if _may_smile(body):
        found["emoticons"] = len(_EMOTICON.findall(body))
    if "#" in body:
        found["hashtags"] = sum(starmap(_tags, pairwise(body.split("#"))))
    if '"' in body:
        found["quotation_marks"] = sum(map(_is_short, body.split('"')[1::2]))
    if not text.isascii():
        _add_signs(text, body, found)
    return found


def _add_signs(text: str, body: str, found: dict[str, int]) -> None:
    """Add the marks that are no ASCII characters."""
    found["dashes"] = found.get("dashes", 0) + body.count("—") + body.count(" – ")
    found["ellipses"] = found.get("ellipses", 0) + body.count("…")
    text = text.replace("—", "").replace("–", "").replace("…", "")
    if not text.isascii():
        found["emojis"] = len(EMOJI.findall(text))


def _joins(before: str, after: str) -> bool:
    """Return whether an ampersand stands for "and"; between capitals it is part of a name."""
    return not (after[:1].isupper() and before[before.rfind(" ") + 1 :][:1].isupper())


def _parts(before: str, after: str) -> bool:
    """Return whether two hyphens are a dash; " --verbose" is an option."""
    if before[-1:] == " ":
        return after[:1] == " "
    return before[-1:].isalnum() and after[:1].isalpha()


def _tags(before: str, after: str) -> bool:
    return (
        after[:1].isalpha()
        and after[1:2].isalnum()
        and not (before[-1:].isalnum() or before[-1:] in ("&", "/"))
    )


def _is_short(quoted: str) -> bool:
    return len(quoted) > 0 and quoted.count(" ") < _QUOTED_WORDS


def _asides(body: str) -> int:
    """Return how many asides stand in parentheses."""
    asides = 0
    pieces = body.split("(")
    for before, piece in pairwise(pieces):
        inside, closed, _ = piece.partition(")")
        if (
            closed
            and _SHORTEST <= len(inside) <= _LONGEST
            and "\n" not in inside
            and not before[-1:].isalnum()
        ):
            inside = inside.strip()
            asides += _ASIDE.search(inside) is not None and NO_ASIDE.match(inside.lower()) is None
    return asides


def _may_smile(body: str) -> bool:
    """Return whether there is anything that an emoticon begins with."""
    for eye in _EYES:
        if eye in body and not _MOUTHS.isdisjoint([piece[:1] for piece in body.split(eye)[1:]]):
            return True
    return "^" in body


def _shouted(body: str) -> int:
    """Return how many different words stand in capitals for emphasis; names, abbreviations and titles are none."""
    if b"AA" not in body.encode("ascii", "replace").translate(_CAPITALS):
        return 0
    words = body.split()
    capitals = [*filter(str.isupper, words)]
    if len(capitals) >= _TITLE:
        rows = ([*run] for upper, run in groupby(words, str.isupper) if upper)
        capitals = [word for row in rows if len(row) < _TITLE for word in row]
    return sum(map(_is_shout, {found[0] for word in capitals if (found := _LETTERS.search(word))}))


def _is_shout(word: str) -> bool:
    if len(word) < 2 or word in ACRONYMS:
        return False
    if word.replace("'", "").lower() in SHOUTED:
        return True
    return len(word) > 4 and pronounceable(word)
