"""BERTScore of draft and description, and accuracy by it (arXiv 2505.23815, section on metrics), where it is installed."""

from prose_data.bertscore import MODEL, bertscore, f1
from prose_data.llm.types import LLM
from prose_data.metrics.accuracy import own_set_is_closest
from prose_data.metrics.types import Case, Finding


async def bertscores(case: Case, llm: LLM) -> list[Finding]:
    """Return `bertscore_text`, the F1 of the draft against the user's own text, and of the description against the user's
    true components `bertscore_precision`, `bertscore_recall` and `bertscore_f1` (an empty one is the word None), and
    `bertscore_accuracy`, as `accuracy` does by an encoder (PRELUDE, arXiv 2404.15269).

    All are rescaled, so that 1 is the same text and 0 as alike as any two. Of a method that infers nothing by design, the
    text alone.
    """
    alike = bertscore(case.inference.draft, case.text)
    found = [Finding("bertscore_text", "", alike.f1, MODEL)]
    described = case.inference.description
    if described is None:
        return found
    alike = bertscore(described, "; ".join(case.user.components))
    parts = {"precision": alike.precision, "recall": alike.recall, "f1": alike.f1}
    found += [Finding(f"bertscore_{part}", "", value, MODEL) for part, value in parts.items()]
    return [*found, *own_set_is_closest(case, "bertscore_accuracy", MODEL, f1)]
