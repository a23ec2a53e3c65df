"""The simulated model asked to write for AlignX: what a request says is read out of its prompt, and written item by item.

`record` writes the same texts for the same items without a prompt, for data sets whose prompts would take longer to make
and to read than the texts.
"""

import json
import random
import re
from collections.abc import Sequence
from functools import cache

from prose_data.alignx.dimensions import COUNT, Pole, label
from prose_data.simulator import alignx_writer
from prose_data.simulator.alignx_tables import wordings
from prose_data.simulator.skills import SKILLS, Skills
from prose_data.simulator.understanding import block, blocks, listed
from prose_data.simulator.writer import handed_in

_ITEM = re.compile(r"^\d+\. Post:\n", re.MULTILINE)

Poles = Sequence[Pole]


def posts(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the posts that a list of briefs asks for, as JSON."""
    return _as_json(alignx_writer.posts(name, listed(block(prompt, "briefs"))), skills, rng)


def replies(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the replies to each item's post, one or two, as JSON."""
    written: list[str] = []
    for item in _ITEM.split(prompt)[1:]:
        post = next(iter(blocks(item, "post")), "")
        it = alignx_writer.topic(post)
        one, first, second = (_poles(block(item, tag)) for tag in ("traits", "first", "second"))
        if first or second:
            written.extend(alignx_writer.replies(name, skills.follow, post, it, first, second))
        else:
            written.append(alignx_writer.reply(name, skills.follow, post, it, one))
    return _as_json(written, skills, rng)


def persona(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return an introduction of somebody of the given traits, between triple quotes."""
    text = alignx_writer.persona(name, skills.follow, _poles(block(prompt, "traits")))
    return handed_in(text, skills, rng)


def record(
    model: str,
    seed: int,
    briefs: Sequence[str],
    comments: Sequence[Poles],
    pairs: Sequence[tuple[Poles, Poles]],
    held: Poles,
) -> tuple[list[str], list[str], list[tuple[str, str]], str]:
    """Return the posts of `briefs`, the comments and the pairs of replies under them, and the persona.

    The first post is the first pair's, then come those of the comments, then those of the other pairs. Equal to the
    replies of `model` with this `seed` to the requests that say the same.
    """
    name, follow = f"{model}\x1f{seed}", SKILLS[model].follow
    topics = wordings().topics
    texts = alignx_writer.posts(name, briefs)
    about = [topics[brief.partition("; ")[0]] for brief in briefs]
    behind = 1 + len(comments)
    one = [
        alignx_writer.reply(name, follow, post, it, poles)
        for post, it, poles in zip(texts[1:behind], about[1:behind], comments, strict=True)
    ]
    places = [0, *range(behind, len(texts))]
    two = [
        alignx_writer.replies(name, follow, texts[place], about[place], first, second)
        for place, (first, second) in zip(places, pairs, strict=True)
    ]
    return texts, one, two, alignx_writer.persona(name, follow, held)


@cache
def _labels() -> dict[str, Pole]:
    return {
        label((index, positive)): (index, positive) for index in range(COUNT) for positive in (True, False)
    }


def _poles(traits: str) -> list[Pole]:
    """Return the poles whose labels stand at the beginning of the lines, before a colon."""
    labels = _labels()
    names = (line.partition(": ")[0] for line in listed(traits))
    return [labels[name] for name in names if name in labels]


def _as_json(texts: Sequence[str], skills: Skills, rng: random.Random) -> str:
    """Return texts as JSON, at times in a fence, one short, broken, or as a plain list."""
    answer = json.dumps({"texts": texts})
    if rng.random() < skills.garble:
        listing = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
        short = json.dumps({"texts": texts[:-1]})
        return rng.choice((f"```json\n{answer}\n```", short, answer[:-2], listing))
    return answer
