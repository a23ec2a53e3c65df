"""Where in a text the devices are that can be counted without a model: what the explorer highlights.

A measure (`prose_data.measures`) says whether a text shows a device at all; only then its places are marked.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from prose_data.features import features
from prose_data.measures import EMOJI, FIRST_PLURAL, FIRST_SINGULAR, MEASURES, SECOND, THANKS, THIRD

Span = tuple[int, int, int]  # first character, the one after the last, place of the component
_MOST = 60  # marks of one component in one text


def _words(words: Iterable[str]) -> re.Pattern[str]:
    known = "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))
    return re.compile(rf"\b(?:{known.replace(chr(39), '[’' + chr(39) + ']')})\b", re.IGNORECASE)


_BEGIN = r"(?:^|(?<=[.!?]\s))"
_QUESTION = re.compile(r"[^.!?\n]+\?")
PLACES: Mapping[str, re.Pattern[str]] = {
    "allcaps": re.compile(r"\b[A-Z]{2,}\b"),
    "ampersands": re.compile(r"(?<=\s)&(?=\s)"),
    "asterisks": re.compile(r"\*{1,2}[^\s*][^*\n]{0,60}\*{1,2}"),
    "bullets": re.compile(r"^[ \t]*[-*•‣▪●○■►➤–](?=\s+\S)", re.MULTILINE),
    "dashes": re.compile(r"—| –|--| - "),
    "ellipses": re.compile(r"\.{3,}|…"),
    "emojis": EMOJI,
    "exclamations": re.compile(r"!+"),
    "first_plural": _words(FIRST_PLURAL),
    "first_singular": _words(FIRST_SINGULAR),
    "headings": re.compile(r"^#{1,6}\s.+$|^\*\*[^*\n]+\*\*:?$", re.MULTILINE),
    "inquisitive": _QUESTION,
    "long_sentences": re.compile(_BEGIN + r"(?:[^\s.!?]+ ){24,}[^\s.!?]+[.!?](?=\s|$)", re.MULTILINE),
    "parentheses": re.compile(r"\([^()\n]{3,250}\)"),
    "postscript": re.compile(r"^[ \t]*(?:p\.\s?)+s\.?.*$", re.IGNORECASE | re.MULTILINE),
    "qa": re.compile(r"^\W*q(?:uestion)?\s*\d*\s*[:.)]|^.{1,160}\?[ \t]*$", re.IGNORECASE | re.MULTILINE),
    "rhetorical_questions": _QUESTION,
    "second_person": _words(SECOND),
    "semicolons": re.compile(r";(?=\s)"),
    "short_sentences": re.compile(_BEGIN + r"(?:[^\s.!?]+ ){0,6}[^\s.!?]+[.!?](?=\s|$)", re.MULTILINE),
    "steps": re.compile(
        r"^\W*(?:step (?:\d+|\w+)\b|\d{1,2}[.)](?=\s)|(?:first(?:ly)?|next|then|after that|finally|lastly)(?=[,:]))",
        re.IGNORECASE | re.MULTILINE,
    ),
    "thankful_closing": re.compile(THANKS.pattern, re.IGNORECASE),
    "third_person": _words(THIRD),
}


def marker(checks: Mapping[str, str], components: Sequence[str]) -> Callable[[str], list[Span]]:
    """Return a function from a text to the places that show `components`, in order; `checks` maps components to measures.

    Places are counted in characters. Components without a measure, or without places, are never marked.
    """
    wanted = [(number, checks[c]) for number, c in enumerate(components) if checks.get(c) in PLACES]

    def spans(text: str) -> list[Span]:
        seen = features(text)
        found: list[Span] = []
        for number, measure in wanted:
            if MEASURES[measure](seen) > 0:
                places = [match.span() for match in PLACES[measure].finditer(text)][:_MOST]
                found += [(first, last, number) for first, last in places if last > first]
        return _apart(sorted(found))

    return spans


def markable(checks: Mapping[str, str], component: str) -> bool:
    """Return whether places of `component` can be marked."""
    return checks.get(component) in PLACES


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Return spans that do not overlap: of two that do, the one that begins first."""
    kept: list[Span] = []
    for span in spans:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
