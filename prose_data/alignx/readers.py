"""Readers of files with choices to predict: AlignX rows, the benchmark sets scored beside them, and our own pairs.

What a row is follows from its keys. All seven published keys: a record, maybe with a `profile`. `history` or `persona`:
our pairs JSON Lines (`{"id", "user_id", "prompt", "chosen", "rejected", "history", "profile", "persona"}`). Anything else
with `prompt`, `chosen` and `rejected` is a benchmark row as P-Soups, PRISM and UF-P-4 have them, whose other keys
are not published and are left alone; its history may come without directions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from prose_data.alignx.dimensions import NEUTRAL_VECTOR, check_vector
from prose_data.alignx.persona import Persona
from prose_data.alignx.record import DEMO, DIRECTION, KEYS, PAIR, UGC, comment_of, from_row, pair_of
from prose_data.alignx.targets import Target, target_of
from prose_data.errors import InputError
from prose_data.rows import Row, read_rows

HUB = "hf://datasets/"
_BESIDE = ("profile", "profile_full", "id", "user_id")  # what may stand beside the seven keys
_OURS = ("id", "user_id", "prompt", "chosen", "rejected", "history", "profile", "persona")
_TRUE_PERSONA = "ground_truth_persona"  # P-Soups: the style the user asked for, so near-golden, as DEMO is

T = TypeVar("T")


def read_targets(
    source: str, split: str = "train", limit: int | None = None
) -> tuple[list[Target], list[tuple[str, str]]]:
    """Return the targets in a file, a folder of Parquet parts or `hf://datasets/OWNER/NAME`, and what was left out.

    Left out, as (reason, message), are rows that repeat another in all they hold. Raises InputError naming file and row
    for one that is malformed, and where two rows have one id.
    """
    rows = rows_in(source, split, limit)
    targets: dict[str, Target] = {}
    places: dict[str, str] = {}
    seen: dict[Target, str] = {}
    left_out = []
    for number, row in enumerate(rows, 1):
        target = target_in(row, f"row-{number:07d}")
        content = replace(target, target_id="", user_id="")
        if content in seen:
            left_out.append(("duplicate_row", f"{row.place}: repeats {seen[content]} and is left out"))
            continue
        if target.target_id in targets:
            raise InputError(
                f"{row.place}: the id {target.target_id} was there before ({places[target.target_id]}); it must be unique"
            )
        targets[target.target_id], places[target.target_id] = target, row.place
        seen[content] = row.place
    return list(targets.values()), left_out


def rows_in(source: str, split: str = "train", limit: int | None = None) -> Iterable[Row]:
    """Return the rows of a file, a folder of Parquet parts or `hf://datasets/OWNER/NAME`, at most `limit`, as they are."""
    return _hub_rows(source, split, limit) if source.startswith(HUB) else _file_rows(Path(source), limit)


def target_in(row: Row, default_id: str) -> Target:
    """Return the target of one row, under its own id or else `default_id`; raises InputError naming its place."""
    fields = {key: value for key, value in row.fields.items() if value is not None}
    known = Row(row.place, fields)
    if all(key in fields for key in KEYS):
        record = from_row({key: value for key, value in fields.items() if key not in _BESIDE}, row.place)
        profile = known.fields.get("profile")
        if profile is not None and not isinstance(profile, str):
            raise InputError(f"{row.place}, profile: must be a text, not {type(profile).__name__}")
        return target_of(
            record, known.text_or("id", default_id), known.text_or("user_id", "") or None, profile
        )
    return (
        _ours(known, default_id)
        if "history" in fields or "persona" in fields
        else _benchmark(known, default_id)
    )


def _ours(row: Row, default_id: str) -> Target:
    for key in row.fields:
        if key not in _OURS:
            raise InputError(f"{row.place}: has the unknown key {key!r}; there may be {', '.join(_OURS)}")
    labels = _list(row.fields.get("profile", []), f"{row.place}, profile")
    if not all(isinstance(label, str) for label in labels):
        raise InputError(f"{row.place}, profile: must be a list of texts")
    history = _items(row.fields.get("history", []), f"{row.place}, history", pair_of)
    persona = Persona(_text(row, "persona"), pairs=history, directed=False)
    return _target(row, default_id, persona, profile=", ".join(labels) or None)


def _benchmark(row: Row, default_id: str) -> Target:
    items = [item for key in (UGC, PAIR) for item in _list(row.fields.get(key, []), f"{row.place}, {key}")]
    directed = [isinstance(item, Mapping) and item.get(DIRECTION) is not None for item in items]
    if any(directed) and not all(directed):
        raise InputError(f"{row.place}: some items of the history have a {DIRECTION} and some have none")
    persona = Persona(
        demographic=_text(row, DEMO) or _text(row, _TRUE_PERSONA),
        comments=_items(row.fields.get(UGC, []), f"{row.place}, {UGC}", comment_of),
        pairs=_items(row.fields.get(PAIR, []), f"{row.place}, {PAIR}", pair_of),
        directed=all(directed),
    )
    return _target(row, default_id, persona, profile=_text(row, "profile") or None)


def _target(row: Row, default_id: str, persona: Persona, profile: str | None) -> Target:
    target_id = row.text_or("id", default_id)
    chosen, rejected = row.text("chosen"), row.text("rejected")
    if chosen == rejected:
        raise InputError(f"{row.place}: chosen and rejected are equal")
    direction = row.fields.get(DIRECTION)
    return Target(
        target_id=target_id,
        user_id=row.text_or("user_id", target_id),
        prompt=row.text("prompt"),
        chosen=chosen,
        rejected=rejected,
        direction=None if direction is None else check_vector(direction, f"{row.place}, {DIRECTION}"),
        persona=persona,
        profile=profile,
    )


def _text(row: Row, key: str) -> str:
    """Return the text at `key`, "" where there is none."""
    text = row.fields.get(key, "")
    if not isinstance(text, str):
        raise InputError(f"{row.place}, {key}: must be a text, not {type(text).__name__}")
    return text


def _list(value: Any, place: str) -> Sequence[Any]:
    if hasattr(value, "tolist"):  # an array, as Parquet gives them
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise InputError(f"{place}: must be a list, not {type(value).__name__}")
    return value


def _items(value: Any, place: str, read: Callable[[Mapping[str, Any], str], T]) -> tuple[T, ...]:
    """Return the items of a history; one without a direction gets the neutral one."""
    found = []
    for number, item in enumerate(_list(value, place), 1):
        if isinstance(item, Mapping) and item.get(DIRECTION) is None:
            item = {**item, DIRECTION: list(NEUTRAL_VECTOR)}
        found.append(read(item, f"{place}, item {number}"))
    return tuple(found)


def _file_rows(path: Path, limit: int | None) -> Iterable[Row]:
    if not path.is_dir():
        return read_rows(path, limit)
    parts = sorted(path.glob("*.parquet"))
    if not parts:
        raise InputError(f"{path}: holds no .parquet file; name a file, or a folder of Parquet parts")
    rows = (row for part in parts for row in read_rows(part))
    return rows if limit is None else (row for _, row in zip(range(limit), rows, strict=False))


def _hub_rows(source: str, split: str, limit: int | None) -> Iterator[Row]:
    from prose_data.hub_documents import stream_rows

    name = source.removeprefix(HUB)
    rows = stream_rows(name, split=split, key=source, instead="a file of your own")
    for number, fields in zip(range(limit or 2**63), rows, strict=False):
        yield Row(f"{source}, row {number + 1}", fields)
