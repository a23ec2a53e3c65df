"""Topic leak: does a description speak of what the documents are about instead of how the user writes? No model judges."""

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
