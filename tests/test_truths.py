"""What users hold and write by under drift and conflict: drawn by name, compatible, exact, and refused where it can't be."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from prose_data.config import Config, parse_config
from prose_data.documents import load_documents
from prose_data.errors import InputError
from prose_data.spaces import Space, StyleComponent, load_space
from prose_data.truths import truths_of
from prose_data.users import kinds_of, user_range
from prose_data.values import Document, Truth, User

STYLE, PLUME, PRELUDE = load_space("style"), load_space("plume"), load_space("prelude")
BY_TEXT = {component.text: component for component in STYLE.components}
DOCUMENTS = [Document(f"d{n}", "email", "ccby", "x", "o", "l") for n in range(7)]


def _config(space: str = "style", per_user: int = 5, heldout: int = 2, **protocol: Any) -> Config:
    data = {"space": space, "samples": {"per_user": per_user, "heldout": heldout}, "protocol": protocol}
    return parse_config(data, "test")


def _users(config: Config, space: Space, count: int) -> list[User]:
    return user_range(config, space, kinds_of(config, space, load_documents(Config(), space).rows), 0, count)


def _truths(config: Config, space: Space, user: User, seed: int = 0) -> list[Truth]:
    return truths_of(config, space, user, seed, DOCUMENTS[: config.rounds])


def _goes_together(components: tuple[str, ...]) -> bool:
    axes = [BY_TEXT[text].axis for text in components]
    clash = any(other in BY_TEXT[text].excludes for text in components for other in components)
    return len(set(axes)) == len(axes) and not clash


def test_without_a_protocol_users_hold_and_write_by_their_components_throughout() -> None:
    (user,) = _users(_config(), STYLE, 1)
    for step, truth in enumerate(_truths(_config(), STYLE, user, seed=3)):
        assert truth == Truth(user.user_id, 3, step, f"d{step}", user.components, user.components, ())


def test_drift_replaces_components_for_good_by_others_that_go_with_the_rest() -> None:
    config = _config(drift={"step": 3, "components": 2})
    for user in _users(config, STYLE, 300):
        before, after = _truths(config, STYLE, user)[:3], _truths(config, STYLE, user)[3:]
        assert {(t.components, t.told, t.former) for t in before} == {(user.components, user.components, ())}
        ((held, told, former),) = {(t.components, t.told, t.former) for t in after}
        assert held == told and _goes_together(held)
        changed = [old for old, new in zip(user.components, held, strict=True) if old != new]
        assert former == tuple(changed) and len(former) == 2 and not set(former) & set(held)
        assert not (set(held) - set(user.components)) & set(user.components)


def test_what_changes_is_drawn_by_seed_and_user() -> None:
    config = _config(drift={"step": 1, "components": 2})
    users = _users(config, STYLE, 40)
    first = [_truths(config, STYLE, user)[-1] for user in users]
    assert first == [_truths(config, STYLE, user)[-1] for user in _users(config, STYLE, 50)[:40]]
    other = [_truths(config, STYLE, user, seed=1)[-1].components for user in users]
    assert sum(t.components == o for t, o in zip(first, other, strict=True)) < 4
    dropped = Counter(place for t, u in zip(first, users, strict=True) for place in _places(u, t))
    assert len(dropped) == 4 and max(dropped.values()) < 40  # no place is safe, none is always hit
    fresh = {new for t, u in zip(first, users, strict=True) for new in set(t.components) - set(u.components)}
    assert len(fresh) > 25  # of 54


def _places(user: User, truth: Truth) -> list[int]:
    return [i for i, text in enumerate(user.components) if text != truth.components[i]]


def test_drift_in_a_fixed_space_takes_the_same_places_of_one_other_source() -> None:
    config = _config("plume", drift={"step": 1, "components": 2})
    for user in _users(config, PLUME, 9):
        for seed in range(10):
            held = _truths(config, PLUME, user, seed)[-1].components
            new = {place: text for place, text in enumerate(held) if text != user.components[place]}
            assert len(new) == 2
            donors = [
                source
                for (task, source), components in PLUME.sets.items()
                if task == user.task and all(components[place] == text for place, text in new.items())
            ]
            assert len(donors) == 1 and donors != [user.source]


def test_a_shorter_set_of_another_source_gives_only_the_places_it_has() -> None:
    config = _config("prelude", drift={"step": 1, "components": 1})
    for user in _users(config, PRELUDE, 9):
        held = _truths(config, PRELUDE, user)[-1].components
        assert len(held) == len(user.components) and len(set(held) - set(user.components)) == 1


@pytest.mark.parametrize(
    ("share", "per_user", "wanted"),
    [(0.4, 5, 2), (0.29, 100, 29), (0.49, 5, 2), (0.2, 5, 1), (0.3, 20, 6)],
)
def test_a_conflict_is_in_exactly_the_share_of_the_texts_to_learn_from(
    share: float, per_user: int, wanted: int
) -> None:
    config = _config(per_user=per_user, conflict={"share": share, "components": 1})
    documents = [replace(DOCUMENTS[0], document_id=f"d{n}") for n in range(config.rounds)]
    places = Counter[int]()
    for user in _users(config, STYLE, 30):
        truths = truths_of(config, STYLE, user, 0, documents)
        assert {(t.components, t.former) for t in truths} == {(user.components, ())}
        against = [t for t in truths if t.told != user.components]
        assert len(against) == wanted < per_user / 2 and all(t.step < per_user for t in against)
        places.update(t.step for t in against)
        ((told),) = {t.told for t in against}
        ((old, new),) = [pair for pair in zip(user.components, told, strict=True) if pair[0] != pair[1]]
        assert BY_TEXT[old].axis == BY_TEXT[new].axis and _goes_together(told)
    assert len(places) > per_user / 2  # no fixed places


def test_a_conflict_in_a_fixed_space_takes_the_value_of_the_same_slot() -> None:
    config = _config("plume", conflict={})
    for user in _users(config, PLUME, 9):
        (told,) = {t.told for t in _truths(config, PLUME, user)} - {user.components}
        ((place, new),) = [(i, text) for i, text in enumerate(told) if text != user.components[i]]
        slot = {c[place] for (task, _), c in PLUME.sets.items() if task == user.task}
        assert new in slot


TIGHT = Space(
    *("tight", "1", "drawn", {}),
    tuple(
        StyleComponent(text, axis)
        for text, axis in (("a", "x"), ("b", "x"), ("only one here", "y"), ("nor here", "z"))
    ),
    {},
)


def test_contested_are_only_components_that_have_an_alternative() -> None:
    config = _config(conflict={"share": 0.4, "components": 1})
    user = User("tight-0", "tight", "email", "s", "", ("a", "only one here", "nor here"), 0)
    for seed in range(10):
        assert {t.told for t in _truths(config, TIGHT, user, seed)} == {
            user.components,
            ("b", "only one here", "nor here"),
        }


@pytest.mark.parametrize(
    ("space", "protocol", "held", "words"),
    [
        (TIGHT, {"drift": {"components": 4}}, ("a", "nor here"), r"drift.components is 4, but .* holds 2 comp"),
        (TIGHT, {"drift": {"components": 3}}, ("a", "only one here", "nor here"), "space tight has no others"),
        (TIGHT, {"conflict": {"components": 1}}, ("nor here",), "protocol.conflict.components is 1, but space tight"),
        (TIGHT, {"conflict": {"components": 2}}, ("a", "nor here"), "no others for that many components of user u"),
    ],
)  # fmt: skip
def test_what_a_space_has_no_room_for_is_one_sentence(
    space: Space, protocol: dict[str, Any], held: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InputError, match=words) as error:
        _truths(_config(**protocol), space, User("u", "tight", "email", "s", "", held, 0))
    assert "\n" not in str(error.value)


def test_a_lone_source_has_nothing_to_drift_to() -> None:
    lone = replace(PLUME, sets={("email", "ccby"): PLUME.sets["email", "ccby"]})
    user = _users(_config("plume", drift={"step": 1}), lone, 1)[0]
    with pytest.raises(InputError, match="space plume has no others"):
        _truths(_config("plume", drift={"step": 1}), lone, user)
