"""Who speaks or is spoken about: I, we, you, or he, she and they."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from prose_data.measures import MEASURES
from prose_data.simulator.edits import is_statement, led, raised
from prose_data.simulator.page import Device, Page

_QUOTED = re.compile(r"([\"“][^\"“”]{1,300}[\"”])")
_SINGULAR = "i am|i was|am i|was i|i'm|i've|i'd|i'll|i|me|my|mine|myself"
_FIRST = _SINGULAR + "|we're|we've|we'd|we'll|we|us|our|ours|ourselves"
_PLURAL = "we are|we were|are we|were we|we're|we've|we'd|we'll|we|us|our|ours|ourselves"
_ADDRESS = "you're|you've|you'd|you'll|you|your|yours|yourself"


@dataclass(frozen=True)
class Voice:
    """A person to speak in: what its words replace, what it is known by, and clauses that bring it in.

    A frame is a pair: the clause to put before a sentence, and what stands before a colon where the sentence
    must keep its capital letter.
    """

    turn: dict[str, str]
    words: re.Pattern[str]
    frames: tuple[tuple[str, str], ...]


def _turn(old: str, new: str) -> dict[str, str]:
    return dict(zip(old.split("|"), new.split("|"), strict=True))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b(?!'\w|\.\w|&)", re.IGNORECASE)


_YOU = Voice(
    _turn(
        _FIRST,
        "you are|you were|are you|were you|you're|you've|you'd|you'll|you|you|your|yours|yourself"
        "|you're|you've|you'd|you'll|you|you|your|yours|yourselves",
    ),
    _any_of(("you", "your", "yours", "yourself")),
    (
        ("You can see that", "You can see it"),
        ("You learn that", "You learn this"),
        ("As you read on, you find that", "Keep this in your mind"),
        ("You find out that", "You find out the following"),
        ("You should know that", "You should know this"),
        ("Before your eyes,", "You see it before you"),
        ("You soon notice that", "You soon notice this"),
    ),
)
_THEY = Voice(
    _turn(
        _FIRST + "|" + _ADDRESS,
        "they are|they were|are they|were they|they're|they've|they'd|they'll|they|them|their|theirs|themselves"
        "|they're|they've|they'd|they'll|they|them|their|theirs|themselves"
        "|people are|people have|people would|people will|people|people's|theirs|themselves",
    ),
    _any_of("he she they him them his her their author authors".split()),
    (
        ("The author reports that", "The author reports"),
        ("They say that", "They put it like this"),
        ("The author adds that", "The author adds"),
        ("In their telling,", "In their own words"),
        ("According to the author,", "According to the author"),
        ("The author recalls that", "The author recalls"),
        ("They stress that", "They stress one thing"),
    ),
)
_WE = Voice(
    _turn(_SINGULAR, "we are|we were|are we|were we|we're|we've|we'd|we'll|we|us|our|ours|ourselves"),
    _any_of(("we", "us", "our", "ours")),
    (
        ("We see that", "We see it clearly"),
        ("We learn that", "We learn this"),
        ("As far as we know,", "We know this much"),
        ("We should add that", "We should add this"),
        ("To us, it stands out that", "One thing stands out to us"),
        ("We note that", "We note the following"),
        ("In our view,", "In our view"),
    ),
)
_ME = Voice(
    _turn(_PLURAL, "I am|I was|am I|was I|I'm|I've|I'd|I'll|I|me|my|mine|myself"),
    _any_of(("i", "me", "my", "mine")),
    (
        ("I think that", "I would put it like this"),
        ("I learned that", "I learned this"),
        ("As far as I know,", "I know this much"),
        ("I should add that", "I should add this"),
        ("To me, it stands out that", "One thing stands out to me"),
        ("I noticed that", "I noticed the following"),
        ("In my view,", "In my view"),
    ),
)


def _turned(sentence: str, voice: Voice, pattern: re.Pattern[str]) -> str:
    """Return the sentence with its persons replaced; quotations, "US" and "i.e." are left alone."""

    def swap(match: re.Match[str]) -> str:
        found = match[0]
        if found in ("US", "ME", "i"):
            return found
        capital = found[0].isupper() and not re.match(r"I\b", found)
        return raised(voice.turn[found.lower()]) if capital else voice.turn[found.lower()]

    parts = _QUOTED.split(sentence.replace("’", "'"))
    changed = "".join(part if number % 2 else pattern.sub(swap, part) for number, part in enumerate(parts))
    return raised(changed) if sentence[:1].isupper() else changed


def _speak(voice: Voice, share: float) -> Callable[[Page, Random], None]:
    """Return the change that turns a page's persons and brings the voice into `share` of its statements."""
    pattern = _any_of(voice.turn)

    def apply(page: Page, rng: Random) -> None:
        page.edit(lambda sentence: _turned(sentence, voice, pattern))
        spots = [(i, j) for i, p in enumerate(page.paragraphs) for j, s in enumerate(p) if is_statement(s)]
        bare = [at for at in spots if not voice.words.search(_QUOTED.sub(" ", page.paragraphs[at[0]][at[1]]))]
        missing = round(share * len(spots) + 0.5) - (len(spots) - len(bare))
        order = rng.sample(voice.frames, len(voice.frames))
        for number, (i, j) in enumerate(rng.sample(bare, max(0, min(len(bare), missing)))):
            page.paragraphs[i][j] = led(page.paragraphs[i][j], page, *order[number % len(order)])

    return apply


DEVICES_PERSON = (
    Device(
        "second_person",
        "person",
        ("adopt a second person narrative", "second person narrative", "address the reader as you"),
        (
            r"\bsecond[- ]person\b",
            r"\baddress(?:es|ing)? the reader\b",
            r"\b(?:speak|talk|writ)(?:e|s|es|ing)? (?:straight |directly )?to the reader\b",
            r"\breader (?:directly )?as ['\"]?you\b",
        ),
        20,
        0.7,
        _speak(_YOU, 0.75),
        MEASURES["second_person"],
        opposites=("third_person", "first_singular", "first_plural"),
    ),
    Device(
        "third_person",
        "person",
        ("adopt a third person narrative", "tell it in the third person"),
        (
            r"\bthird[- ]person\b",
            r"\bhe(?:,| or| and) she\b",
        ),
        20,
        0.6,
        _speak(_THEY, 0.9),
        MEASURES["third_person"],
        opposites=("second_person", "first_singular", "first_plural"),
    ),
    Device(
        "first_plural",
        "person",
        ("speak as we",),
        (r"\bfirst[- ]person plural\b", r"\b(?:speak|write|use)s?\b.*\b[\"']?we[\"']?$"),
        20,
        0.5,
        _speak(_WE, 0.75),
        MEASURES["first_plural"],
        opposites=("second_person", "third_person", "first_singular"),
    ),
    Device(
        "first_singular",
        "person",
        ("speak as I",),
        (r"\bfirst[- ]person(?! plural)\b", r"\b(?:speak|write)s? as ['\"]?i\b"),
        20,
        0.5,
        _speak(_ME, 0.7),
        MEASURES["first_singular"],
        opposites=("second_person", "third_person", "first_plural"),
    ),
)
