"""Metrics against scripted judges: the truth gets full marks, a component taken away costs just that component."""

import asyncio
from dataclasses import replace

import pytest

from prose_data.metrics import METRICS
from prose_data.metrics.distance import word_tokens
from prose_data.metrics.types import Around, Case, Finding
from prose_data.values import Document, Inference, User
from tests.fakes import ScriptedLLM

TRUE = ("use emojis", "be brief", "be critical", "add a postscript")


def _user(name: str, components: tuple[str, ...]) -> User:
    return User(name, "plume", "email", "ccby", "", components, 0)


CASE = Case(
    Inference("i1", "u1", "prose", 0, 1, "d1", TRUE, None, "; ".join(TRUE), "The draft.", 1, 1, 1, 0.0, "m"),
    _user("u1", TRUE),
    Document("d1", "email", "ccby", "Notes.", "o", "l"),
    "The user's own text.",
    (_user("u1", TRUE), _user("u2", ("a", "b")), _user("u3", ("c",)), _user("u4", ("a", "b"))),
)


def _believing(components: tuple[str, ...], description: str | None = "x") -> Case:
    return replace(CASE, inference=replace(CASE.inference, components=components, description=description))


def _recovery(llm: ScriptedLLM, case: Case = CASE) -> dict[str, float]:
    """Return the values of recovery without its rows per component."""
    return {name: value for name, value in _values("recovery", llm, case).items() if ":" not in name}


def _values(name: str, llm: ScriptedLLM, case: Case = CASE) -> dict[str, float]:
    found: list[Finding] = asyncio.run(METRICS[name](case, llm))
    return {
        finding.metric + (":" + finding.component if finding.component else ""): finding.value
        for finding in found
    }


def test_ppcm_asks_about_each_component_alone_in_sorted_order_and_never_shows_the_document() -> None:
    llm = ScriptedLLM(
        [
            "Verdict: clearly exhibits",
            "Verdict: somewhat contradicts",
            "no idea",
            "no",
            "Verdict: clearly contradicts",
        ]
    )
    values = _values("ppcm", llm)
    assert values == {"ppcm:add a postscript": 2, "ppcm:be brief": -1, "ppcm:use emojis": -2}
    assert [reason for reason, _ in llm.notes] == ["unreadable_verdict"]
    for role, _, user in llm.asked:
        assert role == "judge" and "The draft." in user and "Notes." not in user and "own text" not in user
        assert sum(component in user for component in TRUE) == 1


def test_a_negated_verdict_is_no_verdict() -> None:
    llm = ScriptedLLM(["Verdict: does not clearly exhibit"] * 8)
    assert _values("ppcm", llm) == {}
    assert len(llm.notes) == 4


@pytest.mark.parametrize(
    ("verdict", "value"), [("all", 2), ("most", 1), ("some", 0), ("few", -1), ("none", -2)]
)
def test_cpm_asks_once_about_all_and_never_shows_the_document(verdict: str, value: int) -> None:
    llm = ScriptedLLM([f"Reasons.\nVerdict: {verdict}"])
    assert _values("cpm", llm) == {"cpm": value}
    ((role, _, user),) = llm.asked
    assert role == "judge" and all(component in user for component in TRUE)
    assert "The draft." in user and "Notes." not in user and "own text" not in user


@pytest.mark.parametrize(
    ("verdict", "value"),
    [
        ("clearly exhibits", 2),
        ("somewhat exhibits", 1),
        ("neither exhibits nor contradicts", 0),
        ("somewhat contradicts", -1),
        ("clearly contradicts", -2),
    ],
)
def test_the_scale_of_ppcm(verdict: str, value: int) -> None:
    assert set(_values("ppcm", ScriptedLLM([f"Verdict: {verdict}"] * 4)).values()) == {value}


@pytest.mark.parametrize(("name", "reply"), [("recovery", "Matches: 1-4"), ("identification", "Verdict: 1")])
def test_what_is_believed_is_judged_in_one_call_without_any_text(name: str, reply: str) -> None:
    llm = ScriptedLLM([reply])
    assert _values(name, llm)
    ((role, _, user),) = llm.asked
    assert role == "judge" and all(component in user for component in TRUE)
    assert not any(text in user for text in ("The draft.", "Notes.", "own text"))


def test_recovery_names_its_pairs_and_the_order_of_the_truth_helps_nobody() -> None:
    llm = ScriptedLLM(["Matches: 2-1"])
    found = asyncio.run(METRICS["recovery"](_believing(("x", "add a P.S.")), llm))
    assert {f.verdict for f in found if f.metric != "recovered"} == {"add a P.S. = add a postscript"}
    assert {f.component: f.verdict for f in found if f.metric == "recovered" and f.value} == {
        "add a postscript": "add a P.S."
    }
    numbered = "\n".join(f"{number}. {text}" for number, text in enumerate(sorted(TRUE), 1))
    assert f"<true>\n{numbered}\n</true>" in llm.asked[0][2]


def test_recovery_of_the_truth_is_full_and_each_lost_component_costs_its_share() -> None:
    full = _recovery(ScriptedLLM(["Matches: 1-4, 2-2, 3-3, 4-1"]))
    assert full == {"recovery_precision": 1, "recovery_recall": 1, "recovery_f1": 1}
    lost = _recovery(ScriptedLLM(["Matches: 1-4, 2-2, 3-3"]), _believing(TRUE[:3]))
    assert lost == {"recovery_precision": 1, "recovery_recall": 0.75, "recovery_f1": pytest.approx(6 / 7)}
    padded = _recovery(ScriptedLLM(["Matches: 1-4"]), _believing((*TRUE[:1], "x", "y", "z")))
    assert padded == {"recovery_precision": 0.25, "recovery_recall": 0.25, "recovery_f1": 0.25}
    assert _recovery(ScriptedLLM(["Matches: none"])) == {
        "recovery_precision": 0,
        "recovery_recall": 0,
        "recovery_f1": 0,
    }


def test_each_true_component_is_recovered_or_not_and_their_mean_is_the_recall() -> None:
    values = _values("recovery", ScriptedLLM(["Matches: 1-4, 3-2"]), _believing(TRUE[:3]))
    recovered = {name.partition(":")[2]: value for name, value in values.items() if ":" in name}
    assert recovered == {"use emojis": 1, "be critical": 0, "be brief": 1, "add a postscript": 0}
    assert sum(recovered.values()) / 4 == values["recovery_recall"]


def _beside(name: str) -> Case:
    """Return the case with two components that `name` asks about."""
    foreign = ("use slang", "be verbose")
    around = Around(rivals=foreign) if name == "rival" else Around(others=foreign)
    return replace(CASE, former=foreign) if name == "stale" else replace(CASE, around=around)


@pytest.mark.parametrize("name", ["stale", "rival", "crosstalk"])
def test_foreign_components_are_matched_behind_the_users_own(name: str) -> None:
    believed = replace(_beside(name), inference=_believing(("be brief", "talk in slang")).inference)
    llm = ScriptedLLM(["Matches: 1-2, 2-6"])
    assert _values(name, llm, believed) == {f"{name}:be verbose": 0, f"{name}:use slang": 1}
    ((role, _, user),) = llm.asked
    numbered = "\n".join(f"{n}. {c}" for n, c in enumerate([*sorted(TRUE), "be verbose", "use slang"], 1))
    assert role == "judge" and f"<true>\n{numbered}\n</true>" in user


@pytest.mark.parametrize("name", ["stale", "rival", "crosstalk"])
def test_what_is_not_foreign_or_not_inferred_is_not_asked_about(name: str) -> None:
    silent, foreign = ScriptedLLM([]), _beside(name)
    assert _values(name, silent, CASE) == {}
    assert _values(name, silent, replace(foreign, inference=_believing((), None).inference)) == {}
    nothing_yet = replace(foreign, inference=_believing((), "").inference)
    assert _values(name, silent, nothing_yet) == {f"{name}:be verbose": 0, f"{name}:use slang": 0}
    unreadable = ScriptedLLM(["Matches: 1-1, 1-2"] * 2)
    assert _values(name, unreadable, foreign) == {} and len(unreadable.notes) == 1


def test_topic_leak_is_the_share_of_components_with_a_word_of_the_topic() -> None:
    about = replace(CASE, around=Around(topic=frozenset({"glacier", "melt"})))
    stated = ("use emojis", "mention the glaciers", "say that ice is melting", "be brief")
    case = replace(about, inference=_believing(stated).inference)
    assert _values("topic_leak", ScriptedLLM([]), case) == {"topic_leak": 0.5}
    (found,) = asyncio.run(METRICS["topic_leak"](case, ScriptedLLM([])))
    assert found.verdict == "mention the glaciers, say that ice is melting"
    for undefined in (_believing(()), _believing((), None)):
        assert _values("topic_leak", ScriptedLLM([]), undefined) == {}


def test_quoted_is_the_share_of_the_told_components_that_a_draft_says_word_for_word() -> None:
    told = ("use emojis", "write using bullet points", "include a simile", "be highly inquisitive")
    case = _believing(told)

    def quoted(draft: str) -> dict[str, float]:
        return _values(
            "quoted", ScriptedLLM([]), replace(case, inference=replace(case.inference, draft=draft))
        )

    assert quoted("I was asked to INCLUDE A SIMILE, like so. I use emojis.") == {
        "quoted": pytest.approx(1 / 3)
    }
    assert quoted("It is like a simile. Include simile a.") == {"quoted": 0}
    assert _values("quoted", ScriptedLLM([]), _believing(("use emojis", "be brief"))) == {}
    assert _values("quoted", ScriptedLLM([]), _believing((), None)) == {}


@pytest.mark.parametrize("line", ["1-1, 1-2", "1-1, 2-1", "9-1", "1-9", "all of them"])
def test_matches_that_are_not_one_to_one_are_a_failure_and_no_score(line: str) -> None:
    llm = ScriptedLLM([f"Matches: {line}"] * 2)
    assert _values("recovery", llm) == {}
    assert [reason for reason, _ in llm.notes] == ["unreadable_matches"]


def test_what_is_undefined_has_no_row_and_what_is_not_learned_yet_is_zero() -> None:
    silent = ScriptedLLM([])
    for name in ("recovery", "identification", "description_length"):
        assert _values(name, silent, _believing((), None)) == {}
    assert _values("recovery", silent, _believing((), "")) == {
        "recovery_recall": 0,
        "recovery_f1": 0,
        **{f"recovered:{component}": 0 for component in TRUE},
    }
    assert _values("identification", silent, _believing((), "")) == {"identification": 0}


def test_identification_is_right_only_for_the_users_own_set() -> None:
    def choose(wanted: str) -> ScriptedLLM:
        def answer(system: str, user: str, role: str, replicate: int) -> str:
            lines = [line for line in user.splitlines() if line[:2] in ("1.", "2.", "3.")]
            assert len(lines) == 3  # equal sets stand once
            return "Verdict: " + next(line[0] for line in lines if wanted in line)

        return ScriptedLLM(answer)

    assert _values("identification", choose("use emojis")) == {"identification": 1}
    assert _values("identification", choose("a; b")) == {"identification": 0}
    llm = ScriptedLLM(["Verdict: 4", "Verdict: 0"])
    assert _values("identification", llm) == {} and len(llm.notes) == 1


def test_two_different_sets_suffice_to_identify_and_one_does_not() -> None:
    pair = replace(CASE, peers=CASE.peers[:2])
    assert set(_values("identification", ScriptedLLM(["Verdict: 1"]), pair)) == {"identification"}
    alike = replace(CASE, peers=(_user("u1", TRUE), _user("u2", TRUE[::-1])))
    assert _values("identification", ScriptedLLM([]), alike) == {}


def test_the_candidates_order_differs_between_inferences() -> None:
    prompts = set()
    for number in range(20):
        llm = ScriptedLLM(["Verdict: 1"])
        inference = replace(CASE.inference, inference_id=f"i{number}")
        _values("identification", llm, replace(CASE, inference=inference))
        prompts.add(llm.asked[0][2])
    assert len(prompts) == 6


def test_edit_distance_counts_word_tokens() -> None:
    def between(draft: str, own: str) -> dict[str, float]:
        case = replace(CASE, inference=replace(CASE.inference, draft=draft), text=own)
        return _values("edit_distance", ScriptedLLM([]), case)

    assert between("Same text, here.", "Same text, here.") == {
        "edit_distance": 0,
        "edit_distance_normalised": 0,
    }
    assert between("I can't go.", "I can go!")["edit_distance"] == 3  # ca, n't, . against can, !
    there, back = between("a b c d", "a x d"), between("a x d", "a b c d")
    assert there == back == {"edit_distance": 2, "edit_distance_normalised": 0.5}
    assert between("", "")["edit_distance_normalised"] == 0


def test_word_tokens_split_punctuation_as_nltk_does() -> None:
    assert word_tokens("Dr. Lee can't pay $5.50. She (still) tried.") == (
        ("Dr.", "Lee", "ca", "n't", "pay", "$", "5.50", ".", "She", "(", "still", ")", "tried", ".")
    )


def test_description_length_is_in_characters() -> None:
    assert _values("description_length", ScriptedLLM([]), _believing(("a",), "über")) == {
        "description_length": 4
    }
