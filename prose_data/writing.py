"""The one builder of writing prompts: the human, every method's writer and the oracle ask for texts in the same words.

Source: PROSE (arXiv 2505.23815), writer prompt of PLUME: preferences on one line, short request, document, reminder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prose_data.llm.ask import ask_text
from prose_data.llm.types import LLM, Message, Role
from prose_data.prompts import Fragment, render, render_fragment
from prose_data.values import Document, Task

REQUESTS: dict[Task, str] = {
    "email": "Write a short email from the following notes.",
    "summarization": "Write a short summary of the following text.",
}


@dataclass(frozen=True, slots=True)
class Miss:
    """A draft of ours that was not what the user would write, and what it misses, "a; b; c"."""

    draft: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text that a user wrote, together with the document it is about, and drafts for it that missed (TICL).

    With `draft` it is an edit: what the user made the text of (PRELUDE), shown in place of the document.
    """

    document: Document
    text: str
    misses: tuple[Miss, ...] = ()
    draft: str | None = None


def writing_messages(
    document: Document, components: Sequence[str] = (), examples: Sequence[Example] = ()
) -> list[Message]:
    """Return the messages that ask for a text about `document` by `components`, in the manner of `examples`.

    Raises KeyError for edits together with components: no prompt shows both.
    """
    fields = {"request": REQUESTS[document.task], "document": document.text}
    if components:
        fields["preferences"] = "; ".join(components)
        fields["reminder"] = "\n".join(f"- {component}" for component in components)
    if examples:
        shown = (_shown(str(number), example) for number, example in enumerate(examples, 1))
        fields["examples"] = Fragment("\n\n".join(part for parts in shown for part in parts))
    edits = any(example.draft is not None for example in examples)
    kind = "edits" if edits else "examples" if examples else "none"
    return render(_PROMPTS[bool(components), kind], **fields)


_PROMPTS = {
    (False, "none"): "write",
    (True, "none"): "write_preferences",
    (False, "examples"): "write_examples",
    (True, "examples"): "write_both",
    (False, "edits"): "write_edits",
}  # by whether components are told, and what the examples are


def shown_edit(number: str, draft: str, text: str) -> Fragment:
    """Return an edit as writers and readers see it: the draft, and what the user made of it."""
    return render_fragment("example_edited", number=number, draft=draft, text=text)


def _shown(number: str, example: Example) -> list[Fragment]:
    """Return an example as the writer sees it: the pair, and below it what missed, the latest miss last."""
    if example.draft is not None:
        return [shown_edit(number, example.draft, example.text)]
    pair = render_fragment("example", number=number, document=example.document.text, text=example.text)
    misses = [
        render_fragment("example_missed", number=number, draft=miss.draft, explanation=miss.explanation)
        for miss in example.misses
    ]
    return [pair, *misses]


async def write(
    llm: LLM,
    document: Document,
    components: Sequence[str] = (),
    examples: Sequence[Example] = (),
    *,
    role: Role = "writer",
    replicate: int = 0,
) -> str | None:
    """Return a text about `document`, or None (counted) if the reply held none."""
    return await ask_text(llm, writing_messages(document, components, examples), role, replicate)


async def rewrite(
    llm: LLM,
    document: Document,
    components: Sequence[str],
    text: str,
    missing: Sequence[str],
    *,
    replicate: int = 0,
) -> str | None:
    """Return the human's revision of their own `text` that shows the `missing` components as well."""
    messages = render(
        "rewrite",
        request=REQUESTS[document.task],
        document=document.text,
        preferences="; ".join(components),
        text=text,
        missing="\n".join(f"- {component}" for component in missing),
    )
    return await ask_text(llm, messages, "human", replicate)


async def notes(llm: LLM, text: str) -> str | None:
    """Return `text` reduced to plain factual notes, the stand-in for a document that is not known."""
    return await ask_text(llm, render("notes", text=text), "writer")
