"""The simulated keeper of a numbered list of preferences, and the checker who holds two texts against such a list."""

import json
import random

from prose_data.simulator.judge import VOTES, degree
from prose_data.simulator.reader import noticed, refuted, sense
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import PLAIN, block, listed, meaning, shown


def change_list(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the changes that the person's text asks of the list: its differences from our draft, and of what was
    counted that which the text bears out, as far as this reader heeds figures."""
    text = block(prompt, "text")
    held = _items(block(prompt, "preferences"))
    remove = [number for number, item in enumerate(held, 1) if refuted(item, text, skills, rng)]
    add = noticed(text, block(prompt, "draft"), held, skills, rng)
    known = {sense(item) for item in [*held, *add]}
    for line in _items(block(prompt, "evidence")):
        item = line.partition(": ")[0]
        means = meaning(item)
        borne_out = means is None or not means.positive or shown(text)[means.device] >= PLAIN
        if sense(item) not in known and borne_out and rng.random() < skills.heed:
            add.append(item)
            known.add(sense(item))
    remarks = [f"The person's text stands out from our draft: {item}." for item in add[:5]]
    answer = json.dumps({"differences": remarks, "add": add, "remove": remove, "update": []})
    if rng.random() < skills.garble:
        return rng.choice(
            (f"```json\n{answer}\n```", f"Here are the changes.\n{answer}", answer[:-1], ", ".join(add))
        )
    return answer


def hold_against(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return two votes on each component of the list, without reasons."""
    first, second = block(prompt, "first"), block(prompt, "second")
    lines = []
    for number, item in enumerate(_items(block(prompt, "components")), 1):
        one, other = (VOTES[degree(text, item, skills, rng)] for text in (first, second))
        lines.append(f"{number}: {one} | {other}")
    if rng.random() < skills.garble:
        return rng.choice(
            ("\n".join(lines[:-1]), "\n".join(f"**{line}**" for line in lines), "\n\n".join(lines))
        )
    return "\n".join(lines)


def _items(text: str) -> list[str]:
    return [item for item in listed(text) if not item.startswith("(")]
