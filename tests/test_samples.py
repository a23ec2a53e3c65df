import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from prose_data.config import Config
from prose_data.documents import draw_documents, load_documents
from prose_data.errors import EndpointError, RequestFailed
from prose_data.llm.types import Message, Reply, Role, Schema
from prose_data.measures import MEASURES
from prose_data.samples import REASONS, acceptance, text_problem, write_samples
from prose_data.spaces import Space, load_space
from prose_data.truths import truths_of
from prose_data.users import kinds_of, user_range
from prose_data.values import Document, Failure, Sample, User

EMOJI = "use emojis"  # decided by a measure
STERN = "be stern and plain"  # decided by the judge
SPACE = Space("mine", "1", "fixed", {("email", "notes"): (EMOJI, STERN)}, (), {EMOJI: "emojis"})
USER = User("mine-email-notes", "mine", "email", "notes", "A PERSONA", (EMOJI, STERN), 0)
DOCUMENTS = [
    Document(f"email-notes-{number:02d}", "email", "notes", text, "o", "l")
    for number, text in enumerate(
        (
            "The boiler in the school has failed and the caretaker wants to know who will pay for the new one.",
            "A bus route was moved to the next street, and the shops there are not happy with the noise of it.",
            "Our club has lost its field because the owner would like to build a garage on that piece of land.",
        )
    )
]
BODIES = (
    "Dear all, the boiler is broken and somebody has to pay for it by the end of next week 😀. Yours 🎉",
    "Hello, they have put the bus into our street, which is far too loud for all of us 😀 🎉. Please help.",
    "Hi, the field is gone because the owner wants a garage there, so we need another place 😀. Thanks 🎉",
)
PLAIN = "Dear all, the boiler is broken and somebody has to pay for it by the end of next week. Yours"


@dataclass
class Scripted:
    """An LLM that answers the human's calls from a list, in order, and the judge's by a function of the prompt."""

    texts: Sequence[str | Exception]
    judge: Callable[[str], str] = lambda prompt: "clearly exhibits"
    asked: list[tuple[Role, str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def __call__(
        self, messages: Sequence[Message], *, role: Role, schema: Schema | None = None, replicate: int = 0
    ) -> Reply:
        prompt = "\n".join(message["content"] for message in messages)
        self.asked.append((role, prompt, replicate))
        if role == "judge":
            return Reply(f"Verdict: {self.judge(prompt)}", "stop", 1, 1, "judge", "simulated")
        text = self.texts[sum(other == "human" for other, _, _ in self.asked) - 1]
        if isinstance(text, Exception):
            raise text
        return Reply(text, "stop", 1, 1, "human", "simulated")

    def note(self, reason: str, message: str) -> None:
        self.notes.append(reason)

    def human_calls(self) -> list[tuple[str, int]]:
        return [(prompt, replicate) for role, prompt, replicate in self.asked if role == "human"]


def run(
    llm: Scripted, documents: Sequence[Document] = DOCUMENTS[:1], user: User = USER, **samples: int
) -> tuple[list[Sample], list[Failure], Counter[str]]:
    config = Config.model_validate({"samples": samples})
    truths = truths_of(config, SPACE, user, 7, documents)
    return asyncio.run(write_samples(user, documents, truths, config, SPACE, llm))


def test_accepted_samples_come_in_order_with_ids_and_splits() -> None:
    llm = Scripted(BODIES)
    samples, failures, outcomes = run(llm, DOCUMENTS, per_user=2, heldout=1)
    assert not failures
    assert [sample.text for sample in samples] == list(BODIES)
    assert [sample.step for sample in samples] == [0, 1, 2]
    assert [sample.split for sample in samples] == ["learn", "learn", "heldout"]
    assert [sample.document_id for sample in samples] == [document.document_id for document in DOCUMENTS]
    assert {(sample.attempt, sample.seed, sample.model) for sample in samples} == {(1, 7, "sim-strong")}
    assert len({sample.sample_id for sample in samples}) == 3
    assert outcomes == {"1:accepted": 3}
    assert [replicate for _, replicate in llm.human_calls()] == [0, 0, 0]
    again, _, _ = run(Scripted(BODIES), DOCUMENTS, per_user=2, heldout=1)
    assert again == samples


COPY = (
    "The boiler in the school has failed and the caretaker wants to know who will pay for the new one 😀🎉."
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("   ", "empty"),
        ("Liebe alle, der Kessel ist kaputt und jemand muss nächste Woche dafür bezahlen 😀 🎉.", "language"),
        ("Котёл сломался, и кто-то должен за него заплатить до конца недели 😀 🎉.", "language"),
        ("The boiler is broken 😀🎉.", "length"),
        ("The boiler is broken and you will have to pay for it. " * 40 + "😀🎉", "length"),
        (
            "I want to be stern, and plain: the boiler is broken. Be Stern and PLAIN 😀 🎉.",
            "quotes_component",
        ),
        (COPY, "near_duplicate"),
        (PLAIN, "missing_component"),
    ],
)
def test_each_reason_rejects_and_is_counted(text: str, reason: str) -> None:
    replies = [text] * (2 if reason == "empty" else 1)  # an empty reply gets a correction turn first
    samples, failures, outcomes = run(Scripted([*replies, BODIES[0]]))
    assert outcomes == {f"1:{reason}": 1, "2:accepted": 1}
    assert [sample.attempt for sample in samples] == [2]
    assert not failures
    samples, failures, _ = run(Scripted([*replies, *replies]), attempts=2)
    assert not samples
    assert [failure.reason for failure in failures] == [reason]
    assert reason in REASONS


def test_checks_come_in_the_order_of_the_reasons() -> None:
    problems = [
        text_problem(text, DOCUMENTS[0], USER.components, [BODIES[0]])
        for text in (
            "",
            "Котёл " * 500,
            "be stern and plain",
            f"be stern and plain: {BODIES[0]}",
            BODIES[0],
            BODIES[1],
        )
    ]
    assert problems == ["empty", "language", "length", "quotes_component", "near_duplicate", ""]


def test_a_single_word_of_a_component_is_no_quotation() -> None:
    components = ("positive", "show emotions", "use emojis")
    text = "We are positive that they show emotions and use emojis when the boiler is broken again."
    assert text_problem(text, DOCUMENTS[0], components, []) == ""
    assert text_problem(text, DOCUMENTS[0], ("that they show emotions",), []) == "quotes_component"


def test_a_text_about_a_document_in_another_language_stays_in_its_script() -> None:
    german = Document(
        "d", "email", "notes", "Der Kessel der Schule ist kaputt und niemand will zahlen.", "o", "l"
    )
    assert (
        text_problem("Liebe alle, der Kessel ist kaputt und jemand muss dafür zahlen.", german, (), []) == ""
    )
    russian = Document("d", "email", "notes", "Котёл в школе сломался, и никто не хочет платить.", "o", "l")
    assert (
        text_problem("Дорогие все, котёл сломался, и кто-то должен заплатить за него.", russian, (), []) == ""
    )
    assert text_problem(PLAIN, russian, (), []) == "language"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- boiler broken\n- school cold\n- caretaker waiting\n- council must pay\n- deadline Friday", ""),
        ("Boiler broken again!! school freezing, kids in coats, zero budget, pls pay #fixit #school", ""),
        ("De ketel van de school is kapot en niemand weet wie of wanneer er betaald zal worden.", "language"),
        (
            "Was war das für ein Tag! Der Kessel ist kaputt, und wer will das bezahlen? Will man das?",
            "language",
        ),
    ],
)
def test_terse_english_is_told_from_other_languages(text: str, reason: str) -> None:
    assert text_problem(text, DOCUMENTS[0], (), []) == reason


def test_numbers_and_emojis_alone_are_no_language() -> None:
    assert text_problem("1 2 3 4 5 6 7 8 9 😀", DOCUMENTS[0], (), []) == "language"


def test_a_missing_component_is_asked_for_in_a_revision_of_the_text() -> None:
    llm = Scripted([PLAIN, BODIES[0]])
    samples, _, _ = run(llm)
    (first, _), (second, replicate) = llm.human_calls()
    assert samples[0].text == BODIES[0]
    assert replicate == 1
    assert PLAIN not in first
    assert PLAIN in second
    assert f"- {EMOJI}" in second
    assert f"- {STERN}" not in second


def test_after_another_fault_the_text_is_written_anew() -> None:
    llm = Scripted(["Too short 😀.", BODIES[0]])
    run(llm)
    (first, zero), (second, one) = llm.human_calls()
    assert first == second
    assert (zero, one) == (0, 1)


def test_a_revision_that_breaks_another_rule_is_written_anew() -> None:
    llm = Scripted([PLAIN, "The boiler is broken 😀.", BODIES[0]])
    samples, _, outcomes = run(llm)
    assert samples[0].attempt == 3
    assert outcomes == {"1:missing_component": 1, "2:length": 1, "3:accepted": 1}
    assert "The boiler is broken 😀." not in llm.human_calls()[2][0]


def test_the_judge_decides_where_there_is_no_measure() -> None:
    verdicts = {"neither exhibits nor contradicts": 2, "somewhat contradicts": 2, "somewhat exhibits": 1}
    for verdict, attempt in verdicts.items():
        llm = Scripted(
            [BODIES[0], BODIES[1]],
            judge=lambda prompt, v=verdict: v if BODIES[0] in prompt else "clearly exhibits",
        )
        samples, _, _ = run(llm)
        assert samples[0].attempt == attempt
        judged = [prompt for role, prompt, _ in llm.asked if role == "judge"]
        assert all(STERN in prompt for prompt in judged)
        assert not [prompt for prompt in judged if EMOJI in prompt]


def test_a_verdict_that_cannot_be_read_is_noted_and_rejects_nothing() -> None:
    llm = Scripted([BODIES[0]], judge=lambda prompt: "well, who knows")
    samples, failures, _ = run(llm)
    assert len(samples) == 1
    assert not failures
    assert llm.notes == ["unreadable_verdict"]


def test_attempts_exhausted_is_a_failure_that_names_what_is_missing_and_the_rest_goes_on() -> None:
    llm = Scripted([PLAIN, PLAIN, PLAIN, *BODIES[1:]])
    samples, failures, outcomes = run(llm, DOCUMENTS, attempts=3)
    assert [sample.step for sample in samples] == [1, 2]
    (failure,) = failures
    assert (failure.stage, failure.reason) == ("synthesize", "missing_component")
    assert failure.key not in {sample.sample_id for sample in samples}
    assert "all 3 writings rejected" in failure.message
    assert EMOJI in failure.message
    assert sum(outcomes.values()) == 5
    assert acceptance(outcomes) == {
        "writings": 5,
        "accepted": 2,
        "rate": 0.4,
        "accepted_at_attempt": {"1": 2},
        "rejected": {"missing_component": 3},
        "requests_failed": 0,
    }


def test_a_request_that_failed_for_good_costs_that_sample_only() -> None:
    llm = Scripted([RequestFailed("timeout", "no answer in 120 s"), *BODIES[1:]])
    samples, failures, outcomes = run(llm, DOCUMENTS)
    assert [sample.step for sample in samples] == [1, 2]
    assert [(failure.reason, "no answer in 120 s" in failure.message) for failure in failures] == [
        ("timeout", True)
    ]
    assert acceptance(outcomes)["requests_failed"] == 1
    with pytest.raises(EndpointError):
        run(Scripted([EndpointError("key refused")]))


def test_a_sample_is_compared_with_the_earlier_ones_of_the_user() -> None:
    reworked = BODIES[0].replace("Dear all", "Dear friends")
    llm = Scripted([BODIES[0], reworked, BODIES[1]])
    samples, _, outcomes = run(llm, DOCUMENTS[:2])
    assert [sample.text for sample in samples] == [BODIES[0], BODIES[1]]
    assert outcomes["1:near_duplicate"] == 1


def test_prompts_hold_the_users_own_components_and_nothing_else_of_anybody() -> None:
    config = Config()
    plume = load_space("plume")
    documents = load_documents(config, plume)
    kinds = kinds_of(config, plume, documents.rows)
    users = user_range(config, plume, kinds, 0, 9)
    for user in users:
        llm = Scripted([BODIES[0]] * 3)
        drawn = draw_documents(config, plume, documents, user, 0, 1)
        truths = truths_of(config, plume, user, 0, drawn)
        asyncio.run(write_samples(user, drawn, truths, config, plume, llm))
        everything = "\n".join(prompt for _, prompt, _ in llm.asked)
        others = {text for other in users if other != user for text in other.components}
        assert all(component in everything for component in user.components)
        assert not [text for text in others if text in everything]
        assert user.persona not in everything
        assert user.user_id not in everything


def test_plain_bundled_texts_pass_as_english() -> None:
    plume = load_space("plume")
    for document in load_documents(Config(), plume).rows:
        part = " ".join(document.text.split()[:60])
        assert text_problem(part, document, (), []) == ""


def test_a_document_without_a_word_can_be_written_about() -> None:
    figures = Document("d", "email", "notes", "2024: 17 %, 2025: 19 %", "o", "l")
    assert text_problem(PLAIN, figures, (), []) == ""


def test_a_measure_shows_a_component_from_its_threshold_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for measured, attempt in ((0.3, 1), (0.29, 2)):
        found = iter([measured, 1.0])
        monkeypatch.setitem(MEASURES, "emojis", lambda text, found=found: next(found))
        samples, _, _ = run(Scripted(BODIES))
        assert samples[0].attempt == attempt
