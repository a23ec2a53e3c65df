"""The table of habits: what each is called, how it is asked for in plain words, and how it is counted.

A row counts hits against chances in one text. `rate` rows have hits per 100 words; `share` rows have hits out of chances
of the same kind (ampersands out of ampersands and "and"s); `flag` rows are shares of one chance a text.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Family = Literal["rate", "share", "flag"]


@dataclass(frozen=True, slots=True)
class Row:
    """One habit.

    name:       a stable word
    component:  the habit as an imperative phrase that means nothing else
    counted:    what is counted, in the plural, for the sentence of evidence
    family:     rate, share or flag
    clear:      hits per 100 words, or the share, from which a text shows the habit as one who was asked for it would
    english:    counted by English words, so undecidable in other languages
    yields_to:  habits that explain this one: where one of them is stated, this one is not
    """

    name: str
    component: str
    counted: str
    family: Family
    clear: float
    english: bool = False
    yields_to: tuple[str, ...] = ()


_ROWS = (
    # marks on the page
    Row("ampersands", 'use ampersands (&) instead of "and"', '"&" in place of "and"', "share", 0.5),
    Row(
        "allcaps",
        "put words in ALL CAPS for emphasis",
        "words in capitals",
        "rate",
        1.2,
        yields_to=("screenplay",),
    ),
    Row("emojis", "use emojis", "emojis", "rate", 1.2),
    Row("emoticons", "use emoticons such as :-)", "emoticons", "rate", 0.8),
    Row("parentheses", "add asides in parentheses", "asides in parentheses", "rate", 1.2),
    Row("semicolons", "join clauses with semicolons", "semicolons", "rate", 1.0),
    Row("dashes", "set off thoughts with dashes", "dashes", "rate", 1.2),
    Row("ellipses", "trail off with ellipses (...)", "ellipses", "rate", 1.2),
    Row("exclamations", "use exclamation marks freely", "exclamation marks", "rate", 1.5),
    Row("asterisks", "mark key terms in bold or with asterisks (*)", "marked terms", "rate", 1.2),
    Row("lowercase", "write everything in lower case", "sentences that begin small", "share", 0.85),
    Row("hashtags", "add hashtags", "hashtags", "rate", 1.0),
    Row("quotation_marks", "put words in quotation marks", "words in quotation marks", "rate", 1.5),
    # layout
    Row("bullets", "lay the points out as a bulleted list", "texts with a bulleted list", "flag", 1.0),
    Row("steps", "walk through it step by step", "texts in steps", "flag", 1.0),
    Row("headings", "put a short heading above each part", "texts with headings", "flag", 1.0),
    Row("qa", "write in question and answer form", "texts of questions and answers", "flag", 1.0),
    Row(
        "screenplay", "lay it out as a film script with speakers", "texts with speakers' labels", "flag", 1.0
    ),
    Row(
        "one_sentence_paragraphs",
        "give every sentence its own paragraph",
        "texts of one-sentence paragraphs",
        "flag",
        1.0,
        yields_to=("rhyme", "screenplay"),
    ),
    Row("brief", "keep it very brief", "texts of fifty words or fewer", "flag", 1.0),
    # questions
    Row(
        "rhetorical_questions",
        "ask rhetorical questions",
        "questions that nobody is to answer",
        "rate",
        0.9,
        english=True,
        yields_to=("qa",),
    ),
    Row(
        "inquisitive",
        "be inquisitive, asking many questions out of curiosity",
        "questions asked out of curiosity",
        "rate",
        1.0,
        english=True,
        yields_to=("qa",),
    ),
    Row(
        "question_opening",
        "open with a question",
        "texts that open with a question",
        "flag",
        1.0,
    ),
    # rhythm
    Row("short_sentences", "write short sentences", "sentences of seven words or fewer", "share", 0.5),
    Row(
        "long_sentences",
        "write long and winding sentences",
        "sentences of thirty words or more",
        "share",
        0.5,
    ),
    # person
    Row(
        "first_singular",
        "speak as I, in the first person",
        'words such as "I" and "my"',
        "rate",
        4.0,
        english=True,
    ),
    Row(
        "first_plural",
        "speak as we, in the first person plural",
        'words such as "we" and "our"',
        "rate",
        3.5,
        english=True,
    ),
    Row(
        "second_person",
        "address the reader as you",
        'words such as "you" and "your"',
        "rate",
        3.0,
        english=True,
    ),
    Row(
        "third_person",
        "tell it in the third person",
        "personal words in the third person",
        "share",
        0.9,
        english=True,
    ),
    # words
    Row("contractions", "use contractions (don't, it's)", "contracted forms", "share", 0.8, english=True),
    Row(
        "no_contractions",
        "avoid contractions (write do not, it is)",
        "forms written out",
        "share",
        0.98,
        english=True,
    ),
    Row("archaic", "use archaic words", "archaic words", "rate", 1.2, english=True),
    Row("slang", "use modern slang", "slang words", "rate", 1.5, english=True),
    Row("hedges", "hedge every claim", "hedges", "rate", 3.0, english=True),
    Row("certainty", "state everything with certainty", "words of certainty", "rate", 1.5, english=True),
    Row(
        "conditionals",
        "speak in conditionals (if, unless)",
        'words such as "if" and "unless"',
        "rate",
        2.0,
        english=True,
    ),
    # figures
    Row(
        "similes",
        "compare things with similes",
        'comparisons with "like a" or "as … as"',
        "rate",
        1.0,
        english=True,
    ),
    Row("alliteration", "use alliteration", "words in runs that begin alike", "rate", 4.0, english=True),
    Row("rhyme", "make it rhyme", "lines that rhyme", "share", 0.6, english=True),
    Row(
        "onomatopoeia",
        "use words that imitate sounds",
        "words that imitate sounds",
        "rate",
        1.2,
        english=True,
    ),
    # openings and closings
    Row("greeting", "open with a greeting", "texts that open with a greeting", "flag", 1.0, english=True),
    Row(
        "no_greeting",
        "start without a greeting",
        "texts that open without a greeting",
        "flag",
        1.0,
        english=True,
    ),
    Row(
        "conclusion_opening",
        "start with a one-line conclusion",
        "texts that open with the conclusion",
        "flag",
        1.0,
        english=True,
    ),
    Row("thanks", "end with thanks", "texts that end with thanks", "flag", 1.0, english=True),
    Row("epithet", "sign off with an epithet", "texts signed with an epithet", "flag", 1.0, english=True),
    Row("postscript", "add a postscript (P.S.)", "texts with a postscript", "flag", 1.0, english=True),
)
TABLE = MappingProxyType({row.name: row for row in _ROWS})
