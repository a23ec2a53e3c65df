"""Recovery: which true components does the inferred description name? Nobody publishes it for PLUME; defined here.

The judge matches inferred to true components one to one; asking for a thing never matches asking to avoid it.
"""

from collections.abc import Sequence

from prose_data.llm.ask import ask_matches
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding
from prose_data.prompts import render


async def recovery(case: Case, llm: LLM) -> list[Finding]:
    """Return `recovery_precision`, `recovery_recall` and `recovery_f1`, each from 0 to 1, and per true component a
    `recovered`, 1 where it is named (their mean is the recall).

    Nothing for a method that infers nothing by design. Where one that does infer has learned nothing yet, recall and
    f1 are 0 and precision is undefined, so there is no row of it.
    """
    if case.inference.description is None:
        return []
    inferred, true = case.inference.components, sorted(case.user.components)
    pairs = await matches(inferred, true, llm)
    if pairs is None:
        return []
    named = {t: inferred[i] for i, t in pairs}
    recovered = [Finding("recovered", c, float(t in named), named.get(t, "")) for t, c in enumerate(true)]
    recall = len(pairs) / len(true)
    if not inferred:
        return [Finding("recovery_recall", "", 0.0, ""), Finding("recovery_f1", "", 0.0, ""), *recovered]
    precision = len(pairs) / len(inferred)
    f1 = 2 * precision * recall / (precision + recall) if pairs else 0.0
    verdict = ", ".join(f"{inferred[i]} = {true[t]}" for i, t in pairs)
    return [
        Finding("recovery_precision", "", precision, verdict),
        Finding("recovery_recall", "", recall, verdict),
        Finding("recovery_f1", "", f1, verdict),
        *recovered,
    ]


async def matches(inferred: Sequence[str], true: Sequence[str], llm: LLM) -> list[tuple[int, int]] | None:
    """Return which of `inferred` means the same as which of `true`, as zero-based pairs; None for an unreadable reply.

    No call where nothing is inferred.
    """
    if not inferred:
        return []
    messages = render("judge_match", inferred=_numbered(inferred), true=_numbered(true))
    return await ask_matches(llm, messages, "judge", len(inferred), len(true))


def _numbered(components: Sequence[str]) -> str:
    return "\n".join(f"{number}. {component}" for number, component in enumerate(components, 1))
