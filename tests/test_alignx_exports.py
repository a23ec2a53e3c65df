"""Training rows: what is drawn, what depends on what, and what TRL gets to read."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prose_data.alignx.dimensions import NEUTRAL_VECTOR, mirrored
from prose_data.alignx.exports import (
    MOST,
    Recipe,
    drawn_history,
    export,
    in_subset,
    training_row,
    training_rows,
)
from prose_data.alignx.novel import held_out, touches, without
from prose_data.alignx.persona import Persona
from prose_data.alignx.predicting import predict_messages
from prose_data.alignx.profile import aggregate, to_text
from prose_data.alignx.record import PAIR
from prose_data.alignx.templates import ica_messages, pba_messages
from prose_data.errors import InputError
from tests.alignx_targets import rows, targets

TARGETS = targets(200, 6, 6)
ASSISTANT = ["assistant"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(40)))
    return str(path)


def test_k_and_m_are_drawn_evenly_and_apart() -> None:
    drawn = [drawn_history(target, 0) for target in TARGETS]
    pairs = Counter((len(one.comments), len(one.pairs)) for one in drawn)
    assert pairs[0, 0] == 0 and max(max(pair) for pair in pairs) == MOST
    assert len(pairs) == 24, "all of 5 x 5 but (0, 0), which became (4, 4)"
    for kind in (0, 1):
        assert all(20 < count < 70 for count in Counter(pair[kind] for pair in pairs.elements()).values())
    assert all(
        set(one.comments) <= set(target.persona.comments) for one, target in zip(drawn, TARGETS, strict=True)
    )
    assert all(len(set(one.pairs)) == len(one.pairs) and not one.demographic for one in drawn)


def test_a_history_of_one_kind_is_never_drawn_empty() -> None:
    for target in TARGETS:
        short = replace(target, persona=replace(target.persona, comments=()))
        assert 1 <= drawn_history(short, 0).items <= MOST and not drawn_history(short, 0).comments


def test_a_row_does_not_depend_on_its_neighbours_or_its_place() -> None:
    """In released code a draw of 0 reuses the row before."""
    recipe = Recipe(prompt="pba")
    there = list(training_rows(TARGETS[:50], recipe, Counter()))
    back = list(training_rows(TARGETS[:50][::-1], recipe, Counter()))
    assert there == back[::-1] and there[7] == training_row(TARGETS[7], recipe)
    assert there != list(training_rows(TARGETS[:50], replace(recipe, seed=1), Counter()))
    silent = [row for row in there if not row["comments"]]
    assert silent
    for row in silent:
        (target,) = (target for target in TARGETS if target.target_id == row["id"])
        own = [list(pair.direction) for pair in target.persona.pairs]
        assert all(direction in own for direction in row["history"]), "a draw of 0 comments shows none"


def test_both_prompts_show_exactly_the_drawn_items_and_can_be_built_again() -> None:
    for target in TARGETS[:20]:
        ica, pba = (training_row(target, Recipe(prompt=prompt)) for prompt in ("ica", "pba"))
        assert ica["history"] == pba["history"] and ica["profile"] == pba["profile"]
        vectors = [tuple(vector) for vector in pba["history"]]
        assert pba["prompt"] == pba_messages(target.prompt, to_text(aggregate(vectors)))
        assert ica["prompt"] == ica_messages(target.prompt, drawn_history(target, 0))
        assert len(vectors) == ica["comments"] + ica["pairs"] and ica["thresholds"] == "3/5 2/5"


def test_the_targets_direction_and_demo_enter_no_prompt() -> None:
    target = TARGETS[0]
    assert target.direction is not None
    turned = replace(target, direction=mirrored(target.direction))
    for kind in ("dpo", "sft", "bridge"):
        for prompt in ("ica", "pba"):
            recipe = Recipe(kind, prompt)  # type: ignore[arg-type]
            row, other = training_row(target, recipe), training_row(turned, recipe)
            assert row["direction"] != other["direction"]
            assert row | {"direction": 0} == other | {"direction": 0}
            assert target.persona.demographic not in json.dumps(row["prompt"])


def roles(row: dict[str, Any], key: str) -> list[str]:
    return [message["role"] for message in row[key]]


def test_each_kind_has_the_columns_that_trl_reads() -> None:
    target = TARGETS[0]
    dpo, sft, bridge = (training_row(target, Recipe(kind)) for kind in ("dpo", "sft", "bridge"))  # type: ignore[arg-type]
    assert roles(dpo, "prompt") == ["system", "user"]
    assert roles(dpo, "chosen") == roles(dpo, "rejected") == roles(sft, "completion") == ASSISTANT
    assert dpo["chosen"][0]["content"] == sft["completion"][0]["content"] == target.chosen
    assert dpo["rejected"][0]["content"] == target.rejected and "rejected" not in sft
    assert bridge["prompt"] == predict_messages(drawn_history(target, 0))
    labels = json.loads(bridge["completion"][0]["content"])["components"]
    assert ", ".join(labels) == bridge["profile"] == to_text(aggregate(drawn_history(target, 0).directions))


def test_jsonl_and_parquet_hold_the_same_rows(file: str, tmp_path: Path) -> None:
    for kind in ("dpo", "sft", "bridge"):
        recipe = Recipe(kind, "pba")  # type: ignore[arg-type]
        counts = export(file, tmp_path / "rows.jsonl", recipe)
        assert export(file, tmp_path / "rows.parquet", recipe) == counts and counts["rows"] == 40
        lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
        assert pl.read_parquet(tmp_path / "rows.parquet").to_dicts() == lines
        assert len({line["id"] for line in lines}) == 40


def test_the_same_rows_from_a_shuffled_file(file: str, tmp_path: Path) -> None:
    back = tmp_path / "back.jsonl"
    back.write_text("".join(reversed(Path(file).read_text().splitlines(keepends=True))))
    export(file, tmp_path / "one.jsonl", Recipe())
    export(str(back), tmp_path / "two.jsonl", Recipe())
    one, two = ((tmp_path / f"{name}.jsonl").read_text().splitlines() for name in ("one", "two"))
    assert one == two[::-1]


def test_the_subset_is_a_named_draw_that_others_do_not_change() -> None:
    many = [replace(TARGETS[0], prompt=f"post {number}") for number in range(5_000)]
    drawn = [target.prompt for target in many if in_subset(target, 0.07, 0)]
    assert 280 < len(drawn) < 420
    assert drawn == [target.prompt for target in many[::-1] if in_subset(target, 0.07, 0)][::-1]
    assert set(drawn) <= {target.prompt for target in many if in_subset(target, 0.2, 0)}
    assert drawn != [target.prompt for target in many if in_subset(target, 0.07, 1)]
    counts: Counter[str] = Counter()
    made = list(training_rows(TARGETS, Recipe(share=0.07), counts))
    assert len(made) == counts["rows"] and counts["rows"] + counts["not_in_subset"] == len(TARGETS)
    assert {row["subset"] for row in made} == {"subset-0.07-seed-0"}


def test_held_out_dimensions_are_in_no_row() -> None:
    counts: Counter[str] = Counter()
    made = list(training_rows(TARGETS, Recipe(hold_out=10), counts))
    novel = held_out(0, 10)
    assert len(novel) == 10 and held_out(0, 9) < novel and held_out(1, 10) != novel
    assert made and counts["held_out"] > 20
    for row in made:
        assert not any(touches(tuple(vector), novel) for vector in (row["direction"], *row["history"]))
    kept = without(TARGETS[0].persona, novel)
    assert kept.items < TARGETS[0].persona.items or not any(
        touches(v, novel) for v in TARGETS[0].persona.directions
    )
    assert not kept.demographic


def test_a_neutral_history_is_an_empty_profile_and_counted() -> None:
    items = tuple(replace(item, direction=NEUTRAL_VECTOR) for item in TARGETS[0].persona.pairs)
    counts: Counter[str] = Counter()
    (row,) = training_rows([replace(TARGETS[0], persona=Persona(pairs=items))], Recipe(prompt="pba"), counts)
    assert row["profile"] == "" and counts["empty_profile"] == 1


def test_what_cannot_be_exported_is_named(file: str, tmp_path: Path) -> None:
    row: dict[str, Any] = {"prompt": "a", "chosen": "b", "rejected": "c", PAIR: []}
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps([row]))
    with pytest.raises(InputError, match=r"bare\.json: no row is left to export \(no_history 1\)"):
        export(str(bare), tmp_path / "out.jsonl", Recipe())
    bare.write_text(json.dumps([row | {PAIR: [{"prompt": "p", "chosen": "x", "rejected": "y"}]}]))
    export(str(bare), tmp_path / "out.jsonl", Recipe())
    with pytest.raises(InputError, match="its history has no directions"):
        export(str(bare), tmp_path / "pba.jsonl", Recipe(prompt="pba"))
    with pytest.raises(InputError, match=r"must end in \.jsonl or \.parquet"):
        export(file, tmp_path / "out.csv", Recipe())
    assert not (tmp_path / "pba.jsonl").exists()
