"""What the judge says of a description or a draft as a whole: likeness to the truth, content, coherence.

Preference similarity is PLUME's (arXiv 2505.23815, section on metrics). The other two stand beside PPCM, so that a draft can't
gain by showing preferences and saying anything: what it says of its document, and whether it hangs together.
"""

from prose_data.llm.ask import ask_number, ask_verdict
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding
from prose_data.prompts import render

SIMILAR = {
    "not at all similar": 0,
    "slightly similar": 1,
    "moderately similar": 2,
    "very similar": 3,
    "extremely similar": 4,
}
BORNE_OUT = {
    "nothing borne out": 0,
    "little borne out": 1,
    "half borne out": 2,
    "most borne out": 3,
    "all borne out": 4,
}


async def similarity(case: Case, llm: LLM) -> list[Finding]:
    """Return how similar the inferred preferences are to the true ones, 0 (not at all) to 4 (extremely); no text is shown.

    Nothing for a method that infers nothing by design; 0, without a call, where one that does has stated nothing.
    """
    if case.inference.description is None:
        return []
    if not case.inference.components:
        return [Finding("similarity", "", 0.0, "")]
    inferred, true = _listed(case.inference.components), _listed(tuple(sorted(case.user.components)))
    messages = render("judge_similarity", inferred=inferred, true=true)
    verdict = await ask_verdict(llm, messages, "judge", list(SIMILAR))
    return [] if verdict is None else [Finding("similarity", "", SIMILAR[verdict], verdict)]


async def faithfulness(case: Case, llm: LLM) -> list[Finding]:
    """Return how much of what the draft says its document bears out, 0 (nothing) to 4 (all); no preference is shown. Ours.

    How it is written doesn't count, nor what it leaves out.
    """
    messages = render("judge_faithfulness", document=case.document.text, text=case.inference.draft)
    verdict = await ask_verdict(llm, messages, "judge", list(BORNE_OUT))
    return [] if verdict is None else [Finding("faithfulness", "", BORNE_OUT[verdict], verdict)]


async def coherence(case: Case, llm: LLM) -> list[Finding]:
    """Return how coherent the draft is, a whole number from 0 (cannot be understood) to 100; nothing else is shown.

    The scale is that of judges of steered models (Betley et al., "Emergent Misalignment", 2025, arXiv 2502.17424).
    """
    number = await ask_number(llm, render("judge_coherence", text=case.inference.draft), "judge", 0, 100)
    return [] if number is None else [Finding("coherence", "", number, str(number))]


def _listed(components: tuple[str, ...]) -> str:
    return "\n".join(f"- {component}" for component in components)
