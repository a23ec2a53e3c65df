"""The simulated reader: it compares texts, names differences, and merges and breaks down lists.

At one look it names only so many differences, the plainest first in chance, and now and then one that is not there:
a remark about the topic, a commonplace, or a device that it mistakes.
"""

import json
import random
import re
from collections import Counter

from prose_data.simulator.base import topic_words
from prose_data.simulator.devices import DEVICES
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import CLEAR, PLAIN, block, listed, meaning, shown, split_items

_COMMONPLACES = (
    "keep the text well organised",
    "use vivid vocabulary",
    "stay true to the facts",
    "keep a steady pace",
    "cover the main points",
    "use precise wording",
)


def infer(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the corrected list of preferences after a comparison of our draft with the person's text."""
    text = block(prompt, "text")
    beliefs = [item for item in split_items(block(prompt, "preferences")) if item[0] != "("]
    kept = [item for item in beliefs if not refuted(item, text, skills, rng)]
    fresh = noticed(text, block(prompt, "draft"), kept, skills, rng)
    remarks = [f"The person's text stands out from our draft: {item}." for item in fresh]
    answer = "; ".join([*kept, *fresh]) or "none"
    return "\n".join([*remarks, labelled("Preferences", answer, skills, rng)])


def phrase(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a short phrase for what one edit shows (CIPHER)."""
    found = noticed(block(prompt, "text"), block(prompt, "draft"), [], skills, rng)
    return labelled("Preference", ", ".join(found) or "none", skills, rng)


def aggregate(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a short phrase of what several phrases share: the most frequent items, as many as one phrase holds."""
    phrases = [re.split(r",\s+|;\s+", line) for line in listed(block(prompt, "phrases"))]
    wording: dict[str, str] = {}
    votes: Counter[str] = Counter()
    for one in phrases:
        for item in one:
            key = sense(item)
            wording.setdefault(key, item)
            votes[key] += 1
    best = sorted(votes, key=lambda key: -votes[key])[: skills.attention + 1]
    return labelled("Preference", ", ".join(wording[key] for key in best), skills, rng)


def merge(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the merged list as a line."""
    kept = _merged(split_items(block(prompt, "preferences")), skills, rng)
    return labelled("Preferences", "; ".join(kept) or "none", skills, rng)


def merge_list(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the merged list as JSON."""
    return _json(_merged(split_items(block(prompt, "preferences")), skills, rng), skills, rng)


def _merged(items: list[str], skills: Skills, rng: random.Random) -> list[str]:
    """Return the items without those of equal meaning; of two that contradict each other the first stays."""
    kept: dict[str, str] = {}
    for item in items:
        means = meaning(item)
        clash = means is not None and any(
            other in kept for other in (*DEVICES[means.device].opposites, f"no {means.device}")
        )
        if not clash and rng.random() >= skills.lose:
            kept.setdefault(sense(item), item)
    return list(kept.values())


def break_down(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a description's items as JSON."""
    found = [item for item in split_items(block(prompt, "preferences")) if rng.random() >= skills.lose]
    return _json(found, skills, rng)


def _json(found: list[str], skills: Skills, rng: random.Random) -> str:
    """Return items as JSON, at times in a fence, as a bare list, or broken."""
    answer = json.dumps({"components": found})
    if rng.random() < skills.garble:
        listing = "\n".join(f"{number}. {item}" for number, item in enumerate(found, 1))
        return rng.choice(
            (f"```json\n{answer}\n```", json.dumps(found), listing, answer[:-1] + ",]", answer[:-2])
        )
    return answer


def noticed(text: str, draft: str, known: list[str], skills: Skills, rng: random.Random) -> list[str]:
    """Return phrases for differences that `text` clearly shows, `draft` does not, and `known` does not name."""
    named = {sense(item) for item in known}
    own, ours = shown(text), shown(draft)
    gaps = {
        device: own[device] - ours[device]
        for device in DEVICES
        if device not in named and own[device] >= PLAIN and own[device] - ours[device] >= PLAIN
    }
    found = []
    for _ in range(skills.attention):
        if not gaps:
            break
        device = rng.choices(list(gaps), [gaps[d] * DEVICES[d].salience for d in gaps])[0]
        plain = gaps.pop(device) >= CLEAR
        if rng.random() < skills.notice * (1.0 if plain else 0.6):
            found.append(rng.choice(DEVICES[device].phrases))
    if rng.random() < skills.invent:
        found.append(invented(text, rng))
    return [item for item in found if sense(item) not in named]


def refuted(item: str, text: str, skills: Skills, rng: random.Random) -> bool:
    """Return whether a reader of `text` takes `item` for wrong: it does not show, and the reader sees that."""
    means = meaning(item)
    if means is None:
        return rng.random() < skills.prune / 4
    degree = shown(text)[means.device]
    absent = degree < PLAIN if means.positive else degree >= CLEAR
    return absent and rng.random() < skills.prune


def invented(text: str, rng: random.Random) -> str:
    """Return a preference that is not there: about the topic of `text`, a commonplace, or any device."""
    kind = rng.random()
    topic = topic_words(text, 4)
    if kind < 0.5 and topic:
        return f"mention {rng.choice(topic)}"
    if kind < 0.8:
        return rng.choice(_COMMONPLACES)
    return rng.choice(DEVICES[rng.choice(list(DEVICES))].phrases)


def sense(item: str) -> str:
    """Return what `item` means, so that two items of equal meaning are equal; its own words where it means no device."""
    means = meaning(item)
    if means is None:
        return item.lower()
    return means.device if means.positive else f"no {means.device}"


def labelled(label: str, answer: str, skills: Skills, rng: random.Random) -> str:
    """Return the line `label: answer`, at times in another form than the one asked for."""
    if rng.random() < skills.garble:
        return rng.choice((f"### {label}: {answer}", f"**{label}:** {answer}", f"{label}:\n{answer}", answer))
    return f"{label}: {answer}"
