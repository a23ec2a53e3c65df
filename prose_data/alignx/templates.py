"""The prompts of ICA and PBA (AlignX, section on alignment): one function each, for training rows and for scoring.

ICA's prompt holds the raw persona, PBA's the labels of directions. Both take a post and what is known, and no target: its
direction cannot reach them. Where a history is too long, whole items go, the oldest first; the task never does.
"""

from bisect import bisect_left
from collections.abc import Callable

from prose_data.alignx.persona import Persona, latest
from prose_data.llm.types import Message
from prose_data.prompts import Fragment, render, render_fragment

LIMIT = 7_679  # tokens of a prompt in the published models: 8,192 less the reply's 512 and one
Count = Callable[[str], int]


def about_tokens(text: str) -> int:
    """Return about how many tokens `text` has, a quarter of its bytes, for where there is no tokenizer."""
    return (len(text.encode(errors="replace")) + 3) // 4


def ica_messages(
    post: str, persona: Persona, limit: int = LIMIT, count: Count = about_tokens
) -> list[Message]:
    """Return ICA's prompt: the post, then UGC, PAIR and DEMO as they are, in at most `limit` tokens by `count`.

    A persona that says nothing leaves nothing there, no filler; a longer one loses its oldest items.
    """
    return fitted(persona, lambda known: render("alignx_ica", post=post, persona=known), limit, count)


def pba_messages(post: str, profile: str) -> list[Message]:
    """Return PBA's prompt: the post and the labels of a profile; an empty profile leaves nothing there."""
    return render("alignx_pba", post=post, profile=profile_text(profile))


def fitted(
    persona: Persona,
    write: Callable[[Fragment], list[Message]],
    limit: int = LIMIT,
    count: Count = about_tokens,
) -> list[Message]:
    """Return what `write` makes of the persona with as many of its latest items as fit `limit` tokens by `count`."""

    def written(dropped: int) -> list[Message]:
        return write(persona_text(latest(persona, persona.items - dropped)))

    def fits(dropped: int) -> bool:
        return sum(count(message["content"]) for message in written(dropped)) <= limit

    return written(bisect_left(range(persona.items), True, key=fits))


def persona_text(persona: Persona) -> Fragment:
    """Return a persona as prompts show it: UGC, PAIR, DEMO, each left out where it is empty."""
    parts = [
        render_fragment(
            "alignx_comments",
            items=_numbered(
                [
                    render_fragment(
                        "alignx_comment", number=str(number), post=item.prompt, comment=item.comment
                    )
                    for number, item in enumerate(persona.comments, 1)
                ]
            ),
        )
        if persona.comments
        else "",
        render_fragment(
            "alignx_pairs",
            items=_numbered(
                [
                    render_fragment(
                        "alignx_pair",
                        number=str(number),
                        post=item.prompt,
                        chosen=item.chosen,
                        rejected=item.rejected,
                    )
                    for number, item in enumerate(persona.pairs, 1)
                ]
            ),
        )
        if persona.pairs
        else "",
        render_fragment("alignx_persona", text=persona.demographic) if persona.demographic.strip() else "",
    ]
    return Fragment("\n\n".join(part for part in parts if part))


def profile_text(profile: str) -> Fragment:
    """Return the labels of a profile as prompts show them; "" for an empty one."""
    return render_fragment("alignx_profile", profile=profile) if profile else Fragment("")


def _numbered(items: list[Fragment]) -> Fragment:
    return Fragment("\n\n".join(items))
