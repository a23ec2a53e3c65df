"""Personas: what is known of a user where a choice is to be predicted, in three kinds, cut to a form and a length.

The target's own direction is no part of it, so that no prompt made from a persona can hold it. DEMO text describes the
target in the published data, which makes it near-golden: it stands alone in form `demo` and enters no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from prose_data.alignx.dimensions import Vector
from prose_data.alignx.record import Comment, Pair

Form = Literal["demo", "ugc", "pair", "mixed"]
FORMS: Sequence[Form] = get_args(Form)


@dataclass(frozen=True, slots=True)
class Persona:
    """DEMO text and the history: comments (UGC) and pairs (PAIR), the oldest of each first.

    Where `directed` is False the file gave no directions of the items; theirs are neutral then and say nothing.
    """

    demographic: str = ""
    comments: tuple[Comment, ...] = ()
    pairs: tuple[Pair, ...] = ()
    directed: bool = True

    @property
    def items(self) -> int:
        """How many items the history has."""
        return len(self.comments) + len(self.pairs)

    @property
    def empty(self) -> bool:
        """Whether nothing is known."""
        return not self.items and not self.demographic.strip()

    @property
    def directions(self) -> list[Vector]:
        """The directions of the history's items, UGC before PAIR."""
        return [comment.direction for comment in self.comments] + [pair.direction for pair in self.pairs]


def in_form(persona: Persona, form: Form, items: int | None = None) -> Persona:
    """Return what `form` shows of a persona: DEMO alone, or the latest `items` of its history (None: all)."""
    if form == "demo":
        return replace(persona, comments=(), pairs=())
    comments = persona.comments if form in ("ugc", "mixed") else ()
    pairs = persona.pairs if form in ("pair", "mixed") else ()
    whole = replace(persona, demographic="", comments=comments, pairs=pairs)
    return whole if items is None else latest(whole, items)


def latest(persona: Persona, items: int) -> Persona:
    """Return a persona with the latest `items` of its history, of both kinds by turns, a pair first."""
    if items >= persona.items:
        return persona
    of_pairs = min(len(persona.pairs), max((items + 1) // 2, items - len(persona.comments)))
    of_comments = items - of_pairs
    return replace(
        persona,
        comments=persona.comments[len(persona.comments) - of_comments :],
        pairs=persona.pairs[len(persona.pairs) - of_pairs :],
    )
