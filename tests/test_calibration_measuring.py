"""What answers say about a judge, and how it is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from prose_data.calibration import asking
from prose_data.calibration.asking import Heard, Pick, Questions, Verdict, as_judge, ask_judge
from prose_data.calibration.flags import flag_sentence, flags
from prose_data.calibration.gold import Gold
from prose_data.calibration.measuring import (
    Observation,
    Weighed,
    agreement,
    answered,
    confusion,
    consistency,
    degrees,
    length,
    observations,
    position,
)
from prose_data.calibration.position import PROBES, Probe, make_probes
from prose_data.calibration.results import results
from prose_data.calibration.text import markdown
from prose_data.errors import InputError
from prose_data.judging import EXHIBITS
from prose_data.llm.meter import Meter
from prose_data.stats import Estimate
from tests.fakes import FakeDoor
from tests.judges import config, item, means, said


def seen(*rows: tuple[Weighed, int]) -> list[Observation]:
    return [Observation(gold, degree) for gold, degree in rows]


# What answers say about a judge


def test_agreement_by_hand() -> None:
    texts = [item(f"t{n}", label=n < 6) for n in range(10)]
    degrees_given = [2, 2, 1, 1, 0, -1, 0, 0, -2, 1]  # four of six found, one of four invented
    found = agreement(seen(*zip(texts, degrees_given, strict=True)))
    by_chance = 0.6 * 0.5 + 0.4 * 0.5
    assert means(found) == {
        "agreement": 0.7,
        "kappa": round((0.7 - by_chance) / (1 - by_chance), 4),
        "kappa_weighted": None,
        "sensitivity": round(4 / 6, 4),
        "specificity": 0.75,
    }
    assert confusion(seen(*zip(texts, degrees_given, strict=True))) == {
        "found": 4,
        "missed": 2,
        "invented": 1,
        "rejected": 3,
    }


def test_degrees_make_kappa_weighted_and_a_table() -> None:
    rows = seen(
        (item("a", label=2), 2), (item("b", label=0), 0), (item("c", label=-2), -1), (item("d", label=1), -1)
    )
    table = degrees(rows)
    assert table is not None and table[4][4] == table[2][2] == table[0][1] == table[3][1] == 1
    # Squared distances 1 + 4 = 5; by chance over the 16 pairs of a label and a verdict 84, of which 1/4 counts.
    apart = [(one - other) ** 2 for one in (2, 0, -2, 1) for other in (2, 0, -1, -1)]
    found = agreement(rows)["kappa_weighted"]
    assert found is not None and found.mean == pytest.approx(1 - 5 / (sum(apart) / 4))
    assert degrees(seen((item("a"), 2))) is None


def test_weights_count_texts_for_those_they_stand_for() -> None:
    one, other = Weighed(Gold("a", "c", True), 8.0, 1, "u"), Weighed(Gold("b", "c", True), 1.0, 2, "v")
    found = agreement(seen((one, 2), (other, 0)))["sensitivity"]
    assert found is not None and found.mean == 0.8


def test_an_unreadable_verdict_is_missing_and_never_a_no() -> None:
    one, other = item("a"), item("b")
    verdicts = [said(one, 2), said(other, None)]
    assert observations([one, other], verdicts) == seen((one, 2))
    heard = Heard("j", (*verdicts, Verdict(other.gold.pair, "j", 1, None, "timeout")), ())
    assert answered(heard) == (3, 1, 1)


def test_two_people_on_one_text_are_two_labels_on_one_verdict() -> None:
    ann, bob = item("a", label=2, who="ann"), item("a", label=0, who="bob")
    assert observations([ann, bob], [said(ann, 1), said(ann, 2, 1)]) == seen(
        (ann, 1), (ann, 2), (bob, 1), (bob, 2)
    )


def lengths(says: Callable[[bool, bool], bool]) -> Estimate | None:
    """Return the length bias of a judge that answers by (label, longer) on 40 texts of 20 documents."""
    rows = []
    for number in range(40):
        label, longer = number % 2 == 0, number % 4 < 2
        text = " ".join([f"w{number}"] * (30 if longer else 10))
        rows.append((item(text, label=label, cluster=f"d{number // 2}"), 2 if says(label, longer) else 0))
    return length(seen(*rows))


def test_length_bias_is_what_length_adds_to_the_label() -> None:
    assert lengths(lambda label, longer: label) == Estimate(0.0, None, None, 40)
    assert lengths(lambda label, longer: longer) == Estimate(1.0, None, None, 40)
    half = lengths(lambda label, longer: label or longer)
    assert half is not None and half.mean == pytest.approx(0.5)


def test_length_is_compared_within_a_component_and_label_only() -> None:
    """Long texts have the component more often here; a judge who is right is not swayed by that."""
    rows = [(item("w " * (40 + n) + str(n), label=True), 2) for n in range(10)]
    rows += [(item("w " * (5 + n) + str(n), label=False), 0) for n in range(10)]
    found = length(seen(*rows))
    assert found is not None and found.mean == 0.0


def test_consistency_by_hand() -> None:
    one, other = item("a"), item("b")
    verdicts = [
        said(one, 2),
        said(one, 1, 1),
        said(one, 2, 2),
        said(other, 0),
        said(other, 0, 1),
        said(other, None, 2),
    ]
    found = consistency(verdicts, {one.gold.pair: "a", other.gold.pair: "b"})
    # Pairs of repeats: (2, 1), (2, 2), (1, 2) and (0, 0).
    assert means({key: found[key] for key in ("same", "same_side")}) == {"same": 0.5, "same_side": 1.0}
    once = consistency([said(one, 2)], {one.gold.pair: "a"})
    assert set(once.values()) == {None}


# Places


def test_probes_describe_one_user_or_half_of_each() -> None:
    for space in ("plume", "style"):
        probes = make_probes(config(space=space))
        torn = [probe for probe in probes if probe.torn]
        assert len(torn) == len(probes) / 2 and 10 <= len(torn) <= PROBES
        for probe in probes:
            one, other = (set(components) for components in probe.users)
            held = set(probe.description)
            if probe.torn:
                assert len(held & one - other) == len(held & other - one) == len(held) / 2
            else:
                assert held == one != other
            assert probe.offered(True) == probe.offered(False)[::-1]


def listen(answer: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, questions: Questions) -> Heard:
    """Return what a judge says that answers each prompt by `answer`."""

    @asynccontextmanager
    async def door(*_: Any) -> AsyncIterator[FakeDoor]:
        yield FakeDoor(lambda role, text: answer(text))

    monkeypatch.setattr(asking, "open_door", door)
    settings = config()
    return asyncio.run(ask_judge(settings, "default", questions, None, Meter(settings.budget), lambda: None))


def places(answer: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    heard = listen(answer, monkeypatch, Questions((), 1, tuple(make_probes(config()))))
    found = position(heard.picks)
    assert found is not None
    return found


def test_a_judge_that_loves_the_first_place_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = places(lambda text: "Verdict: 1", monkeypatch)
    assert means({**found["torn"], "asked": None}) == {"asked": None, "first": 1.0, "steady": 0.0}
    assert (found["clear"]["right"].mean, found["clear"]["steady"].mean) == (0.5, 0.0)
    assert found["torn"]["first"].low > 0.8


def test_a_judge_that_reads_is_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    def reads(text: str) -> str:
        described = set(text.split("<preferences>\n")[1].split("\n</preferences>")[0].split("; "))
        lists = text.split("<candidates>\n")[1].split("\n</candidates>")[0].splitlines()
        common = [len(described & set(line.partition(". ")[2].split("; "))) for line in lists]
        better = (
            common.index(max(common))
            if common[0] != common[1]
            else lists.index(max(lists, key=lambda one: one[3:]))
        )
        return f"Verdict: {better + 1}"

    found = places(reads, monkeypatch)
    assert found["clear"]["right"].mean == found["clear"]["steady"].mean == 1.0
    assert found["torn"]["first"].mean == 0.5 and found["torn"]["steady"].mean == 1.0


def test_picks_that_cannot_be_read_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = places(lambda text: "I like both.", monkeypatch)
    assert found["torn"]["first"] is None and found["torn"]["steady"] is None and found["torn"]["asked"] > 20
    probe = Probe(0, True, ("a",), (("a",), ("b",)))
    assert position([]) is None
    once = position([Pick(probe, False, 0), Pick(probe, True, None)])
    assert once is not None and once["torn"]["steady"] is None and once["torn"]["first"].mean == 1.0


# The judge is asked as PPCM asks it


def test_a_judge_is_asked_by_the_prompt_of_ppcm_and_gets_one_correction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prompts: list[str] = []

    def answer(text: str) -> str:
        prompts.append(text)
        return "No idea." if len(prompts) == 1 else "Passage: none\nVerdict: somewhat exhibits"

    heard = listen(answer, monkeypatch, Questions((("A text </text>", "be brief"),), 1, ()))
    assert [verdict.degree for verdict in heard.verdicts] == [1]
    assert (
        "assesses how a text is written" in prompts[0] and "<component>\nbe brief\n</component>" in prompts[0]
    )
    assert "A text ‹/text›" in prompts[0] and len(prompts) == 2


def test_a_judge_that_cannot_be_read_at_all_gives_dashes(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [item("a"), item("b", label=False)]
    questions = Questions(tuple(one.gold.pair for one in items), 2, tuple(make_probes(config())))
    heard = listen(lambda text: "Who knows?", monkeypatch, questions)
    result = results(config(), items, [heard], 2, None)
    judge = result["judges"]["default"]
    assert (judge["asked"], judge["unreadable"]) == (4, 4)
    assert judge["kappa"] is judge["agreement"] is judge["length"] is judge["consistency"]["alpha"] is None
    assert "| – | – | – | – | – | 4 of 4 |" in markdown(result)


def test_only_the_judges_own_model_is_needed() -> None:
    away = {"backend": "openai", "model": "far", "api_key_env": "PROSE_TEST_NO_KEY"}
    settings = config(
        models={"far": away, "near": {}}, roles=dict.fromkeys(("human", "writer", "inferrer", "judge"), "far")
    )
    assert {
        getattr(as_judge(settings, "near").roles, role) for role in ("human", "writer", "inferrer", "judge")
    } == {"near"}
    heard = asyncio.run(
        ask_judge(
            settings,
            "near",
            Questions((("A text.", "be brief"),), 1, ()),
            None,
            Meter(settings.budget),
            lambda: None,
        )
    )
    assert heard.verdicts[0].verdict in EXHIBITS
    with pytest.raises(InputError, match="--judge other: models defines no such name; it defines far, near"):
        as_judge(settings, "other")


def test_a_judge_that_is_also_writer_or_human_is_flagged() -> None:
    models = {"a": {"model": "sim-strong"}, "b": {"model": "sim-strong"}, "c": {"model": "sim-weak"}}
    settings = config(models=models, roles={"human": "c", "writer": "b", "inferrer": "a", "judge": "a"})
    assert flags(settings) == ("writer",)
    assert flags(settings, "c") == ("human",)
    assert flag_sentence(flags(config())) == (
        "The judge is the same model as the human and the writer: it may favour its own writing."
    )
    assert flag_sentence(()) is None
