"""The texts of records written by a model: posts, replies in the voice of poles, and a persona, several texts to a request.

What cannot be read, or may not count, is asked for again and at last given up with its reason, and with it the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prose_data.alignx.dimensions import label, meanings, opposite
from prose_data.alignx.leaks import quoted
from prose_data.alignx.plans import Plan, Poles
from prose_data.llm.ask import ask_text, ask_texts
from prose_data.llm.types import LLM, Message
from prose_data.prompts import Fragment, render, render_fragment

LENGTHS = 2.0  # the longer of two replies is at most so many times as long as the shorter
_ITEMS = 8  # posts of one request for replies

Replies = tuple[str, ...]  # to one post: by one person, or by two


class Unwritten(Exception):
    """A record's texts cannot be had; `reason` is a short word for the failures table, the message says which and why."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one plan, in its order; each pair is the chosen reply and the rejected one."""

    posts: tuple[str, ...]
    comments: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    persona: str


@dataclass(frozen=True, slots=True)
class _Item:
    """A post to reply to, by somebody at the poles `one` and, where there are some, somebody at the poles `other`."""

    post: str
    one: Poles
    other: Poles = ()


async def write_texts(plan: Plan, attempts: int, llm: LLM) -> Texts:
    """Return the texts of a plan, written by the role human; each request is tried at most `attempts` times.

    The pair to predict and the history are asked for apart, so that neither can copy from the other. Raises Unwritten
    where no try can be read or counts, and RequestFailed as `llm` does.
    """
    briefs = "\n".join(f"{number}. {brief}" for number, brief in enumerate(plan.briefs, 1))
    count = len(plan.briefs)
    messages = render("alignx_write_posts", briefs=briefs, count=str(count))
    posts = await _texts("posts", messages, count, attempts, llm)
    target, *history = _items(plan, posts)
    replies = await _replies([target], attempts, llm)
    for start in range(0, len(history), _ITEMS):
        replies += await _replies(history[start : start + _ITEMS], attempts, llm)
    persona = await _persona(plan.held, attempts, llm)
    behind = 1 + len(plan.comments)
    pairs = [(one, other) for one, other in (replies[0], *replies[behind:])]
    return in_sides(plan, posts, [text for (text,) in replies[1:behind]], pairs, persona)


def in_sides(
    plan: Plan,
    posts: Sequence[str],
    comments: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    persona: str,
) -> Texts:
    """Return the texts of a plan, whose pairs come in the order in which they were asked for."""
    sides = [
        (two, one) if flipped else (one, two) for (one, two), flipped in zip(pairs, plan.flipped, strict=True)
    ]
    return Texts(tuple(posts), tuple(comments), tuple(sides), persona)


def asked(plan: Plan) -> list[tuple[Poles, Poles]]:
    """Return the poles of each pair's two replies, in the order in which they are asked for."""
    return [
        (opposite(poles), poles) if flipped else (poles, opposite(poles))
        for poles, flipped in zip(plan.pairs, plan.flipped, strict=True)
    ]


def _items(plan: Plan, posts: Sequence[str]) -> list[_Item]:
    """Return what to reply to: the post of the pair to predict, then those of the comments and of the other pairs."""
    first, *others = asked(plan)
    poles = [first, *((own, ()) for own in plan.comments), *others]
    return [_Item(post, one, other) for post, (one, other) in zip(posts, poles, strict=True)]


async def _replies(items: Sequence[_Item], attempts: int, llm: LLM) -> list[Replies]:
    """Return the replies to each item's post."""
    counts = [2 if item.other else 1 for item in items]
    shown = Fragment("\n\n".join(_shown(number, item) for number, item in enumerate(items, 1)))
    messages = render("alignx_write_replies", items=shown, count=str(sum(counts)))
    texts = iter(await _texts("replies", messages, sum(counts), attempts, llm, counts))
    return [tuple(next(texts) for _ in range(count)) for count in counts]


def _shown(number: int, item: _Item) -> Fragment:
    if item.other:
        first, second = _traits(item.one), _traits(item.other)
        return render_fragment(
            "alignx_write_two", number=str(number), post=item.post, first=first, second=second
        )
    return render_fragment("alignx_write_one", number=str(number), post=item.post, traits=_traits(item.one))


def _traits(poles: Poles) -> str:
    return "\n".join(f"- {label(pole)}: {meanings()[pole]}" for pole in poles)


async def _texts(
    what: str,
    messages: Sequence[Message],
    count: int,
    attempts: int,
    llm: LLM,
    counts: Sequence[int] = (),
) -> list[str]:
    """Return `count` texts that may count, of the first try that gives them; `counts` says how many belong together."""
    reason = "unreadable_texts"
    for replicate in range(attempts):
        texts = await ask_texts(llm, messages, "human", count, replicate=replicate)
        if texts is not None:
            reason = text_problem(texts, counts)
            if not reason:
                return texts
    raise Unwritten(reason, f"all {attempts} tries to write the {what} were rejected, the last for {reason}")


async def _persona(poles: Poles, attempts: int, llm: LLM) -> str:
    reason = "empty_reply"
    messages = render("alignx_write_persona", traits=_traits(poles))
    for replicate in range(attempts):
        text = await ask_text(llm, messages, "human", replicate=replicate)
        if text is not None:
            reason = text_problem([text])
            if not reason:
                return text
    raise Unwritten(reason, f"all {attempts} tries to write the persona were rejected, the last for {reason}")


def text_problem(texts: Sequence[str], counts: Sequence[int] = ()) -> str:
    """Return why texts of one request can't count, "" if they can: `quotes_label`, `repeated`, or `length` where one of
    two that belong together (`counts`) is more than LENGTHS times as long as the other."""
    if any(quoted(text) for text in texts):
        return "quotes_label"
    if len(set(texts)) < len(texts):
        return "repeated"
    rest = iter(texts)
    for count in counts:
        lengths = [len(next(rest)) for _ in range(count)]
        if max(lengths) > LENGTHS * min(lengths):
            return "length"
    return ""
