"""What each method knows of a user where a choice is to be predicted; PBA's bridge from a persona to a profile.

none            nothing: the floor
ica             the persona as it is
pba             the profile that a model predicts from the persona
pba_arithmetic  the profile that the directions of the history's items add up to, as AlignX is trained
pba_stored      the profile that the file states, as the published test sets are scored; it may hold the target's own
golden          the profile of the target's own direction: the ceiling
"""

from collections.abc import Sequence
from typing import Literal, get_args

from prose_data.alignx.dimensions import COUNT, DIMENSIONS, NEUTRAL_VECTOR, Vector, label, vector_of
from prose_data.alignx.persona import Persona
from prose_data.alignx.profile import Threshold, aggregate, to_text
from prose_data.alignx.targets import Target
from prose_data.alignx.templates import LIMIT, Count, about_tokens, fitted
from prose_data.errors import InputError
from prose_data.llm.ask import ask_options
from prose_data.llm.types import LLM, Message
from prose_data.prompts import render

# The published test sets' thresholds, by which any net vote of up to 50 items counts; training rows have 3/5 and 2/5.
ABOVE: Threshold = (51, 100)
BELOW: Threshold = (49, 100)

Method = Literal["none", "ica", "pba", "pba_arithmetic", "pba_stored", "golden"]
METHODS: Sequence[Method] = get_args(Method)

_POLES = {label((index, positive)): (index, positive) for index in range(COUNT) for positive in (True, False)}
_OPTIONS = {text: index for text, (index, _) in _POLES.items()}
_LISTED = "\n".join(f"{dimension.positive} | {dimension.negative}" for dimension in DIMENSIONS)


def predict_messages(persona: Persona, limit: int = LIMIT, count: Count = about_tokens) -> list[Message]:
    """Return the prompt that asks which of the 90 directions a persona shows; a longer one loses its oldest items."""
    return fitted(
        persona, lambda known: render("alignx_predict", persona=known, directions=_LISTED), limit, count
    )


async def predict(llm: LLM, persona: Persona) -> Vector | None:
    """Return the direction that the inferrer finds in a persona; None (noted) if it can't be read.

    Only labels on offer are taken, and one pole of a dimension. An empty persona is neutral without a call.
    """
    if persona.empty:
        return NEUTRAL_VECTOR
    labels = await ask_options(llm, predict_messages(persona), "inferrer", _OPTIONS)
    return None if labels is None else vector_of(map(_POLES.__getitem__, labels))


async def known_by(llm: LLM, method: Method, target: Target, persona: Persona) -> Persona | str | None:
    """Return what `method` knows of a target's user: a persona (its part that may be seen), or a profile ("": nothing).

    None (noted) where the predicted profile can't be read. Raises InputError where the target lacks what the method
    needs.
    """
    if method == "none":
        return Persona()
    if method == "ica":
        return persona
    if method == "pba":
        predicted = await predict(llm, persona)
        return None if predicted is None else to_text(predicted)
    if method == "pba_arithmetic":
        return to_text(_added_up(target, persona))
    if method == "pba_stored":
        if target.profile is None:
            raise InputError(f"{target.target_id}: pba_stored needs a profile, and the row has none; use pba")
        return target.profile
    if target.direction is None:
        raise InputError(
            f"{target.target_id}: golden needs the target's own direction, and the row has none; use another method"
        )
    return to_text(target.direction)


def shown_direction(target: Target, persona: Persona) -> Vector:
    """Return the direction that a persona shows: what its items add up to, or for DEMO text, which describes the target,
    the target's own. Raises InputError where the file has neither."""
    if persona.items:
        return _added_up(target, persona)
    if target.direction is None:
        raise InputError(f"{target.target_id}: the row has no direction to compare with")
    return target.direction if persona.demographic else NEUTRAL_VECTOR


def _added_up(target: Target, persona: Persona) -> Vector:
    if not persona.directed or (persona.demographic and not persona.items):
        raise InputError(
            f"{target.target_id}: the directions of a history's items are to be added up, and the persona has none; "
            "use another method, metric or --persona"
        )
    return aggregate(persona.directions, ABOVE, BELOW)
