"""More of the simulated reader: it explains what a draft misses, describes a writer, votes, and groups what it reads."""

import random

from prose_data.simulator.devices import DEVICES
from prose_data.simulator.reader import invented, labelled, noticed, sense
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import CLEAR, PLAIN, block, blocks, listed, shown


def miss(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return what a draft misses of the author's text: the differences of one look (TICL)."""
    found = noticed(block(prompt, "text"), block(prompt, "draft"), [], skills, rng)
    return labelled("Missing", "; ".join(found) or "none", skills, rng)


def vote(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return one reader's list: the differences of one look."""
    found = noticed(block(prompt, "text"), block(prompt, "draft"), [], skills, rng)
    return labelled("Preferences", "; ".join(found) or "none", skills, rng)


def describe(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return what most of the shown texts have.

    Each text gets one look, so `attention` counts for each; what catches the eye again in the next text is named once.
    There is no draft to compare with: what stands out is how strong a device is and how readily it is noticed.
    """
    seen = [shown(text) for text in blocks(prompt, "text")]
    common = [device for device in DEVICES if 2 * sum(one[device] >= PLAIN for one in seen) > len(seen)]
    named: dict[str, str] = {}
    for strengths in seen:
        for device in _looked_at(strengths, common, skills, rng):
            named.setdefault(device, rng.choice(DEVICES[device].phrases))
    found = list(named.values())
    if rng.random() < skills.invent:
        found.append(invented(block(prompt, "text"), rng))
    return labelled("Preferences", "; ".join(found) or "none", skills, rng)


def group(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the numbers of the items that mean the same, now and then with one in the wrong place."""
    groups: dict[str, list[str]] = {}
    for number, item in enumerate(listed(block(prompt, "preferences")), 1):
        means = sense(item)
        if rng.random() < skills.misjudge:
            means = rng.choice([*groups, f"{number} alone"])
        groups.setdefault(means, []).append(str(number))
    several = [", ".join(numbers) for numbers in groups.values() if len(numbers) > 1]
    return labelled("Groups", "; ".join(several) or "none", skills, rng)


def _looked_at(
    strengths: dict[str, float], common: list[str], skills: Skills, rng: random.Random
) -> list[str]:
    """Return the devices that one look at a text notices among the `common` ones that it shows."""
    open_to = {device: strengths[device] for device in common if strengths[device] >= PLAIN}
    found = []
    for _ in range(min(skills.attention, len(open_to))):
        weights = [strength * DEVICES[device].salience for device, strength in open_to.items()]
        device = rng.choices(list(open_to), weights)[0]
        if rng.random() < skills.notice * (1.0 if open_to.pop(device) >= CLEAR else 0.6):
            found.append(device)
    return found
