from pathlib import Path

import pytest
import yaml

from prose_data.errors import InputError
from prose_data.measures import MEASURES
from prose_data.paths import DATA
from prose_data.spaces import load_space

FIXED = {
    "space": "mine",
    "version": "1",
    "kind": "fixed",
    "tasks": {"email": {"notes": ["use emojis", "be brief and clear"]}},
    "checks": {"use emojis": "emojis"},
}
DRAWN = {
    "space": "mine",
    "version": "1",
    "kind": "drawn",
    "components": [
        {"text": "use emojis", "axis": "typography", "check": "emojis"},
        {"text": "be stern", "axis": "tone", "excludes": ["use emojis"]},
    ],
}


def write_space(folder: Path, data: object) -> str:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return str(path)


def test_plume_has_four_components_for_each_of_nine_sources() -> None:
    space = load_space("plume")
    assert (space.name, space.version, space.kind, space.join) == ("plume", "released", "fixed", "; ")
    assert [len(components) for components in space.sets.values()] == [4] * 9
    assert [kind for kind in space.sets if kind[0] == "email"] == [
        ("email", "ccby"),
        ("email", "slf5k"),
        ("email", "ampere"),
        ("email", "paper_tweet"),
    ]
    assert len({component for components in space.sets.values() for component in components}) == 36
    assert space.sets["summarization", "cnn_dailymail"][2] == 'use ampersands (&) instead of "and"s'


def test_prelude_keeps_its_order_and_comma() -> None:
    space = load_space("prelude")
    assert space.join.join(space.sets["email", "ccby"]) == (
        "structured, straight to the points, respectful, professional greeting and closing"
    )
    assert [len(components) for components in space.sets.values()] == [3, 4, 4, 4, 6, 5, 3, 5, 1]


def test_style_excludes_both_ways_and_has_checks() -> None:
    space = load_space("style")
    components = {component.text: component for component in space.components}
    assert len(components) >= 40
    for component in space.components:
        for other in component.excludes:
            assert component.text in components[other].excludes
    assert "ask rhetorical questions" in components["write in question and answer form"].excludes
    assert space.checks["sprinkle emojis through the text"] == "emojis"


def test_bundled_checks_name_known_measures_and_components() -> None:
    for path in sorted((DATA / "spaces").glob("*.yaml")):
        space = load_space(path.stem)
        known = {component.text for component in space.components}
        known |= {component for components in space.sets.values() for component in components}
        assert set(space.checks) <= known
        assert set(space.checks.values()) <= set(MEASURES)


def test_own_spaces_load_from_a_path(tmp_path: Path) -> None:
    assert load_space(write_space(tmp_path, FIXED)).sets == {
        ("email", "notes"): ("use emojis", "be brief and clear")
    }
    drawn = load_space(write_space(tmp_path, DRAWN))
    assert drawn.components[0].excludes == ("be stern",)
    assert drawn.checks == {"use emojis": "emojis"}


def change(data: object, *steps: str | int, to: object) -> object:
    """Return a deep copy of `data` with the value at `steps` replaced."""
    if not steps:
        return to
    first, *rest = steps
    if isinstance(data, list):
        assert isinstance(first, int)
        return [change(item, *rest, to=to) if i == first else item for i, item in enumerate(data)]
    assert isinstance(data, dict)
    return {**data, first: change(data.get(first), *rest, to=to)}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (["a list"], "must hold keys and values, not a list"),
        (change(FIXED, "kind", to="free"), "kind is 'free'; it must be fixed or drawn"),
        (change(FIXED, "version", to=1), "version is 1; it must be a text"),
        (change(FIXED, "space", to="my space"), "space is 'my space'"),
        (change(FIXED, "flavour", to="x"), "flavour is not a known key; known are space, version"),
        (change(FIXED, "components", to=[]), "components is not a known key"),
        (change(FIXED, "tasks", to={"letters": {}}), "tasks.letters is not a known key; known are email"),
        (change(FIXED, "tasks", "email", "notes", to=[]), "tasks.email.notes must be a list"),
        (change(FIXED, "tasks", "email", "notes", to="use emojis"), "tasks.email.notes must be a list"),
        (change(FIXED, "tasks", "email", "notes", to=["a", " "]), "tasks.email.notes[1] is ' '"),
        (change(FIXED, "tasks", "email", "notes", to=["Use emojis", "use emojis"]), "'use emojis' twice"),
        (change(FIXED, "checks", to={"be odd": "emojis"}), "checks names 'be odd', which is no component"),
        (
            change(FIXED, "checks", "use emojis", to="smileys"),
            "checks.use emojis is 'smileys', which is no measure",
        ),
        (change(DRAWN, "components", 0, "text", to=""), "components[0].text is ''"),
        (change(DRAWN, "components", 1, to={"text": "be stern"}), "components[1].axis is None"),
        (change(DRAWN, "components", 1, "text", to="use emojis"), "'use emojis' twice"),
        (change(DRAWN, "components", 1, "excludes", to=["x"]), "components[1].excludes names 'x'"),
        (
            change(DRAWN, "components", 1, "excludes", to=None),
            "components[1].excludes is None; it must be a list",
        ),
        (change(DRAWN, "components", 1, "excludes", to=["be stern"]), "excludes names itself"),
        (change(DRAWN, "components", 1, "check", to="smileys"), "components[1].check is 'smileys'"),
        (change(DRAWN, "components", 1, "colour", to="x"), "components[1].colour is not a known key"),
        (change(DRAWN, "paraphrases", to=""), "paraphrases is ''; it must be a text"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_file_and_field(
    tmp_path: Path, data: object, says: str
) -> None:
    path = write_space(tmp_path, data)
    with pytest.raises(InputError) as error:
        load_space(path)
    assert str(error.value).startswith(f"{path}: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_names_and_missing_files_say_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'plum' is not known; use plume, prelude, style"):
        load_space("plum")
    with pytest.raises(InputError, match="no such space file"):
        load_space(str(tmp_path / "none.yaml"))
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [", encoding="utf-8")
    with pytest.raises(InputError, match="not valid YAML"):
        load_space(str(broken))
    broken.write_text("space: a\nspace: b", encoding="utf-8")
    with pytest.raises(InputError, match="the key space is there twice"):
        load_space(str(broken))
