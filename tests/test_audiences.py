"""Audiences: who is served together, in which order their documents come, and what a method sees of these."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from prose_data.audiences import as_shown, audiences_of, block_size, in_sequence
from prose_data.config import Config, parse_config
from prose_data.documents import Documents, draw_documents, load_documents
from prose_data.errors import InputError
from prose_data.spaces import Kind, Space, load_space
from prose_data.users import kinds_of, user_range
from prose_data.values import Document, Task, User


def _config(**changes: Any) -> Config:
    return parse_config(
        {"space": "prelude", "framework": "prelude", "samples": {"per_user": 3}, **changes}, "test"
    )


def _ground(config: Config) -> tuple[Space, Documents, tuple[Kind, ...]]:
    space = load_space(config.space)
    documents = load_documents(config, space)
    return space, documents, kinds_of(config, space, documents.rows)


def _users(config: Config, count: int = 9) -> list[User]:
    space, _, kinds = _ground(config)
    return user_range(config, space, kinds, 0, count)


def _many(per_source: int) -> Documents:
    """Return so many documents of each of PRELUDE's sources."""
    kinds = load_space("prelude").sets
    rows = [
        Document(f"{task}-{source}-{number:03d}", task, source, "Text.", "o", "l")
        for task, source in kinds
        for number in range(per_source)
    ]
    return Documents(tuple(sorted(rows, key=lambda row: row.document_id)), {})


@pytest.mark.parametrize(("task", "sources", "each"), [("summarization", 5, 40), ("email", 4, 50)])
def test_a_seed_alone_decides_prelude_s_two_hundred_rounds(task: Task, sources: int, each: int) -> None:
    """As published: one generator shuffles each source in turn, then the first of each together."""
    config = _config(tasks=[task], samples={"per_user": each})
    space, documents = load_space("prelude"), _many(60)
    users = user_range(config, space, [kind for kind in space.sets if kind[0] == task], 0, sources)
    (audience,) = audiences_of(config, space, [kind for kind in space.sets if kind[0] == task], users)

    def drawn(seed: int) -> list[str]:
        own = {u.user_id: draw_documents(config, space, documents, u, seed, each) for u in users}
        turns = in_sequence(config, space, documents, audience, seed)
        steps: Counter[str] = Counter()
        for user, step in turns:
            assert step == steps[user.user_id], "each user's own come in order"
            steps[user.user_id] += 1
        return [own[user.user_id][step].document_id for user, step in turns]

    rng = np.random.default_rng(7)
    pools = [[d.document_id for d in documents.by_kind[task, user.source]] for user in users]
    for pool in pools:
        rng.shuffle(pool)
    published = [name for pool in pools for name in pool[:each]]
    rng.shuffle(published)
    assert drawn(7) == published and len(published) == 200
    assert drawn(7) != drawn(8)


def test_the_next_users_of_a_source_take_the_next_documents() -> None:
    config = _config(users={"count": 18})
    space, documents = load_space("prelude"), _many(6)
    users = user_range(config, space, tuple(space.sets), 0, 18)
    first, second = (
        {d.document_id for d in draw_documents(config, space, documents, user, 0, 3)}
        for user in (users[0], users[9])
    )
    assert first.isdisjoint(second) and len(first | second) == 6


def test_whole_tasks_are_served_together_and_never_split() -> None:
    config = _config(users={"count": 13})
    space, _, kinds = _ground(config)
    assert block_size(config, space, kinds) == 9
    served = audiences_of(config, space, kinds, _users(config, 13))
    assert [[user.source for user in audience.users] for audience in served] == [
        [source for task, source in kinds if task == "email"],
        [source for task, source in kinds if task == "summarization"],
        [source for task, source in kinds if task == "email"],
    ]
    assert len({audience.name for audience in served}) == 3


def test_what_is_held_out_comes_last() -> None:
    config = _config(samples={"per_user": 2, "heldout": 1})
    space, documents, kinds = _ground(config)
    audience = audiences_of(config, space, kinds, _users(config))[0]
    steps = [step for _, step in in_sequence(config, space, documents, audience, 0)]
    assert sorted(steps[:8]) == [0] * 4 + [1] * 4 and steps[8:] == [2] * 4


def test_a_short_audience_keeps_the_order_of_the_whole_one() -> None:
    config = _config(tasks=["email"])
    space, documents, kinds = _ground(config)
    users = _users(config, 4)

    def order(count: int) -> list[str]:
        (audience,) = audiences_of(config, space, kinds, users[:count])
        return [user.source for user, _ in in_sequence(config, space, documents, audience, 0)]

    left = {user.source for user in users[:2]}
    assert order(2) == [source for source in order(4) if source in left]


@pytest.mark.parametrize("framework", ["plume", "prelude"])
def test_any_number_of_users_take_turns_that_depend_on_the_seed(framework: str) -> None:
    config = _config(space="style", framework=framework, audience={"users": 3}, users={"count": 7})
    space, documents, kinds = _ground(config)
    served = audiences_of(config, space, kinds, _users(config, 7))
    assert [len(audience.users) for audience in served] == [3, 3, 1]
    turns = [
        [user.user_id for user, _ in in_sequence(config, space, documents, served[0], seed)]
        for seed in (0, 1, 0)
    ]
    assert turns[0] == turns[2] != turns[1]
    assert set(Counter(turns[0]).values()) == {3}
    alone = in_sequence(config, space, documents, served[2], 0)
    assert [step for _, step in alone] == [0, 1, 2]


def test_a_drawn_space_has_no_users_of_a_whole_task() -> None:
    config = _config(space="style", audience={"users": "task"})
    space, _, kinds = _ground(config)
    with pytest.raises(InputError, match=r"audience\.users: task is for spaces with one user per source"):
        block_size(config, space, kinds)


@pytest.mark.parametrize("source", ["known", "unknown"])
@pytest.mark.parametrize("users", [1, 2])
def test_a_method_sees_no_source_that_is_to_be_unknown(source: str, users: int) -> None:
    config = _config(audience={"users": users, "source": source}, users={"count": users})
    space, documents, kinds = _ground(config)
    own = _users(config, users)
    (audience,) = audiences_of(config, space, kinds, own)
    document = documents.rows[0]
    shown = [as_shown(config, audience, user, document, 0) for user in own]
    assert {one.text for one in shown} == {document.text}
    assert len({one.document_id for one in shown}) == users, "what two users both write about is told apart"
    if source == "known":
        assert len({one.source for one in shown}) == users, "and who is served is told"
        assert users > 1 or shown == [document]
    else:
        assert not any(document.source in f"{one.document_id} {one.source} {one.origin}" for one in shown)
