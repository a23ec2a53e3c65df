"""Which past entries are related to a document, and that methods which show or reuse them ask for just those."""

import asyncio
import json
from collections.abc import Iterator

import numpy as np
import pytest

from prose_data import embedding
from prose_data.config import Cipher, Config, Prose, Retrieval, parse_config
from prose_data.documents import load_documents
from prose_data.errors import InputError
from prose_data.methods import METHODS
from prose_data.methods.retrieval import related
from prose_data.methods.types import Entry, Memory, Preference
from prose_data.spaces import load_space
from prose_data.values import Document
from prose_data.writing import Example
from tests.fakes import ScriptedLLM

GLASS = "Ground bottle glass replaces cement in mortar that was cast into prisms and frozen for a winter."
MORTAR = "Mortar with glass powder in place of cement: after how many winters do prisms crack?"
SISTER = "My sister borrowed money from me in spring and now she does not answer when I call her."
FILM = "The film is slow, the actors mumble, and I left the cinema before the credits."


def _document(text: str, source: str = "ccby", task: str = "email") -> Document:
    return Document(f"{task}-{source}-{len(text)}", task, source, text, "o", "l")


def _memory(*documents: Document) -> Memory:
    """Return a memory in which each entry holds one phrase: the number of its place."""
    return tuple(
        Entry(Example(document, f"TEXT-{place}"), (f"phrase {place}",))
        for place, document in enumerate(documents)
    )


MIXED = _memory(
    _document(GLASS, "ccby"),
    _document(SISTER, "slf5k"),
    _document(FILM, "ccby"),
    _document(SISTER, "slf5k", "summarization"),
    _document(FILM, "slf5k"),
)


@pytest.mark.parametrize(
    ("retrieval", "k", "expected"),
    [
        (Retrieval(by="exact_match"), 5, [4, 1]),
        (Retrieval(by="exact_match"), 1, [4]),
        (Retrieval(by="most_recent"), 2, [4, 3]),
        (Retrieval(by="most_recent"), 9, [4, 3, 2, 1, 0]),
        (Retrieval(by="cosine"), 2, [3, 1]),
    ],
)
def test_what_counts_as_related(retrieval: Retrieval, k: int, expected: list[int]) -> None:
    assert related(MIXED, _document(SISTER, "slf5k"), k, retrieval) == expected


@pytest.mark.parametrize("by", ["exact_match", "most_recent", "cosine"])
def test_of_nothing_and_by_a_k_of_nothing_comes_nothing(by: str) -> None:
    retrieval = Retrieval(by=by)
    assert related(MIXED, _document(SISTER, "slf5k"), 0, retrieval) == []
    assert related((), _document(SISTER, "slf5k"), 5, retrieval) == []


def test_a_source_that_was_never_seen_has_no_exact_match() -> None:
    assert related(MIXED, _document(GLASS, "ampere"), 5, Retrieval(by="exact_match")) == []


def test_cosine_puts_the_same_topic_first_whatever_its_source() -> None:
    assert related(MIXED, _document(MORTAR, "imdb"), 1, Retrieval(by="cosine")) == [0]


def test_equally_similar_ones_come_latest_first() -> None:
    memory = _memory(*(_document(text) for text in (FILM, GLASS, FILM, GLASS, GLASS)))
    assert related(memory, _document(MORTAR), 4, Retrieval(by="cosine")) == [4, 3, 1, 2]
    blank = _memory(*(_document("…") for _ in range(3)))
    assert related(blank, _document(MORTAR), 3, Retrieval(by="cosine")) == [2, 1, 0]


@pytest.fixture
def spelt_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An encoder whose texts are vectors, written as JSON."""
    encoders = {"hashing": lambda text: np.array(json.loads(text), np.float32)}
    monkeypatch.setattr(embedding, "ENCODERS", encoders)
    embedding._row.cache_clear()
    yield
    embedding._row.cache_clear()


def test_raw_products_prefer_the_longer_vector_and_cosines_the_nearer_direction(spelt_out: None) -> None:
    memory = _memory(_document("[1, 0.1]"), _document("[5, 5]"), _document("[-9, 0]"))
    near, long, away = 0, 1, 2
    document = _document("[2, 0]")
    assert related(memory, document, 3, Retrieval(by="cosine")) == [near, long, away]
    assert related(memory, document, 3, Retrieval(by="cosine", normalise=False)) == [long, near, away]


@pytest.mark.parametrize(
    ("floor", "normalise", "expected"),
    [
        (None, True, 3),
        (-1, True, 3),
        (0.0, True, 2),
        (0.8, True, 1),
        (1, True, 0),
        (2.0, False, 2),
        (2.1, False, 1),
    ],
)
def test_what_lies_below_the_floor_is_not_related(
    spelt_out: None, floor: float | None, normalise: bool, expected: int
) -> None:
    memory = _memory(_document("[1, 0.1]"), _document("[5, 5]"), _document("[-9, 0]"))
    retrieval = Retrieval(by="cosine", floor=floor, normalise=normalise)
    assert len(related(memory, _document("[2, 0]"), 3, retrieval)) == expected


def test_a_floor_that_nothing_can_pass_or_nobody_reads_is_refused() -> None:
    for data, words in (
        ({"by": "most_recent", "floor": 0.5}, "floor is for by: cosine, and by is most_recent"),
        ({"by": "cosine", "floor": 1.5}, "floor is 1.5, but a cosine lies between -1 and 1"),
        ({"by": "bertscore"}, "retrieval.by is 'bertscore'"),
    ):
        with pytest.raises(InputError, match=words):
            parse_config({"retrieval": data}, "test")
    raw = {"by": "cosine", "floor": 40, "normalise": False}
    assert parse_config({"retrieval": raw}, "test").retrieval.floor == 40


def _recalled(name: str, document: Document, config: Config, llm: ScriptedLLM | None = None) -> Preference:
    return asyncio.run(METHODS[name](config).recall(MIXED, document, llm or ScriptedLLM([])))


@pytest.mark.parametrize(
    ("by", "expected"), [("exact_match", [2, 0]), ("most_recent", [4, 3]), ("cosine", [3, 1])]
)
def test_icl_shows_related_samples_best_first(by: str, expected: list[int]) -> None:
    config = Config(retrieval=Retrieval(by=by), prose=Prose(retrieve=2))
    belief = _recalled("icl", _document(SISTER), config)
    assert belief.examples == tuple(MIXED[place].example for place in expected)


@pytest.mark.parametrize(("by", "place"), [("exact_match", 2), ("most_recent", 4), ("cosine", 0)])
def test_cipher_1_uses_the_phrase_of_the_nearest_round(by: str, place: int) -> None:
    config = Config(retrieval=Retrieval(by=by))
    assert _recalled("cipher_1", _document(MORTAR), config).description == f"phrase {place}"


def test_cipher_1_writes_plainly_where_no_round_is_near_enough() -> None:
    config = Config(retrieval=Retrieval(by="cosine", floor=0.9))
    assert _recalled("cipher_1", _document(MORTAR), config) == Preference()


def test_cipher_n_aggregates_the_phrases_of_the_nearest_rounds_even_of_one() -> None:
    config = Config(retrieval=Retrieval(by="cosine", floor=0.5), cipher=Cipher(retrieve=3))
    for document, shown in ((_document(SISTER), "- phrase 3\n- phrase 1"), (_document(GLASS), "- phrase 0")):
        llm = ScriptedLLM(["Preference: be brief"])
        assert _recalled("cipher_n", document, config, llm).description == "be brief"
        ((_, _, prompt),) = llm.asked
        assert f"\n{shown}\n</phrases>" in prompt and prompt.count("- phrase") == shown.count("phrase")


def test_bundled_documents_find_those_of_their_own_source_well_above_chance() -> None:
    documents = load_documents(Config(), load_space("plume")).rows
    for task, sources in (("email", 4), ("summarization", 5)):
        theirs = [document for document in documents if document.task == task]
        shares = []
        for document in theirs:
            others = [other for other in theirs if other != document]
            found = related(_memory(*others), document, 5, Retrieval(by="cosine"))
            shares.append(sum(others[place].source == document.source for place in found) / 5)
        assert sum(shares) / len(shares) > 3 / sources, task
