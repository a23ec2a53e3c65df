"""Accuracy: is the user's own set the one most alike to the inferred description, by a text encoder instead of a judge?

PRELUDE (arXiv 2404.15269, section on evaluation) asks so of each round, by BERTScore; here the cosine of the
configuration's encoder decides, which every finding names.
"""

from collections.abc import Callable, Sequence

from prose_data.embedding import similarities
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding


async def accuracy(case: Case, llm: LLM) -> list[Finding]:
    """Return what `own_set_is_closest` finds by the configuration's encoder."""

    def alike(text: str, others: Sequence[str]) -> list[float]:
        return [float(cosine) for cosine in similarities(text, others, case.encoder)]

    return own_set_is_closest(case, "accuracy", case.encoder, alike)


def own_set_is_closest(
    case: Case, name: str, scorer: str, alike: Callable[[str, Sequence[str]], Sequence[float]]
) -> list[Finding]:
    """Return 1 if the description is more alike to the user's set than to any other of the peers', else 0.

    Chance is 1 / the number of sets; a tie is wrong. The metric `name` counts a description that states nothing as wrong,
    `name`_stated leaves it out. Nothing for a method that infers nothing by design, or where all peers hold the same set.
    `scorer` is the verdict: what decides by `alike`, which says how alike a text is to each of others.
    """
    described = case.inference.description
    others = {frozenset(peer.components): "; ".join(peer.components) for peer in case.peers}
    others.pop(frozenset(case.user.components), None)
    if described is None or not others:
        return []
    if not described.strip():
        return [Finding(name, "", 0.0, "")]
    own, *rest = alike(described, ["; ".join(case.user.components), *others.values()])
    right = float(own > max(rest))
    return [Finding(metric, "", right, scorer) for metric in (name, f"{name}_stated")]
