"""The simulated model before what is known of one AlignX user: it names directions, selects a response, writes one.

What it knows is what it notices in the words of comments, pairs and descriptions, or the labels of a profile; a pair's
rejected response speaks against what it shows. Where nothing speaks for either response it guesses, and likes the
letter A a little too much, the more so the worse it judges.
"""

import json
import random
import re
from collections import Counter

from prose_data.alignx.dimensions import Pole, label, poles_of
from prose_data.alignx.profile import parse
from prose_data.errors import InputError
from prose_data.simulator import alignx_writer
from prose_data.simulator.alignx_reader import noticed
from prose_data.simulator.judge import verdict_line
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import block, blocks

_USER = re.compile(r"^# User\n(.*?)(?=^# |\Z)", re.DOTALL | re.MULTILINE)

Leaning = Counter[int]  # by dimension: for its positive pole above 0, for its negative one below


def predict(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the labels of the poles that what is known of a user shows, as JSON."""
    leaning = _leaning(prompt, skills, rng)
    labels = [label(pole) for pole in _poles(leaning)]
    if rng.random() < skills.garble:
        return rng.choice(
            (
                f"The user shows: {', '.join(labels)}.",
                json.dumps({"components": [*labels, "Likes to be asked"]}),
                f"```json\n{json.dumps({'components': labels})}\n```",
            )
        )
    return json.dumps({"components": labels})


def select(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the letter of the response that shows more of what is known of the user, and less of its opposite."""
    leaning = _leaning(prompt, skills, rng)
    first, second = (_speaks(block(prompt, tag), leaning, skills, rng) for tag in ("first", "second"))
    if first == second:
        prefers_first = rng.random() < 0.5 + skills.misjudge
    else:
        prefers_first = (first > second) != (rng.random() < skills.misjudge)
    return verdict_line("A" if prefers_first else "B", skills, rng)


def respond(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a response to the post as the user would like it; one that pleases nobody in particular where nothing is known."""
    leaning = _leaning(prompt, skills, rng)
    post = next(iter(blocks(prompt, "post")), "")
    return alignx_writer.reply(name, skills.follow, post, alignx_writer.topic(post), _poles(leaning))


def _leaning(prompt: str, skills: Skills, rng: random.Random) -> Leaning:
    """Return how the user leans on each dimension, by all that the prompt's part on the user says."""
    match = _USER.search(prompt)
    known = match[1] if match else ""
    leaning: Leaning = Counter()
    for text in (*blocks(known, "comment"), *blocks(known, "chosen"), *blocks(known, "persona")):
        _vote(leaning, noticed(text, skills, rng), 1)
    for text in blocks(known, "rejected"):
        _vote(leaning, noticed(text, skills, rng), -1)
    _vote(leaning, _labelled(block(known, "preferences")), 1)
    return leaning


def _poles(leaning: Leaning) -> list[Pole]:
    return [(index, votes > 0) for index, votes in sorted(leaning.items()) if votes]


def _vote(leaning: Leaning, poles: tuple[Pole, ...], weight: int) -> None:
    for index, positive in poles:
        leaning[index] += weight if positive else -weight


def _labelled(profile: str) -> tuple[Pole, ...]:
    """Return the poles whose labels a profile states; none for what is no profile."""
    try:
        return poles_of(parse(profile, "profile"))
    except InputError:
        return ()


def _speaks(response: str, leaning: Leaning, skills: Skills, rng: random.Random) -> int:
    """Return how much a response speaks for a user who leans like this."""
    return sum(
        leaning[index] if positive else -leaning[index] for index, positive in noticed(response, skills, rng)
    )
