"""What each record is to say, drawn before a word is written: the user's poles, and which of them each text shows.

A text shows some of what the user holds; the pair to predict shows poles that no single item of the history shows just so.
All of a plan depends on the user's number and the seed alone, so that shards can be made in any order.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from prose_data.alignx.correlation import user_signs
from prose_data.alignx.dimensions import Pole
from prose_data.alignx.profile import ABOVE
from prose_data.config import AlignX
from prose_data.paths import DATA
from prose_data.streams import Draws

_TRIES = 20  # drawings of a history that adds up to nothing, before the record is given up

_AT_ONCE = 1_000  # users whose scores are in memory

Poles = tuple[Pole, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One record to write. `pairs` begins with the pair to predict; `briefs` are of its post, then of the comments' posts,
    then of the other pairs'.

    `flipped` says of each pair whether its rejected reply is asked for first, so that no habit of a writer sticks to one
    side. `neutral`: every history that was drawn adds up to no direction at all, so the record is not to be written.
    """

    user: int
    held: Poles
    comments: tuple[Poles, ...]
    pairs: tuple[Poles, ...]
    flipped: tuple[bool, ...]
    briefs: tuple[str, ...]
    neutral: bool


@dataclass(frozen=True, slots=True)
class _Briefs:
    topics: tuple[str, ...]
    roles: tuple[str, ...]
    aims: tuple[str, ...]


def plans_of(settings: AlignX, seed: int, users: Sequence[int]) -> Iterator[Plan]:
    """Yield the plan of each user's record."""
    for start in range(0, len(users), _AT_ONCE):
        some = users[start : start + _AT_ONCE]
        for user, signs in zip(some, user_signs(settings, seed, some), strict=True):
            places = signs.nonzero()[0]
            held = tuple(zip(places.tolist(), (signs[places] > 0).tolist(), strict=True))
            yield _plan(settings, seed, user, held)


def _plan(settings: AlignX, seed: int, user: int, held: Poles) -> Plan:
    for attempt in range(_TRIES):
        draws = Draws("alignx", "plan", seed, user, attempt)
        target = _some(draws, settings, held)
        items: list[Poles] = []
        while len(items) < settings.comments + settings.pairs:
            item = _some(draws, settings, held)
            if item != target:
                items.append(item)
        neutral = _adds_up_to_nothing(items)
        if not neutral:
            break
    return Plan(
        user=user,
        held=held,
        comments=tuple(items[: settings.comments]),
        pairs=(target, *items[settings.comments :]),
        flipped=tuple(draws.below(2) == 1 for _ in range(1 + settings.pairs)),
        briefs=_briefs(draws, 1 + len(items)),
        neutral=neutral,
    )


def _some(draws: Draws, settings: AlignX, held: Poles) -> Poles:
    """Return the poles that one text shows, by index."""
    fewest, most = settings.shown
    return tuple(sorted(draws.sample(held, fewest + draws.below(most - fewest + 1))))


def _adds_up_to_nothing(items: Sequence[Poles]) -> bool:
    """Return whether a history that never contradicts itself is neutral throughout by the published thresholds."""
    most = max(Counter(index for item in items for index, _ in item).values())
    part, whole = ABOVE
    return most * whole < len(items) * (2 * part - whole)


def _briefs(draws: Draws, count: int) -> tuple[str, ...]:
    known = _known()
    return tuple(
        f"{topic}; {draws.pick(known.roles)}; {draws.pick(known.aims)}"
        for topic in draws.sample(known.topics, count)
    )


@cache
def _known() -> _Briefs:
    lines = (DATA / "alignx" / "briefs.tsv").read_text(encoding="utf-8").splitlines()[1:]
    kinds: dict[str, list[str]] = {"topic": [], "role": [], "aim": []}
    for line in lines:
        kind, text, _ = line.split("\t")
        kinds[kind].append(text)
    return _Briefs(tuple(kinds["topic"]), tuple(kinds["role"]), tuple(kinds["aim"]))
