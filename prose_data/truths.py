"""Truths: what a user holds, and writes by, at each of their documents.

Without a protocol that makes them differ these are the user's components throughout. Under `drift` some are replaced
for good; under `conflict` some give way, in a minority of the texts, to others that they contradict.
"""

from collections.abc import Sequence
from itertools import combinations, product
from random import Random

from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.spaces import Space
from prose_data.streams import stream
from prose_data.users import clashes, compatible
from prose_data.values import Document, Truth, User


def truths_of(
    config: Config, space: Space, user: User, seed: int, documents: Sequence[Document]
) -> list[Truth]:
    """Return the user's truth at each of their documents, in order.

    What changes is drawn by (seed, user). Raises InputError if the space has nothing to put in its place.
    """
    drift, conflict = config.protocol.drift, config.protocol.conflict
    truths = [constant(user, seed, step, document) for step, document in enumerate(documents)]
    if drift is not None:
        rng = stream(seed, "drift", user.user_id)
        after = _exchanged(space, user, drift.components, rng, "protocol.drift")
        former = tuple(component for component in user.components if component not in after)
        changed = set(range(drift.step, len(documents)))
        return [_at(t, after, after, former) if t.step in changed else t for t in truths]
    if conflict is not None:
        rng = stream(seed, "conflict", user.user_id)
        told = _exchanged(space, user, conflict.components, rng, "protocol.conflict", same_axis=True)
        learned = config.samples.per_user
        places = set(rng.sample(range(learned), conflict.texts(learned)))
        return [_at(t, t.components, told, ()) if t.step in places else t for t in truths]
    return truths


def constant(user: User, seed: int, step: int, document: Document) -> Truth:
    """Return the truth of a user who holds, and writes by, the same components throughout."""
    return Truth(user.user_id, seed, step, document.document_id, user.components, user.components, ())


def _at(truth: Truth, components: tuple[str, ...], told: tuple[str, ...], former: tuple[str, ...]) -> Truth:
    return Truth(truth.user_id, truth.seed, truth.step, truth.document_id, components, told, former)


def _exchanged(
    space: Space, user: User, wanted: int, rng: Random, key: str, same_axis: bool = False
) -> tuple[str, ...]:
    """Return the user's components with `wanted` of them replaced, each in its place; `key` names the setting in errors.

    Fixed spaces take what another source of the task has in the same places. Drawn ones take any components that go
    together with those that stay, with `same_axis` others of the axes of those that go.
    """
    held = user.components
    if wanted > len(held):
        raise InputError(
            f"{key}.components is {wanted}, but user {user.user_id} holds {len(held)} "
            f"component{'s' * (len(held) > 1)}"
        )
    if space.kind == "fixed":
        new = _of_another(space, user, wanted, rng)
    else:
        new = _drawn(space, held, wanted, rng, same_axis)
    if new is None:
        raise InputError(
            f"{key}.components is {wanted}, but space {space.name} has no others for that many components of user "
            f"{user.user_id}"
        )
    return tuple(new.get(place, component) for place, component in enumerate(held))


def _of_another(space: Space, user: User, wanted: int, rng: Random) -> dict[int, str] | None:
    """Return new components by place, all from one other source of the task, or None if no other has that many."""
    others = [
        components
        for (task, source), components in space.sets.items()
        if task == user.task and source != user.source
    ]
    choices = [
        {place: other[place] for place in places}
        for places, other in product(combinations(range(len(user.components)), wanted), others)
        if all(place < len(other) and other[place] not in user.components for place in places)
    ]
    return rng.choice(choices) if choices else None


def _drawn(
    space: Space, held: tuple[str, ...], wanted: int, rng: Random, same_axis: bool
) -> dict[int, str] | None:
    """Return new components by place for the first places in chance order that have such, or None."""
    components = space.components
    numbers = {component.text: number for number, component in enumerate(components)}
    own = [numbers[text] for text in held]
    clash = clashes(components)
    ranked = rng.sample(range(len(components)), len(components))
    choices = list(combinations(range(len(own)), wanted))
    rng.shuffle(choices)
    for places in choices:
        kept = [number for place, number in enumerate(own) if place not in places]
        barred = set(own).union(*(clash[number] for number in kept))
        place_of = {components[own[place]].axis: place for place in places}
        free = [c for c in ranked if c not in barred and (not same_axis or components[c].axis in place_of)]
        new = compatible(free, clash, wanted)
        if new is not None:
            texts = {c: components[c].text for c in sorted(new)}
            if same_axis:
                return {place_of[components[c].axis]: text for c, text in texts.items()}
            return dict(zip(places, texts.values(), strict=True))
    return None
