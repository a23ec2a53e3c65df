"""Gold: what a file must hold, and what devices label."""

import asyncio
import json
from pathlib import Path

import pytest

from prose_data.calibration.devices import ABSENT, PRESENT, Text, decided, written_gold
from prose_data.calibration.gold import Gold, gold_line, read_gold, write_gold
from prose_data.errors import InputError
from prose_data.features import features
from prose_data.measures import MEASURES
from prose_data.spaces import load_space
from tests.judges import call, config, refused


def test_gold_is_read_as_it_was_written(tmp_path: Path) -> None:
    items = [
        Gold("A <script>\ntext & ünïcode", "be brief", False, "d", "written plainly"),
        Gold("Another", "use emojis", -2, who="ann", drawn=50),
        Gold("Another", "use emojis", True, who="bob", drawn=50),
    ]
    for kind in (items[:1], items[1:]):
        write_gold(tmp_path / "gold.jsonl", kind)
        assert read_gold([tmp_path / "gold.jsonl"]) == kind
    assert json.loads(gold_line(items[0])) == {
        "text": "A <script>\ntext & ünïcode",
        "component": "be brief",
        "label": False,
        "document": "d",
        "origin": "written plainly",
    }


def test_a_label_is_a_side_or_a_degree() -> None:
    found = [
        (Gold("t", "c", label).exhibits, Gold("t", "c", label).degree) for label in (True, False, 2, 1, 0, -1)
    ]
    assert found == [(True, None), (False, None), (True, 2), (True, 1), (False, 0), (False, -1)]


BAD_GOLD = {
    "no label": ('{"text": "a", "component": "c"}', "line 1: there is no field 'label'"),
    "label out of range": ('{"text": "a", "component": "c", "label": 3}', "label is '3'; it must be true"),
    "label in words": ('{"text": "a", "component": "c", "label": "yes"}', "label is 'yes'"),
    "label between": ('{"text": "a", "component": "c", "label": 0.5}', "label is '0.5'"),
    "no text": ('{"text": " ", "component": "c", "label": true}', "text is empty"),
    "unknown field": ('{"text": "a", "component": "c", "label": true, "lable": 1}', "'lable' is not a field"),
    "drawn none": ('{"text": "a", "component": "c", "label": 1, "drawn": 0}', "drawn is 0"),
    "half a character": ('{"text": "\\ud800", "component": "c", "label": 1}', "half a character"),
    "two opinions of one": (
        '{"text": "a", "component": "c", "label": true}\n{"text": "a", "component": "c", "label": false}',
        "line 2: labels the text and component of",
    ),
    "drawn and not": (
        '{"text": "a", "component": "c", "label": 1, "drawn": 5}\n{"text": "b", "component": "c", "label": 1}',
        "calibrate with each kind alone",
    ),
    "no json": ("{", "line 1: is not valid JSON"),
    "nothing": ("", "is empty"),
}


@pytest.mark.parametrize(("lines", "message"), BAD_GOLD.values(), ids=BAD_GOLD)
def test_wrong_gold_is_one_line_and_exit_code_2(lines: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(lines)
    result = call("judge", "calibrate", "--gold", path, "--out", tmp_path / "out")
    assert message in refused(result)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("space", ["plume", "style", "prelude"])
def test_devices_label_what_the_measure_decides(space: str) -> None:
    checks = load_space(space).checks
    items = asyncio.run(written_gold(config(space=space), 3))
    assert len(items) >= 2 * 3 * 0.8 * len(checks)
    for component in {item.component for item in items}:
        strengths: dict[bool | int, list[float]] = {True: [], False: []}
        for one in items:
            if one.component == component:
                strengths[one.label].append(MEASURES[checks[component]](features(one.text)))
        assert len(strengths[True]) == len(strengths[False]) > 0
        assert min(strengths[True]) >= PRESENT and max(strengths[False]) <= ABSENT


def test_devices_make_the_same_gold_again_for_whatever_judge() -> None:
    weak = config(models={"default": {"model": "sim-weak"}})
    assert asyncio.run(written_gold(config(), 2)) == asyncio.run(written_gold(weak, 2))


def test_texts_in_between_and_components_without_a_side_are_left_out() -> None:
    emojis = Text("The boat 🎉 came late 🎉 and we 🎉 sang 🎉 all night long 🎉", "d1", "o")
    plain = Text("The boat came late on Monday and everybody sang all night long.", "d2", "o")
    middling = Text("The boat came late on Monday 🎉 and everybody sang all night long.", "d3", "o")
    checks = {"use emojis": "emojis", "write using bullet points": "bullets"}
    items = decided([emojis, plain, middling], checks, 5, 0)
    assert {(item.component, item.document, item.label) for item in items} == {
        ("use emojis", "d1", True),
        ("use emojis", "d2", False),
    }
    with pytest.raises(InputError, match="none of the components"):
        decided([plain], checks, 5, 0)


def test_a_space_without_measures_says_what_else_there_is(tmp_path: Path) -> None:
    space = tmp_path / "bare.yaml"
    space.write_text("space: bare\nversion: '1'\nkind: fixed\ntasks: {email: {ccby: [be kind]}}\n")
    message = refused(call("judge", "calibrate", "--set", f"space={space}", "--out", tmp_path / "out"))
    assert "no component of bare can be measured" in message and "--gold" in message
