"""How much stylometry recovers of users who hold mechanical components, from texts of the simulated model.

The texts are checked as a run checks them. References are what a method has: the documents, and the one draft that is
written before anything is believed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import pytest

from prose_data.config import Config
from prose_data.documents import load_documents
from prose_data.features import features
from prose_data.llm.parse import quoted_text
from prose_data.measures import MEASURES
from prose_data.samples import SHOWN
from prose_data.simulator.model import simulate
from prose_data.simulator.understanding import meaning
from prose_data.spaces import Kind, Space, StyleComponent, load_space
from prose_data.streams import stream
from prose_data.stylometry import habits
from prose_data.values import Document, Task
from prose_data.writing import writing_messages

STYLE, PLUME = load_space("style"), load_space("plume")
SAMPLES = 4
USERS = 27  # of a seed
MARKS = frozenset(  # what stands on the page, whoever speaks about whatever
    "emojis ampersands allcaps lowercase parentheses semicolons dashes ellipses exclamations asterisks bullets steps "
    "qa headings one_sentence_paragraphs postscript conclusion_opening".split()
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A user with mechanical components, and what a method gets to see of them."""

    task: Task
    components: tuple[str, ...]
    texts: tuple[str, ...]
    references: tuple[str, ...]


@cache
def documents() -> dict[Kind, tuple[Document, ...]]:
    return dict(sorted(load_documents(Config(), STYLE).by_kind.items()))


def written(document: Document, components: Sequence[str], space: Space, seed: int) -> str:
    """Return the first of a few tries that shows all components, else the last."""
    text = ""
    for attempt in range(4):
        text = quoted_text(
            simulate(writing_messages(document, components), "sim-strong", 10 * seed + attempt)
        )
        if all(MEASURES[space.checks[c]](features(text)) >= SHOWN for c in components if c in space.checks):
            break
    return text


def holder(kind: Kind, components: tuple[str, ...], space: Space, seed: int) -> Holder:
    rng = stream(seed, "holder", *kind, *components)
    about = rng.sample(documents()[kind], SAMPLES)
    texts = tuple(written(document, components, space, seed) for document in about)
    plain = written(about[0], (), space, seed)
    return Holder(kind[0], components, texts, (*(document.text for document in about), plain))


def drawn(pool: Sequence[StyleComponent], seed: int, user: int) -> tuple[str, ...]:
    """Return four components of different axes, none of which excludes another."""
    rng = stream(seed, "drawn", user)
    chosen: list[StyleComponent] = []
    for one in rng.sample(pool, len(pool)):
        if len(chosen) < 4 and all(_together(one, other) for other in chosen):
            chosen.append(one)
    return tuple(one.text for one in chosen)


def _together(one: StyleComponent, other: StyleComponent) -> bool:
    return one.axis != other.axis and one.text not in other.excludes and other.text not in one.excludes


def style_holders(seed: int) -> list[Holder]:
    pool = [one for one in STYLE.components if one.text in STYLE.checks]
    kinds = list(documents())
    return [holder(kinds[user % len(kinds)], drawn(pool, seed, user), STYLE, seed) for user in range(USERS)]


def plume_holders(seed: int) -> list[Holder]:
    mechanical = {
        kind: tuple(component for component in components if component in PLUME.checks)
        for kind, components in PLUME.sets.items()
    }
    return [holder(kind, components, PLUME, seed) for kind, components in mechanical.items() if components]


def device(phrase: str) -> str:
    means = meaning(phrase)
    return phrase if means is None or not means.positive else means.device


def counted(
    holders: Iterable[Holder], samples: int = SAMPLES
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return by device how often it was held, found, and stated of somebody who does not hold it."""
    held: Counter[str] = Counter()
    found: Counter[str] = Counter()
    invented: Counter[str] = Counter()
    for one in holders:
        true = {device(component) for component in one.components}
        stated = {device(h.component) for h in habits(one.texts[:samples], one.references, one.task)}
        held.update(true)
        found.update(true & stated)
        invented.update(stated - true)
    return held, found, invented


@pytest.fixture(scope="module")
def holders() -> list[Holder]:
    return [one for seed in (0, 1, 2) for one in (*style_holders(seed), *plume_holders(seed))]


def test_mechanical_components_are_found_from_four_samples(holders: list[Holder]) -> None:
    held, found, invented = counted(holders)
    assert len(held) > 20
    assert found.total() / held.total() >= 0.9
    assert found.total() / (found + invented).total() >= 0.9
    on_the_page = {name: found[name] / held[name] for name in MARKS & held.keys()}
    assert min(on_the_page.values()) >= 0.8, on_the_page


def test_less_is_found_from_fewer_samples_but_hardly_more_is_invented(holders: list[Holder]) -> None:
    shares = []
    for samples in (1, 2, 4):
        held, found, invented = counted(holders, samples)
        shares.append(found.total() / held.total())
        assert found.total() / (found + invented).total() >= 0.9
    assert 0.4 < shares[0] < shares[1] < shares[2]


def test_drafts_without_preferences_state_hardly_anything() -> None:
    plain = [
        Holder(kind[0], (), tuple(written(document, (), STYLE, 0) for document in about[:SAMPLES]), ())
        for kind, about in documents().items()
    ]
    _, _, invented = counted(plain)
    assert invented.total() <= 1
