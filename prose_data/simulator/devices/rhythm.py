"""How long the sentences are: short and punchy, or long and flowing."""

import re
from random import Random

from prose_data.measures import MEASURES
from prose_data.simulator.edits import cut, is_statement, lowered, put_last, raised, subject
from prose_data.simulator.page import Device, Page

_SEAM = re.compile(
    r",? (?=(?:and|but|so) (?:it|he|she|they|we|i|you|this|that|there)\b)|; ",
    re.IGNORECASE,
)
_SHORT = (
    "That matters.",
    "It is that simple.",
    "That much is plain.",
    "No doubt about it.",
    "That is the core.",
    "It counts.",
    "Take {0}.",
    "Think of {0}.",
    "Nothing more.",
    "That says a lot.",
    "So far, so good.",
    "It works like this.",
    "Here is why.",
    "Enough about {0}.",
    "The rest follows.",
    "Mark that.",
    "Plain and simple.",
    "This is key.",
)
_JOINS = (
    ", and ",
    ", while ",
    ", and at the same time ",
    ", and on top of that ",
    ", so that in the end ",
    ", and meanwhile ",
)
_TAILS = (
    ", which is something that runs through all that can be said here about {0} and all that follows from it",
    ", and the longer one looks at it, the more there is to see in {0} and in everything that belongs to it",
    ", which in its turn leads on to {0} and from there to a whole row of matters that hang together with it",
    ", as becomes clear to anyone who takes the time to follow the thread from {0} to wherever it may lead",
)
_LONG = 31


def _short_sentences(page: Page, rng: Random) -> None:
    if not page.sentences():
        put_last(page, "It is so.")
    page.paragraphs = [[piece for s in paragraph for piece in _pieces(s)] for paragraph in page.paragraphs]
    statements = [s for s in page.sentences() if is_statement(s)]
    short = sum(1 for s in statements if len(s.split()) <= 7)
    wanted = max(4 - short, round((0.6 * len(statements) - short) / 0.4), 1)
    fresh = [
        *rng.sample(_SHORT, min(wanted, len(_SHORT))),
        *rng.choices(_SHORT, k=max(0, wanted - len(_SHORT))),
    ]
    spots = [(i, j) for i, p in enumerate(page.paragraphs) for j in range(len(p))]
    chosen = [*rng.sample(spots, len(spots)), *rng.choices(spots or [(0, 0)], k=len(fresh))][: len(fresh)]
    for (i, j), line in sorted(zip(chosen, fresh, strict=True), reverse=True):
        page.paragraphs[i].insert(j + 1, line.format(subject(page, rng)))


def _pieces(sentence: str) -> list[str]:
    """Return the sentence split before "and it", "but the" and the like, if both sides can stand alone."""
    if not is_statement(sentence) or len(sentence.split()) <= 10 or any(mark in sentence for mark in '"“('):
        return [sentence]
    body, end = cut(sentence)
    pieces = [piece for piece in _SEAM.split(body) if piece]
    if any(len(piece.split()) < 3 for piece in pieces):
        return [sentence]
    return [f"{raised(piece)}." for piece in pieces[:-1]] + [raised(pieces[-1]) + end]


def _long_sentences(page: Page, rng: Random) -> None:
    page.paragraphs = [_merged(page, paragraph, rng) for paragraph in page.paragraphs]
    page.edit(lambda sentence: _stretched(page, sentence, rng))


def _merged(page: Page, sentences: list[str], rng: Random) -> list[str]:
    """Return the sentences with short neighbours joined by commas and connectives, up to about 60 words."""
    out: list[str] = []
    for sentence in sentences:
        small = lowered(sentence, page)
        before = out[-1] if out else "?"
        fits = is_statement(before) and is_statement(sentence) and small is not None
        if fits and small and len(before.split()) < _LONG and len(before.split() + small.split()) <= 62:
            out[-1] = cut(before)[0] + rng.choice(_JOINS) + small
        else:
            out.append(sentence)
    return out


def _stretched(page: Page, sentence: str, rng: Random) -> str:
    """Return a statement with tails until it is long."""
    body, end = cut(sentence)
    for tail in rng.sample(_TAILS, 2):
        if is_statement(sentence) and 4 < len(body.split()) < _LONG:
            body += tail.format(subject(page, rng))
    return body + end


DEVICES_RHYTHM = (
    Device(
        "short_sentences",
        "rhythm",
        ("include several short and punchy sentences", "short sentences", "write short sentences"),
        (
            r"\b(?:short|punchy|clipped|terse|choppy)\b[\w, ]*\bsentences?\b",
            r"\bpunchy\b",
            r"\bstaccato\b",
            r"\bsentences? (?:\w+ ){0,2}(?:short|clipped|terse|choppy)\b",
        ),
        40,
        0.55,
        _short_sentences,
        MEASURES["short_sentences"],
        opposites=("long_sentences",),
    ),
    Device(
        "long_sentences",
        "rhythm",
        ("include several long and flowing sentences", "write long and winding sentences"),
        (
            r"\b(?:long|lengthy|flowing|winding|run-on|sprawling)\b[\w,\- ]*\bsentences?\b",
            r"\bsentences? (?:that )?(?:are|run) (?:very )?long\b",
        ),
        40,
        0.55,
        _long_sentences,
        MEASURES["long_sentences"],
        opposites=("short_sentences",),
    ),
)
