"""The configuration: what ships loads and can run, and wrong values are refused before anything is asked."""

from pathlib import Path
from typing import Any

import pytest

from prose_data.config import Config, dump_config, load_config, parse_config
from prose_data.errors import InputError
from prose_data.paths import DATA
from prose_data.stages import check

SHIPPED = sorted((DATA / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_configuration_can_run(path: Path) -> None:
    """Those of space alignx make records, which need no samples and no documents."""
    config = load_config(path)
    if config.space != "alignx":
        check(config)


def test_the_quickstart_is_the_empty_configuration() -> None:
    assert load_config(None) == Config() == parse_config({}, "test")


@pytest.mark.parametrize("threshold", [-2, 0, 0.25, 1.9])
def test_thresholds_that_can_be_passed_are_accepted(threshold: float) -> None:
    assert parse_config({"prose": {"threshold": threshold}}, "test").prose.threshold == threshold


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"prose": {"threshold": 4}}, "prose.threshold is 4: .*less than 2"),
        ({"prose": {"threshold": 2}}, "prose.threshold is 2: .*less than 2"),
        ({"prose": {"threshold": -2.5}}, "prose.threshold is -2.5: .*greater than or equal to -2"),
        ({"prose": {"treshold": 1}}, "prose.treshold is not a known key; did you mean threshold"),
        ({"prose": {"steps": 0}}, "prose.steps is 0: must be greater than or equal to 1"),
        (
            {"prose": {"candidates": "some"}},
            "prose.candidates is 'some': must be 'iterate', 'single' or 'none'",
        ),
        ({"prose": {"breakdown": True}}, "prose.breakdown is True: must be 'once', 'each' or 'off'"),
        ({"prose": {"stop": "unchanged"}}, "prose.stop is 'unchanged': must be a list"),
        ({"prose": {"stop": ["equal"]}}, "prose.stop.0 is 'equal': must be 'equal_text', 'unchanged' or"),
        ({"prose": {"stop": ["unchanged", "unchanged"]}}, "prose.stop: unchanged is listed twice"),
        ({"seeds": [0, 1, 0]}, "seeds: 0 is listed twice"),
        ({"methods": ["prose", "icl", "prose"]}, "methods: prose is listed twice"),
        ({"roles": {"judge": "gpt"}}, "roles.judge is 'gpt', which models does not define"),
    ],
)
def test_a_wrong_value_is_one_sentence(data: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=f"^test: {words}") as error:
        parse_config(data, "test")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seeds: [0]\nseeds: [1]", "the key seeds is there twice at line 2"),
        ("users:\n  count: 1\n  count: 2", "the key count is there twice at line 3"),
        ("methods: " + "[" * 5000, "nested too deeply"),
        ("seeds: 5", "seeds is 5: must be a list"),
        ("seeds: [-1]", "seeds.0 is -1: must be greater than or equal to 0$"),
        ("seeds: [99999999999999999]", "seeds.0 is 99999999999999999: must be less than"),
        ("users: 3", "users is 3: must hold keys and values"),
        ("budget: {max_cost: .inf}", "budget.max_cost is inf: must be a finite number"),
        ("models: {default: {price: {prompt: 1}}}", "models.default.price.completion is missing"),
        ("models: {}", "it defines none"),
        ("documents: {path: ''}", "documents.path is '': must not be empty"),
        ("name: [" + "x, " * 500 + "]", "name is .{60}: must be a text$"),
    ],
)
def test_a_wrong_file_is_one_short_sentence(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as error:
        load_config(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and "\n" not in message and len(message) < 200 + len(str(path))


def test_a_wrong_override_is_named_and_paths_in_one_count_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"--set seeds: seeds is 5"):
        load_config(None, ["seeds=5"])
    monkeypatch.chdir(tmp_path)
    assert load_config(None, ["space=mine.yaml"]).space == str(tmp_path / "mine.yaml")


def test_the_word_off_survives_yaml(tmp_path: Path) -> None:
    """YAML reads a bare `off` as false."""
    path = tmp_path / "own.yaml"
    path.write_text("prose: {breakdown: off, stop: []}")
    config = load_config(path)
    assert (config.prose.breakdown, config.prose.stop) == ("off", ())
    path.write_text(dump_config(config))
    assert load_config(path) == config


def test_merged_keys_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("users: {<<: {count: 3, seed: 4}, count: 5}")
    assert (load_config(path).users.count, load_config(path).users.seed) == (5, 4)
