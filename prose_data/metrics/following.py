"""Following: does a description name components that are not this user's, or no longer? Nobody publishes this; ours.

The judge matches the description with the user's own components and the foreign ones in one list, so that an item that
means one of the user's own is never held against the method.
"""

from collections.abc import Sequence

from prose_data.llm.types import LLM
from prose_data.metrics.recovery import matches
from prose_data.metrics.types import Case, Finding


async def stale(case: Case, llm: LLM) -> list[Finding]:
    """Return per component that the user held before and no longer (drift) 1 where it is still named, else 0."""
    return await _named("stale", case, case.former, llm)


async def rival(case: Case, llm: LLM) -> list[Finding]:
    """Return per component that the user wrote by in a minority of texts (conflict) 1 where it is named, else 0."""
    return await _named("rival", case, case.around.rivals, llm)


async def crosstalk(case: Case, llm: LLM) -> list[Finding]:
    """Return per component of others who are served together with the user 1 where it is named, else 0.

    What the user holds, or held, as well counts for nobody.
    """
    return await _named("crosstalk", case, case.around.others, llm)


async def _named(metric: str, case: Case, foreign: Sequence[str], llm: LLM) -> list[Finding]:
    """Return a finding per component of `foreign`; nothing for a method that infers nothing by design."""
    if case.inference.description is None or not foreign:
        return []
    inferred, listed = case.inference.components, [*sorted(case.user.components), *sorted(foreign)]
    pairs = await matches(inferred, listed, llm)
    if pairs is None:
        return []
    named = {listed[place]: inferred[i] for i, place in pairs}
    return [Finding(metric, c, float(c in named), named.get(c, "")) for c in sorted(foreign)]
