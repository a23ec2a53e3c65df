"""Identification: does the inferred description point to the right user among users of the same kind?

PRELUDE's accuracy (arXiv 2404.15269) asks this with BERTScore over candidate sets; here the judge chooses.
"""

from prose_data.judging import fitting
from prose_data.llm.types import LLM
from prose_data.metrics.types import Case, Finding
from prose_data.streams import stream


async def identification(case: Case, llm: LLM) -> list[Finding]:
    """Return 1 if the judge picks the true user among the peers (chance is 1 / their number), else 0.

    Nothing for a method that infers nothing by design, or where all peers hold the same set. An empty description is
    wrong. The candidates' order is drawn anew for each inference, so a judge's love of a position gains nothing.
    """
    sets = list(dict.fromkeys(tuple(sorted(peer.components)) for peer in case.peers))
    if case.inference.description is None or len(sets) < 2:
        return []
    if not case.inference.components:
        return [Finding("identification", "", 0.0, "")]
    stream(case.inference.seed, "identification", case.inference.inference_id).shuffle(sets)
    picked = await fitting(llm, case.inference.components, sets)
    if picked is None:
        return []
    right = sets[picked] == tuple(sorted(case.user.components))
    return [Finding("identification", "", float(right), str(picked + 1))]
