"""Selection: a reader says which of two responses a user prefers, by a letter, asked in both orders.

A reader that loves a letter is right half the time in both orders together, and its love shows as the share of A.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from prose_data.alignx.persona import Persona
from prose_data.alignx.targets import Target
from prose_data.alignx.templates import fitted, profile_text
from prose_data.llm.ask import ask_verdict
from prose_data.llm.types import LLM, Message
from prose_data.prompts import Fragment, render
from prose_data.streams import stream

Order = Literal["chosen_first", "rejected_first"]
ORDERS: Sequence[Order] = get_args(Order)
LETTERS = ("A", "B")


def selection_messages(post: str, known: Persona | str, first: str, second: str) -> list[Message]:
    """Return the prompt that asks whether the user prefers `first` (A) or `second` (B).

    `known` is the persona or the profile as ICA's and PBA's prompts show it; a long persona loses its oldest items.
    """

    def asked(shown: Fragment) -> list[Message]:
        return render("alignx_select", post=post, known=shown, first=first, second=second)

    return asked(profile_text(known)) if isinstance(known, str) else fitted(known, asked)


async def choose(llm: LLM, target: Target, known: Persona | str, order: Order) -> str | None:
    """Return the letter that the reader gives with the responses in this order; None (noted) if it can't be read."""
    responses = (target.chosen, target.rejected)
    first, second = responses if order == "chosen_first" else responses[::-1]
    return await ask_verdict(llm, selection_messages(target.prompt, known, first, second), "judge", LETTERS)


def hit(letter: str, order: Order) -> bool:
    """Return whether `letter` names the chosen response."""
    return letter == LETTERS[ORDERS.index(order)]


def drawn_order(seed: int, target_id: str) -> Order:
    """Return the one order in which the published convention would ask about a target."""
    return stream(seed, "order", target_id).choice(ORDERS)
