"""Rhyme: which words rhyme by their spelling, how much of a text does, and couplets made of a page's sentences."""

import re
from random import Random

from prose_data.features import Features
from prose_data.simulator.devices.words import fill, insert, lines
from prose_data.simulator.page import Page
from prose_data.stylometry.sound import rime

TAG = re.compile(r"(?<!\w)[#@][^\W\d_]\w*")
_UNIT_END = re.compile(r"[.!?;…\n]+|\s[-–—]+\s")
_LAST_WORD = re.compile(r"([^\W\d_]+)['’]?[^\w]*$")
_CLOSE = re.compile(r"([.!?…]*)([\"'”’)\]]*)$")
_TAILS = tuple(
    lines(block)
    for block in (
        """or so the people say
        and so it stands today
        come what may
        in its own quiet way
        at the closing of the day
        and it is here to stay""",
        """by day and by night
        right there in plain sight
        in the morning light
        be it wrong or right
        and the fit is tight""",
        """as many have found
        on solid ground
        the whole year round
        with hardly a sound""",
        """and it will not be long
        be it right or wrong
        where such things belong
        and the pull is strong""",
        """or so it is told
        a sight to behold
        be it hot or cold
        as the facts unfold
        both the young and the old""",
        """and a little bit more
        right down to the core
        from shore to shore
        with work in store
        just outside the door""",
        """for all to hear
        throughout the year
        and soon it will appear
        both far and near""",
        """for the very first time
        well worth a dime
        and still in its prime
        as the church bells chime""",
        """and in the end all is fine
        right down the line
        be it rain or shine
        like grapes on the vine""",
        """and that is only fair
        out in the open air
        beyond all repair
        by the breadth of a hair""",
        """from start to end
        around the bend
        with time to spend
        from foe and from friend""",
        """for one and for all
        the great and the small
        both summer and fall
        behind the wall""",
        """on land and on sea
        as all can see
        both bound and free
        under the old oak tree""",
    )
)
_GISTS = lines("""
    That is the gist of {s}.
    There is more to {s}.
    So it went with {s}.
    Such is the way of it.
    Much was said of {s}.
    And thus it was done.
    The word went around about {s}.
    Nobody forgot about {s}.
    The rest can be told of {s}.
    It began with {s}.
""")


def rhyme(text: Features) -> float:
    """Return how many line or sentence ends rhyme with another word at one of the two next or last ends.

    Half of all ends and four of them are full rhyme; two among others may be chance.
    """
    ends = [
        match[1].lower()
        for unit in _UNIT_END.split(text.text)
        if " " in unit.strip() and not TAG.match(unit.strip()) and (match := _LAST_WORD.search(unit))
    ]
    rimes = [rime(end) for end in ends]
    rhymed = sum(
        any(
            rimes[i] and rimes[i] == rimes[j] and ends[i] != ends[j]
            for j in (i - 2, i - 1, i + 1, i + 2)
            if 0 <= j < len(ends)
        )
        for i in range(len(ends))
    )
    if rhymed < 2:
        return 0.0
    chance = 1.2 if rhymed < len(ends) else 0.0
    return min(1.0, (rhymed - chance) / (4 - chance), max(0.0, (rhymed / len(ends) - 0.15) / 0.35))


def _tailed(sentence: str, tail: str) -> str:
    match = _CLOSE.search(sentence)
    mark, quote = (match[1], match[2]) if match else ("", "")
    body = sentence[: len(sentence) - len(mark) - len(quote)]
    return f"{body}{quote}, {tail}{mark or '.'}"


def write_rhyme(page: Page, rng: Random) -> None:
    """Give every two sentences tails that rhyme, and put each couplet on a line of its own.

    A page with labels, or with one sentence a paragraph, keeps its lines. A page of fewer than four sentences gets more, so that there are two couplets; a line of hashtags stays as it is.
    """
    if not page.prefixes and len(page.sentences()) < 4:
        bank = rng.sample(_GISTS, 4 - len(page.sentences()))
        insert(page, [fill(template, page, rng) for template in bank], rng)
    tags = [sentence for sentence in page.sentences() if TAG.match(sentence)]
    count = len(page.sentences()) - len(tags)
    tails: list[str] = []
    while len(tails) < count:
        family = rng.choice([f for f in _TAILS if not tails or tails[-1] not in f])
        tails += rng.sample(family, 3 if count - len(tails) == 3 else 2)
    ends = iter(tails)
    rhymed = [
        [sentence if sentence in tags else _tailed(sentence, next(ends)) for sentence in paragraph]
        for paragraph in page.paragraphs
    ]
    page.paragraphs = rhymed
    if not page.prefixes and any(len(paragraph) > 1 for paragraph in page.paragraphs):
        done = [sentence for sentence in page.sentences() if sentence not in tags]
        page.paragraphs = [done[i : i + 2] for i in range(0, len(done), 2)]
        if tags:
            page.paragraphs.append(tags)
        page.gap = "\n"
