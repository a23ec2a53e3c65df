"""Majority of replies: independent ballots on one prompt, grouped by meaning, kept from half of them on."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from prose_data.config import Config, Majority, Prose
from prose_data.llm.parse import last_line, number_groups
from prose_data.methods.majority import majority
from prose_data.methods.types import Draft, Entry, Memory, Preference
from prose_data.prompts import render
from prose_data.simulator.model import simulate
from tests.fakes import ScriptedLLM
from tests.rounds import DOCUMENTS, EXAMPLES, HOSTILE, block, lived

OURS = Draft("ours", Preference(("be kind",), "be kind"))


class Voters:
    """Readers who reply in turn, by their number; `groups` is what the grouping call answers."""

    def __init__(self, replies: Sequence[str], groups: str = "none") -> None:
        self.replies, self.groups = replies, groups
        self.asked: list[tuple[str, int]] = []

    def __call__(self, system: str, user: str, role: str, replicate: int) -> str:
        if role == "writer":
            return '"""\nour draft\n"""'
        if "groups writing preferences" in system:
            self.asked.append(("group", replicate))
            return f"Groups: {self.groups}"
        assert "each alone" in system
        self.asked.append(("vote", replicate))
        return f"Preferences: {self.replies[replicate]}"


def _learn(
    voters: Voters, memory: Memory = (), draft: Draft = OURS, **settings: int
) -> tuple[Memory, ScriptedLLM]:
    llm = ScriptedLLM(voters)
    method = majority(Config(majority=Majority(**settings)))
    return asyncio.run(method.learn(memory, EXAMPLES[0], draft, llm)), llm


def _recall(memory: Memory, retrieve: int = 5) -> Preference:
    method = majority(Config(prose=Prose(retrieve=retrieve)))
    return asyncio.run(method.recall(memory, DOCUMENTS[4], ScriptedLLM([])))


def test_each_vote_is_a_reply_of_its_own_and_one_call_groups_them() -> None:
    voters = Voters(["use emojis; be brief"] * 5)
    lived("majority", llm := ScriptedLLM(voters))
    assert voters.asked == [*[("vote", n) for n in range(5)], ("group", 0)] * 5
    assert Counter(role for role, _, _ in llm.asked) == {"writer": 5, "inferrer": 30}


@pytest.mark.parametrize("votes", [1, 3])
def test_the_number_of_votes_is_set_and_a_single_one_needs_no_grouping(votes: int) -> None:
    voters = Voters(["use emojis; be brief"] * votes)
    memory, _ = _learn(voters, votes=votes)
    assert voters.asked == [("vote", n) for n in range(votes)] + [("group", 0)] * (votes > 1)
    assert memory[0].components == ("use emojis", "be brief")


def test_what_the_voters_and_the_one_who_groups_see() -> None:
    _, llm = _learn(Voters(["use emojis", "Be brief.", "be  brief", "none", "none"]))
    votes = [user for _, system, user in llm.asked if "each alone" in system]
    assert len(set(votes)) == 1 and (block(votes[0], "draft"), block(votes[0], "text")) == ("ours", "USER-d0")
    assert "DOCUMENT" not in votes[0] and "be kind" not in votes[0]
    (grouping,) = [user for _, system, user in llm.asked if "groups" in system]
    assert block(grouping, "preferences") == "1. use emojis\n2. Be brief."
    assert not any(word in grouping for word in ("USER", "DOCUMENT", "ours", "be kind"))


@pytest.mark.parametrize(
    ("replies", "groups", "kept"),
    [
        (["use emojis", "use emojis", "use emojis", "be brief", "none"], "none", ["use emojis"]),
        (["use emojis", "Use emojis.", "none", "none"], "none", ["use emojis"]),
        (["use emojis", "none", "none"], "none", []),
        (["use emojis", "add emoji", "be brief", "none"], "none", []),
        (["use emojis", "add emoji", "be brief", "none"], "2, 1", ["use emojis"]),
        (["a; b", "b; c", "c; b"], "none", ["b", "c"]),
        (["a; b; c; a", "d", "none"], "1, 2, 3", []),
        (["a; b; c", "d; c", "none"], "1, 2, 3", ["a"]),
        (["none"] * 3, "none", []),
    ],
)
def test_what_half_of_the_replies_name_is_kept_most_votes_first(
    replies: list[str], groups: str, kept: list[str]
) -> None:
    memory, llm = _learn(Voters(replies, groups), votes=len(replies))
    assert memory == (Entry(EXAMPLES[0], tuple(kept)),) and not llm.notes


@pytest.mark.parametrize("groups", ["1, 2; 2, 3", "9, 1", "all of them", "Verdict: 1", ""])
def test_groups_that_cannot_be_read_leave_equal_wording_to_decide_and_are_counted(groups: str) -> None:
    memory, llm = _learn(Voters(["use emojis", "add emoji", "use emojis", "none"], groups), votes=4)
    assert memory[0].components == ("use emojis",)
    assert [reason for reason, _ in llm.notes] == ["unreadable_groups"]


def test_a_reply_that_cannot_be_read_is_no_vote_and_is_counted() -> None:
    def answer(system: str, user: str, role: str, replicate: int) -> str:
        return "Hard to say." if replicate > 1 else "Preferences: use emojis"

    llm = ScriptedLLM(answer)
    (entry,) = asyncio.run(majority(Config()).learn((), EXAMPLES[0], OURS, llm))
    assert (
        entry.components == ("use emojis",) and [reason for reason, _ in llm.notes] == ["unreadable_line"] * 3
    )


@pytest.mark.parametrize(("reply", "line"), HOSTILE.items())
def test_no_reply_ends_the_run_or_becomes_an_empty_component(reply: str, line: str | None) -> None:
    def answer(system: str, user: str, role: str, replicate: int) -> str:
        return reply.format(label="Groups" if "groups" in system else "Preferences")

    before = (Entry(EXAMPLES[1], ("be kind",)),)
    llm = ScriptedLLM(answer)
    memory = asyncio.run(majority(Config()).learn(before, EXAMPLES[0], OURS, llm))
    assert "; ".join(memory[1].components) == (line or "").rstrip("; ")
    unread = Counter(reason for reason, _ in llm.notes)
    assert unread["unreadable_line"] == 5 * (line is None)
    assert _recall(memory).components[-1] == "be kind", "what was known is kept"


def test_a_draft_that_is_the_users_text_bears_out_what_it_was_written_by() -> None:
    memory, llm = _learn(Voters([]), draft=Draft("USER-d0", OURS.preference))
    assert memory == (Entry(EXAMPLES[0], ("be kind",)),) and llm.asked == []


def test_recall_states_what_most_samples_left_first_then_the_latest() -> None:
    left = [("a", "b"), ("c", "A."), ("d", "a", "c"), ()]
    memory = tuple(Entry(example, kept) for example, kept in zip(EXAMPLES, left, strict=False))
    assert _recall(memory) == Preference(("a", "c", "d", "b"), "a; c; d; b")
    assert _recall(memory, retrieve=2).components == ("d", "a", "c")
    assert _recall(memory, retrieve=0) == _recall(()) == Preference()


def test_the_simulated_model_groups_by_meaning_and_errs_now_and_then() -> None:
    listed = "1. use emojis\n2. be very brief\n3. add emojis\n4. avoid emojis\n5. mention the ferry"
    messages = render("majority_group", preferences=listed)
    read = []
    for seed in range(200):
        line = last_line(simulate(messages, "sim-strong", seed), "Groups")
        read.append(None if line is None else number_groups(line, 5))
    assert 0.7 * len(read) < read.count([[0, 2]]) < len(read) > 0
    assert read.count(None) < 0.1 * len(read)
