"""The simulated reader of several edits at once: what a client's texts have in common, and what edits ask for."""

import random
from collections import Counter

from prose_data.simulator.devices import DEVICES
from prose_data.simulator.reader import invented, labelled, noticed, sense
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import CLEAR, PLAIN, block, blocks, shown


def taste(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a short phrase for what sets the client's texts apart from our drafts, over all edits taken together.

    A draft that was left as it was counts with what it clearly shows. A phrase holds one item more than one look gives.
    """
    gaps: dict[str, float] = {}
    for draft, text in _edits(prompt):
        ours, own = shown(draft), shown(text)
        for device, strength in own.items():
            gap = strength if draft == text else strength - ours[device]
            if gap >= (CLEAR if draft == text else PLAIN) and strength >= PLAIN:
                gaps[device] = gaps.get(device, 0.0) + gap
    found = []
    for _ in range(min(skills.attention + 1, len(gaps))):
        device = rng.choices(list(gaps), [gap * DEVICES[d].salience for d, gap in gaps.items()])[0]
        if rng.random() < skills.notice * (1.0 if gaps.pop(device) >= CLEAR else 0.6):
            found.append(rng.choice(DEVICES[device].phrases))
    if rng.random() < skills.invent:
        found.append(invented(block(prompt, "text"), rng))
    return labelled("Preference", ", ".join(found) or "none", skills, rng)


def reasoned(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return what the edits ask for, after one look at each of them: what several ask for first, then the nearest.

    As many items as two looks give.
    """
    looks = [[] if draft == text else noticed(text, draft, [], skills, rng) for draft, text in _edits(prompt)]
    votes = Counter(key for found in looks for key in dict.fromkeys(map(sense, found)))
    wording = {sense(item): item for found in reversed(looks) for item in found}
    order = dict.fromkeys(sense(item) for found in looks for item in found)
    asked = sorted(order, key=lambda key: -votes[key])[: 2 * skills.attention]
    said = [f"Edit {number}: {'; '.join(found) or 'nothing'}." for number, found in enumerate(looks, 1)]
    answer = "; ".join(wording[key] for key in asked) or "none"
    return "\n".join([*said, labelled("Preferences", answer, skills, rng)])


def _edits(prompt: str) -> list[tuple[str, str]]:
    """Return the draft and the text of each edit that is shown."""
    return [(block(edit, "draft"), block(edit, "text")) for edit in blocks(prompt, "example")]
