"""What a metric takes and gives: one inference with its surroundings in, findings out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from prose_data.llm.types import LLM
from prose_data.values import Document, Inference, Truth, User


@dataclass(frozen=True, slots=True)
class Around:
    """What else a description of a user could speak of, under one seed.

    `rivals`: components that contradict the user's own, by which they wrote a minority of their texts. `others`:
    components of those who are served together with them. `topic`: stems of what the documents are about.
    """

    rivals: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    topic: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """One inference, its user with the components true at this document, and the user's peers (itself included).

    `text` is the user's own for the document, or what they made of the draft. `former` are components that the user
    held before and no longer. `encoder` is what compares texts (`prose_data.embedding`).
    """

    inference: Inference
    user: User
    document: Document
    text: str
    peers: tuple[User, ...]
    former: tuple[str, ...] = ()
    encoder: str = "hashing"
    around: Around = Around()


def at_truth(case: Case, truth: Truth) -> Case:
    """Return `case` with the user, also among the peers, holding what they hold at this document."""
    user = replace(case.user, components=truth.components)
    peers = tuple(user if peer.user_id == user.user_id else peer for peer in case.peers)
    return replace(case, user=user, peers=peers, former=truth.former)


@dataclass(frozen=True, slots=True)
class Finding:
    """One value; `component` is empty where the metric has none, `verdict` is what the judge said."""

    metric: str
    component: str
    value: float
    verdict: str


Metric = Callable[[Case, LLM], Awaitable[list[Finding]]]
