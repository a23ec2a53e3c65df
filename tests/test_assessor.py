"""The simulated assessor: better answers get better marks, by what stands in the prompt, off as often as its skills say."""

from statistics import fmean

from prose_data.config import Config
from prose_data.documents import load_documents
from prose_data.llm.parse import last_verdict
from prose_data.prompts import render
from prose_data.simulator.assessor import BORNE_OUT, SIMILAR
from prose_data.simulator.model import simulate
from prose_data.spaces import load_space
from prose_data.writing import writing_messages

DOCUMENTS = [
    document for document in load_documents(Config(), load_space("plume")).rows if document.task == "email"
]
NUMBERS = [str(number) for number in range(101)]


def _mean(
    messages: list[dict[str, str]], options: list[str], model: str = "sim-strong", times: int = 200
) -> float:
    read = [last_verdict(simulate(messages, model, seed), options) for seed in range(times)]
    places = [options.index(verdict) for verdict in read if verdict is not None]
    assert len(places) > 0.8 * times
    return fmean(places)


def _similar(inferred: str, true: str) -> float:
    return _mean(render("judge_similarity", inferred=inferred, true=true), list(SIMILAR))


def test_similarity_rises_with_what_both_lists_have() -> None:
    true = "- use emojis\n- include a simile\n- write using bullet points\n- be highly inquisitive"
    full, part = _similar(true, true), _similar("- use emojis\n- include a simile", true)
    none, opposite = _similar("- be brief", true), _similar("- avoid emojis", "- use emojis")
    assert 3.8 < full <= 4 and 2 < part < 3.5 and none < 0.2 and opposite < 0.2
    assert _similar("- add plenty of emoji", "- use emojis") > 3.8, "words differ, the meaning does not"


def _faithful(text: str, document: str) -> float:
    return _mean(render("judge_faithfulness", text=text, document=document), list(BORNE_OUT))


def test_a_text_is_faithful_to_its_own_document_and_not_to_another() -> None:
    for document, other in zip(DOCUMENTS[:5], DOCUMENTS[20:25], strict=True):
        text = simulate(writing_messages(document), "sim-strong", 0)
        assert _faithful(text, document.text) > 3.7
        assert _faithful(text, other.text) < 0.5


def test_coherence_falls_with_repetition_and_fragments() -> None:
    def marked(text: str) -> float:
        return _mean(render("judge_coherence", text=text), NUMBERS)

    whole = "The ferry was late. A pump had failed. The crew repaired it. Nobody was hurt."
    repeated = "The ferry was late. The ferry was late. The ferry was late. The ferry was late."
    broken = "The ferry was late\nA pump had\nThe crew\nNobody was"
    assert marked(whole) > 88 > marked(broken) > marked(repeated) and marked(repeated) < 40


def test_a_weak_judge_errs_more_often() -> None:
    messages = render("judge_similarity", inferred="- use emojis", true="- use emojis")
    assert _mean(messages, list(SIMILAR), "sim-weak") < _mean(messages, list(SIMILAR), "sim-strong")
