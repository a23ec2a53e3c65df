"""Topic words and surroundings: what a description could speak of that is not how this user writes."""

from collections import Counter
from typing import Any

import pytest

from prose_data.audiences import Audience
from prose_data.config import Config, parse_config
from prose_data.documents import load_documents
from prose_data.spaces import load_space
from prose_data.surroundings import surroundings
from prose_data.topics import stems, topic_words, vocabulary
from prose_data.values import Document, Inference, Truth, User

ORDINARY = Counter(
    stems("people make things and other people think about what these things mean to them " * 200)
)
GLACIER = "The glacier above the village melts. People measured how glaciers melt, and the melting glacier worries them."
STYLE = load_space("style")


def test_a_topic_word_is_one_of_the_texts_and_rare_elsewhere() -> None:
    found = topic_words([GLACIER], ORDINARY)
    assert {"glacier", "melt"} <= found
    assert not {"peopl", "thing", "measur", "what"} & found


def test_a_word_of_one_of_many_texts_is_found_too_and_one_of_all_texts_together() -> None:
    filler = "people make things and other people think about these things " * 20
    assert "glacier" in topic_words([GLACIER, *[filler] * 10], ORDINARY)
    spread = [filler + " harbour"] * 8
    assert "harbour" in topic_words(spread, ORDINARY)
    assert "harbour" not in topic_words(spread[:1], ORDINARY)


def test_words_of_style_are_never_a_topic() -> None:
    text = (
        "Every question about the emoji is a question; emojis answer questions, and the sentence is ironic irony. "
        * 5
    )
    assert {"emoji", "question"} <= topic_words([text], ORDINARY)
    known = vocabulary(component.text for component in STYLE.components)
    assert not topic_words([text], ORDINARY, known)


def test_nothing_to_compare_with_gives_no_topic() -> None:
    assert topic_words([GLACIER], Counter()) == topic_words([], ORDINARY) == frozenset()


def _user(name: str, *components: str) -> User:
    return User(name, "style", "email", "ccby", "", components, 0)


def _inference(user: str, document: str, seed: int = 0) -> Inference:
    return Inference(*("i", user, "m", seed, 0, document, (), None, "", "x", 1, 1, 1, None, "m"))


def _around(config: Config, users: list[User], truths: list[Truth] = [], **more: Any) -> Any:  # noqa: B006
    documents = {document.document_id: document for document in load_documents(Config(), STYLE).rows}
    audiences = [Audience(users[0].user_id, tuple(users))]
    inferences = more.get("inferences", [])
    return surroundings(config, STYLE, more.get("documents", documents), audiences, truths, inferences)


def test_others_are_what_the_rest_of_the_audience_holds_and_the_user_does_not() -> None:
    users = [_user("a", "be brief", "be sarcastic"), _user("b", "be sarcastic", "rhyme"), _user("c", "rhyme")]
    found = _around(parse_config({"seeds": [0, 1]}, "test"), users)
    assert {place: around.others for place, around in found.items() if place[1] == 1} == {
        ("a", 1): ("rhyme",),
        ("b", 1): ("be brief",),
        ("c", 1): ("be brief", "be sarcastic"),
    }
    assert {around.rivals for around in found.values()} == {()}


def test_what_a_user_held_at_any_time_is_foreign_to_others_only() -> None:
    users = [_user("a", "be brief"), _user("b", "rhyme")]
    truths = [
        Truth("a", 0, 0, "d0", ("be brief",), ("be brief",), ()),
        Truth("a", 0, 1, "d1", ("rhyme",), ("rhyme",), ("be brief",)),
        Truth("b", 0, 0, "d0", ("rhyme",), ("rhyme",), ()),
    ]
    found = _around(parse_config({"seeds": [0]}, "test"), users, truths)
    assert found["a", 0].others == () and found["b", 0].others == ("be brief",)
    assert found["a", 0].rivals == found["b", 0].rivals == ()


def test_rivals_are_what_was_written_by_against_what_is_held() -> None:
    truths = [
        Truth("a", 0, 0, "d0", ("be brief", "rhyme"), ("be brief", "rhyme"), ()),
        Truth("a", 0, 1, "d1", ("be brief", "rhyme"), ("be long", "rhyme"), ()),
    ]
    found = _around(parse_config({"seeds": [0]}, "test"), [_user("a", "be brief", "rhyme")], truths)
    assert found["a", 0].rivals == ("be long",)


@pytest.mark.parametrize("documents", ["bundled", "own"])
def test_the_topic_is_that_of_the_documents_read_under_the_seed(documents: str) -> None:
    data: dict[str, Any] = {"seeds": [0, 1], "metrics": ["topic_leak"]}
    shelf = {document.document_id: document for document in load_documents(Config(), STYLE).rows}
    name = "summarization-cnn_dailymail-01"
    if documents == "own":
        data["documents"] = {"path": "x.jsonl"}
        name, shelf = "g", {"g": Document("g", "email", "own", GLACIER, "o", "l")}
    found = _around(
        parse_config(data, "test"), [_user("a", "x")], documents=shelf, inferences=[_inference("a", name)]
    )
    assert found["a", 1].topic == frozenset()
    assert found["a", 0].topic and found["a", 0].topic <= stems(shelf[name].text).keys()
    assert documents == "bundled" or "glacier" in found["a", 0].topic


def test_without_the_metric_no_topic_is_looked_for() -> None:
    inferences = [_inference("a", "summarization-cnn_dailymail-01")]
    found = _around(parse_config({"seeds": [0]}, "test"), [_user("a", "x")], inferences=inferences)
    assert found["a", 0].topic == frozenset()
