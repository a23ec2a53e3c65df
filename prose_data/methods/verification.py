"""PROSE's verification (arXiv 2505.23815): each component is held against the user's texts and needs their votes."""

from collections.abc import Sequence

from prose_data.llm.ask import ask_verdict
from prose_data.llm.types import LLM
from prose_data.prompts import render

VOTES = {
    "strongly confirms": 2,
    "somewhat confirms": 1,
    "neutral": 0,
    "somewhat contradicts": -1,
    "strongly contradicts": -2,
}
_SETTLED = 1.5  # a component with two votes of a mean beyond this is not asked about again

Votes = dict[str, int]  # the votes on one text, by component


async def verify(
    components: Sequence[str], texts: Sequence[str], given: Sequence[Votes], threshold: float, llm: LLM
) -> tuple[tuple[str, ...], list[Votes]]:
    """Return the components whose mean vote over the texts is above `threshold`, and all votes on each text.

    `given` are the votes on each text so far, which are not asked for again. A vote that can't be read is no vote; a
    component without any vote stays.
    """
    scores: dict[str, list[int]] = {component: [] for component in components}
    after = []
    for text, before in zip(texts, given, strict=True):
        votes = dict(before)
        for component in components:
            so_far = scores[component]
            if component not in votes:
                if len(so_far) >= 2 and abs(sum(so_far) / len(so_far)) > _SETTLED:
                    continue
                vote = await verify_component(llm, text, component)
                if vote is None:
                    continue
                votes[component] = vote
            so_far.append(votes[component])
        after.append(votes)
    kept = tuple(c for c in components if not scores[c] or sum(scores[c]) / len(scores[c]) > threshold)
    return kept, after


async def verify_component(llm: LLM, text: str, component: str) -> int | None:
    """Return the inferrer's vote from -2 to 2: does `text` confirm or contradict that its author has `component`?"""
    messages = render("prose_verify", text=text, component=component)
    verdict = await ask_verdict(llm, messages, "inferrer", list(VOTES))
    return None if verdict is None else VOTES[verdict]
