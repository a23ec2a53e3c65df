"""Likeness by a text encoder, which needs no judge: what stands in for BERTScore where that is not installed.

It is the cosine of two vectors of the configuration's encoder (`prose_data.embedding`), which every finding names: values of
different encoders don't compare, and `hashing` sees wording alone.
"""

from prose_data.embedding import similarities
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding


async def preference_likeness(case: Case, llm: LLM) -> list[Finding]:
    """Return the cosine of the description and the user's true components, both joined by semicolons; 0 where nothing is
    stated, nothing for a method that infers nothing by design."""
    described = case.inference.description
    if described is None:
        return []
    true = "; ".join(sorted(case.user.components))
    return [
        Finding(
            "preference_likeness", "", float(similarities(described, [true], case.encoder)[0]), case.encoder
        )
    ]


async def text_likeness(case: Case, llm: LLM) -> list[Finding]:
    """Return the cosine of the draft and the user's own text; most of it comes from what both are about."""
    alike = similarities(case.inference.draft, [case.text], case.encoder)
    return [Finding("text_likeness", "", float(alike[0]), case.encoder)]
