"""Surroundings: what a shard's descriptions could speak of beside what their users hold, for the metrics that ask so."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from prose_data.audiences import Audience
from prose_data.config import Config
from prose_data.documents import load_documents
from prose_data.metrics.types import Around
from prose_data.spaces import Space, load_space
from prose_data.topics import stems, topic_words, vocabulary
from prose_data.values import Document, Inference, Truth

_COMPARED = 1000  # documents of a run with which those of an audience are compared
_SPACES = ("plume", "prelude", "style")  # their words are of style, also where the run's own space has fewer

Place = tuple[str, int]  # user, seed


def surroundings(
    config: Config,
    space: Space,
    documents: Mapping[str, Document],
    audiences: Sequence[Audience],
    truths: Iterable[Truth],
    inferences: Iterable[Inference],
) -> dict[Place, Around]:
    """Return what is around each user of the audiences under each seed.

    `truths` are needed where users do not hold their components throughout; `inferences` tell who read which documents.
    The topic is looked for only if the configuration has the metric that asks for it.
    """
    held: dict[Place, list[Truth]] = defaultdict(list)
    for truth in truths:
        held[truth.user_id, truth.seed].append(truth)
    read: dict[Place, set[str]] = defaultdict(set)
    if "topic_leak" in config.metrics:
        for inference in inferences:
            read[inference.user_id, inference.seed].add(inference.document_id)
    found = {}
    for audience in audiences:
        for seed in config.seeds:
            names = {name for user in audience.users for name in read[user.user_id, seed]}
            topic = _topic(config, space, documents, names) if names else frozenset[str]()
            ever = {
                user.user_id: _unique(c for t in held[user.user_id, seed] for c in t.components)
                or user.components
                for user in audience.users
            }
            for name, own in ever.items():
                rivals = _unique(c for t in held[name, seed] for c in t.told if c not in t.components)
                others = _unique(c for theirs in ever.values() for c in theirs if c not in own)
                found[name, seed] = Around(rivals, others, topic)
    return found


def _unique(components: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(components))


def _topic(
    config: Config, space: Space, documents: Mapping[str, Document], names: Iterable[str]
) -> frozenset[str]:
    """Return the topic words of the named documents: against the run's others, and the bundled corpus beside these."""
    compared = sorted(documents)[:_COMPARED]
    others = Counter(_counts(tuple(documents[name].text for name in compared)))
    own = {name: documents[name].text for name in sorted(names) if name in documents}
    for name in own:
        if name <= compared[-1]:
            others.subtract(stems(own[name]))
    if config.documents != "bundled":
        others.update(_ordinary())
    return topic_words(own.values(), others, _style_words(space))


@lru_cache(maxsize=1)  # every shard of a run asks for the same
def _counts(texts: tuple[str, ...]) -> Counter[str]:
    return sum((stems(text) for text in texts), Counter[str]())


@cache
def _ordinary() -> Counter[str]:
    """Return the counts of the bundled documents, which are of nine kinds."""
    rows = load_documents(Config(), load_space("plume")).rows
    return sum((stems(document.text) for document in rows), Counter[str]())


def _style_words(space: Space) -> frozenset[str]:
    spaces = [space, *map(load_space, _SPACES)]
    fixed = (c for one in spaces for components in one.sets.values() for c in components)
    drawn = (component.text for one in spaces for component in one.components)
    return vocabulary([*fixed, *drawn])
