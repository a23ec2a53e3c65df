"""The simulated writer: a plain text about the document, changed by the devices it is told or sees in examples.

What it says about a document, and how it carries out a device there, depend on document, model and replicate alone, so
that two prompts that differ in one preference give texts that differ in that device. Whether it follows a preference
at all is drawn from the whole prompt.
"""

import random
import re
from collections.abc import Iterable

from prose_data.features import features, split_sentences
from prose_data.simulator.base import plain_page
from prose_data.simulator.devices import DEVICES
from prose_data.simulator.page import Device
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import CLEAR, PLAIN, block, listed, meaning, shown, split_items

_PREAMBLES = ("Sure, here it is:", "Here is the text you asked for.", "Of course.")


def write(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the reply to any of the writing prompts."""
    document = block(prompt, "document")
    missing = listed(block(prompt, "missing"))
    told = split_items(block(prompt, "preferences"))
    before = shown(block(prompt, "text")) if missing else {}

    wanted: list[str] = []
    shunned: set[str] = set()
    for item in told:
        means = meaning(item)
        if means is None:
            continue
        kept = item not in missing and before.get(means.device, 0.0) >= PLAIN
        if kept or rng.random() < skills.follow:
            if means.positive:
                wanted.append(means.device)
            else:
                shunned.add(means.device)
    if not missing:
        wanted.extend(_imitated(prompt, skills, rng))

    page = plain_page(task_of(prompt), document, named(name, document))
    for device in in_order(wanted, shunned):
        device.apply(page, named(name, device.name, document))
    return handed_in(page.render(), skills, rng)


def notes(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the given text as plain sentences: no marks, no lines, no questions."""
    text = re.sub(r"[*_#•>|~]|^\s*(?:[-–]|\d+[.)])\s+", "", block(prompt, "text"), flags=re.MULTILINE)
    text = re.sub(r"[^\x00-\u024f\u2010-\u2026]", "", text).replace("&", "and")
    sentences = [
        s for line in text.splitlines() for s in split_sentences(line.strip()) if not s.endswith("?")
    ]
    plain = [s.strip("!.… ") + "." for s in sentences if len(features(s).words) > 3]
    return f'"""\n{" ".join(plain) or text.strip()}\n"""'


def _imitated(prompt: str, skills: Skills, rng: random.Random) -> list[str]:
    """Return the devices that most of the shown examples clearly have, as far as this writer takes them over."""
    examples = [
        block(example, "text") for example in re.findall(r"<example>\n(.*?)\n</example>", prompt, re.DOTALL)
    ]
    if not examples:
        return []
    seen = [shown(example) for example in examples]
    common = [name for name in DEVICES if 2 * sum(one[name] >= CLEAR for one in seen) > len(seen)]
    return [name for name in common if rng.random() < skills.imitate * (0.5 + DEVICES[name].salience / 2)]


def in_order(wanted: Iterable[str], shunned: set[str]) -> list[Device]:
    """Return the devices to apply by stage; of two that contradict each other the first wanted wins."""
    chosen: dict[str, Device] = {}
    for name in wanted:
        device = DEVICES[name]
        clash = any(other in chosen for other in device.opposites) or any(
            name in DEVICES[other].opposites for other in chosen
        )
        if name not in shunned and not clash:
            chosen[name] = device
    return sorted(chosen.values(), key=lambda device: (device.stage, device.name))


def task_of(prompt: str) -> str:
    """Return the task that the prompt's request names, wherever it stands outside the blocks."""
    found = re.findall(
        r"^(?:You were asked: )?Write a short (\w+)",
        re.sub(r"<(\w+)>\n.*?\n</\1>", "", prompt, flags=re.DOTALL),
        re.MULTILINE,
    )
    return "email" if found and found[-1] == "email" else "summarization"


def handed_in(text: str, skills: Skills, rng: random.Random) -> str:
    """Return a text between triple quotes, at times with words before it or with quotes that are not there."""
    if rng.random() < skills.garble:
        return rng.choice((f'{rng.choice(_PREAMBLES)}\n\n"""\n{text}\n"""', f'"""\n{text}', text))
    return f'"""\n{text}\n"""'


def named(*words: str) -> random.Random:
    """Return the generator of these words: the same ones draw the same."""
    return random.Random("\x1f".join(words))
