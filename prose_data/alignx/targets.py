"""Targets: choices to predict, each with the persona to predict it from, whatever file they come from."""

from collections.abc import Iterable
from dataclasses import dataclass

from prose_data.alignx.dimensions import Vector
from prose_data.alignx.persona import Persona
from prose_data.alignx.record import Record


@dataclass(frozen=True, slots=True)
class Target:
    """A post with the response that the user preferred and the other one.

    `direction` (None: not known) is the truth and for scores alone; `profile` (None: none) is the one that the file
    states, which in published files may have been made with the target in view. A target whose file names no user is a
    user of its own.
    """

    target_id: str
    user_id: str
    prompt: str
    chosen: str
    rejected: str
    direction: Vector | None
    persona: Persona
    profile: str | None = None


def target_of(
    record: Record, target_id: str, user_id: str | None = None, profile: str | None = None
) -> Target:
    """Return the target of a record; its DEMO, UGC and PAIR are the persona."""
    return Target(
        target_id=target_id,
        user_id=user_id or target_id,
        prompt=record.prompt,
        chosen=record.chosen,
        rejected=record.rejected,
        direction=record.direction,
        persona=Persona(record.demographic, record.comments, record.pairs),
        profile=profile,
    )


def distinct(targets: Iterable[Target]) -> int:
    """Return how many different choices there are among `targets`; sets often show one with several personas."""
    return len({(target.prompt, target.chosen, target.rejected) for target in targets})
