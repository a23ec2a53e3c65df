"""Predicting directions and selecting responses: what is read, what is a failure, and what a position is worth."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import pytest

from prose_data.alignx.choosing import ORDERS, choose, drawn_order, hit
from prose_data.alignx.dimensions import COUNT, DIMENSIONS, NEUTRAL_VECTOR, Vector, mirrored, vector_of
from prose_data.alignx.directions import recovery
from prose_data.alignx.pair_report import markdown, summarize, to_frame
from prose_data.alignx.persona import Persona
from prose_data.alignx.predicting import METHODS, Method, known_by, predict
from prose_data.alignx.profile import to_text
from prose_data.alignx.scoring import Asking, Scores, Showing, rule_scores, score_direction, score_selection
from prose_data.alignx.shortcuts import first_word, longer, overlap
from prose_data.alignx.targets import Target
from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.llm.door import open_door
from tests.alignx_targets import targets
from tests.fakes import ScriptedLLM

TARGET = targets(1)[0]
LABELS = [label for dimension in DIMENSIONS for label in (dimension.positive, dimension.negative)]


def told(*labels: str) -> str:
    return json.dumps({"components": labels})


def predicted(*replies: str) -> tuple[Vector | None, ScriptedLLM]:
    llm = ScriptedLLM(replies)
    return asyncio.run(predict(llm, TARGET.persona)), llm


def test_every_label_on_offer_is_read_as_its_pole() -> None:
    for index, dimension in enumerate(DIMENSIONS):
        for label, positive in ((dimension.positive, True), (dimension.negative, False)):
            assert predicted(told(label))[0] == vector_of([(index, positive)])
    assert predicted(told())[0] == NEUTRAL_VECTOR
    assert predicted(told(*LABELS[::2]))[0] == (1.0,) * COUNT


@pytest.mark.parametrize(
    "reply",
    [
        told("Likes to be asked"),
        told(LABELS[0], "likes art"),
        told(LABELS[0], LABELS[1]),
        told(LABELS[3], LABELS[3]),
        told(f"{LABELS[0]}, {LABELS[2]}"),
        "I would say " + LABELS[0],
        json.dumps({"components": [1]}),
    ],
    ids=["unknown", "other case", "both poles", "twice", "two in one", "no list", "no text"],
)
def test_what_is_not_on_offer_gets_one_correction_and_is_then_unreadable(reply: str) -> None:
    found, llm = predicted(reply, told(LABELS[5]))
    assert found == vector_of([(2, False)]) and len(llm.corrections) == 1 and not llm.notes
    assert "one of those on offer" in llm.corrections[0][1]
    found, llm = predicted(reply, reply)
    assert found is None and [reason for reason, _ in llm.notes] == ["unreadable_options"]


def test_the_prompt_offers_all_labels_and_an_empty_persona_is_not_asked_about() -> None:
    _, llm = predicted(told())
    lines = llm.asked[0][2].split("<candidates>\n")[1].split("\n</candidates>")[0].splitlines()
    assert [label for line in lines for label in line.split(" | ")] == LABELS
    assert llm.asked[0][0] == "inferrer"
    empty = ScriptedLLM(())
    assert asyncio.run(predict(empty, Persona())) == NEUTRAL_VECTOR and not empty.asked


def known(method: Method, target: Target = TARGET, *replies: str) -> Any:
    return asyncio.run(known_by(ScriptedLLM(replies), method, target, target.persona))


def test_each_method_knows_its_own() -> None:
    assert TARGET.direction is not None
    assert set(METHODS) == set(get_args(Method))
    assert known("none") == Persona()
    assert known("ica") == TARGET.persona
    assert known("pba", TARGET, told(LABELS[0])) == LABELS[0]
    assert known("golden") == to_text(TARGET.direction)
    assert known("pba_stored", replace(TARGET, profile="Likes art")) == "Likes art"


def test_the_arithmetic_counts_any_net_vote_and_knows_nothing_of_the_target() -> None:
    one, other = vector_of([(5, True)]), vector_of([(5, False), (7, False)])
    items = [
        replace(TARGET.persona.pairs[0], direction=vector)
        for vector in (one, one, other, *[NEUTRAL_VECTOR] * 20)
    ]
    target = replace(TARGET, persona=Persona(pairs=tuple(items)))
    assert known("pba_arithmetic", target) == to_text(vector_of([(5, True), (7, False)]))
    assert known("pba_arithmetic", replace(target, direction=None)) == known("pba_arithmetic", target)
    still = replace(target, persona=Persona(pairs=(items[-1],)))
    assert known("pba_arithmetic", still) == "", (
        "an all-neutral history is an empty profile, not 90 negative labels"
    )


@pytest.mark.parametrize(
    ("method", "changes", "said"),
    [
        ("golden", {"direction": None}, "golden needs the target's own direction"),
        ("pba_stored", {"profile": None}, "needs a profile"),
        ("pba_arithmetic", {"persona": replace(TARGET.persona, directed=False)}, "the persona has none"),
        ("pba_arithmetic", {"persona": Persona("A baker.")}, "the persona has none"),
    ],
)
def test_a_target_without_what_a_method_needs_is_named(method: Method, changes: Any, said: str) -> None:
    with pytest.raises(InputError, match=f"t0000: .*{said}"):
        known(method, replace(TARGET, **changes))


def test_the_reader_sees_the_responses_in_the_order_asked_for() -> None:
    llm = ScriptedLLM(["Verdict: A", "Verdict: b."])
    letters = [asyncio.run(choose(llm, TARGET, "Likes art", order)) for order in ORDERS]
    assert letters == ["A", "B"]
    for (role, _, user), (first, second) in zip(
        llm.asked, ((TARGET.chosen, TARGET.rejected), (TARGET.rejected, TARGET.chosen)), strict=True
    ):
        assert role == "judge" and user.index(first) < user.index(second) and "Likes art" in user
    assert [hit("A", order) for order in ORDERS] == [True, False]
    assert [hit("B", order) for order in ORDERS] == [False, True]


def config(model: str = "sim-strong") -> Config:
    return Config.model_validate({"models": {"default": {"model": model}}})


def scored(
    rows: Sequence[Target], methods: Sequence[Method], answer: Any = None, showing: Showing | None = None
) -> Scores:
    """Return the selection scores by the simulated model, or by `answer(user message)`."""

    async def go() -> Scores:
        async with open_door(config(), None) as door:
            if answer is not None:
                door.view = lambda *_: ScriptedLLM(lambda system, user, role, replicate: answer(user))  # type: ignore[method-assign,assignment]
            return await score_selection(rows, methods, showing or Showing(), Asking(config(), door))

    return asyncio.run(go())


def summary_of(rows: Sequence[Target], scores: Scores) -> Any:
    return summarize(rows, [Showing().of(target) for target in rows], scores, rule_scores(rows, Showing()))


def test_a_reader_that_loves_a_letter_is_right_half_the_time_and_its_love_shows() -> None:
    rows = targets(40)
    found = summary_of(rows, scored(rows, ["none"], lambda user: "Verdict: A"))["methods"]["none"]
    assert found["selection_accuracy"]["mean"] == 0.5 and found["ties"] == 40
    assert found["share_of_a"]["mean"] == 1.0
    assert 0.2 < found["selection_published"]["mean"] < 0.8, "one drawn order each"


def test_the_truth_gets_full_marks_and_its_opposite_none() -> None:
    rows = targets(10)
    chosen = {target.chosen for target in rows}

    def right(user: str) -> str:
        first = user.split("<first>\n")[1].split("\n</first>")[0]
        return f"Verdict: {'A' if first in chosen else 'B'}"

    def wrong(user: str) -> str:
        return right(user).translate(str.maketrans("AB", "BA"))

    for answer, points in ((right, 1.0), (wrong, 0.0)):
        found = summary_of(rows, scored(rows, ["ica"], answer))["methods"]["ica"]
        assert found["selection_accuracy"]["mean"] == found["selection_published"]["mean"] == points
        assert found["selection_accuracy"]["n"] == 10 and found["failures"] == 0


def test_an_unreadable_letter_is_a_failure_row_and_a_miss_only_where_that_is_published() -> None:
    rows = targets(12)
    scores = scored(rows, ["none"], lambda user: "Verdict: both")
    assert {failure.reason for failure in scores.failures} == {"unreadable_verdict"}
    assert len(scores.failures) == scores.failed["none"] == 24 and scores.failures[0].stage == "score"
    assert {row.metric for row in scores.rows} == {"selection_published"}
    assert {(row.value, row.verdict) for row in scores.rows} == {(0.0, "unreadable")}
    assert "selection_accuracy" not in summary_of(rows, scores)["methods"]["none"]


def test_one_unreadable_order_leaves_the_other_and_no_balanced_score() -> None:
    target = targets(1)[0]

    def half(user: str) -> str:
        return "Verdict: A" if user.index(target.chosen) < user.index(target.rejected) else "no idea"

    rows = [(row.metric, row.component) for row in scored([target], ["none"], half).rows]
    assert ("selection", "chosen_first") in rows and len(rows) == 2 and rows[1][0] == "selection_published"


def test_the_order_is_stored_and_drawn_evenly_by_target() -> None:
    orders = [drawn_order(0, f"t{number}") for number in range(400)]
    assert 160 < orders.count("chosen_first") < 240
    assert orders == [drawn_order(0, f"t{number}") for number in range(400)]
    assert orders != [drawn_order(1, f"t{number}") for number in range(400)]
    frame = to_frame(scored(targets(2), ["golden"]).rows)
    assert set(frame.filter(metric="selection")["component"]) == set(ORDERS)


def test_methods_are_ordered_as_the_texts_have_it_and_compared_in_pairs() -> None:
    """Simulated model, 60 users, two items shown: golden > pba > none and ica > none, out of the texts alone."""
    rows = targets(60)
    scores = scored(rows, ["none", "ica", "pba", "golden"], showing=Showing("mixed", 2))
    found = summary_of(rows, scores)
    means = {method: own["selection_accuracy"]["mean"] for method, own in found["methods"].items()}
    assert 0.35 < means["none"] < 0.65 < means["pba"] < means["golden"] and means["ica"] > 0.65
    differences = {(row["method"], row["to"]): row["difference"] for row in found["differences"]}
    for pair in (("golden", "pba"), ("pba", "none"), ("ica", "none")):
        assert differences[pair]["low"] > 0, pair
    text = markdown(found)
    assert (
        "60 targets, 60 distinct, 60 users" in text and "rule: longer" in text and "golden less pba" in text
    )


def test_somebody_elses_history_tells_nothing() -> None:
    rows = targets(60)
    shuffled = [
        replace(target, persona=other.persona)
        for target, other in zip(rows, [*rows[1:], rows[0]], strict=True)
    ]
    found = summary_of(shuffled, scored(shuffled, ["ica", "golden"]))["methods"]
    assert 0.35 < found["ica"]["selection_accuracy"]["mean"] < 0.65
    assert found["golden"]["selection_accuracy"]["mean"] > 0.85


def test_a_mirrored_golden_direction_picks_the_other_response() -> None:
    rows = [replace(target, direction=mirrored(target.direction or ())) for target in targets(40)]
    assert summary_of(rows, scored(rows, ["golden"]))["methods"]["golden"]["selection_accuracy"]["mean"] < 0.2


def test_direction_recovery_beats_the_majority_baseline() -> None:
    async def go() -> Scores:
        async with open_door(config(), None) as door:
            return await score_direction(
                rows, ["none", "pba", "pba_arithmetic"], Showing(), Asking(config(), door)
            )

    rows = targets(60)
    found = summary_of(rows, asyncio.run(go()))
    none, pba, exact = (found["recovery"][method] for method in ("none", "pba", "pba_arithmetic"))
    assert none["gain"]["mean"] == 0 and none["above"] == 0 and none["macro_f1"] == 0
    assert pba["gain"]["low"] > 0.05 and pba["above"] > 20 and pba["macro_f1"] > 0.6
    assert exact["accuracy"]["mean"] == 1 and exact["macro_f1"] == 1
    assert list(pba["dimensions"]) == [dimension.name for dimension in DIMENSIONS]
    assert (
        found["methods"]["pba"]["target_named"]["mean"]
        > 10 * found["methods"]["pba"]["target_opposed"]["mean"]
    )
    assert [row["metric"] for row in found["differences"]] == ["direction_accuracy"] * 3


def test_ica_states_no_direction() -> None:
    with pytest.raises(InputError, match="ica states no direction"):
        asyncio.run(score_direction((), ["ica"], Showing(), Asking(config(), None)))  # type: ignore[arg-type]


def test_recovery_by_hand() -> None:
    """Two users, dimensions 0 and 1: one pole hit, one taken for its opposite; the majority is neutral elsewhere."""
    true = [vector_of([(0, True), (1, True)]), vector_of([(0, True)])]
    guess = [vector_of([(0, True), (1, False)]), vector_of([])]
    found = recovery(["u", "v"], guess, true)
    assert found is not None
    assert found.accuracy.mean == pytest.approx((89 / 90 + 89 / 90) / 2)
    assert [estimate.mean for estimate in found.by_dimension[:3]] == [-0.5, 0, 0]
    assert found.majority[:3] == (1.0, 0.5, 1.0)
    assert found.macro_f1 == pytest.approx((2 / 3 + 0) / 2), "poles that no target has do not count"
    assert recovery([], [], []) is None


def test_rules_see_the_surface_alone() -> None:
    def made(chosen: str, rejected: str, post: str = "p") -> Target:
        return Target(post + chosen, "u", post, chosen, rejected, None, Persona())

    rows = [made("longer text", "short"), made("no", "yes!"), made("same", "size")]
    assert longer(rows, []) == [1.0, 0.0, 0.5]
    knows = [Persona("likes long text"), Persona("yes"), Persona()]
    assert overlap(rows, knows) == [1.0, 0.0, 0.5]
    telling = [made("Well, a", "Look, b", f"post {number}") for number in range(40)]
    assert set(first_word(telling, [])) == {1.0}
    silent = [
        made(*pair, f"post {number}")
        for number in range(400)
        for pair in [("Well, a", "Look, b"), ("Look, b", "Well, a")]
    ]
    assert 0.3 < sum(first_word(silent, [])) / len(silent) < 0.7
