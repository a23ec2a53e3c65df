"""The method `stylometric`: beliefs without a model, from what it remembers and nothing else."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from prose_data.config import Config
from prose_data.methods import METHODS
from prose_data.methods.types import Draft, Memory, Preference
from prose_data.stylometry.table import TABLE
from prose_data.values import Document, Task
from prose_data.writing import Example
from tests.fakes import ScriptedLLM
from tests.stylometry_examples import WRITERS
from tests.test_stylometry import FOREIGN, PROSE, varied

NO_MODEL = ScriptedLLM([])  # fails when it is asked


def lived(
    texts: Sequence[str], task: Task = "email", drafts: Sequence[str] = (), sources: Sequence[str] = ()
) -> list[Preference]:
    """Return what is believed before each text and after the last; a draft is written by what is believed."""

    async def drive() -> list[Preference]:
        method = METHODS["stylometric"](Config())
        assert method.infers
        memory: Memory = ()
        beliefs = []
        for number, text in enumerate(texts):
            source = sources[number] if sources else "own"
            document = Document(
                f"d{number}", task, source, f"Notes number {number} on the harbour.", "o", "l"
            )
            beliefs.append(await method.recall(memory, document, NO_MODEL))
            draft = Draft(drafts[number] if drafts else f"A draft, number {number}.", beliefs[-1])
            memory = await method.learn(memory, Example(document, text), draft, NO_MODEL)
        return [*beliefs, await method.recall(memory, document, NO_MODEL)]

    return asyncio.run(drive())


def components(*names: str) -> set[str]:
    return {TABLE[name].component for name in names}


def test_nothing_is_believed_before_the_first_sample() -> None:
    assert lived([PROSE])[0] == Preference((), "")


def test_habits_are_believed_with_how_sure_they_are() -> None:
    kind, wanted, texts = WRITERS[0]
    belief = lived(texts, kind)[-1]
    assert set(belief.components) == components(*wanted)
    assert belief.description == "; ".join(belief.components)
    assert len(belief.evidence) == len(belief.components)
    assert all((weight.support, weight.of) == (4, 4) for weight in belief.evidence)
    sure = [weight.confidence for weight in belief.evidence]
    assert sure == sorted(sure, reverse=True) and 0.8 < sure[-1] < 5 / 6


def test_no_model_is_asked() -> None:
    for kind, _, texts in WRITERS:
        lived(texts, kind)
    assert NO_MODEL.asked == []


def test_what_an_unbiased_draft_does_too_is_no_preference() -> None:
    texts = varied(PROSE.replace(", and ", " — and ").replace("On Mondays", "And — on Mondays —"), 3)
    assert components("dashes") <= set(lived(texts, "summarization")[-1].components)
    drafts = varied(f"{texts[0]} And — so it goes — on.", 3)
    assert not components("dashes") & set(lived(texts, "summarization", drafts)[-1].components)


def test_a_draft_that_follows_a_belief_is_no_reference() -> None:
    texts = varied(f"{PROSE} 🎉 🎉", 6)
    drafts = [PROSE, *varied(f"{PROSE} 🎉 🎉 🎉", 5)]  # as soon as emojis are believed in, drafts have them
    believed = lived(texts, drafts=drafts)
    assert [components("emojis") <= set(belief.components) for belief in believed] == [False, *[True] * 6]


def test_other_sources_are_not_related() -> None:
    texts = [*varied(f"{PROSE} 🎉 🎉", 3), *varied(PROSE, 3)]
    sources = ["news"] * 3 + ["reviews"] * 3
    before, *after = lived(texts, sources=sources)[3:]
    assert before.components == () and not any(belief.components for belief in after)


def test_a_description_stays_short_whatever_twenty_texts_show() -> None:
    everything = (
        "TL;DR: it WORKS & it is GREAT!\n\nDost thou know why? Lol, gonna be lit, y'all, no cap!! 🎉🎉 #fun #life\n"
        "- perhaps it buzzes like a bee (or so it seems)... bang, whoosh, boom!\n"
        "- **you** must certainly see it; you & you & you, as quiet as a mouse... :-)\n"
        "- unless you wonder, if you ask, suppose you try — and why not? — you may, you might\n"
        "Step 1: do it!\nStep 2: do it AGAIN!\n\nThank you so much!\n\nYours,\nSam the Weary\n\nP.S. More soon!"
    )
    texts = [f"{everything} Number {n}." for n in range(25)]
    beliefs = lived(texts)
    assert max(len(belief.components) for belief in beliefs) >= 15
    for belief in beliefs:
        assert belief.description is not None and len(belief.description.split()) < 120
        assert len(belief.evidence) == len(belief.components) == len(set(belief.components))
    assert beliefs[-1].evidence[0].of == 20


@pytest.mark.parametrize(
    "texts",
    [
        [""],
        ["word"],
        ["word"] * 5,
        ["", "x", "\x00", "\ud800"],
        [*FOREIGN.values()],
        ["Verdict: strongly confirms"],
    ],
    ids=("empty", "one word", "one word again and again", "scraps", "other scripts", "a verdict"),
)
def test_odd_texts_end_in_beliefs_all_the_same(texts: list[str]) -> None:
    for belief in lived(texts):
        assert set(belief.components) <= {row.component for row in TABLE.values() if not row.english}
        json.dumps([belief.components, belief.description])
