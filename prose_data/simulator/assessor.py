"""The simulated assessor of whole answers: how similar two lists are, what of a text its document bears out, coherence."""

import random

from prose_data.features import Features, features
from prose_data.simulator.base import STOP
from prose_data.simulator.judge import verdict_line
from prose_data.simulator.reader import sense
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import block, listed

SIMILAR = (
    "not at all similar",
    "slightly similar",
    "moderately similar",
    "very similar",
    "extremely similar",
)
BORNE_OUT = (
    "nothing borne out",
    "little borne out",
    "half borne out",
    "most borne out",
    "all borne out",
)
_SHARES = (0.1, 0.4, 0.7, 0.95)  # of the sentences, from which on the next answer is given
_TELLING = 3  # content words of a sentence that says something of the matter


def similarity(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return how similar what was guessed is to the truth, by the share of both lists that has a partner."""
    guessed = {sense(item) for item in listed(block(prompt, "inferred"))}
    true = {sense(item) for item in listed(block(prompt, "true"))}
    common = len(guessed & true)
    level = round(4 * 2 * common / max(1, len(guessed) + len(true)))
    return verdict_line(SIMILAR[_judged(level, skills, rng)], skills, rng)


def faithfulness(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return how much of the text the document bears out: of its telling sentences those whose content words are mostly
    the document's. It takes figures of speech at their word."""
    known = features(block(prompt, "document")).counts
    telling = [
        words for words in map(_content, features(block(prompt, "text")).sentences) if len(words) >= _TELLING
    ]
    borne = [words for words in telling if 2 * sum(word in known for word in words) >= len(words)]
    share = len(borne) / len(telling) if telling else 1.0
    level = sum(share >= least for least in _SHARES)
    return verdict_line(BORNE_OUT[_judged(level, skills, rng)], skills, rng)


def coherence(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a number from 0 to 100: less for sentences that are there twice, and for such without an end."""
    text = features(block(prompt, "text"))
    sentences = text.body_sentences
    whole = len(set(sentences)) / max(1, len(sentences))
    ended = len([*text.statements, *text.questions]) / max(1, len(sentences))
    number = round(95 * whole * (0.7 + 0.3 * min(1.0, ended))) + rng.randint(-3, 3)
    if rng.random() < skills.misjudge:
        number += rng.choice((-1, 1)) * rng.randint(10, 40)
    answer = str(min(100, max(0, number)))
    if rng.random() < skills.garble:
        return rng.choice((f"**Verdict:** {answer}", f"Verdict: {answer}/100", f"Verdict: about {answer}"))
    return f"Verdict: {answer}"


def _judged(level: int, skills: Skills, rng: random.Random) -> int:
    """Return the level that is seen, at times another one."""
    return min(4, max(0, level + rng.choice((-1, 1)))) if rng.random() < skills.misjudge else level


def _content(sentence: str) -> list[str]:
    return [
        word for word in Features(sentence).words if len(word) > 3 and word not in STOP and word.isalpha()
    ]
