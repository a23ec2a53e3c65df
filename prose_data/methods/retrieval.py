"""Retrieval: which of a user's past entries are related to a document (arXiv 2505.23815, section on retrieval)."""

from collections.abc import Sequence

from prose_data.config import Retrieval
from prose_data.embedding import similarities
from prose_data.methods.types import Memory
from prose_data.values import Document


def related(memory: Memory, document: Document, k: int, retrieval: Retrieval) -> list[int]:
    """Return the places in `memory` of the at most `k` entries related to `document`, best first; k = 0 gives none.

    `exact_match`: the latest whose example is of the document's task and source. `most_recent`: the latest of any.
    `cosine`: those with the most similar document texts, of equal ones the latest, none below the floor.
    `retrieval` is that of `Config.retrieves`, whose `by` is not null. Raises InputError if the encoder is not installed.
    """
    latest = list(range(len(memory)))[::-1]
    if k == 0 or not memory or retrieval.by == "most_recent":
        return latest[:k]
    documents: list[Document] = [entry.example.document for entry in memory]
    if retrieval.by == "cosine":
        return _nearest(document, documents, latest, retrieval)[:k]
    if retrieval.by is None:
        raise ValueError("retrieval.by is open: pass Config.retrieves")
    kind = document.task, document.source
    return [place for place in latest if (documents[place].task, documents[place].source) == kind][:k]


def _nearest(
    document: Document, documents: Sequence[Document], latest: Sequence[int], retrieval: Retrieval
) -> list[int]:
    texts = [past.text for past in documents]
    alike = similarities(document.text, texts, retrieval.encoder, retrieval.normalise)
    floor = float("-inf") if retrieval.floor is None else retrieval.floor
    return sorted((place for place in latest if alike[place] >= floor), key=lambda place: -alike[place])
