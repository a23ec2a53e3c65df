"""Reading one text once: hits and chances of every row of the table.

Features of the stylometry literature that a reader can be told about: marks and layout (Abbasi & Chen 2008, structural and
syntactic features), sentence length and function words (Mosteller & Wallace 1964; Stamatatos 2009, section 3), persons,
contractions and conditionals (Biber 1988), hedges and boosters (Hyland 1998, 2005). What is dear is done only where a
cheap look says that there is something to find, so that a text of 300 words takes about 0.2 milliseconds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from prose_data.measures import (
    CONCLUSION_OPENING,
    CURIOUS,
    CURIOUS_QUESTION,
    FORMULA_NAME,
    RHETORICAL,
    THANKS,
)
from prose_data.stylometry.layout import Layout, lay_out
from prose_data.stylometry.marks import marks
from prose_data.stylometry.ordinary import Floats
from prose_data.stylometry.sentences import Sentences, split
from prose_data.stylometry.sound import rhymes
from prose_data.stylometry.table import TABLE
from prose_data.stylometry.vocabulary import Vocabulary, vocabularies

_WORDS = (
    bytes(
        code
        if chr(code).islower() or chr(code).isdigit() or code == ord("'")
        else ord(chr(code).lower() if chr(code).isupper() else " ")
        for code in range(128)
    )
    + b" " * 128
)
_WIDE = str.maketrans(
    {"！": "! ", "？": "? ", "；": "; ", "。": ". ", "（": " (", "）": ") ", "：": ":", "，": ","}
)
_WIDE_MARK = re.compile("[！？；（）。]")
_UNSPACED = 9  # characters for each blank from which words are not set apart, and `_CJK_WORD` characters count as a word
_CJK_WORD = 6
_FEWEST = 10  # words that a text counts as at least, so that one mark beside a word is no rate
_TOGETHER = (
    100_000  # characters of texts that are read together, so that all of them stays in the processor's cache
)
_BRIEF = 40  # words
_QUOTATION = 400  # characters; what is longer is no quotation, but a text between two inch marks
_MOVING = frozenset(("next", "then", "after that", "from there"))
_VERSE = 16  # words of a verse at most, on average
_FEW_ENDS = 4  # lines or sentences below which nothing is said about rhyme
_ADDRESSED = re.compile(r"\b(?:you|your)\b")
_FORMULA = re.compile(r"^[\w' ]+, (?=\w)")

_NO_HITS = dict.fromkeys(TABLE, 0.0)
_RATES = tuple(row.name for row in TABLE.values() if row.family == "rate")
_ENGLISH = tuple(row.name for row in TABLE.values() if row.english)
_NO_CHANCE = dict.fromkeys(TABLE, 0.0)
_ONE_CHANCE = dict.fromkeys(TABLE, 1.0)
_NO_ENGLISH = dict.fromkeys(_ENGLISH, 0.0)


@dataclass(slots=True)
class _Text:
    """A text that has been looked at but for its words; `lower` and `spelled` are for those."""

    page: Layout
    sentences: Sentences
    hits: dict[str, float]
    chances: dict[str, float]
    lower: str
    spelled: bytes


def read(texts: Sequence[str]) -> Floats:
    """Return (texts, 2, rows): of each text the hits of each row of the table, and the chances of each.

    A row in which nothing can be said about a text has 0 chances.
    """
    counts = np.empty((len(texts), 2, len(TABLE)))
    first, size = 0, 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= _TOGETHER or end == len(texts):
            counts[first:end] = _read_some(texts[first:end])
            first, size = end, 0
    return counts


def _read_some(texts: Sequence[str]) -> Floats:
    seen = [*map(_look, texts)]
    known = vocabularies([one.lower for one in seen], [one.spelled for one in seen])
    done = map(_finish, seen, known)
    values = chain.from_iterable(part.values() for one in done for part in (one.hits, one.chances))
    return np.fromiter(values, np.float64, len(texts) * 2 * len(TABLE)).reshape(len(texts), 2, len(TABLE))


def _look(text: str) -> _Text:
    """Return what can be said about a text without its words."""
    if not text.isascii():
        text = _plain(text)
    page = lay_out(text)
    prose, items = "\n".join(page.prose), "\n".join(page.items)
    body = f"{prose}\n{items}" if items else prose
    hits = _NO_HITS.copy()
    if not body:
        return _Text(page, Sentences(), hits, _NO_CHANCE.copy(), "", b"")
    letters = body.encode("ascii", "replace")  # the rest is no English, and slow
    lower = letters.lower().decode()
    if '"' in lower:
        lower = _unquoted(lower)
        letters = lower.encode()
    length = body.count(" ") + len(page.prose) + len(page.items)
    if len(body) > _UNSPACED * length:
        length = len(body) // _CJK_WORD
    sentences = split(prose, items)
    chances = _ONE_CHANCE | dict.fromkeys(_RATES, max(_FEWEST, length) / 100)
    hits.update(marks(text, body))
    _layout(page, sentences, length, hits)
    hits["short_sentences"], hits["long_sentences"] = sentences.short, sentences.long
    chances["short_sentences"] = chances["long_sentences"] = sentences.statements
    hits["lowercase"], chances["lowercase"] = sentences.small, sentences.cased
    chances["ampersands"] = hits["ampersands"] + lower.count(" and ")
    return _Text(page, sentences, hits, chances, lower, letters.translate(_WORDS))


def _finish(text: _Text, known: Vocabulary | None) -> _Text:
    """Return the text with what its words say; nothing where they are no English."""
    if known is None:
        text.chances.update(_NO_ENGLISH)
        return text
    text.hits.update(known.hits)
    text.chances.update(known.chances)
    if text.sentences.questions or known.wonders:
        _questions(text.sentences, known.wonders, text.hits)
    _edges(text.page, text.sentences, text.hits)
    verses = text.page.prose + text.page.items
    if len(verses) < _FEW_ENDS or text.lower.count(" ") > _VERSE * len(verses):
        verses = text.sentences.all
    rhymed = rhymes(verses) if len(verses) >= _FEW_ENDS else (0, 0)
    text.hits["rhyme"], text.chances["rhyme"] = rhymed
    return text


def _plain(text: str) -> str:
    """Return a text with straight quotation marks, and with narrow marks for wide ones."""
    text = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return text.translate(_WIDE) if _WIDE_MARK.search(text) else text


def _unquoted(lower: str) -> str:
    """Return a text without what stands in quotation marks, if these come in pairs."""
    pieces = lower.split('"')
    paired = len(pieces) % 2 and len(pieces) > 1 and max(map(len, pieces[1::2])) <= _QUOTATION
    return " ".join(pieces[::2]) if paired else lower


def _layout(page: Layout, sentences: Sentences, words: int, hits: dict[str, float]) -> None:
    """Say which layouts the text has; a single mark makes none."""
    hits["bullets"] = page.bullets >= 2 and page.bullets >= 0.25 * page.lines
    ordered = sentences.ordered
    hits["steps"] = (
        page.steps >= 2 or page.numbered >= 2 or (len(ordered) >= 3 and not ordered.isdisjoint(_MOVING))
    )
    hits["headings"] = page.headings >= 2
    alternating = page.asked >= 2 and page.asked >= 0.35 * (len(page.prose) + page.headings)
    hits["qa"] = page.labelled >= 2 or alternating
    hits["question_opening"] = sentences.first_asks and not alternating
    hits["screenplay"] = page.speakers >= 3
    if not (page.bullets or page.numbered or page.steps):
        alone = len(page.prose)
        hits["one_sentence_paragraphs"] = alone >= 4 and 0.8 * alone <= len(sentences.all) <= 1.2 * alone
    hits["brief"] = words <= _BRIEF


def _questions(sentences: Sentences, wonders: bool, hits: dict[str, float]) -> None:
    """Tell questions that nobody is to answer from those asked out of curiosity; the opening one is neither."""
    rhetorical = curious = 0
    for number, question in enumerate(sentences.questions):
        low = question.lower().lstrip("-*•\"'( ")
        if RHETORICAL.match(low):
            rhetorical += 1
        elif CURIOUS_QUESTION.search(low) or CURIOUS.search(low) or _ADDRESSED.search(low):
            curious += 1
        elif number or not sentences.first_asks:
            rhetorical += 1
    if wonders:
        curious += sum(
            1 for sentence in sentences.all if "?" not in sentence and CURIOUS.search(sentence.lower())
        )
    hits["rhetorical_questions"], hits["inquisitive"] = rhetorical, curious


def _edges(page: Layout, sentences: Sentences, hits: dict[str, float]) -> None:
    """Say how the text opens and closes."""
    hits["greeting"], hits["no_greeting"] = bool(page.greeting), not page.greeting
    if page.prose:
        hits["conclusion_opening"] = (
            CONCLUSION_OPENING.match(page.prose[0][:80].lower().replace("*", "")) is not None
        )
    last = "\n".join((*sentences.all[-2:], *page.closing)).lower()
    if "thank" in last or "grat" in last or "appreci" in last or "obliged" in last:
        hits["thanks"] = THANKS.search(last) is not None
    if page.closing:
        hits["epithet"] = any(map(_is_epithet, page.closing))
    hits["postscript"] = page.postscript


def _is_epithet(line: str) -> bool:
    name = line.lower().strip(".,!—–-~* ")
    return (
        FORMULA_NAME.fullmatch(name) is not None or FORMULA_NAME.fullmatch(_FORMULA.sub("", name)) is not None
    )
