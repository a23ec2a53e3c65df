"""Rules that predict a choice from the surface of its responses; no score of a method means much without theirs.

Each gives 1 for a target that it gets right, 0 for a wrong one, and 1/2 where it cannot tell.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from prose_data.alignx.persona import Persona
from prose_data.alignx.targets import Target
from prose_data.streams import digest

_WORD = re.compile(r"\w+")

Rule = Callable[[Sequence[Target], Sequence[Persona]], list[float]]


def longer(targets: Sequence[Target], personas: Sequence[Persona]) -> list[float]:
    """Return how the rule does that takes the longer response, in characters."""
    return [_points(len(target.chosen), len(target.rejected)) for target in targets]


def first_word(targets: Sequence[Target], personas: Sequence[Persona]) -> list[float]:
    """Return how the rule does that takes the response whose first word preferred responses have more often.

    How often is counted in the half of the posts that the target is not of. To leave out the target alone would not do:
    where first words tell nothing, that makes just its own word look worse.
    """
    halves = [int(digest("half", target.prompt), 16) % 2 for target in targets]
    words = [(_first(target.chosen), _first(target.rejected)) for target in targets]
    won, met = (Counter[str](), Counter[str]()), (Counter[str](), Counter[str]())
    for half, (chosen, rejected) in zip(halves, words, strict=True):
        won[half][chosen] += 1
        met[half].update((chosen, rejected))

    def share(word: str, half: int) -> float:
        return won[half][word] / met[half][word] if met[half][word] else 0.5

    return [
        _points(share(chosen, 1 - half), share(rejected, 1 - half))
        for half, (chosen, rejected) in zip(halves, words, strict=True)
    ]


def overlap(targets: Sequence[Target], personas: Sequence[Persona]) -> list[float]:
    """Return how the rule does that takes the response with the larger share of words that the persona has too."""
    points = []
    for target, persona in zip(targets, personas, strict=True):
        known = _words(persona.demographic)
        for comment in persona.comments:
            known |= _words(comment.comment)
        for pair in persona.pairs:
            known |= _words(pair.chosen)
        points.append(_points(*(_share(_words(text), known) for text in (target.chosen, target.rejected))))
    return points


RULES: Mapping[str, Rule] = {"longer": longer, "first_word": first_word, "overlap": overlap}


def _points(chosen: float, rejected: float) -> float:
    return 0.5 if chosen == rejected else float(chosen > rejected)


def _first(text: str) -> str:
    match = _WORD.search(text.casefold())
    return match[0] if match else ""


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _share(words: set[str], known: set[str]) -> float:
    return len(words & known) / len(words) if words else 0.0
