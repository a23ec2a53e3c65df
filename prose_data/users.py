"""Users from a space: user `index` is a function of (space, kinds, seed, index) alone, whatever the count.

Fixed spaces hand out their sets in file order, round after round. Drawn spaces are stratified in blocks of
components x kinds users: within a block every component occurs equally often, also with every kind, so that
neither the component counts nor the topic say anything about a user. Blocks are independent of each other.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from random import Random

from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.personas import persona
from prose_data.spaces import Kind, Space, StyleComponent
from prose_data.streams import stream
from prose_data.values import Document, User

DRAWN_COUNT = 36  # users of a drawn space where the configuration names no count: four of each of nine kinds
PEERS = 20  # consecutive users of a drawn space among whom one is identified
_REPAIRS = 100  # exchanges tried per component and block before its counts may stay one off


def kinds_of(config: Config, space: Space, documents: Sequence[Document]) -> tuple[Kind, ...]:
    """Return the (task, source) kinds that users can have, restricted to the configured tasks.

    A fixed space brings its own, in file order; a drawn space takes those of the documents, sorted.
    Raises InputError if none is left.
    """
    if space.kind == "fixed":
        kinds = tuple(kind for kind in space.sets if kind[0] in config.tasks)
    else:
        kinds = tuple(sorted({(document.task, document.source) for document in documents}))
        kinds = tuple(kind for kind in kinds if kind[0] in config.tasks)
    if not kinds:
        raise InputError(
            f"tasks: space {space.name} and the documents have nothing for {', '.join(config.tasks)}"
        )
    return kinds


def user_count(config: Config, space: Space, kinds: Sequence[Kind]) -> int:
    """Return how many users the run has: `users.count`, else one per source (fixed) or 36 (drawn)."""
    if config.users.count is not None:
        return config.users.count
    return len(kinds) if space.kind == "fixed" else DRAWN_COUNT


def user_at(config: Config, space: Space, kinds: Sequence[Kind], index: int) -> User:
    """Return user number `index` (from 0); raises InputError if `users.components` can't be drawn from the space."""
    return user_range(config, space, kinds, index, index + 1)[0]


def user_range(config: Config, space: Space, kinds: Sequence[Kind], start: int, stop: int) -> list[User]:
    """Return users `start` to `stop` - 1; the cost grows with their number, not with `start`."""
    if space.kind == "fixed":
        return [_fixed_user(config, space, kinds, index) for index in range(start, stop)]
    size = len(space.components) * len(kinds)
    seed = config.users.seed
    users = []
    for number in range(start // size, -(-stop // size)):
        block = _block(space.name, space.components, tuple(kinds), config.users.components, seed, number)
        first = number * size
        for index in range(max(start, first), min(stop, first + size)):
            (task, source), components = block[index - first]
            user_id = f"{space.name}-{index:07d}"
            users.append(User(user_id, space.name, task, source, persona(seed, user_id), components, seed))
    return users


def peers_of(config: Config, space: Space, kinds: Sequence[Kind], user: User) -> tuple[User, ...]:
    """Return the users of the same task among whom `user` is to be identified, itself included, in index order.

    Fixed spaces: the users of the same round (one per source). Drawn spaces: the same 20 consecutive users.
    Peers do not depend on the count of users, so they may reach beyond the last user of the run.
    """
    if space.kind == "fixed":
        first = round_of(space, user) * len(kinds)
        block = user_range(config, space, kinds, first, first + len(kinds))
    else:
        first = int(user.user_id.rpartition("-")[2]) // PEERS * PEERS
        block = user_range(config, space, kinds, first, first + PEERS)
    return tuple(peer for peer in block if peer.task == user.task)


def round_of(space: Space, user: User) -> int:
    """Return how many earlier users of a fixed space have the same source; 0 in drawn spaces."""
    if space.kind == "drawn":
        return 0
    suffix = user.user_id.removeprefix(_fixed_id(space, user.task, user.source))
    return int(suffix.removeprefix("-") or 0)


def _fixed_id(space: Space, task: str, source: str) -> str:
    return f"{space.name}-{task}-{source}"


def _fixed_user(config: Config, space: Space, kinds: Sequence[Kind], index: int) -> User:
    turn, place = divmod(index, len(kinds))
    task, source = kinds[place]
    user_id = _fixed_id(space, task, source) + (f"-{turn}" if turn else "")
    seed = config.users.seed
    return User(user_id, space.name, task, source, persona(seed, user_id), space.sets[task, source], seed)


def clashes(components: Sequence[StyleComponent]) -> list[set[int]]:
    """Return for each component the numbers of those that can't stand beside it: of its axis (itself too) or excluded."""
    places = {component.text: place for place, component in enumerate(components)}
    return [
        {place for place, other in enumerate(components) if other.axis == component.axis}
        | {places[text] for text in component.excludes}
        for component in components
    ]


def compatible(ranked: Sequence[int], clash: Sequence[set[int]], wanted: int) -> set[int] | None:
    """Return the first `wanted` of `ranked` that go together (depth first), or None if there are none.

    `clash` is that of `clashes`.
    """
    if wanted == 0:
        return set()
    for place, c in enumerate(ranked):
        if wanted == 1:
            return {c}
        rest = compatible(
            [other for other in ranked[place + 1 :] if other not in clash[c]], clash, wanted - 1
        )
        if rest is not None:
            return rest | {c}
    return None


@lru_cache(maxsize=64)
def _block(
    name: str,
    components: tuple[StyleComponent, ...],
    kinds: tuple[Kind, ...],
    wanted: int,
    seed: int,
    number: int,
) -> tuple[tuple[Kind, tuple[str, ...]], ...]:
    """Return the users of one block as (kind, components in the order of the space)."""
    axes = [component.axis for component in components]
    if wanted > len(set(axes)):
        raise InputError(
            f"users.components is {wanted}, but space {name} has {len(set(axes))} axes and a user holds at most "
            "one component of each"
        )
    rng = stream(seed, "users", name, number)
    clash = clashes(components)
    order = list(chain.from_iterable(rng.sample(range(len(kinds)), len(kinds)) for _ in components))
    sets = _draw(order, len(kinds), clash, wanted, rng, name)
    if wanted * max(axes.count(axis) for axis in axes) <= len(components):
        for kind in range(len(kinds)):
            _even_out(
                [held for held, other in zip(sets, order, strict=True) if other == kind], clash, wanted, rng
            )
    texts = [component.text for component in components]
    return tuple(
        (kinds[kind], tuple(texts[c] for c in sorted(held))) for kind, held in zip(order, sets, strict=True)
    )


def _draw(
    order: Sequence[int], kinds: int, clash: Sequence[set[int]], wanted: int, rng: Random, name: str
) -> list[set[int]]:
    """Return one set of component numbers per entry of `order` (numbers of kinds), the rarest ones so far first.

    Rare counts within the kind first, then in all, so that also the first few users are spread evenly.
    """
    total = [0.0] * len(clash)
    within = [[0] * len(clash) for _ in range(kinds)]
    sets: list[set[int]] = []
    for kind in order:
        rare = [1e4 * seen + count + rng.random() for seen, count in zip(within[kind], total, strict=True)]
        held = compatible(sorted(range(len(clash)), key=rare.__getitem__), clash, wanted)
        if held is None:
            raise InputError(
                f"users.components is {wanted}, but space {name} has not that many components that go together"
            )
        for c in held:
            total[c] += 1
            within[kind][c] += 1
        sets.append(held)
    return sets


def _even_out(sets: Sequence[set[int]], clash: Sequence[set[int]], wanted: int, rng: Random) -> None:
    """Exchange components in place until each occurs `wanted` times in `sets` (as many sets as components).

    A component that is there too often gives way to one that is missing, or, where nobody can take that, to any
    other, which is then the one too many. Dense exclusions may leave a count one off.
    """
    counts = [sum(c in held for held in sets) for c in range(len(clash))]
    for _ in range(_REPAIRS * len(clash)):
        over = [c for c, count in enumerate(counts) if count > wanted]
        if not over:
            return
        under = [c for c, count in enumerate(counts) if count < wanted]
        old = rng.choice(over)
        for new in (rng.choice(under), rng.randrange(len(clash))):
            takers = [
                held for held in sets if old in held and new not in held and not (held - {old}) & clash[new]
            ]
            if new != old and takers:
                taker = rng.choice(takers)
                taker.remove(old)
                taker.add(new)
                counts[old] -= 1
                counts[new] += 1
                break
