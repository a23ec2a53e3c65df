"""Reading texts once: hits and chances of every row of the table.

Features of the stylometry literature that a reader can be told about: marks and layout (Abbasi & Chen 2008, structural and
syntactic features), sentence length and function words (Mosteller & Wallace 1964; Stamatatos 2009, section 3), persons,
contractions and conditionals (Biber 1988), hedges and boosters (Hyland 1998, 2005).

What can be asked of every character, word or sentence is asked of many texts at once; what is dear is done only where that
says that there is something to find, so that a text of 300 words takes less than 0.2 milliseconds among many.
To fill another row of the table write to its column of `hits`, and of `chances` where these are not the texts or their words.
"""

import re
from collections.abc import Mapping, Sequence
from operator import attrgetter

import numpy as np

from prose_data.measures import (
    CONCLUSION_OPENING,
    CURIOUS,
    CURIOUS_QUESTION,
    FORMULA_NAME,
    RHETORICAL,
    THANKS,
)
from prose_data.stylometry.bodies import Bodies, side_by_side
from prose_data.stylometry.layout import Layout, lay_out
from prose_data.stylometry.marks import marks
from prose_data.stylometry.ordinary import Bools, Floats, Ints
from prose_data.stylometry.sentences import Sentences, split
from prose_data.stylometry.sound import rhymes
from prose_data.stylometry.table import TABLE
from prose_data.stylometry.vocabulary import Vocabulary, vocabulary

_WIDE = str.maketrans(
    {"！": "! ", "？": "? ", "；": "; ", "。": ". ", "（": " (", "）": ") ", "：": ":", "，": ","}
)
_WIDE_MARK = re.compile("[！？；（）。]")
_UNSPACED = 9  # characters for each blank from which words are not set apart, and `_CJK_WORD` characters count as a word
_CJK_WORD = 6
_FEWEST = 10  # words that a text counts as at least, so that one mark beside a word is no rate
_TOGETHER = 200_000  # characters of texts that are read together; more hardly save time, and take memory
_BRIEF = 40  # words
_MOVING = frozenset(("next", "then", "after that", "from there"))
_VERSE = 16  # words of a verse at most, on average
_FEW_ENDS = 4  # lines or sentences below which nothing is said about rhyme
_ADDRESSED = re.compile(r"\b(?:you|your)\b")
_FORMULA = re.compile(r"^[\w' ]+, (?=\w)")

_RATE = [row.family == "rate" for row in TABLE.values()]
_ENGLISH = [row.english for row in TABLE.values()]
_LINES = attrgetter("lines", "bullets", "numbered", "steps", "headings", "labelled", "asked", "speakers")

Columns = Mapping[str, Floats]  # by row of the table, a number for each text


def read(texts: Sequence[str]) -> Floats:
    """Return (texts, 2, rows): of each text the hits of each row of the table, and the chances of each.

    A row in which nothing can be said about a text has 0 chances.
    """
    counts = np.empty((len(texts), 2, len(TABLE)))
    first, size = 0, 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= _TOGETHER or end == len(texts):
            counts[first:end] = _read_some(texts[first:end]).transpose(2, 0, 1)
            first, size = end, 0
    return counts


def _read_some(texts: Sequence[str]) -> Floats:
    """Return (2, rows, texts): hits and chances."""
    plain = [text if text.isascii() else _plain(text) for text in texts]
    pages = [*map(lay_out, plain)]
    bodies = side_by_side(pages)
    lowers = bodies.lowered()
    sentences = split(bodies)
    known = vocabulary(lowers)
    words = _lengths(pages, bodies)
    counts = np.zeros((2, len(TABLE), len(texts)))
    counts[1] = 1.0
    counts[1, _RATE] = np.maximum(_FEWEST, words) / 100
    hits, chances = (dict(zip(TABLE, part, strict=True)) for part in counts)
    _marks(plain, bodies, lowers, hits, chances)
    _rhythm(sentences, hits, chances)
    _layout(pages, sentences, words, hits)
    for columns, said in ((hits, known.hits), (chances, known.chances)):
        for name, column in said.items():
            columns[name][:] = column
    _questions(sentences, known, hits)
    _edges(pages, sentences, known.english, hits)
    _rhymes(pages, lowers, sentences, known.english, hits, chances)
    counts[:, np.outer(_ENGLISH, ~known.english)] = 0.0
    counts[:, :, bodies.ends == bodies.begins[:-1:2]] = 0.0
    return counts


def _lengths(pages: Sequence[Layout], bodies: Bodies) -> Ints:
    """Return how many words the texts have, told by their blanks where words are set apart."""
    words = bodies.blanks_by_text() + [len(page.prose) + len(page.items) for page in pages]
    size = bodies.ends - bodies.begins[:-1:2]
    return np.where(size > _UNSPACED * words, size // _CJK_WORD, words)


def _marks(
    texts: Sequence[str], bodies: Bodies, lowers: Sequence[bytes], hits: Columns, chances: Columns
) -> None:
    """Count the marks of each text, and the places where it could have an ampersand."""
    for number, (text, body) in enumerate(zip(texts, bodies.texts, strict=True)):
        for name, found in marks(text, body).items():
            hits[name][number] = found
    chances["ampersands"][:] = hits["ampersands"] + [lower.count(b" and ") for lower in lowers]


def _rhythm(sentences: Sentences, hits: Columns, chances: Columns) -> None:
    """Say how many sentences are short or long, and how many begin small."""
    hits["short_sentences"][:], hits["long_sentences"][:] = sentences.short, sentences.long
    chances["short_sentences"][:] = chances["long_sentences"][:] = sentences.statements
    hits["lowercase"][:], chances["lowercase"][:] = sentences.small, sentences.cased


def _plain(text: str) -> str:
    """Return a text with straight quotation marks, and with narrow marks for wide ones."""
    text = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return text.translate(_WIDE) if _WIDE_MARK.search(text) else text


def _layout(pages: Sequence[Layout], sentences: Sentences, words: Ints, hits: Columns) -> None:
    """Say which layouts the texts have; a single mark makes none."""
    lines, bullets, numbered, steps, headings, labelled, asked, speakers = np.array([*map(_LINES, pages)]).T
    prose = np.array([len(page.prose) for page in pages])
    hits["bullets"][:] = (bullets >= 2) & (bullets >= 0.25 * lines)
    hits["steps"][:] = (steps >= 2) | (numbered >= 2)
    for text, ordered in sentences.ordered.items():
        if len(ordered) >= 3 and not ordered.isdisjoint(_MOVING):
            hits["steps"][text] = True
    hits["headings"][:] = headings >= 2
    alternating = (asked >= 2) & (asked >= 0.35 * (prose + headings))
    hits["qa"][:] = (labelled >= 2) | alternating
    hits["question_opening"][:] = sentences.first_asks & ~alternating
    hits["screenplay"][:] = speakers >= 3
    alone = (prose >= 4) & (bullets + numbered + steps == 0)
    number = sentences.number
    hits["one_sentence_paragraphs"][:] = alone & (0.8 * prose <= number) & (number <= 1.2 * prose)
    hits["brief"][:] = words <= _BRIEF


def _questions(sentences: Sentences, known: Vocabulary, hits: Columns) -> None:
    """Tell questions that nobody is to answer from those asked out of curiosity; the opening one is neither."""
    for text in np.flatnonzero(known.english & ((sentences.questions > 0) | known.wonders)).tolist():
        rhetorical = curious = 0
        for number, question in enumerate(sentences.asked(text)):
            low = question.lower().lstrip("-*•\"'( ")
            if RHETORICAL.match(low):
                rhetorical += 1
            elif CURIOUS_QUESTION.search(low) or CURIOUS.search(low) or _ADDRESSED.search(low):
                curious += 1
            elif number or not sentences.first_asks[text]:
                rhetorical += 1
        if known.wonders[text]:
            curious += sum(1 for one in sentences.all(text) if "?" not in one and CURIOUS.search(one.lower()))
        hits["rhetorical_questions"][text], hits["inquisitive"][text] = rhetorical, curious


def _edges(pages: Sequence[Layout], sentences: Sentences, english: Bools, hits: Columns) -> None:
    """Say how the texts open and close."""
    hits["greeting"][:] = [bool(page.greeting) for page in pages]
    hits["no_greeting"][:] = 1 - hits["greeting"]
    hits["postscript"][:] = [page.postscript for page in pages]
    for text in np.flatnonzero(english).tolist():
        page = pages[text]
        if page.prose:
            hits["conclusion_opening"][text] = (
                CONCLUSION_OPENING.match(page.prose[0][:80].lower().replace("*", "")) is not None
            )
        last = "\n".join((*sentences.last(text, 2), *page.closing)).lower()
        if "thank" in last or "grat" in last or "appreci" in last or "obliged" in last:
            hits["thanks"][text] = THANKS.search(last) is not None
        if page.closing:
            hits["epithet"][text] = any(map(_is_epithet, page.closing))


def _rhymes(
    pages: Sequence[Layout],
    lowers: Sequence[bytes],
    sentences: Sentences,
    english: Bools,
    hits: Columns,
    chances: Columns,
) -> None:
    """Count the lines that rhyme of verses, and of other texts the sentences."""
    chances["rhyme"][:] = 0
    lines = [len(page.prose) + len(page.items) for page in pages]
    verses = np.array(
        [n >= _FEW_ENDS and lower.count(b" ") <= _VERSE * n for n, lower in zip(lines, lowers, strict=True)]
    )
    prose = ~verses & (sentences.number >= _FEW_ENDS)
    chances["rhyme"][prose] = sentences.number[prose]
    for text in np.flatnonzero(english & (verses | (prose & sentences.may_rhyme))).tolist():
        ends = pages[text].prose + pages[text].items if verses[text] else sentences.all(text)
        hits["rhyme"][text], chances["rhyme"][text] = rhymes(ends)


def _is_epithet(line: str) -> bool:
    name = line.lower().strip(".,!—–-~* ")
    return (
        FORMULA_NAME.fullmatch(name) is not None or FORMULA_NAME.fullmatch(_FORMULA.sub("", name)) is not None
    )
