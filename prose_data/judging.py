"""The judge's verdicts that more than one place asks for: on one component, from -2 to 2 as PPCM has it
(arXiv 2505.23815), and on whom a description fits."""

from collections.abc import Sequence

from prose_data.llm.ask import ask_verdict
from prose_data.llm.types import LLM
from prose_data.prompts import render

EXHIBITS = {
    "clearly exhibits": 2,
    "somewhat exhibits": 1,
    "neither exhibits nor contradicts": 0,
    "somewhat contradicts": -1,
    "clearly contradicts": -2,
}


async def verdict_on(llm: LLM, text: str, component: str) -> str | None:
    """Return which of `EXHIBITS` the judge gives `text` on one component; None (counted) if it can't be read."""
    return await ask_verdict(
        llm, render("judge_component", text=text, component=component), "judge", list(EXHIBITS)
    )


async def shows(llm: LLM, text: str, component: str) -> int | None:
    """Return the same verdict as a number from -2 (clearly contradicts) to 2 (clearly exhibits)."""
    verdict = await verdict_on(llm, text, component)
    return None if verdict is None else EXHIBITS[verdict]


async def fitting(llm: LLM, components: Sequence[str], sets: Sequence[Sequence[str]]) -> int | None:
    """Return the number, from 0, of the one of `sets` that the judge finds described by `components`, offered in this
    order; None (counted) if it can't be read."""
    listed = "\n".join(f"{number}. {'; '.join(held)}" for number, held in enumerate(sets, 1))
    messages = render("judge_identify", preferences="; ".join(components), candidates=listed)
    verdict = await ask_verdict(llm, messages, "judge", [str(number) for number in range(1, len(sets) + 1)])
    return None if verdict is None else int(verdict) - 1
