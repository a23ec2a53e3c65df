"""Dimensions that are held out of every history, and of training: what is left tells nothing of them directly."""

from collections.abc import Collection
from dataclasses import replace

from prose_data.alignx.dimensions import COUNT, Vector, poles_of
from prose_data.alignx.persona import Persona
from prose_data.streams import stream

HeldOut = frozenset[int]


def held_out(seed: int, count: int) -> HeldOut:
    """Return `count` of the 90 dimensions, drawn by `seed`; a larger draw holds every smaller one."""
    return frozenset(stream(seed, "held out").sample(range(COUNT), COUNT)[:count])


def touches(direction: Vector, dimensions: Collection[int]) -> bool:
    """Return whether `direction` is not neutral on one of `dimensions`."""
    return any(index in dimensions for index, _ in poles_of(direction))


def without(persona: Persona, dimensions: Collection[int]) -> Persona:
    """Return a persona without the items that show one of `dimensions`, and without DEMO text, which shows any."""
    return replace(
        persona,
        demographic="",
        comments=tuple(item for item in persona.comments if not touches(item.direction, dimensions)),
        pairs=tuple(item for item in persona.pairs if not touches(item.direction, dimensions)),
    )
