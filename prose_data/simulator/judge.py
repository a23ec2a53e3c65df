"""The simulated judge and verifier: verdicts from how strongly a text shows a device, at times off."""

import random

from prose_data.simulator.skills import Skills
from prose_data.simulator.understanding import (
    CLEAR,
    PLAIN,
    bears_out,
    block,
    listed,
    meaning,
    shown,
    split_items,
)

VOTES = ("strongly contradicts", "somewhat contradicts", "neutral", "somewhat confirms", "strongly confirms")
_VERDICTS = (
    "clearly contradicts",
    "somewhat contradicts",
    "neither exhibits nor contradicts",
    "somewhat exhibits",
    "clearly exhibits",
)
_SHARES = ("none", "few", "some", "most", "all")


def verify(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a vote on one supposed preference, without reasons."""
    return verdict_line(
        VOTES[degree(block(prompt, "text"), block(prompt, "component"), skills, rng)], skills, rng
    )


def one_component(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a verdict on one component, after a passage of the text."""
    text = block(prompt, "text")
    verdict = verdict_line(_VERDICTS[degree(text, block(prompt, "component"), skills, rng)], skills, rng)
    return f'Passage: "{text[:80]}"\n{verdict}'


def one_hand(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return whether two texts could be of one hand: what the one clearly shows, the other shows at least plainly."""
    ours, theirs = shown(block(prompt, "draft")), shown(block(prompt, "text"))
    pairs = [(ours[device], theirs[device]) for device in ours]
    same = all(min(pair) >= PLAIN for pair in pairs if max(pair) >= CLEAR)
    if rng.random() < skills.misjudge:
        same = not same
    return verdict_line("same" if same else "different", skills, rng)


def all_components(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return a verdict on how many of the components the text exhibits."""
    text = block(prompt, "text")
    components = listed(block(prompt, "components"))
    share = sum(degree(text, component, skills, rng) > 2 for component in components) / max(
        1, len(components)
    )
    level = 4 if share == 1 else 3 if share > 0.5 else 2 if share == 0.5 else 1 if share > 0 else 0
    return verdict_line(_SHARES[level], skills, rng)


def match(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the pairs of guessed and actual preferences that mean the same."""
    guessed, actual = listed(block(prompt, "inferred")), listed(block(prompt, "true"))
    free = list(range(len(actual)))
    pairs = []
    for number, guess in enumerate(guessed, 1):
        partner = next((i for i in free if _same(guess, actual[i])), None)
        if rng.random() < skills.misjudge:
            partner = rng.choice([None, *free])
        if partner is not None:
            free.remove(partner)
            pairs.append(f"{number}-{partner + 1}")
    answer = ", ".join(pairs) or "none"
    if rng.random() < skills.garble:
        return rng.choice((f"**Matches:** {answer}", f"The matches are {answer}.", f"Matches:\n{answer}"))
    return f"Matches: {answer}"


def identify(prompt: str, skills: Skills, rng: random.Random, name: str) -> str:
    """Return the number of the candidate with most items in common with the description; ties are broken by chance."""
    description = split_items(block(prompt, "preferences"))
    candidates = [split_items(line) for line in listed(block(prompt, "candidates"))]
    common = [sum(any(_same(item, one) for one in theirs) for item in description) for theirs in candidates]
    best = [i for i, n in enumerate(common) if n == max(common)]
    pick = rng.randrange(len(candidates)) if rng.random() < skills.misjudge else rng.choice(best)
    return verdict_line(str(pick + 1), skills, rng)


def degree(text: str, component: str, skills: Skills, rng: random.Random) -> int:
    """Return a level from 0 (plainly against) to 4 (plainly for) of how `text` stands to `component`."""
    borne = bears_out(text, component)
    if borne is None:
        level = 3 if rng.random() < 0.3 else 2
    elif borne >= PLAIN:
        level = 4 if borne >= CLEAR else 3
    elif borne <= -PLAIN:
        level = 1
    else:
        level = 2
    if rng.random() < skills.misjudge:
        level = min(4, max(0, level + rng.choice((-2, -1, 1, 2))))
    return level


def _same(one: str, other: str) -> bool:
    first, second = meaning(one), meaning(other)
    return first == second if first and second else one.casefold() == other.casefold()


def verdict_line(answer: str, skills: Skills, rng: random.Random) -> str:
    """Return the line `Verdict: answer`, at times in another form than the one asked for."""
    if rng.random() < skills.garble:
        return rng.choice(
            (
                f"**Verdict:** {answer}",
                f"Verdict:\n{answer}.",
                f"I think it is {answer}, all in all.",
                f"VERDICT: {answer}",
            )
        )
    return f"Verdict: {answer}"
