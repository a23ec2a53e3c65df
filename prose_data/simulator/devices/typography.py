"""Marks on the page: emojis, capitals, ampersands, brackets, dashes, dots and stars.

Devices that add clauses come before those that change final marks; small letters come last.
"""

import re
from collections.abc import Sequence
from random import Random

from prose_data.measures import MEASURES
from prose_data.simulator.edits import change_some, cut, habit, is_statement, lowered, put_last, subject
from prose_data.simulator.page import Device, Page

_EMOJIS = "😊 🎉 🔍 📊 💡 🌊 🔥 😮 👏 📚 🚀 🤔 ✨ 🌟 💬 🙌 📌 🧐 👀 💪 🌍 😄 👍 ⏳ 🎯".split()
_ASIDES = (
    " (or so it seems)",
    " (more on that later)",
    " (and that is saying something)",
    " (of all things)",
    " (for now, at least)",
    " (as it happens)",
    " (no small matter)",
    " (to put it mildly)",
    " (which is worth a second look)",
    " (make of that what one will)",
    " (quite rightly, perhaps)",
    " (remember {0})",
    " (a word about {0} would not hurt)",
    " (really)",
)
_DASHED = (
    " — and that is the point",
    " — no less",
    " — so much for {0}",
    " — hardly a trifle",
    " — a thought to keep in mind",
    " — make of it what you will",
    " — think of {0}",
    " — and rightly so",
    " — as if that went without saying",
    " — at last",
)
_AFTER_SEMICOLON = (
    "; that alone says a lot",
    "; so much for {0}",
    "; nothing more, nothing less",
    "; the rest follows from there",
    "; that is the heart of it",
    "; much depends on {0}",
    "; this is worth keeping in mind",
    "; it could hardly be plainer",
)
_CLAUSE = re.compile(r", (?=(?:and|but|which|so|while|although|because|since|or|as|where|who|with|yet)\b)")
_MAJOR_CLAUSE = re.compile(r", (?=(?:and|but|so|while|yet) )")
_WORD = re.compile(r"(?<![\w*'’&@#-])[a-zA-Z][a-z]{4,}(?![\w*'’&@-])")
_DULL = frozenset(
    "about above across after again along although among because before being below between could "
    "during either every first found given having might never other others rather shall should since "
    "still their there these thing those though through under until using wants where whether which "
    "while whose within without would years".split()
)


def _add(page: Page, rng: Random, wordings: Sequence[str], n: int) -> None:
    """Put one of `wordings` each before the final mark of `n` statements, more where they are few."""
    fresh = [w.format(subject(page, rng)) for w in rng.sample(wordings, len(wordings))]
    for _ in range(4):
        n -= change_some(page, rng, n, lambda s: cut(s)[0] + fresh.pop() + cut(s)[1] if fresh else None)


def _at_clauses(page: Page, rng: Random, n: int, clause: re.Pattern[str], mark: str) -> int:
    """Put `mark` for the comma before a clause in up to `n` statements; return how many were changed."""
    return change_some(
        page, rng, n, lambda s: clause.sub(mark, s, count=1) if clause.search(s) and '"' not in s else None
    )


def _parentheses(page: Page, rng: Random) -> None:
    _add(page, rng, _ASIDES, habit(page, rng))


def _dashes(page: Page, rng: Random) -> None:
    n = habit(page, rng)
    n -= _at_clauses(page, rng, n // 2, _CLAUSE, " — ")
    _add(page, rng, _DASHED, n)


def _semicolons(page: Page, rng: Random) -> None:
    n = habit(page, rng)
    for paragraph in page.paragraphs:
        for j in range(len(paragraph) - 2, -1, -1):
            here, after = paragraph[j], lowered(paragraph[j + 1], page)
            plain = cut(here)[1] == "." and after is not None and is_statement(after)
            if plain and after and n > 1 and 16 < len(here.split() + after.split()) < 29:
                paragraph[j : j + 2] = [f"{cut(here)[0]}; {after}"]
                n -= 1
    n -= _at_clauses(page, rng, n, _MAJOR_CLAUSE, "; ")
    _add(page, rng, _AFTER_SEMICOLON, n)


def _ampersands(page: Page, rng: Random) -> None:
    if not re.search(r"\b[Aa]nd\b", " ".join(page.sentences())):
        change_some(page, rng, 2, lambda s: f"{cut(s)[0]}, and that is that{cut(s)[1]}")
    page.edit(lambda s: re.sub(r"(?<![\w-])[Aa]nd(?![\w-])", "&", s))
    page.prefixes = [re.sub(r"\b[Aa]nd\b", "&", prefix) for prefix in page.prefixes]
    page.closing = re.sub(r"\b[Aa]nd\b", "&", page.closing)


def _ellipses(page: Page, rng: Random) -> None:
    dots = rng.choice(("...", "...", "…"))
    n = habit(page, rng)
    n -= change_some(page, rng, n, lambda s: cut(s)[0] + dots if cut(s)[1] == "." else None, least=0)
    n -= _at_clauses(page, rng, n, _CLAUSE, f"{dots} ")
    if n > 0:
        _add(page, rng, tuple(f"{dots} {word}" for word in ("well", "who knows", "anyway", "oh well")), n)


def _exclamations(page: Page, rng: Random) -> None:
    n = max(habit(page, rng), round(0.6 * len(page.sentences())))
    n -= change_some(page, rng, n, lambda s: cut(s)[0] + "!" if cut(s)[1] == "." else None, least=0)
    for _ in range(3):
        n -= change_some(page, rng, n, lambda s: f"{s}!" if is_statement(s) else None, least=0)


def _key_words(page: Page, rng: Random, n: int) -> list[str]:
    """Return up to `n` words of the page that could be stressed, words of the topic first."""
    found = list(
        dict.fromkeys(w for w in _WORD.findall(" ".join(page.sentences())) if w.lower() not in _DULL)
    )
    rng.shuffle(found)
    return sorted(found, key=lambda word: word.lower() not in page.topic)[:n]


def _mark(page: Page, word: str, marked: str) -> None:
    """Replace the first `word` of the page that carries no mark yet by `marked`."""
    pattern = re.compile(rf"(?<![\w*'’&@#-]){word}(?![\w*'’&@-])")
    for paragraph in page.paragraphs:
        for j, sentence in enumerate(paragraph):
            if pattern.search(sentence):
                paragraph[j] = pattern.sub(marked, sentence, count=1)
                return


def _asterisks(page: Page, rng: Random) -> None:
    stars = rng.choice(("*", "*", "**"))
    for word in _key_words(page, rng, habit(page, rng, 3)):
        _mark(page, word, f"{stars}{word}{stars}")


def _allcaps(page: Page, rng: Random) -> None:
    words = _key_words(page, rng, habit(page, rng, 3.5))
    for word in words:
        _mark(page, word, word.upper())
    if len(words) < 2:
        put_last(page, "This REALLY matters, and NOTHING else does.")


def _emojis(page: Page, rng: Random) -> None:
    n = habit(page, rng, 3)
    spots = [(i, j) for i, p in enumerate(page.paragraphs) for j in range(len(p))]
    chosen = rng.sample(spots, min(n, len(spots)))
    emojis = rng.sample(_EMOJIS, min(n, len(_EMOJIS)))
    for number, (i, j) in enumerate(chosen):
        page.paragraphs[i][j] += " " + "".join(emojis[number :: len(chosen)])


def _lowercase(page: Page, rng: Random) -> None:
    page.edit(str.lower)
    page.greeting, page.closing, page.gap = page.greeting.lower(), page.closing.lower(), page.gap.lower()
    page.prefixes = [prefix.lower() for prefix in page.prefixes]


DEVICES_TYPOGRAPHY = (
    Device(
        "emojis",
        "typography",
        ("use emojis", "with emojis", "sprinkle emojis through the text"),
        (r"\bemojis?\b", r"\bemoticons?\b"),
        86,
        0.6,
        _emojis,
        MEASURES["emojis"],
    ),
    Device(
        "ampersands",
        "typography",
        ('use ampersands (&) instead of "and"s', "write the ampersand in place of the word and"),
        (r"\bampersands?\b", r"(?:^|\s)['\"(]?&['\")]? (?:instead|in place|for)\b"),
        81,
        0.4,
        _ampersands,
        MEASURES["ampersands"],
    ),
    Device(
        "allcaps",
        "typography",
        ("use ALLCAPS to emphasize certain words", "put key words in capital letters"),
        (r"\ball[- ]?caps\b", r"\bcapital letters\b", r"\b(?:fully )?capitali[sz]", r"\bupper[- ]?case\b"),
        85,
        0.5,
        _allcaps,
        MEASURES["allcaps"],
        opposites=("lowercase",),
    ),
    Device(
        "lowercase",
        "typography",
        ("write everything in lower case",),
        (r"\blower[- ]?case\b", r"\bsmall letters\b"),
        89,
        0.5,
        _lowercase,
        MEASURES["lowercase"],
        opposites=("allcaps",),
    ),
    Device(
        "semicolons",
        "typography",
        ("use semicolons (;) when possible", "join clauses with semicolons"),
        (r"\bsemi-?colons?\b",),
        80,
        0.4,
        _semicolons,
        MEASURES["semicolons"],
    ),
    Device(
        "parentheses",
        "typography",
        ("use parenthetical asides", "add asides in parentheses"),
        (r"\bparenthe(?:tical|ses|sis)\b", r"\b(?:asides?|remarks?) in (?:round )?brackets\b"),
        80,
        0.45,
        _parentheses,
        MEASURES["parentheses"],
    ),
    Device(
        "dashes",
        "typography",
        ("set off thoughts with dashes",),
        (r"\b(?:em[- ]?)?dash(?:es)?\b",),
        80,
        0.4,
        _dashes,
        MEASURES["dashes"],
    ),
    Device(
        "ellipses",
        "typography",
        ("trail off with ellipses",),
        (r"\bellips[ie]s\b", r"\btrail(?:s|ing)? off\b", r"\bdot dot dot\b", r"\b(?:three|trailing) dots\b"),
        82,
        0.4,
        _ellipses,
        MEASURES["ellipses"],
    ),
    Device(
        "exclamations",
        "typography",
        ("use exclamation marks freely",),
        (r"\bexclamation",),
        83,
        0.45,
        _exclamations,
        MEASURES["exclamations"],
    ),
    Device(
        "asterisks",
        "typography",
        ("mark key terms with asterisks",),
        (r"\basterisks?\b", r"\bstars (?:around|about)\b", r"\b(?:bold|italic) (?:face|key|terms|words)"),
        84,
        0.45,
        _asterisks,
        MEASURES["asterisks"],
    ),
)
