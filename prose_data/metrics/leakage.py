"""Leaks: does a description speak of what the documents are about instead of how the user writes, and does a draft say its
preferences instead of showing them? No model judges."""

from prose_data.features import quotes
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding
from prose_data.topics import stems


async def topic_leak(case: Case, llm: LLM) -> list[Finding]:
    """Return the share of the stated components that hold a topic word of the documents (`prose_data.topics`), 0 to 1.

    Nothing where no component is stated. The verdict lists those that do.
    """
    stated = case.inference.components
    if case.inference.description is None or not stated:
        return []
    leaking = [component for component in stated if case.around.topic.intersection(stems(component))]
    return [Finding("topic_leak", "", len(leaking) / len(stated), ", ".join(leaking))]


async def quoted(case: Case, llm: LLM) -> list[Finding]:
    """Return the share of the components that the draft was written with which it says word for word, 0 to 1. Ours: the
    same check rejects users' samples.

    Components of fewer than three words are no quotation and don't count; nothing where there are no others. The verdict
    lists those that are quoted.
    """
    said = {component: quotes(case.inference.draft, component) for component in case.inference.components}
    long = [component for component, found in said.items() if found is not None]
    if not long:
        return []
    found = [component for component in long if said[component]]
    return [Finding("quoted", "", len(found) / len(long), ", ".join(found))]
