"""The simulated client, who accepts a draft that shows what they prefer and edits any other, changing little.

The edit starts from the draft itself: devices that it lacks are carried out on its sentences, sentences that carry what
goes against the preferences are struck out, and all else stays. Both sides of the cost of an edit are thus texts.
"""

import random
import re

from prose_data.features import features, split_sentences
from prose_data.simulator.base import plain_page, topic_words
from prose_data.simulator.devices import DEVICES
from prose_data.simulator.judge import verdict_line
from prose_data.simulator.page import Device, Page
from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import CLEAR, PLAIN, bears_out, block, meaning, split_items, strength
from prose_data.simulator.writer import handed_in, in_order, named, task_of

_MARK = re.compile(
    r"(?:(?:[-*•–]|\d{1,2}[.)])\s+|(?:Q|A|Question|Answer|Step \w+|First|Next|Then|After that|Finally): )+"
)
_HEADING = re.compile(r"#{1,6} .*|\*\*[^*]+\*\*|(?:[^\s.!?…]+ ){0,4}[^\s.!?…]+")
_STRUCK = 0.5  # share of its sentences that a draft may lose at most
_LOOKED_AT = 60  # sentences of a draft of any length that are looked at for that


def decide(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return whether the draft is accepted: each preference that means something to this client shows in it."""
    draft = block(prompt, "draft")
    content = True
    for item in split_items(block(prompt, "preferences")):
        degree = bears_out(draft, item)
        fine = degree is None or degree >= PLAIN
        content = (fine != (rng.random() < skills.misjudge)) and content
    return verdict_line("accept" if content else "edit", skills, rng)


def edit(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the draft with what it lacks and without what goes against the preferences, as far as this client follows
    them; a draft without any of that comes back as it is."""
    draft, document = block(prompt, "draft"), block(prompt, "document")
    wanted, shunned = _preferred(block(prompt, "preferences"), skills, rng)
    there = {device for device in wanted if strength(draft, device) >= PLAIN}
    lacking = in_order([device for device in wanted if device not in there], shunned)
    against = _against(draft, lacking, shunned)
    if not lacking and not against:
        return handed_in(draft, skills, rng)
    task = task_of(prompt)
    page = read_page(task, draft, document) or plain_page(task, document, named(name, document))
    for device in lacking:
        device.apply(page, named(name, device.name, document))
    for device in against:
        _strike(page, device)
    text = page.render()
    lost = [device for device in wanted if device in there and strength(text, device) < PLAIN]
    for device in in_order(lost, shunned):  # what a shorter or turned text no longer shows
        device.apply(page, named(name, device.name, document))
    return handed_in(page.render(), skills, rng)


def read_page(task: str, draft: str, document: str) -> Page | None:
    """Return `draft` as a page that renders to just that text again; None for one without a sentence in words."""
    text = draft.strip()
    if not features(text).words:
        return None
    greeting, body, closing = _framed(text)
    lines = body.split("\n")
    blank = sum(1 for line in lines if not line.strip())
    gap = "\n\n" if blank * 2 + 1 == len(lines) and not any(line.strip() for line in lines[1::2]) else "\n"
    paragraphs, prefixes = _paragraphs(body.split(gap), gap)
    page = Page(task, topic_words(document), paragraphs, greeting, closing, gap, prefixes)
    whole = Page(task, topic_words(document), [[text]])
    return page if page.render() == text else whole


def _framed(text: str) -> tuple[str, str, str]:
    """Return greeting, body and closing (with postscript) of a text; a part that no empty line sets off is body."""
    seen = features(text)
    greeting, rest = seen.greeting, text
    if greeting and text.startswith(f"{greeting}\n\n"):
        rest = text[len(greeting) + 2 :]
    else:
        greeting = ""
    behind = len(seen.frame[1]) + len(seen.frame[2])
    lines = rest.split("\n")
    while behind and lines:
        behind -= bool(lines.pop().strip())
    body = "\n".join(lines)
    closing = rest[len(body) :]
    if body.endswith("\n") and body.strip() and closing.startswith("\n") and closing.strip():
        return greeting, body[:-1], closing[1:]
    return greeting, rest, ""


def _paragraphs(parts: list[str], gap: str) -> tuple[list[list[str]], list[str]]:
    """Return the parts of a body as paragraphs of sentences and their prefixes, none where no part has one.

    An empty line and a heading belong to the prefix of what follows them.
    """
    paragraphs: list[list[str]] = []
    prefixes: list[str] = []
    head = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if not last and (not part.strip() or (_HEADING.fullmatch(part) and not _MARK.match(part))):
            head += part + gap
            continue
        mark = _MARK.match(part)
        prefix = mark[0] if mark else ""
        rest = part[len(prefix) :]
        sentences = split_sentences(rest)
        paragraphs.append(sentences if " ".join(sentences) == rest else [rest])
        prefixes.append(head + prefix)
        head = ""
    return paragraphs, prefixes if any(prefixes) else []


def _preferred(preferences: str, skills: Skills, rng: random.Random) -> tuple[list[str], set[str]]:
    """Return the devices that the preferences ask for and those they forbid, as far as this client follows them."""
    wanted, shunned = [], set()
    for item in split_items(preferences):
        means = meaning(item)
        if means is None or rng.random() >= skills.follow:
            continue
        if means.positive:
            wanted.append(means.device)
        else:
            shunned.add(means.device)
    return wanted, shunned


def _against(draft: str, lacking: list[Device], shunned: set[str]) -> list[Device]:
    """Return the devices that a draft clearly shows though they are forbidden or contradict one that is to come."""
    against = [
        device
        for device in DEVICES.values()
        if device.name in shunned
        or any(device.name in one.opposites or one.name in device.opposites for one in lacking)
    ]
    return [device for device in against if strength(draft, device.name) >= CLEAR]


def _strike(page: Page, device: Device) -> None:
    """Strike out the sentences that carry a device, most of all those that show it alone, until the page no longer does
    or too few sentences are left."""
    left = int(_STRUCK * len(page.sentences()))
    carried = [
        (strength(sentence, device.name), -p, -i)
        for p, paragraph in enumerate(page.paragraphs)
        for i, sentence in enumerate(paragraph)
    ]
    now = strength(page.render(), device.name)
    for alone, p, i in sorted(carried, reverse=True)[:_LOOKED_AT]:
        if not left or now < PLAIN:
            break
        sentence, page.paragraphs[-p][-i] = page.paragraphs[-p][-i], ""
        without = strength(page.render(), device.name)
        if alone or without < now:
            now, left = without, left - 1
        else:
            page.paragraphs[-p][-i] = sentence
    kept = [[sentence for sentence in paragraph if sentence] for paragraph in page.paragraphs]
    if page.prefixes:
        page.prefixes = [prefix for prefix, rest in zip(page.prefixes, kept, strict=True) if rest]
    page.paragraphs = [rest for rest in kept if rest]
