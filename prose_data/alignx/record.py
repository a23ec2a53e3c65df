"""A record of AlignX: a post, the response a user prefers, the other one, the direction, and three kinds of persona.

Rows have exactly the seven published keys, spaces and hyphens included. Whatever comes from a file is checked key by
key, and errors name the place in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from prose_data.alignx.dimensions import NEUTRAL_VECTOR, Vector, check_vector
from prose_data.errors import InputError

DIRECTION = "Preference Direction"
DEMO = "Demographic Information"
UGC = "User-Generated Content"
PAIR = "Pair-wise Comparative Feedback"
KEYS = ("prompt", "chosen", "rejected", DIRECTION, DEMO, UGC, PAIR)
_COMMENT_KEYS = ("prompt", "comment", DIRECTION)
_PAIR_KEYS = ("prompt", "chosen", "rejected", DIRECTION)

_VECTOR = pa.list_(pa.float64())


def _struct(keys: tuple[str, ...]) -> pa.StructType:
    return pa.struct([(key, _VECTOR if key == DIRECTION else pa.string()) for key in keys])


RECORD_SCHEMA = pa.schema(
    [
        ("prompt", pa.string()),
        ("chosen", pa.string()),
        ("rejected", pa.string()),
        (DIRECTION, _VECTOR),
        (DEMO, pa.string()),
        (UGC, pa.list_(_struct(_COMMENT_KEYS))),
        (PAIR, pa.list_(_struct(_PAIR_KEYS))),
    ]
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Comment:
    """What the user wrote under somebody's post (UGC), and the direction that it shows."""

    prompt: str
    comment: str
    direction: Vector


@dataclass(frozen=True, slots=True)
class Pair:
    """Which of two comments by others under a post the user preferred (PAIR), and the direction that it shows."""

    prompt: str
    chosen: str
    rejected: str
    direction: Vector


@dataclass(frozen=True, slots=True)
class Record:
    """One row: a choice to predict, and the persona to predict it from; `demographic` (DEMO) may be empty."""

    prompt: str
    chosen: str
    rejected: str
    direction: Vector
    demographic: str
    comments: tuple[Comment, ...]
    pairs: tuple[Pair, ...]


def to_row(record: Record) -> dict[str, Any]:
    """Return the row of `record`: the seven published keys, lists and plain numbers, fit for JSON."""
    return {
        "prompt": record.prompt,
        "chosen": record.chosen,
        "rejected": record.rejected,
        DIRECTION: list(record.direction),
        DEMO: record.demographic,
        UGC: [
            {"prompt": item.prompt, "comment": item.comment, DIRECTION: list(item.direction)}
            for item in record.comments
        ],
        PAIR: [
            {
                "prompt": item.prompt,
                "chosen": item.chosen,
                "rejected": item.rejected,
                DIRECTION: list(item.direction),
            }
            for item in record.pairs
        ],
    }


def from_row(row: Mapping[str, Any], place: str) -> Record:
    """Return the record of a row as read from JSON or Parquet; `place` (file and row) is named in errors.

    Raises InputError for a key that is missing or unknown, a value of another type, an empty text, a vector that is
    none, two equal responses, a target that is neutral throughout, or a persona without any content.
    """
    _check_keys(row, KEYS, place)
    record = Record(
        prompt=_text(row, "prompt", place),
        chosen=_text(row, "chosen", place),
        rejected=_text(row, "rejected", place),
        direction=check_vector(row[DIRECTION], f"{place}, {DIRECTION}"),
        demographic=_text(row, DEMO, place, empty=True),
        comments=_items(row, UGC, place, comment_of),
        pairs=_items(row, PAIR, place, pair_of),
    )
    if record.chosen == record.rejected:
        raise InputError(f"{place}: chosen and rejected are equal")
    if record.direction == NEUTRAL_VECTOR:
        raise InputError(f"{place}, {DIRECTION}: is 0.5 throughout, so nothing tells chosen from rejected")
    if not record.comments and not record.pairs and not record.demographic.strip():
        raise InputError(f"{place}: has no persona: {DEMO}, {UGC} and {PAIR} are all empty")
    return record


def comment_of(item: Mapping[str, Any], place: str) -> Comment:
    """Return the UGC item of a row's list; raises InputError naming `place`."""
    _check_keys(item, _COMMENT_KEYS, place)
    return Comment(
        _text(item, "prompt", place),
        _text(item, "comment", place),
        check_vector(item[DIRECTION], f"{place}, {DIRECTION}"),
    )


def pair_of(item: Mapping[str, Any], place: str) -> Pair:
    """Return the PAIR item of a row's list; raises InputError naming `place`."""
    _check_keys(item, _PAIR_KEYS, place)
    pair = Pair(
        _text(item, "prompt", place),
        _text(item, "chosen", place),
        _text(item, "rejected", place),
        check_vector(item[DIRECTION], f"{place}, {DIRECTION}"),
    )
    if pair.chosen == pair.rejected:
        raise InputError(f"{place}: chosen and rejected are equal")
    return pair


def _items(
    row: Mapping[str, Any], key: str, place: str, read: Callable[[Mapping[str, Any], str], T]
) -> tuple[T, ...]:
    items = row[key]
    if hasattr(items, "tolist"):  # an array, as Parquet gives them
        items = items.tolist()
    if not isinstance(items, list | tuple):
        raise InputError(f"{place}, {key}: must be a list, not {type(items).__name__}")
    return tuple(read(item, f"{place}, {key}, item {number}") for number, item in enumerate(items, 1))


def _check_keys(row: Any, keys: tuple[str, ...], place: str) -> None:
    if not isinstance(row, Mapping):
        raise InputError(f"{place}: must hold the keys {', '.join(keys)}, and is {type(row).__name__}")
    for key in keys:
        if key not in row:
            raise InputError(f"{place}: has no key {key!r}; there must be {', '.join(keys)}")
    for key in row:
        if key not in keys:
            raise InputError(f"{place}: has the unknown key {key!r}; there must be {', '.join(keys)}")


def _text(row: Mapping[str, Any], key: str, place: str, empty: bool = False) -> str:
    text = row[key]
    if not isinstance(text, str):
        raise InputError(f"{place}, {key}: must be a text, not {type(text).__name__}")
    if not empty and not text.strip():
        raise InputError(f"{place}, {key}: is empty")
    return text
