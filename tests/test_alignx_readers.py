"""Readers of outside data: every kind of row becomes a target, and what is wrong is named with file and row."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pytest

from prose_data.alignx.dimensions import COUNT, NEUTRAL_VECTOR
from prose_data.alignx.readers import read_targets
from prose_data.alignx.record import DEMO, DIRECTION, PAIR, UGC
from prose_data.alignx.targets import Target, distinct
from prose_data.errors import InputError
from tests.alignx_targets import rows, targets

ROWS = [dict(row) for row in rows(3)]
LIKES = {"prompt": "p1", "chosen": "c1", "rejected": "r1"}
P_SOUPS = {
    "prompt": "How do magnets work?",
    "chosen": "In short: spins align.",
    "rejected": "Let me tell you at length.",
    "ground_truth_persona": "Generate a concise response.",
    "profile": "Concise communication style",
    PAIR: [{"prompt": f"p{n}", "chosen": f"c{n}", "rejected": f"r{n}"} for n in range(4)],
}
PRISM = {
    "prompt": "a", "chosen": "b", "rejected": "c", "profile": "High Openness", "conversation_id": "c7", UGC: None,
}  # fmt: skip
OURS = {
    "id": "x1", "user_id": "u1", "prompt": "a", "chosen": "b", "rejected": "c", "history": [LIKES],
    "profile": ["Likes art", "Dislikes cars"], "persona": "A painter.",
}  # fmt: skip


def written(folder: Path, made: list[Any], kind: str = "json") -> str:
    path = folder / f"pairs.{kind}"
    if kind == "json":
        path.write_text(json.dumps(made))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in made))
    else:
        pl.DataFrame(made).write_parquet(path)
    return str(path)


def read(folder: Path, *made: Any, kind: str = "json") -> list[Target]:
    found, left_out = read_targets(written(folder, list(made), kind))
    assert not left_out
    return found


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet"])
def test_records_read_alike_from_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    found = read(tmp_path, *ROWS, kind=kind)
    assert [one.persona for one in found] == [one.persona for one in targets(3)]
    assert [one.direction for one in found] == [one.direction for one in targets(3)]
    assert len({one.target_id for one in found}) == 3
    assert all(one.user_id == one.target_id for one in found), "no user is named, so each is its own"
    assert all(type(value) is float for one in found for value in one.direction or ())


def test_a_folder_of_parquet_parts_is_one_file(tmp_path: Path) -> None:
    for number, row in enumerate(ROWS):
        pl.DataFrame([row]).write_parquet(tmp_path / f"part-{number:05d}.parquet")
    found, _ = read_targets(str(tmp_path))
    assert [one.prompt for one in found] == [row["prompt"] for row in ROWS]
    assert len(read_targets(str(tmp_path), limit=2)[0]) == 2
    with pytest.raises(InputError, match=r"holds no \.parquet file"):
        read_targets(str(Path(__file__).parent))


def test_a_test_row_keeps_its_stored_profile(tmp_path: Path) -> None:
    row = ROWS[0] | {"profile": "Likes art", "profile_full": "Likes art, Likes cars", DEMO: ""}
    (found,) = read(tmp_path, row)
    assert found.profile == "Likes art" and found.persona.demographic == "" and found.persona.directed


def test_a_p_soups_row_has_pairs_without_directions(tmp_path: Path) -> None:
    (found,) = read(tmp_path, P_SOUPS)
    assert [pair.chosen for pair in found.persona.pairs] == ["c0", "c1", "c2", "c3"]
    assert not found.persona.directed and {pair.direction for pair in found.persona.pairs} == {NEUTRAL_VECTOR}
    assert found.direction is None and found.profile == P_SOUPS["profile"]
    assert found.persona.demographic == P_SOUPS["ground_truth_persona"]


def test_a_row_with_keys_that_are_not_published_is_read_all_the_same(tmp_path: Path) -> None:
    (found,) = read(tmp_path, PRISM)
    assert (found.prompt, found.chosen, found.rejected, found.profile) == ("a", "b", "c", "High Openness")
    assert found.persona.empty and found.direction is None
    directed = {**PRISM, PAIR: [LIKES | {DIRECTION: [1] + [0.5] * 89}], DIRECTION: [0] + [0.5] * 89}
    (found,) = read(tmp_path, directed)
    assert found.persona.directed and found.direction == (0.0, *[0.5] * 89)


def test_our_own_pairs(tmp_path: Path) -> None:
    first, second = read(tmp_path, OURS, {**OURS, "id": "x2"} | {"prompt": "other"}, kind="jsonl")
    assert (first.target_id, first.user_id, second.target_id, second.user_id) == ("x1", "u1", "x2", "u1")
    assert first.profile == "Likes art, Dislikes cars" and first.persona.demographic == "A painter."
    assert first.persona.pairs[0].chosen == "c1" and not first.persona.directed


def test_repeated_rows_are_left_out_with_both_places_and_repeated_targets_counted(tmp_path: Path) -> None:
    other = deepcopy(ROWS[0]) | {UGC: []}
    found, left_out = read_targets(written(tmp_path, [ROWS[0], other, ROWS[0]]))
    assert len(found) == 2 and distinct(found) == 1
    ((reason, message),) = left_out
    assert reason == "duplicate_row" and "row 3" in message and "row 1" in message


def change(key: str, value: Any) -> Callable[[], dict[str, Any]]:
    return lambda: deepcopy(ROWS[1]) | {key: value}


def item_with(direction: Any) -> Callable[[], dict[str, Any]]:
    def made() -> dict[str, Any]:
        row = deepcopy(ROWS[1])
        row[UGC][0][DIRECTION] = direction
        return row

    return made


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (change(DIRECTION, [0.5] * 89), "has 89 values"),
        (change(DIRECTION, [-1] + [0.5] * 89), "value 0 is -1"),
        (change(DIRECTION, [0.5] * COUNT), "0.5 throughout"),
        (item_with([2] + [0.5] * 89), "item 1.*value 0 is 2"),
        (change("rejected", ROWS[1]["chosen"]), "chosen and rejected are equal"),
        (change("chosen", " "), "chosen: is empty"),
        (change(UGC, "text"), "must be a list, not str"),
        (lambda: change(UGC, [])() | {PAIR: [], DEMO: ""}, "has no persona"),
        (change("surplus", 1), "unknown key 'surplus'"),
        (change("profile", ["Likes art"]), "profile: must be a text, not list"),
        (lambda: P_SOUPS | {"rejected": P_SOUPS["chosen"]}, "chosen and rejected are equal"),
        (lambda: P_SOUPS | {PAIR: [LIKES, LIKES | {DIRECTION: [0.5] * 90}]}, "some items of the history"),
        (lambda: P_SOUPS | {PAIR: [{"prompt": "p", "chosen": "c"}]}, "item 1: has no key 'rejected'"),
        (lambda: {"prompt": "a", "chosen": "b"}, "there is no field 'rejected'"),
        (lambda: P_SOUPS | {"prompt": 7}, "prompt is 7"),
        (lambda: OURS | {"colour": "red"}, "unknown key 'colour'"),
        (lambda: OURS | {"profile": "Likes art"}, "must be a list, not str"),
        (lambda: OURS | {"history": ["x"]}, "item 1: must hold the keys"),
        (lambda: 5, "must be a JSON object"),
    ],
)
@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_what_is_wrong_is_named_with_file_and_row(
    made: Callable[[], Any], said: str, kind: str, tmp_path: Path
) -> None:
    place = "row 2" if kind == "json" else "line 2"
    with pytest.raises(InputError, match=rf"pairs\.{kind}, {place}.*{said}"):
        read_targets(written(tmp_path, [ROWS[0], made()], kind))


def test_an_id_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2: the id x1 was there before \(.*row 1\)"):
        read_targets(written(tmp_path, [OURS, OURS | {"prompt": "other"}]))


@pytest.mark.parametrize(("text", "said"), [("{}", "JSON list"), ("[", "not valid JSON"), ("[]", "is empty")])
def test_a_json_file_is_one_list(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=rf"x\.json.*{said}"):
        read_targets(str(tmp_path / "x.json"))


def test_a_data_set_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def load_dataset(name: str, config: Any, **options: Any) -> Any:
        asked.append((name, options["split"], options["streaming"]))
        return iter([ROWS[0], P_SOUPS, {"prompt": "a"}])

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    found, _ = read_targets("hf://datasets/somebody/pairs", "test", limit=2)
    assert asked == [("somebody/pairs", "test", True)] and len(found) == 2
    with pytest.raises(InputError, match="hf://datasets/somebody/pairs, row 3: there is no field 'chosen'"):
        read_targets("hf://datasets/somebody/pairs")
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: (_ for _ in ()).throw(ConnectionError()))
    with pytest.raises(
        InputError, match=r"hf://datasets/a/b: Hugging Face can't be reached.*a file of your own"
    ):
        read_targets("hf://datasets/a/b")
