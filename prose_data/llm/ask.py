"""Asking and reading in one: each function returns the answer, or None after the unreadable reply was noted.

A reply that can't be read gets one correction turn: the same conversation goes on with that reply and a message that
says what is wrong and which form is wanted. Of a reply that was cut off at the token limit the last line does not
count, for half an answer looks like a whole one.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from prose_data.llm.parse import (
    Changes,
    changes,
    last_line,
    last_verdict,
    number_groups,
    number_pairs,
    quoted_text,
    string_list,
    texts,
    verdict_pairs,
)
from prose_data.llm.types import LLM, Message, Reply, Role, Schema
from prose_data.prompts import render, render_fragment

T = TypeVar("T")

COMPONENTS_SCHEMA: Schema = {
    "type": "object",
    "properties": {"components": {"type": "array", "items": {"type": "string"}}},
    "required": ["components"],
    "additionalProperties": False,
}
TEXTS_SCHEMA: Schema = {
    "type": "object",
    "properties": {"texts": {"type": "array", "items": {"type": "string"}}},
    "required": ["texts"],
    "additionalProperties": False,
}
CHANGES_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "differences": {"type": "array", "items": {"type": "string"}},
        "add": {"type": "array", "items": {"type": "string"}},
        "remove": {"type": "array", "items": {"type": "integer"}},
        "update": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"number": {"type": "integer"}, "text": {"type": "string"}},
                "required": ["number", "text"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["differences", "add", "remove", "update"],
    "additionalProperties": False,
}
_QUOTED = 2_000  # characters of an unreadable reply that a correction turn repeats; the model has the request as well


async def ask_text(llm: LLM, messages: Sequence[Message], role: Role, replicate: int = 0) -> str | None:
    """Return the first triple-quoted span of the reply, else the whole reply; None if there is no text in it."""
    correct = partial(render, "correct_text")
    text, reply = await _ask(llm, messages, role, _text, correct, "problem_empty", replicate=replicate)
    if reply.finish_reason == "length":
        llm.note("truncated", f"the {role}'s text was cut off after {reply.completion_tokens} tokens")
    if text is None:
        llm.note("empty_reply", f"the {role} wrote nothing: {_excerpt(reply.text)}")
    return text


async def ask_verdict(
    llm: LLM, messages: Sequence[Message], role: Role, options: Sequence[str]
) -> str | None:
    """Return the one of `options` that the reply's last verdict line names."""
    correct = partial(render, "correct_verdict", options=", ".join(options))
    verdict, reply = await _ask(
        llm, messages, role, lambda reply: last_verdict(_whole_lines(reply), options), correct
    )
    if verdict is None:
        _note_form(llm, "unreadable_verdict", role, reply)
    return verdict


async def ask_number(llm: LLM, messages: Sequence[Message], role: Role, low: int, high: int) -> int | None:
    """Return the whole number from `low` to `high` that the reply's last verdict line names."""
    options = [str(number) for number in range(low, high + 1)]
    correct = partial(render, "correct_number", low=str(low), high=str(high))
    verdict, reply = await _ask(
        llm, messages, role, lambda reply: last_verdict(_whole_lines(reply), options), correct
    )
    if verdict is None:
        _note_form(llm, "unreadable_verdict", role, reply)
        return None
    return int(verdict)


async def ask_line(
    llm: LLM, messages: Sequence[Message], role: Role, label: str, replicate: int = 0
) -> str | None:
    """Return what stands behind the reply's last `label:`; "" for an answer of none."""
    correct = partial(render, "correct_line", label=label)
    line, reply = await _ask(
        llm,
        messages,
        role,
        lambda reply: last_line(_whole_lines(reply), label),
        correct,
        replicate=replicate,
    )
    if line is None:
        _note_form(llm, "unreadable_line", role, reply)
    return line


async def ask_matches(
    llm: LLM, messages: Sequence[Message], role: Role, guessed: int, actual: int
) -> list[tuple[int, int]] | None:
    """Return the zero-based pairs of the reply's last `Matches:`, one to one among so many guessed and actual items."""

    def read(reply: Reply) -> list[tuple[int, int]] | None:
        line = last_line(_whole_lines(reply), "Matches")
        return None if line is None else number_pairs(line, guessed, actual)

    correct = partial(render, "correct_matches", guessed=str(guessed), actual=str(actual))
    pairs, reply = await _ask(llm, messages, role, read, correct)
    if pairs is None and last_line(_whole_lines(reply), "Matches") is None:
        _note_form(llm, "unreadable_line", role, reply)
    elif pairs is None:
        llm.note(
            "unreadable_matches",
            f"the {role}'s matches are not one-to-one pairs on offer: {_excerpt(reply.text)}",
        )
    return pairs


async def ask_groups(llm: LLM, messages: Sequence[Message], role: Role, count: int) -> list[list[int]] | None:
    """Return the zero-based groups of the reply's last `Groups:` among `count` items; what it leaves out is in none."""

    def read(reply: Reply) -> list[list[int]] | None:
        line = last_line(_whole_lines(reply), "Groups")
        return None if line is None else number_groups(line, count)

    groups, reply = await _ask(llm, messages, role, read, partial(render, "correct_groups", count=str(count)))
    if groups is None:
        _note_form(llm, "unreadable_groups", role, reply)
    return groups


async def ask_list(llm: LLM, messages: Sequence[Message], role: Role) -> list[str] | None:
    """Return the reply's list of strings (`COMPONENTS_SCHEMA`)."""
    correct = partial(render, "correct_list")
    items, reply = await _ask(llm, messages, role, _whole_list, correct, schema=COMPONENTS_SCHEMA)
    if items is None:
        _note_form(llm, "unreadable_list", role, reply)
    return items


async def ask_options(
    llm: LLM, messages: Sequence[Message], role: Role, options: Mapping[str, Hashable]
) -> list[str] | None:
    """Return which of `options` the reply's list names; a list with anything else can't be read.

    `options` maps what is on offer to what it belongs to, of which it may name but one.
    """

    def read(reply: Reply) -> list[str] | None:
        items = _whole_list(reply)
        if items is None or not all(item in options for item in items):
            return None
        return items if len({options[item] for item in items}) == len(items) else None

    one_of: Schema = {"type": "string", "enum": list(options)}
    schema: Schema = {**COMPONENTS_SCHEMA, "properties": {"components": {"type": "array", "items": one_of}}}
    items, reply = await _ask(llm, messages, role, read, partial(render, "correct_options"), schema=schema)
    if items is None:
        _note_form(llm, "unreadable_options", role, reply)
    return items


async def ask_texts(
    llm: LLM, messages: Sequence[Message], role: Role, count: int, replicate: int = 0
) -> list[str] | None:
    """Return the `count` texts of the reply (`TEXTS_SCHEMA`), none of them empty."""
    correct = partial(render, "correct_texts", count=str(count))

    def read(reply: Reply) -> list[str] | None:
        return None if reply.finish_reason == "length" else texts(reply.text, count)

    found, reply = await _ask(llm, messages, role, read, correct, schema=TEXTS_SCHEMA, replicate=replicate)
    if found is None:
        _note_form(llm, "unreadable_texts", role, reply)
    return found


async def ask_changes(llm: LLM, messages: Sequence[Message], role: Role, count: int) -> Changes | None:
    """Return what the reply's JSON (`CHANGES_SCHEMA`) changes in a list of `count` items."""
    correct = partial(render, "correct_changes", count=str(count))

    def read(reply: Reply) -> Changes | None:
        return None if reply.finish_reason == "length" else changes(reply.text, count)

    found, reply = await _ask(llm, messages, role, read, correct, schema=CHANGES_SCHEMA)
    if found is None:
        _note_form(llm, "unreadable_changes", role, reply)
    return found


async def ask_verdict_pairs(
    llm: LLM, messages: Sequence[Message], role: Role, count: int, options: Sequence[str]
) -> dict[int, tuple[str, str]]:
    """Return the two verdicts that the reply gives on each of `count` items, by zero-based number; those that can't be
    read are left out, and noted together."""
    correct = partial(render, "correct_verdicts", count=str(count), options=", ".join(options))
    found, reply = await _ask(
        llm, messages, role, lambda reply: verdict_pairs(_whole_lines(reply), count, options), correct
    )
    found = found or {}
    if len(found) < count:
        missing = ", ".join(str(number + 1) for number in range(count) if number not in found)
        llm.note("unreadable_verdict", f"the {role} gave no verdicts on {missing}: {_excerpt(reply.text)}")
    return found


async def _ask(
    llm: LLM,
    messages: Sequence[Message],
    role: Role,
    read: Callable[[Reply], T | None],
    correct: Callable[..., list[Message]],
    problem: str = "problem_form",
    *,
    schema: Schema | None = None,
    replicate: int = 0,
) -> tuple[T | None, Reply]:
    """Return what `read` makes of the reply, or else of that to a correction turn, and the last reply itself."""
    reply = await llm(messages, role=role, schema=schema, replicate=replicate)
    answer = read(reply)
    if answer is None:
        fault = render_fragment("problem_cut" if reply.finish_reason == "length" else problem)
        said: Message = {"role": "assistant", "content": _quoted(reply.text)}
        turn = [*messages, said, *correct(problem=fault)]
        reply = await llm(turn, role=role, schema=schema, replicate=replicate)
        answer = read(reply)
    return answer, reply


def _text(reply: Reply) -> str | None:
    return quoted_text(reply.text) or None


def _whole_lines(reply: Reply) -> str:
    return reply.text.rpartition("\n")[0] if reply.finish_reason == "length" else reply.text


def _whole_list(reply: Reply) -> list[str] | None:
    return None if reply.finish_reason == "length" else string_list(reply.text)


def _quoted(text: str) -> str:
    """Return a reply as a correction turn repeats it: of a long one the start and the end, and never nothing, as some
    endpoints refuse an empty message."""
    text = text.strip()
    if len(text) > _QUOTED:
        text = f"{text[: _QUOTED // 2].rstrip()}\n[…]\n{text[-_QUOTED // 2 :].lstrip()}"
    return text or "(nothing)"


def _note_form(llm: LLM, reason: str, role: Role, reply: Reply) -> None:
    llm.note(reason, f"the {role} gave no answer in the form asked for: {_excerpt(reply.text)}")


def _excerpt(text: str) -> str:
    """Return the end of a reply in at most 120 characters, on one line."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 120 else "…" + line[-119:])
