"""The checks of a whole data set: each finds what is planted, names it with file and row, and finds nothing else."""

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prose_data.alignx.checks import ENOUGH, check_parts, correlations, first_word, problems
from prose_data.alignx.leaks import PHRASES, quoted, quoting
from prose_data.alignx.likeness import LIKE, PLACES, alike, hashes, signatures, words_of
from prose_data.alignx.profile import to_text
from prose_data.alignx.record import DEMO, DIRECTION, PAIR, RECORD_SCHEMA, UGC
from prose_data.errors import InputError
from tests.alignx_targets import rows

Row = dict[str, Any]
ROWS = 60


def _rows(count: int = ROWS) -> list[Row]:
    return copy.deepcopy(list(rows(count)))


def _written(folder: Path, some: list[Row], name: str = "part-00000") -> Path:
    path = folder / f"{name}.parquet"
    pq.write_table(pa.Table.from_pylist(some, schema=RECORD_SCHEMA), path)
    return path


def _checked(folder: Path, some: list[Row]) -> dict[str, Any]:
    return check_parts([(_written(folder, some), None)])[0]


def test_what_the_simulated_model_writes_is_in_order(tmp_path: Path) -> None:
    found = _checked(tmp_path, _rows())
    assert found["problems"] == [] and found["bad"] == {} and found["records"] == ROWS
    assert found["items"] == {"comments": 4 * ROWS, "pairs": 4 * ROWS}
    assert found["distinct"]["choices"] == ROWS and found["duplicate_rows"]["count"] == 0
    poles = sum(one["positive"] + one["negative"] for one in found["dimensions"])
    assert poles == sum(value != 0.5 for row in _rows() for value in row[DIRECTION])
    shown = sum(one["shown_positive"] for one in found["dimensions"])
    assert shown == sum(i[DIRECTION].count(1.0) for row in _rows() for i in (*row[UGC], *row[PAIR]))


def _in_history(row: Row) -> None:
    row[PAIR][2][DIRECTION] = row[DIRECTION]


def _neutral(row: Row) -> None:
    for item in (*row[UGC], *row[PAIR]):
        item[DIRECTION] = [0.5] * 90


def _undone(row: Row) -> None:
    """Every vote is met by its opposite."""
    for one, other in zip(row[UGC], row[PAIR], strict=True):
        other[DIRECTION] = [1 - value for value in one[DIRECTION]]


def _same_post(row: Row) -> None:
    row[UGC][1]["prompt"] = row["prompt"]


def _same_text(row: Row) -> None:
    row[PAIR][3]["rejected"] = row["chosen"]


def _label(row: Row) -> None:
    row[UGC][0]["comment"] += " As one who LIKES ART, I agree."


def _meaning(row: Row) -> None:
    row[DEMO] += " This person worries easily and feels strain and bad moods strongly."


@pytest.mark.parametrize(
    ("plant", "what"),
    [
        (_in_history, "target_in_history"),
        (_neutral, "neutral_history"),
        (_undone, "neutral_history"),
        (_same_post, "repeated_post"),
        (_same_text, "repeated_text"),
        (_label, "quoted_label"),
        (_meaning, "quoted_label"),
    ],
)
def test_what_must_not_be_is_found_and_named(plant: Callable[[Row], None], what: str, tmp_path: Path) -> None:
    some = _rows()
    plant(some[41])
    found = _checked(tmp_path, some)
    assert found["bad"][what]["count"] == 1 and set(found["bad"]) == {what}
    assert found["bad"][what]["first"] == f"{tmp_path}/part-00000.parquet, row 42"
    assert any(problem.startswith(f"{what}: 1 of them, the first in ") for problem in found["problems"])


def test_repeated_rows_are_counted_over_all_parts(tmp_path: Path) -> None:
    some = _rows()
    parts = [_written(tmp_path, some[:40], "part-0"), _written(tmp_path, [*some[40:], *some[:3]], "part-1")]
    found, _ = check_parts([(part, None) for part in parts])
    assert found["records"] == ROWS + 3 and found["duplicate_rows"] == {
        "count": 3,
        "first": f"{parts[1]}, row 21",
    }
    assert found["near_duplicates"] == {"posts": 3, "replies": 6}
    assert (
        f"duplicate_rows: 3 rows repeat an earlier one, the first is {parts[1]}, row 21" in found["problems"]
    )
    assert "near_duplicates: 3 of 63 posts are nearly equal to another" in found["problems"]


def test_a_text_that_was_reworked_a_little_is_nearly_the_same(tmp_path: Path) -> None:
    some = _rows()
    some[7]["prompt"] = some[50]["prompt"].replace(".", "!", 1).upper() + " Thanks."
    found = _checked(tmp_path, some)
    assert found["near_duplicates"] == {"posts": 1, "replies": 0} and found["duplicate_rows"]["count"] == 0


def test_shortcuts_over_the_surface_show(tmp_path: Path) -> None:
    longer, opening = _rows(400), _rows(400)
    for row in longer:
        row["chosen"], row["rejected"] = sorted((row["chosen"], row["rejected"]), key=len, reverse=True)
    for row in opening:
        row["chosen"] = f"Yes, {row['chosen']}"
    found = _checked(tmp_path, longer)["surface"]
    assert found["longer"] > 0.98 and found["wordier"] > 0.7 and found["longer_by_pole"] > 0.7
    found = _checked(tmp_path, opening)
    assert found["surface"]["first_word"] > 0.95
    assert any("the rule first_word is right in 9" in one for one in found["problems"])


def test_a_length_that_goes_with_a_pole_shows_only_to_who_knows_the_poles(tmp_path: Path) -> None:
    some = _rows(400)
    for row in some:
        positive = row[DIRECTION].count(1.0) > row[DIRECTION].count(0.0)
        pair = sorted((row["chosen"], row["rejected"]), key=len, reverse=positive)
        row["chosen"], row["rejected"] = pair
    found = _checked(tmp_path, some)["surface"]
    assert abs(found["longer"] - 0.5) < 0.1 < found["longer_by_pole"] - 0.5


def test_first_words_learned_by_heart_are_no_shortcut() -> None:
    words = np.random.default_rng(0).integers(0, 10**9, (2_000, 2)).astype(np.uint64)
    assert first_word(words) == 0.5, "a word that was never met before tells nothing"


def test_unbalanced_and_missing_poles_are_problems(tmp_path: Path) -> None:
    some = _rows()
    for number, row in enumerate(some):
        row[DIRECTION] = [value if at else float(number % 4 > 0) for at, value in enumerate(row[DIRECTION])]
    found = _checked(tmp_path, some)
    assert (found["dimensions"][0]["positive"], found["dimensions"][0]["negative"]) == (45, 15)
    assert problems(found) == ["balance: dimension 0 (Age group) is positive in 45 of 60 targets"]
    found["dimensions"][0]["negative"] = 0
    lacking = [one for one in problems({**found, "records": ENOUGH}) if one.startswith("coverage")]
    assert "coverage: dimension 0 (Age group) lacks a pole in all targets" in lacking


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda row: row[DIRECTION].append(0.5), "Preference Direction: has 91 values"),
        (lambda row: row[DIRECTION].__setitem__(3, 0.75), "Preference Direction: value 3 is 0.75"),
        (lambda row: row[DIRECTION].__setitem__(3, float("nan")), "Preference Direction: value 3 is nan"),
        (lambda row: row[UGC][1][DIRECTION].__setitem__(3, -1.0), "Content, item 2, .*value 3 is -1"),
        (lambda row: row[PAIR][0].update({DIRECTION: None}), "item 1, .*must be a list of 90 numbers"),
        (lambda row: row.update({DIRECTION: [0.5] * 90}), "is 0.5 throughout"),
        (lambda row: row.update(rejected=row["chosen"]), "chosen and rejected are equal"),
        (lambda row: row[PAIR][0].update(rejected=row[PAIR][0]["chosen"]), "item 1: chosen and rejected"),
        (lambda row: row.update({UGC: [], PAIR: [], DEMO: ""}), "has no persona"),
        (lambda row: row.update(prompt="\n "), "prompt: is empty"),
        (lambda row: row.update(chosen=None), "chosen: must be a text, not NoneType"),
        (lambda row: row.update({UGC: None}), "User-Generated Content: must be a list, not NoneType"),
    ],
)
def test_a_row_that_is_no_record_stops_with_file_and_row(
    change: Callable[[Row], object], problem: str, tmp_path: Path
) -> None:
    some = _rows(600)  # more than are read at once
    change(some[555])
    with pytest.raises(InputError, match=f"part-00000.parquet, row 556(:|, ).*{problem}"):
        _checked(tmp_path, some)


def test_a_file_that_is_none_and_one_of_other_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "part-00000.parquet"
    path.write_bytes(b"PAR1 no table at all PAR1")
    with pytest.raises(InputError, match=f"{path}: cannot be read as Parquet"):
        check_parts([(path, None)])
    pq.write_table(pa.Table.from_pylist(_rows(1)).drop_columns([DEMO]), path)
    with pytest.raises(InputError, match="lacks the column 'Demographic Information'"):
        check_parts([(path, None)])
    pq.write_table(pa.Table.from_pylist([{**row, "id": 1} for row in _rows(1)]), path)
    with pytest.raises(InputError, match="has the unknown column 'id'"):
        check_parts([(path, None)])
    pq.write_table(pa.Table.from_pylist([{**row, "prompt": {"a": 1}} for row in _rows(1)]), path)
    with pytest.raises(InputError, match="not of the published types"):
        check_parts([(path, None)])


def test_a_file_of_equal_content_in_other_types_and_order_is_read(tmp_path: Path) -> None:
    some = _rows(20)
    whole = [{**row, DIRECTION: [float(value) for value in row[DIRECTION]]} for row in some]
    table = pa.Table.from_pylist(whole)
    table = table.select(list(reversed(table.column_names)))
    at = table.column_names.index(DIRECTION)
    table = table.set_column(at, DIRECTION, table.column(DIRECTION).cast(pa.list_(pa.float32())))
    pq.write_table(table, tmp_path / "other.parquet")
    found, _ = check_parts([(tmp_path / "other.parquet", None)])
    assert found == _checked(tmp_path, some) | {"bad": {}}


def test_a_data_set_without_rows_has_no_shares_that_are_none(tmp_path: Path) -> None:
    found = _checked(tmp_path, [])
    assert found["records"] == 0 and found["problems"] == [] and found["surface"]["longer"] == 0.5


def test_signatures_estimate_how_much_two_texts_share() -> None:
    rng = random.Random(0)
    errors = []
    for _ in range(200):
        words = [f"w{rng.randrange(10**6)}" for _ in range(80)]
        other = [f"x{at}" if rng.random() < 0.04 else word for at, word in enumerate(words)]
        one, two = ({tuple(text[at : at + 5]) for at in range(76)} for text in (words, other))
        found = signatures(*words_of(pa.array([" ".join(words), ", ".join(other).upper()])))
        errors.append((found[0] == found[1]).mean() - len(one & two) / len(one | two))
    assert abs(np.mean(errors)) < 0.03 and np.std(errors) < 0.15


def test_nearly_equal_texts_are_found_wherever_they_stand() -> None:
    rng = random.Random(1)
    texts = [" ".join(f"w{rng.randrange(10**6)}" for _ in range(60)) for _ in range(500)]
    planted = [f"{texts[at]} and one more" for at in range(40)]
    found = alike(signatures(*words_of(pa.array([*texts, *planted]))))
    assert 34 <= found <= 40 and alike(signatures(*words_of(pa.array(texts)))) == 0
    assert LIKE < PLACES


def test_short_and_empty_texts_are_told_apart() -> None:
    texts = pa.array(["", "one two", "One, two!", "two one", "ünïcode tëxt", "ünïcode text"])
    found = signatures(*words_of(texts))
    assert (found[1] == found[2]).all()
    assert all((found[a] != found[b]).any() for a, b in ((0, 1), (1, 3), (4, 5)))
    assert len(set(hashes(texts).tolist())) == len(texts)
    assert hashes(texts.slice(3))[0] == hashes(texts)[3], "whatever stands before it"


def test_labels_are_found_whole_and_in_any_case() -> None:
    assert all(quoted(f"Well, {phrase.upper()}, I say.") for phrase in PHRASES)
    texts = pa.array([f"Well, {phrase.upper()}, I say." for phrase in PHRASES])
    assert len(quoting(texts)) == len(PHRASES)
    for harmless in ("She likes arthouse films.", "He likes the art of it.", "A young man and an older one."):
        assert not quoted(harmless) and not len(quoting(pa.array([harmless])))
    assert to_text(tuple([1.0] + [0.5] * 89)).lower() not in PHRASES, (
        "a label of one word is a word like any other"
    )


def test_correlations_are_those_of_the_signs() -> None:
    signs = np.random.default_rng(0).integers(-1, 2, (500, 90))
    signs[:, 1] = signs[:, 0]
    signs[:, 2] = 1
    products = np.column_stack([signs, np.ones(500, int)])
    frame = correlations(products.T @ products)
    matrix = np.corrcoef(np.delete(signs, 2, axis=1).T)
    assert frame.height == 89 * 88 // 2, "what never varies correlates with nothing"
    found = frame.filter(first=0, second=1)["correlation"][0]
    assert found == pytest.approx(1.0)
    assert frame.filter(first=3, second=7)["correlation"][0] == pytest.approx(matrix[2, 6])
