"""The simulated writer of AlignX: posts about anything, replies by people at given poles, and descriptions of people.

What it writes depends on what one item of a request says, on the model's name and on the seed, and on nothing else, so
that the same text comes of a request with many items and of a call for one. Two replies to one post begin in
ways that say nothing and are brought to about the same length, whichever poles they speak for.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from prose_data.alignx.dimensions import Pole
from prose_data.simulator.alignx_tables import Wordings, wordings
from prose_data.streams import Draws

_UNKNOWN = "all of this"  # what a post is about that names no topic of the tables
_SLACK = 30  # characters by which one reply to a post may be meant to be longer than the other
_KEPT = frozenset(("friend", "friend2", "place"))  # slots that are filled alike throughout a text
_AT_ONCE = 3  # poles whose fate one draw decides
_SLOT = re.compile(r"\{(\w+)\}")

Pieces = tuple[str, ...]  # text and the name of a slot in turn, text first and last


@dataclass(frozen=True, slots=True)
class _Forms:
    """The tables made ready: templates in pieces, fillers from short to long with their lengths."""

    tables: Wordings
    starts: tuple[Pieces, ...]
    details: tuple[Pieces, ...]
    asks: dict[str, tuple[Pieces, ...]]
    openers: tuple[Pieces, ...]
    fillers: tuple[str, ...]
    lengths: tuple[int, ...]
    slots: dict[str, tuple[str, ...]]
    leads: tuple[str, ...]


@cache
def _forms() -> _Forms:
    tables = wordings()
    phrases = tables.phrases

    def pieces(kind: str) -> tuple[Pieces, ...]:
        return tuple(tuple(_SLOT.split(text)) for text in phrases[kind])

    friends = tuple(f"{relation} {name}" for relation in phrases["relation"] for name in phrases["name"])
    fillers = tuple(sorted(phrases["filler"], key=lambda text: (len(text), text)))
    return _Forms(
        tables=tables,
        starts=pieces("start"),
        details=pieces("detail"),
        asks={aim: pieces(aim) for aim in tables.aims},
        openers=pieces("opener"),
        fillers=fillers,
        lengths=tuple(map(len, fillers)),
        slots={**phrases, "friend": friends, "friend2": friends},
        leads=tuple(f"{lead} " for lead in phrases["lead"]) + ("",) * len(phrases["lead"]),
    )


def posts(name: str, briefs: Sequence[str]) -> list[str]:
    """Return a post for each brief, "topic; writer; aim"; `name` is the model's with its seed."""
    whole = "\x1e".join(briefs)
    return [_post(Draws(name, "post", number, whole), brief) for number, brief in enumerate(briefs)]


def _post(draws: Draws, brief: str) -> str:
    forms = _forms()
    about, _, rest = brief.partition("; ")
    role, _, aim = rest.partition("; ")
    known = {"about": about, "role": role or "somebody new here"}
    first = _sentence(draws.pick(forms.starts), draws, known)
    details = draws.sample(forms.details, 2 + draws.below(2))
    asks = forms.asks.get(aim) or forms.asks[forms.tables.aims[0]]
    parts = [first, *(_sentence(detail, draws, known) for detail in details)]
    parts.append(_sentence(draws.pick(asks), draws, known))
    return " ".join(parts)


def topic(post: str) -> str:
    """Return in short what a post is about: the topic of the tables that it names, else words that fit anything."""
    pattern, shorts = _topics()
    found = pattern.search(post.lower())
    return shorts[found[0]] if found else _UNKNOWN


@cache
def _topics() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return what finds a topic in a post in small letters, and the short forms."""
    shorts = {text.lower(): short for text, short in wordings().topics.items()}
    return re.compile("|".join(map(re.escape, sorted(shorts, key=len, reverse=True)))), shorts


def reply(name: str, follow: float, post: str, it: str, poles: Sequence[Pole]) -> str:
    """Return a reply to `post`, which is about `it`, by somebody at `poles`; each is carried out with chance `follow`."""
    draws = Draws(name, "reply", post, repr(tuple(poles)))
    return f"{_body(draws, follow, it, poles)} {draws.pick(_forms().fillers)}"


def replies(
    name: str, follow: float, post: str, it: str, one: Sequence[Pole], other: Sequence[Pole]
) -> tuple[str, str]:
    """Return two replies to `post` by people at the poles `one` and `other`, about equally long; otherwise as `reply`."""
    forms, draws = _forms(), Draws(name, "replies", post, repr(tuple(one)), repr(tuple(other)))
    bodies = [_body(draws, follow, it, poles) for poles in (one, other)]
    longer = len(bodies[1]) - len(bodies[0]) + draws.below(2 * _SLACK + 1) - _SLACK
    first, second = _fillers(forms.lengths, longer, draws)
    return f"{bodies[0]} {forms.fillers[first]}", f"{bodies[1]} {forms.fillers[second]}"


def _fillers(lengths: Sequence[int], longer: int, draws: Draws) -> tuple[int, int]:
    """Return two different places in sorted `lengths`, the first about `longer` than the second."""
    least = bisect_left(lengths, lengths[0] - longer)  # shorter ones have no partner that is short enough
    most = bisect_right(lengths, lengths[-1] - longer)
    within = range(least, most) or (range(1) if longer > 0 else range(len(lengths) - 1, len(lengths)))
    second = draws.pick(within)
    wanted = lengths[second] + longer
    first = min(bisect_left(lengths, wanted), len(lengths) - 1)
    if first and wanted - lengths[first - 1] < lengths[first] - wanted:
        first -= 1
    if first == second:
        first += 1 if not first or (first < len(lengths) - 1 and draws.below(2)) else -1
    return first, second


def _body(draws: Draws, follow: float, it: str, poles: Sequence[Pole]) -> str:
    forms = _forms()
    says, leads = forms.tables.says, forms.leads
    parts = [_sentence(draws.pick(forms.openers), draws, {"it": it}) + "."]
    for pole in draws.shuffle(_followed(draws, follow, poles)):
        lead, text = divmod(draws.below(len(leads) * len(says[pole])), len(says[pole]))
        sentence = leads[lead] + says[pole][text].replace("{it}", it)
        parts.append(f"{sentence[0].upper()}{sentence[1:]}.")
    return " ".join(parts)


def _followed(draws: Draws, follow: float, poles: Sequence[Pole]) -> list[Pole]:
    """Return the poles that are carried out: each with chance `follow`, but never none of those that were told."""
    kept = []
    for start in range(0, len(poles), _AT_ONCE):
        some = poles[start : start + _AT_ONCE]
        drawn = draws.below(1000 ** len(some))
        for pole in some:
            drawn, mood = divmod(drawn, 1000)
            if mood < 1000 * follow:
                kept.append(pole)
    return kept or list(poles[:1])


def persona(name: str, follow: float, poles: Sequence[Pole]) -> str:
    """Return who somebody at `poles` is: a sentence on likes and dislikes, then one or two on everything else."""
    tables, draws = _forms().tables, Draws(name, "persona", repr(tuple(poles)))
    phrases = tables.phrases
    liked: list[str] = []
    disliked: list[str] = []
    traits: list[str] = []
    for pole in draws.shuffle(_followed(draws, follow, poles)):
        if pole[0] in tables.things:
            (liked if pole[1] else disliked).append(draws.pick(tables.things[pole[0]]))
        else:
            traits.append(draws.pick(tables.traits[pole]))
    kind = "taste" if liked and disliked else "fond" if liked else "averse"
    parts = []
    if liked or disliked:
        taste = draws.pick(phrases[kind])
        parts.append(taste.replace("{liked}", _listed(liked)).replace("{disliked}", _listed(disliked)))
    half = (len(traits) + 1) // 2 if len(traits) > 3 else len(traits)
    portrait = draws.pick(phrases["portrait"]).replace("{role}", draws.pick(phrases["who"]))
    if traits:
        parts.append(portrait.replace("{traits}", _listed(traits[:half])))
    if traits[half:]:
        parts.append(draws.pick(phrases["more"]).replace("{traits}", _listed(traits[half:])))
    return " ".join(part[0].upper() + part[1:] for part in parts)


def _sentence(pieces: Pieces, draws: Draws, known: dict[str, str]) -> str:
    """Return a template filled from `known` and by draws, with a capital at its beginning."""
    slots = _forms().slots
    parts = list(pieces)
    for at in range(1, len(parts), 2):
        slot = parts[at]
        value = known.get(slot)
        if value is None:
            value = draws.pick(slots[slot])
            if slot in _KEPT:
                known[slot] = value
        parts[at] = value
    text = "".join(parts)
    return text[0].upper() + text[1:]


def _listed(items: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(part for part in (", ".join(items[:-1]), items[-1]) if part) if items else ""
