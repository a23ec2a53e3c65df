"""The two ways of asking: questions that nobody is meant to answer, and questions out of curiosity."""

from collections.abc import Sequence
from random import Random

from prose_data.measures import MEASURES
from prose_data.simulator.edits import habit, insert, subject
from prose_data.simulator.page import Device, Page

_RHETORICAL = (
    "Who would have thought it?",
    "Who could have guessed that about {0}?",
    "Who knew so much could depend on {0}?",
    "Isn't that remarkable?",
    "Isn't it always the same with {0}?",
    "Doesn't that say it all?",
    "Doesn't {0} deserve better?",
    "How could it be otherwise?",
    "What more is there to say about {0}?",
    "What else was to be expected?",
    "Is it any wonder?",
    "Why should anyone be surprised?",
    "But does it really matter?",
    "And who could object to that?",
    "Wasn't that to be expected from {0}?",
    "What good would that do?",
    "Since when is that enough?",
)
_CURIOUS = (
    "I wonder how {0} came to matter so much.",
    "I wonder what would change without {0}?",
    "Could you tell me more about {0}?",
    "Could you tell me how that was found out?",
    "What might explain this?",
    "What exactly lies behind {0}?",
    "How exactly did that come about?",
    "Do you know whether anyone has looked into {0}?",
    "I am curious: what happened next with {0}?",
    "I would love to know how it felt to be there.",
    "It would be good to know what lies behind {0}.",
    "What do you make of {0}?",
    "Did you ever ask yourself why?",
    "Would you know where {0} leads?",
    "I wonder, could it have gone another way?",
    "What might happen if it were done again?",
)


def _asked(page: Page, rng: Random, questions: Sequence[str], n: int) -> list[str]:
    return [question.format(subject(page, rng)) for question in rng.sample(questions, min(n, len(questions)))]


def _rhetorical_questions(page: Page, rng: Random) -> None:
    insert(page, _asked(page, rng, _RHETORICAL, habit(page, rng)), rng)


def _inquisitive(page: Page, rng: Random) -> None:
    insert(page, _asked(page, rng, _CURIOUS, habit(page, rng, 2.5)), rng)


DEVICES_QUESTIONS = (
    Device(
        "rhetorical_questions",
        "figure",
        ("include rhetorical questions", "ask rhetorical questions"),
        (
            r"\brhetorical\b",
            r"\bquestions? (?:that|which) (?:need|expect)s? no answers?\b",
            r"\bquestions? (?:\w+ )?for effect\b",
        ),
        30,
        0.6,
        _rhetorical_questions,
        MEASURES["rhetorical_questions"],
    ),
    Device(
        "inquisitive",
        "tone",
        ("be highly inquisitive", "inquisitive"),
        (
            r"\binquisitive",
            r"\bcurio(?:us|sity)\b",
            r"\b(?:asks?|asking) (?:many|lots of|a lot of|plenty of) questions\b",
        ),
        30,
        0.8,
        _inquisitive,
        MEASURES["inquisitive"],
    ),
)
