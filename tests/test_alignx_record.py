"""Records: exactly the published form, there and back, and every fault named with its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prose_data.alignx.dimensions import vector_of
from prose_data.alignx.record import (
    DEMO,
    DIRECTION,
    KEYS,
    PAIR,
    RECORD_SCHEMA,
    UGC,
    Comment,
    Pair,
    Record,
    from_row,
    to_row,
)
from prose_data.errors import InputError

VECTOR = vector_of([(3, True), (59, False)])
RECORD = Record(
    prompt="A post.",
    chosen="One answer.",
    rejected="Another answer.",
    direction=VECTOR,
    demographic="A night nurse.",
    comments=(Comment("Their post.", "My comment.", VECTOR),),
    pairs=(Pair("Their other post.", "Better.", "Worse.", vector_of([(0, True)])),),
)


def _with(**changes: Any) -> dict[str, Any]:
    return to_row(RECORD) | changes


def test_a_row_has_exactly_the_seven_published_keys() -> None:
    row = to_row(RECORD)
    assert (
        tuple(row)
        == KEYS
        == (
            "prompt",
            "chosen",
            "rejected",
            "Preference Direction",
            "Demographic Information",
            "User-Generated Content",
            "Pair-wise Comparative Feedback",
        )
    )
    assert list(row[UGC][0]) == ["prompt", "comment", "Preference Direction"]
    assert list(row[PAIR][0]) == ["prompt", "chosen", "rejected", "Preference Direction"]
    assert from_row(json.loads(json.dumps(row)), "here") == RECORD


def test_a_row_that_comes_from_parquet_with_arrays_in_it_is_the_same_record(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([to_row(RECORD)], schema=RECORD_SCHEMA)
    pq.write_table(table, tmp_path / "rows.parquet")
    (row,) = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert from_row(row, "here") == RECORD
    row[DIRECTION] = np.array(row[DIRECTION])
    row[UGC] = np.array([{**item, DIRECTION: np.array(item[DIRECTION])} for item in row[UGC]], dtype=object)
    row[PAIR] = np.array([{**item, DIRECTION: np.array(item[DIRECTION])} for item in row[PAIR]], dtype=object)
    read = from_row(row, "here")
    assert read == RECORD and json.dumps(to_row(read)) == json.dumps(to_row(RECORD))


def test_demo_may_be_empty_and_so_may_a_history_beside_it() -> None:
    assert from_row(_with(**{DEMO: ""}), "here").demographic == ""
    assert from_row(_with(**{UGC: [], PAIR: []}), "here").comments == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda row: row.pop(DEMO), "has no key 'Demographic Information'"),
        (lambda row: row.update(user_id="u1"), "has the unknown key 'user_id'"),
        (lambda row: row.update(prompt=3), "prompt: must be a text, not int"),
        (lambda row: row.update(chosen=" "), "chosen: is empty"),
        (lambda row: row.update({DEMO: None}), "Demographic Information: must be a text, not NoneType"),
        (lambda row: row.update(rejected=row["chosen"]), "chosen and rejected are equal"),
        (lambda row: row[DIRECTION].pop(), "Preference Direction: has 89 values"),
        (lambda row: row.update({DIRECTION: [0.5] * 90}), "is 0.5 throughout"),
        (lambda row: row.update({UGC: "none"}), "User-Generated Content: must be a list, not str"),
        (lambda row: row.update({UGC: [], PAIR: [], DEMO: " "}), "has no persona"),
        (lambda row: row[UGC][0].pop("comment"), "User-Generated Content, item 1: has no key 'comment'"),
        (lambda row: row[UGC].append("text"), "Content, item 2: must hold the keys .* and is str"),
        (lambda row: row[UGC][0][DIRECTION].append(1), "Content, item 1, Preference Direction: has 91"),
        (lambda row: row[PAIR][0].update(comment="x"), "Feedback, item 1: has the unknown key 'comment'"),
        (lambda row: row[PAIR][0].update(chosen="Worse."), "Feedback, item 1: chosen and rejected are equal"),
        (
            lambda row: row[PAIR][0][DIRECTION].__setitem__(4, -1),
            "item 1, Preference Direction: value 4 is -1",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(change: Callable[[dict[str, Any]], object], problem: str) -> None:
    row = json.loads(json.dumps(to_row(RECORD)))
    change(row)
    with pytest.raises(InputError, match=f"^rows.json, row 7(:|,) ?.*{problem}"):
        from_row(row, "rows.json, row 7")


def test_what_is_no_row_at_all_is_named_too() -> None:
    with pytest.raises(InputError, match="row 1: must hold the keys"):
        from_row([1, 2], "rows.json, row 1")  # type: ignore[arg-type]
