"""Methods against scripted models: what each call may see, call counts, stops, verification, and failed replies."""

import asyncio
import json
import re
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from prose_data.config import Cipher, Config, Prose, Samples, parse_config
from prose_data.methods import METHODS, ORACLE
from prose_data.methods.components import items, phrase_items, unique
from prose_data.methods.prose import VARIANTS
from prose_data.methods.types import Draft, Entry, Memory, Preference
from prose_data.metrics import METRICS
from prose_data.samples import write_samples
from prose_data.spaces import load_space
from prose_data.stages import _oracle, run_all
from prose_data.truths import truths_of
from prose_data.values import User
from prose_data.writing import write
from tests.fakes import ScriptedLLM
from tests.rounds import DOCUMENTS, EXAMPLES, block, lived

SPACE = load_space("plume")


class Model:
    """A model whose every reply is new, that counts its calls by kind."""

    def __init__(
        self,
        verdict: str = "strongly confirms",
        description: str | None = None,
        size: int = 2,
        equal: str = "different",
    ) -> None:
        self.kinds: Counter[str] = Counter()
        self.equal = equal
        self.verdict, self.description, self.size = verdict, description, size
        self._numbers = count()

    def __call__(self, system: str, user: str, role: str, replicate: int) -> str:
        kind = _kind(system)
        self.kinds[kind] += 1
        number = next(self._numbers)
        if kind == "write":
            return f'"""\ndraft {number}\n"""'
        if kind in ("infer", "infer_no_candidate"):
            fresh = "; ".join(f"item {number}-{place}" for place in range(self.size))
            return f"Preferences: {self.description or fresh}"
        if kind == "coalesce":
            return "Preferences: " + block(user, "preferences")
        if kind in ("breakdown", "coalesce_list"):
            return json.dumps({"components": items(block(user, "preferences"))})
        if kind == "equal":
            return f"Verdict: {self.equal}"
        if kind == "verify":
            return f"Verdict: {self.verdict}"
        return f"Preference: phrase {number}"


def _kind(system: str) -> str:
    kinds = {
        "experienced writer": "write",
        "careful reader": "infer",
        "careful observer": "infer_no_candidate",
        "unites writing preferences": "coalesce_list",
        "could be of one hand": "equal",
        "merges lists": "coalesce",
        "breaks descriptions": "breakdown",
        "strict checker": "verify",
        "learns a user's": "cipher_infer",
        "have in common": "cipher_aggregate",
    }
    return next(kind for words, kind in kinds.items() if words in system)


@pytest.mark.parametrize(
    ("name", "expected"),
    [  # for one user of 5 demonstrations; four email users make the upper bounds of the paper's setting
        ("no_learning", {"write": 5}),
        ("icl", {"write": 5}),
        ("cipher_1", {"write": 5, "cipher_infer": 5}),
        ("cipher_n", {"write": 5, "cipher_infer": 5, "cipher_aggregate": 4}),
        ("prose", {"write": 25, "infer": 25, "coalesce": 4, "breakdown": 5, "verify": 105}),
        ("prose_icl", {"write": 25, "infer": 25, "coalesce": 4, "breakdown": 5, "verify": 105}),
    ],
)
def test_calls_are_those_of_the_paper(name: str, expected: dict[str, int]) -> None:
    """S = 5 and 7 components, new ones at each step and never settled: all calls that there can be."""
    model = Model(verdict="somewhat confirms", size=7)
    lived(name, ScriptedLLM(model), Config(prose=Prose(steps=5)))
    assert model.kinds == expected


def test_what_each_call_sees() -> None:
    llm = ScriptedLLM(Model())
    for name in ("no_learning", "icl", "cipher_1", "cipher_n", *VARIANTS):
        lived(name, llm)
    seen = Counter()
    for role, system, user in llm.asked:
        kind = _kind(system)
        seen[kind] += 1
        assert "None" not in user
        document, users_text, draft = "DOCUMENT-" in user, "USER-" in user, "draft " in user
        if kind == "write":
            assert role == "writer" and document and not draft
            assert users_text == ("<example>" in user)
        else:
            assert role == "inferrer"
            shown = {
                "infer": (True, True, True),
                "infer_no_candidate": (True, True, False),
                "coalesce": (False, False, False),
                "coalesce_list": (False, False, False),
                "breakdown": (False, False, False),
                "verify": (False, True, False),
                "cipher_infer": (False, True, True),
                "cipher_aggregate": (False, False, False),
            }[kind]
            assert (document, users_text, draft) == shown, kind
    assert len(seen) == 9


@pytest.mark.parametrize(("name", "shown"), [("prose", [0] * 6), ("prose_icl", [0, 0, 1, 1, 2, 2])])
def test_drafts_and_candidates_show_the_same_examples(name: str, shown: list[int]) -> None:
    llm = ScriptedLLM(Model())
    lived(name, llm, Config(prose=Prose(steps=2)), examples=EXAMPLES[:3])
    written = [user.count("<example>") for _, system, user in llm.asked if _kind(system) == "write"]
    assert written == shown


def test_the_human_and_the_oracle_are_asked_in_the_same_words() -> None:
    user = User("u", "plume", "email", "ccby", "", ("use emojis", "be brief"), 0)
    llm = ScriptedLLM(Model())

    truths = truths_of(config := Config(samples=Samples(attempts=1)), SPACE, user, 0, DOCUMENTS[:1])

    async def both() -> None:
        held = {truth.document_id: truth for truth in truths}
        belief = await _oracle(held).recall((), DOCUMENTS[0], llm)
        await write(llm, DOCUMENTS[0], belief.components, belief.examples)
        await write_samples(user, DOCUMENTS[:1], truths, config, SPACE, llm)

    asyncio.run(both())
    (oracle, *drafted), (human, *written) = llm.asked[:2]
    assert (oracle, human) == ("writer", "human") and drafted == written


def test_icl_shows_the_latest_samples_with_their_own_documents() -> None:
    llm = ScriptedLLM(Model())
    _, beliefs = lived("icl", llm, Config(prose=Prose(retrieve=2)))
    assert [len(belief.examples) for belief in beliefs] == [0, 1, 2, 2, 2]
    assert [example.text for example in beliefs[4].examples] == ["USER-d3", "USER-d2"]
    assert all(belief.description is None and not belief.components for belief in beliefs)
    last = llm.asked[-1][2]
    assert last.count("DOCUMENT-4") == 1 and "DOCUMENT-3" in last and "DOCUMENT-2" in last


@pytest.mark.parametrize("name", ["icl", "prose", "prose_icl"])
def test_retrieving_nothing_shows_nothing(name: str) -> None:
    _, beliefs = lived(name, ScriptedLLM(Model()), Config(prose=Prose(retrieve=0)))
    assert all(belief.examples == () and belief.components == () for belief in beliefs)


def test_cipher_uses_the_latest_phrase_and_infers_from_this_round_alone() -> None:
    llm = ScriptedLLM(Model())
    memory, beliefs = lived("cipher_1", llm, examples=EXAMPLES[:3])
    assert beliefs[0].description == "" and beliefs[0].components == ()
    assert [belief.description for belief in beliefs[1:]] == [entry.components[0] for entry in memory[:2]]


def test_cipher_keeps_its_phrase_where_the_draft_was_right() -> None:
    async def learn() -> Memory:
        method, llm = METHODS["cipher_1"](Config()), ScriptedLLM([])
        belief = Preference(("be brief",), "be brief")
        return await method.learn((), EXAMPLES[0], Draft(EXAMPLES[0].text, belief), llm)

    assert asyncio.run(learn())[0].components == ("be brief",)


def test_an_unreadable_phrase_leaves_the_one_used_and_is_counted() -> None:
    async def learn(reply: str) -> Memory:
        belief = Preference(("be brief",), "be brief")
        llm.notes.clear()
        llm._answer = lambda *_: reply
        return await METHODS["cipher_1"](Config()).learn((), EXAMPLES[0], Draft("ours", belief), llm)

    llm = ScriptedLLM([])
    for reply in ("", "It is hard to say.", "Preference:"):
        assert asyncio.run(learn(reply))[0].components == ("be brief",)
        assert [reason for reason, _ in llm.notes] == ["unreadable_line"]
    assert asyncio.run(learn("Preference: none"))[0].components == () and not llm.notes


def test_a_round_without_a_phrase_puts_nothing_into_a_prompt() -> None:
    memory = (Entry(EXAMPLES[0], ("be brief",)), Entry(EXAMPLES[1]))
    llm = ScriptedLLM(["Preference: be brief"])
    nearest = asyncio.run(METHODS["cipher_1"](Config()).recall(memory, DOCUMENTS[2], llm))
    assert nearest == Preference() and not llm.asked
    asyncio.run(METHODS["cipher_n"](Config()).recall(memory, DOCUMENTS[2], llm))
    assert block(llm.asked[0][2], "phrases") == "- be brief"


def test_an_unreadable_aggregation_leaves_the_latest_phrase() -> None:
    memory = (Entry(EXAMPLES[0], ("be brief",)), Entry(EXAMPLES[1], ("be kind",)))
    llm = ScriptedLLM(["Hard to say."] * 2)
    belief = asyncio.run(METHODS["cipher_n"](Config()).recall(memory, DOCUMENTS[2], llm))
    assert belief.description == "be kind" and len(llm.notes) == 1


def test_cipher_n_aggregates_the_n_latest() -> None:
    llm = ScriptedLLM(Model())
    lived("cipher_n", llm, Config(cipher=Cipher(retrieve=2)))
    aggregations = [user for _, system, user in llm.asked if _kind(system) == "cipher_aggregate"]
    assert [block(user, "phrases").count("- ") for user in aggregations] == [1, 2, 2, 2]


def test_only_methods_that_infer_say_so() -> None:
    infers = {name for name, method in METHODS.items() if method(Config()).infers}
    assert {"no_learning", "icl"}.isdisjoint(infers)
    assert {"cipher_1", "cipher_n", *VARIANTS} <= infers


@pytest.mark.parametrize(
    ("retrieve", "shown"), [(1, [0, 1, 1, 1, 1]), (3, [0, 1, 2, 3, 3]), (9, [0, 1, 2, 3, 4])]
)
def test_icl_shows_all_samples_until_there_are_more_than_it_may_show(retrieve: int, shown: list[int]) -> None:
    _, beliefs = lived("icl", ScriptedLLM(Model()), Config(prose=Prose(retrieve=retrieve)))
    assert [len(belief.examples) for belief in beliefs] == shown


def test_a_method_without_preferences_states_none_not_an_empty_one() -> None:
    _, beliefs = lived("no_learning", ScriptedLLM(Model()))
    assert all(belief == Preference(description=None) for belief in beliefs)


def test_prose_compares_each_new_candidate_and_writes_it_by_the_corrected_description() -> None:
    llm = ScriptedLLM(Model())
    lived("prose", llm, Config(prose=Prose(steps=3)), examples=EXAMPLES[:1])
    compared = [block(user, "draft") for _, system, user in llm.asked if _kind(system) == "infer"]
    written = [user for _, system, user in llm.asked if _kind(system) == "write"]
    assert compared == ["draft 0", "draft 2", "draft 4"]
    assert ["item 1" in user for user in written] == [False, True, False]
    assert ["item 3" in user for user in written] == [False, False, True]


@pytest.mark.parametrize(("name", "shown"), [("prose", [0, 0, 0, 0, 0]), ("prose_icl", [0, 1, 2, 2, 2])])
def test_prose_icl_alone_shows_earlier_samples_and_never_the_one_it_learns_from(
    name: str, shown: list[int]
) -> None:
    llm = ScriptedLLM(Model())
    _, beliefs = lived(name, llm, Config(prose=Prose(retrieve=2)))
    assert [len(belief.examples) for belief in beliefs] == shown
    for _, system, user in llm.asked:
        if _kind(system) == "write":
            number = int(re.findall(r"DOCUMENT-(\d)", user)[-1])
            assert user.count("<example>") == shown[number] and f"USER-d{number}" not in user


def test_prose_stops_when_the_description_no_longer_changes() -> None:
    model = Model(description="use emojis")
    lived("prose", ScriptedLLM(model), examples=EXAMPLES[:1])
    assert (model.kinds["infer"], model.kinds["write"]) == (2, 2)


def test_prose_stops_when_its_candidate_equals_the_users_text() -> None:
    def answer(system: str, user: str, role: str, replicate: int) -> str:
        assert _kind(system) == "write"
        return '"""USER-d0"""'

    memory, _ = lived("prose", ScriptedLLM(answer), examples=EXAMPLES[:1])
    assert memory[0].components == ()


def test_each_correction_starts_from_the_belief_and_draft_before_it() -> None:
    llm = ScriptedLLM(Model(size=1))
    draft = Draft("first draft", Preference(("be brief", "be kind"), "be brief and kind"))
    asyncio.run(METHODS["prose"](Config(prose=Prose(steps=2))).learn((), EXAMPLES[0], draft, llm))
    seen = [
        (block(user, "preferences"), block(user, "draft"), block(user, "text"), block(user, "document"))
        for _, system, user in llm.asked
        if _kind(system) == "infer"
    ]
    assert seen == [
        ("be brief; be kind", "first draft", "USER-d0", "DOCUMENT-0 text."),
        ("item 0-0", "draft 1", "USER-d0", "DOCUMENT-0 text."),
    ]


def test_prose_breaks_down_the_final_description_alone() -> None:
    """An item dropped at step 3 stays dropped."""
    steps = iter(["A; B", "A; B; C", "A; C", "A; C"])
    broken: list[str] = []

    def answer(system: str, user: str, role: str, replicate: int) -> str:
        kind = _kind(system)
        if kind == "breakdown":
            broken.append(block(user, "preferences"))
        if kind == "infer":
            return f"Preferences: {next(steps)}"
        return Model()(system, user, role, replicate)

    memory, _ = lived("prose", ScriptedLLM(answer), examples=EXAMPLES[:1])
    assert broken == ["A; C"]
    assert memory[0].components == ("A", "C")


def test_a_description_that_is_a_json_list_needs_no_breakdown() -> None:
    model = Model(description='["use emojis", "be brief; be kind"]')
    llm = ScriptedLLM(model)
    memory, _ = lived("prose", llm, examples=EXAMPLES[:1])
    assert memory[0].components == ("use emojis", "be brief; be kind")
    assert model.kinds["breakdown"] == 0
    assert block(llm.asked[2][2], "preferences") == "use emojis; be brief; be kind", (
        "nor does the writer see JSON"
    )


def test_an_unreadable_correction_keeps_the_description_and_is_counted() -> None:
    replies = iter(["Preferences: Use ALLCAPS for AI", "I cannot say.", "Preferences:"])

    def answer(system: str, user: str, role: str, replicate: int) -> str:
        return next(replies) if _kind(system) == "infer" else Model()(system, user, role, replicate)

    llm = ScriptedLLM(answer)
    memory, _ = lived("prose", llm, examples=EXAMPLES[:1])
    assert memory[0].components == ("Use ALLCAPS for AI",)
    assert [reason for reason, _ in llm.notes] == ["unreadable_line"]


def test_a_malformed_breakdown_is_corrected_once_then_read_as_items() -> None:
    def answer(system: str, user: str, role: str, replicate: int) -> str:
        if _kind(system) == "breakdown":
            return "I would rather not."
        return Model(description="use emojis; be brief")(system, user, role, replicate)

    llm = ScriptedLLM(answer)
    memory, _ = lived("prose", llm, examples=EXAMPLES[:1])
    assert memory[0].components == ("use emojis", "be brief")
    assert [said for said, _ in llm.corrections] == ["I would rather not."]
    assert [reason for reason, _ in llm.notes] == ["unreadable_list"]


@pytest.mark.parametrize(
    ("verdict", "threshold", "stays"),
    [
        ("strongly confirms", 0.5, True),
        ("somewhat confirms", 0.5, True),
        ("somewhat confirms", 1.0, False),
        ("neutral", 0.0, False),
        ("neutral", -1.0, True),
        ("somewhat contradicts", 0.0, False),
        ("who knows", 0.5, True),
    ],
)
def test_components_stay_when_their_mean_vote_is_above_the_threshold(
    verdict: str, threshold: float, stays: bool
) -> None:
    llm = ScriptedLLM(Model(verdict=verdict, description="use emojis"))
    memory, _ = lived("prose", llm, Config(prose=Prose(threshold=threshold)), examples=EXAMPLES[:1])
    assert (memory[0].components == ("use emojis",)) is stays
    assert len(llm.notes) == (verdict == "who knows")


def test_votes_are_reused_and_settled_components_are_not_asked_about_again() -> None:
    model = Model(description="use emojis")
    memory, _ = lived("prose", ScriptedLLM(model))
    assert model.kinds["verify"] == 5  # one per new text: each earlier text's vote is remembered
    assert all(entry.votes == (("use emojis", 2),) for entry in memory)

    fresh = Model()  # every component is new, so it is asked about until two strong votes agree
    lived("prose", ScriptedLLM(fresh), Config(prose=Prose(steps=1)))
    assert fresh.kinds["verify"] == 2 * (1 + 2 + 2 + 2 + 2)


def test_each_vote_is_asked_of_the_new_text_first_then_from_the_latest_back_and_only_within_reach() -> None:
    def texts(memory: Memory, retrieve: int) -> list[str]:
        llm = ScriptedLLM(Model("somewhat confirms", "be brief"))
        method = METHODS["prose"](Config(prose=Prose(retrieve=retrieve)))
        asyncio.run(method.learn(memory, EXAMPLES[3], Draft("x", Preference()), llm))
        return [block(user, "text") for _, system, user in llm.asked if _kind(system) == "verify"]

    memory = tuple(Entry(example) for example in EXAMPLES[:3])
    assert texts(memory, 5) == ["USER-d3", "USER-d2", "USER-d1", "USER-d0"]
    assert texts(memory, 2) == ["USER-d3", "USER-d2", "USER-d1"]
    assert texts(memory, 0) == ["USER-d3"]


def _verified(*verdicts: str, threshold: float = 0.5) -> tuple[Memory, ScriptedLLM]:
    """Return what PROSE remembers of a fifth text, and whom it asked, when the votes on "be brief" are `verdicts`."""
    votes = iter(verdicts)

    def answer(system: str, user: str, role: str, replicate: int) -> str:
        if _kind(system) == "verify":
            return f"Verdict: {next(votes)}"
        return Model(description="be brief")(system, user, role, replicate)

    llm = ScriptedLLM(answer)
    memory = tuple(Entry(example) for example in EXAMPLES[:4])
    method = METHODS["prose"](Config(prose=Prose(threshold=threshold)))
    return asyncio.run(method.learn(memory, EXAMPLES[4], Draft("x", Preference()), llm)), llm


@pytest.mark.parametrize(
    ("verdicts", "threshold", "stays"),
    [  # it is asked about until two or more votes have a mean beyond 1.5, either way
        (("strongly confirms", "strongly confirms"), 0.5, True),
        (("strongly confirms", "somewhat confirms", "strongly confirms"), 0.5, True),
        (("strongly contradicts", "strongly contradicts"), 0.5, False),
        (("strongly confirms", "neutral", "neutral", "neutral", "somewhat contradicts"), 0.1, True),
        (("strongly confirms", "neutral", "neutral", "neutral", "somewhat contradicts"), 0.2, False),
        (("neutral", "neutral", "neutral", "neutral", "strongly contradicts"), -0.5, True),
        (("neutral", "neutral", "neutral", "neutral", "strongly contradicts"), -0.4, False),
        (("maybe", "maybe", "strongly confirms", "strongly confirms"), 1.9, True),
        (("somewhat confirms", *["maybe"] * 8), 0.5, True),
    ],
)
def test_votes_settle_and_what_cannot_be_read_is_no_vote(
    verdicts: tuple[str, ...], threshold: float, stays: bool
) -> None:
    memory, llm = _verified(*verdicts, threshold=threshold)
    assert (memory[-1].components == ("be brief",)) is stays
    assert [_kind(system) for _, system, _ in llm.asked].count("verify") == len(verdicts)
    votes = [value for entry in memory for _, value in entry.votes]
    assert len(votes) == len(verdicts) - verdicts.count("maybe")
    assert len(llm.notes) == verdicts.count("maybe") / 2, "each was asked for twice and counted once"


def test_prose_merges_what_all_related_samples_left() -> None:
    llm = ScriptedLLM(Model())
    memory = (Entry(EXAMPLES[0], ("a", "b")), Entry(EXAMPLES[1], ("b", "c")))
    preference = asyncio.run(METHODS["prose"](Config()).recall(memory, DOCUMENTS[2], llm))
    assert preference.components == ("b", "c", "a")
    assert preference.description == "b; c; a"
    unreadable = asyncio.run(
        METHODS["prose"](Config()).recall(memory, DOCUMENTS[2], ScriptedLLM(["?", "??"]))
    )
    assert unreadable == preference
    fewer = asyncio.run(
        METHODS["prose"](Config()).recall(memory, DOCUMENTS[2], ScriptedLLM(["Preferences: a; B"]))
    )
    assert (fewer.components, fewer.description) == (("a", "B"), "a; B")
    near = asyncio.run(METHODS["prose"](Config(prose=Prose(retrieve=1))).recall(memory, DOCUMENTS[2], llm))
    assert near.components == ("b", "c")


def test_items_keep_their_inner_semicolons_and_commas() -> None:
    line = 'use semicolons (;) when possible; use ampersands (&) instead of "and"s; be short, and sharp;'
    assert items(line) == (
        "use semicolons (;) when possible",
        'use ampersands (&) instead of "and"s',
        "be short, and sharp",
    )
    assert items("[ironic] asides") == ("[ironic] asides",)
    assert unique([" be\nbrief ", "", "be brief"]) == ("be brief",)
    assert phrase_items("brief, informal, and with emojis") == ("brief", "informal", "with emojis")


def test_memory_is_never_changed_in_place() -> None:
    method = METHODS["prose"](Config())

    async def drive() -> tuple[Memory, Memory]:
        llm = ScriptedLLM(Model(description="use emojis"))
        first = await method.learn((), EXAMPLES[0], Draft("x", Preference()), llm)
        return first, await method.learn(first, EXAMPLES[1], Draft("y", Preference()), llm)

    first, second = asyncio.run(drive())
    assert len(first) == 1 and len(second) == 2
    assert second[1].example is EXAMPLES[1]


@pytest.mark.parametrize("space", ["plume", "prelude", "style"])
def test_every_method_runs_for_every_kind_of_user(space: str, tmp_path: Path) -> None:
    changes = {"space": space, "seeds": [0], "samples": {"per_user": 2, "attempts": 8}}
    changes |= {
        "methods": [*METHODS, ORACLE],
        "metrics": [name for name in METRICS if name != "bertscore"],
    }  # that one needs an extra
    users = {"count": 9} if space == "style" else {}
    config = parse_config({**changes, "users": users}, "test")
    run = asyncio.run(run_all(config, tmp_path / "run"))
    rows = run.read("inferences").select("user_id", "method", "step").rows()
    kinds = {(row["task"], row["source"]) for row in run.read("users").iter_rows(named=True)}
    assert len(kinds) == 9
    assert Counter((method, step) for _, method, step in rows) == {
        (method, step): 9 for method in config.methods for step in (0, 1)
    }
