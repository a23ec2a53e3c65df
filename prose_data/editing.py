"""A user who answers drafts: accepts one, or edits it by what they prefer (PRELUDE, arXiv 2404.15269, section 3).

Unlike in the released code the editor sees the document, an acceptance is a verdict compared whole, and the text is what
stands between triple quotes.
"""

from collections.abc import Sequence

from prose_data.episode import Answer
from prose_data.errors import RequestFailed
from prose_data.llm.ask import ask_text, ask_verdict
from prose_data.llm.door import View
from prose_data.prompts import render
from prose_data.values import Document
from prose_data.writing import REQUESTS

ACCEPT, EDIT = "accept", "edit"


async def answer(document: Document, draft: str, told: Sequence[str], view: View) -> Answer:
    """Return what a user who prefers `told` makes of `draft`, asking the human's model once or twice.

    A verdict that can't be read is no acceptance: the draft is edited, and the verdict noted. An edit that changes
    nothing is told apart from an acceptance. Where the edit fails there is no text. Raises RequestFailed if the first
    request does.
    """
    fields = {
        "request": REQUESTS[document.task],
        "document": document.text,
        "draft": draft,
        "preferences": "; ".join(told),
    }
    verdict = await ask_verdict(view, render("human_accept", **fields), "human", [ACCEPT, EDIT])
    if verdict == ACCEPT:
        return Answer("accepted", draft)
    text = None
    try:
        text = await ask_text(view, render("human_edit", **fields), "human")
    except RequestFailed as error:
        view.note(error.reason, str(error))  # beside what is noted of the verdict
    return Answer("unchanged" if text == draft else "edited", text, tuple(view.notes))
