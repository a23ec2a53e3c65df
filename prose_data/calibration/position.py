"""Position bias: the question whom a description fits, asked with two users in both orders.

A clear probe describes one of them, a torn one both alike: a judge that loves a place gives itself away at the torn ones.
"""

from dataclasses import dataclass
from itertools import combinations

from prose_data.config import Config
from prose_data.spaces import load_space
from prose_data.streams import stream
from prose_data.users import user_range

PROBES = 25  # of each kind
_USERS = 40  # of a drawn space, of whom pairs are made

Components = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """A description to be matched with one of two users: user 0's own components, or (`torn`) half of each user's."""

    number: int
    torn: bool
    description: Components
    users: tuple[Components, Components]

    def offered(self, swapped: bool) -> tuple[Components, Components]:
        """Return the two users' components in the order in which the judge gets them."""
        return (self.users[1], self.users[0]) if swapped else self.users


def make_probes(config: Config) -> list[Probe]:
    """Return up to `PROBES` clear and as many torn probes from pairs of the configured space's users of one task.

    None where no two users of a task differ.
    """
    space = load_space(config.space)
    kinds = tuple(kind for kind in space.sets if kind[0] in config.tasks) or ((config.tasks[0], "any"),)
    users = user_range(config, space, kinds, 0, len(kinds) if space.kind == "fixed" else _USERS)
    sets: dict[str, dict[Components, None]] = {}
    for user in users:
        sets.setdefault(user.task, {})[tuple(sorted(user.components))] = None
    pairs = [
        (a, b)
        for held in sets.values()
        for a, b in combinations(held, 2)
        if set(a) - set(b) and set(b) - set(a)
    ]
    rng = stream(config.seeds[0], "calibration", "probes")
    probes = []
    for number, pair in enumerate(rng.sample(pairs, min(PROBES, len(pairs)))):
        one, other = rng.sample(pair, 2)
        only = [c for c in one if c not in other], [c for c in other if c not in one]
        many = max(1, min(map(len, only)) // 2)
        both = [*rng.sample(only[0], many), *rng.sample(only[1], many)]
        rng.shuffle(both)
        own = tuple(rng.sample(one, len(one)))
        probes += [Probe(number, False, own, (one, other)), Probe(number, True, tuple(both), (one, other))]
    return probes
