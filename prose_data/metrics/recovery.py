"""Recovery: which true components does the inferred description name? Nobody publishes it for PLUME; defined here.

The judge matches inferred to true components one to one; asking for a thing never matches asking to avoid it.
"""

from prose_data.llm.ask import ask_matches
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding
from prose_data.prompts import render


async def recovery(case: Case, llm: LLM) -> list[Finding]:
    """Return `recovery_precision`, `recovery_recall` and `recovery_f1`, each from 0 to 1.

    Nothing for a method that infers nothing by design. Where one that does infer has learned nothing yet, recall and
    f1 are 0 and precision is undefined, so there is no row of it.
    """
    if case.inference.description is None:
        return []
    inferred, true = case.inference.components, sorted(case.user.components)
    if not inferred:
        return [Finding("recovery_recall", "", 0.0, ""), Finding("recovery_f1", "", 0.0, "")]
    messages = render("judge_match", inferred=_numbered(inferred), true=_numbered(true))
    pairs = await ask_matches(llm, messages, "judge", len(inferred), len(true))
    if pairs is None:
        return []
    precision, recall = len(pairs) / len(inferred), len(pairs) / len(true)
    f1 = 2 * precision * recall / (precision + recall) if pairs else 0.0
    verdict = ", ".join(f"{inferred[i]} = {true[t]}" for i, t in pairs)
    return [
        Finding("recovery_precision", "", precision, verdict),
        Finding("recovery_recall", "", recall, verdict),
        Finding("recovery_f1", "", f1, verdict),
    ]


def _numbered(components: tuple[str, ...] | list[str]) -> str:
    return "\n".join(f"{number}. {component}" for number, component in enumerate(components, 1))
