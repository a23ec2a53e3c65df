"""`prose-data judge calibrate`: the simulated judges are found to err as they are told, and what it leaves behind."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prose_data.calibration import asking
from prose_data.calibration.asking import Heard
from prose_data.calibration.flags import flags
from prose_data.calibration.gold import Gold, read_gold
from prose_data.calibration.results import read_judge, results, weighed
from prose_data.errors import InputError
from prose_data.llm.meter import Meter
from prose_data.simulator.server import Faults, make_app, running
from prose_data.simulator.skills import SKILLS
from schemas.verdicts import Verdicts
from tests.fakes import FakeDoor
from tests.judges import call, config, item, refused, said

JUDGES = ("sim-strong", "sim-medium", "sim-weak")
THREE = {"models": {"default": {"model": "sim-strong"}, **{name: {"model": name} for name in JUDGES}}}


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibration of the three simulated judges, for reading."""
    folder = tmp_path_factory.mktemp("calibrated")
    (folder / "three.yaml").write_text(json.dumps({**THREE, "name": "three", "space": "style"}))
    judges = [argument for name in JUDGES for argument in ("--judge", name)]
    result = call(
        "judge", "calibrate", folder / "three.yaml", *judges, "--texts", "12", "--out", folder / "out"
    )
    assert result.exit_code == 0, result.output
    (folder / "shown.txt").write_text(result.stdout)
    return folder


@pytest.mark.parametrize("name", JUDGES)
def test_simulated_judges_err_as_their_skills_say(calibrated: Path, name: str) -> None:
    """A verdict is off with probability m, by one or two steps up or down alike: of a plain yes a quarter of these
    cross the line (two down), of a neither half (one or two up), of a somewhat against a quarter."""
    result = read_judge(calibrated / "out")
    assert result is not None
    judge, wrong = result["judges"][name], SKILLS[name].misjudge
    assert judge["asked"] > 1000 and judge["failed"] == 0
    assert judge["unreadable"] / judge["asked"] <= SKILLS[name].garble / 10
    assert judge["sensitivity"]["mean"] == pytest.approx(1 - wrong / 4, abs=0.02)
    assert 1 - wrong / 2 - 0.02 <= judge["specificity"]["mean"] <= 1 - wrong / 4 + 0.02
    assert 1 - 0.75 * wrong - 0.03 <= judge["kappa"]["mean"] <= 1 - 0.5 * wrong + 0.03
    assert judge["length"]["low"] <= 0.01 and judge["length"]["high"] >= -0.01
    assert judge["position"]["torn"]["first"]["low"] <= 0.5 <= judge["position"]["torn"]["first"]["high"]
    assert judge["consistency"]["same"]["mean"] < 1
    assert judge["consistency"]["same_side"]["mean"] == pytest.approx(1 - 2 * 0.375 * wrong, abs=0.04)


def test_weaker_judges_agree_less_with_gold_themselves_and_each_other(calibrated: Path) -> None:
    result = read_judge(calibrated / "out")
    assert result is not None
    kappas = [result["judges"][name]["kappa"]["mean"] for name in JUDGES]
    steady = [result["judges"][name]["consistency"]["same"]["mean"] for name in JUDGES]
    assert kappas == sorted(kappas, reverse=True) and steady == sorted(steady, reverse=True)
    assert 0.7 < result["alpha"]["nominal"]["mean"] < result["alpha"]["ordinal"]["mean"] < 1


def test_it_leaves_gold_verdicts_and_a_report(calibrated: Path) -> None:
    out = calibrated / "out"
    result = read_judge(out)
    assert result is not None
    gold = read_gold([out / "gold.jsonl"])
    verdicts = Verdicts.validate(pl.read_parquet(out / "verdicts.parquet"))
    assert verdicts.height == 2 * 3 * len({one.pair for one in gold}) == 2 * 3 * result["gold"]["items"]
    assert verdicts.filter(pl.col("verdict").is_null() & (pl.col("reason") == "")).is_empty()
    shown, text = (calibrated / "shown.txt").read_text(), (out / "judge.md").read_text()
    for words in (
        "sim-medium",
        "also human and writer",
        "may favour its own writing",
        "Krippendorff's alpha",
    ):
        assert words in shown and words in text
    assert shown.startswith("The simulated model judges") and text.startswith("The simulated model judges")
    assert "## sim-weak by component" in text and "clear cases" in text


def test_the_same_calibration_again_gives_the_same_bytes(calibrated: Path, tmp_path: Path) -> None:
    arguments = ["judge", "calibrate", calibrated / "three.yaml", "--judge", "sim-weak", "--texts", "2"]
    for name in ("one", "two"):
        assert call(*arguments, "--out", tmp_path / name).exit_code == 0
    for file in ("judge.json", "judge.md", "gold.jsonl", "verdicts.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_own_gold_in_degrees_and_json(tmp_path: Path) -> None:
    lines = [
        {"text": "We sang 🎉 all 🎉 night 🎉 long 🎉", "component": "use emojis", "label": 2, "who": "ann"},
        {"text": "We sang all night long.", "component": "use emojis", "label": 0, "who": "ann"},
        {"text": "We sang all night long.", "component": "use emojis", "label": -1, "who": "bob"},
        {"text": "We sang 🎉 all 🎉 night 🎉 long 🎉", "component": "use emojis", "label": 2, "who": "bob"},
    ]
    path = tmp_path / "gold.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = call("judge", "calibrate", "--gold", path, "--repeats", "1", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["folder"] == str(tmp_path / "out")
    assert {**data, "folder": None} == {**(read_judge(tmp_path / "out") or {}), "folder": None}
    judge = data["judges"]["default"]
    assert judge["asked"] == 2 and judge["kappa_weighted"]["n"] == 4 and judge["consistency"]["same"] is None
    assert data["people"]["ordinal"]["n"] == 2 and data["gold"]["who"] == ["ann", "bob"]
    assert "by degree" in (tmp_path / "out" / "judge.md").read_text()


def test_hostile_gold_is_shown_as_data(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    line = {
        "text": "a",
        "component": "use [red]\x1b[31m | <script>emojis</script>",
        "label": True,
        "who": "[b]x",
    }
    path.write_text(json.dumps(line) + "\n" + json.dumps({**line, "text": "b", "label": False}))
    result = call("judge", "calibrate", "--gold", path, "--out", tmp_path / "out")
    assert result.exit_code == 0 and "\x1b" not in result.stdout and "[b]x" in result.stdout
    text = (tmp_path / "out" / "judge.md").read_text()
    assert "\\| \\<script>" in text and "<script>" not in text.replace("\\<script>", "")


WRONG = {
    "no config": (["nowhere.yaml"], "nowhere.yaml: no such configuration file"),
    "no gold": (["--gold", "nowhere.jsonl"], "--gold nowhere.jsonl: no such file"),
    "gold of another kind": (["--gold", "gold.csv"], "--gold gold.csv: must be a .jsonl file"),
    "no such judge": (["--judge", "gpt"], "--judge gpt: models defines no such name; it defines default"),
    "a judge twice": (["--judge", "default", "--judge", "default"], "a judge is there twice"),
    "wrong key": (["--set", "judge.model=x"], "judge is not a known key"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(call("judge", "calibrate", *arguments))
    assert not list(tmp_path.iterdir())


def test_the_default_folder_is_named_after_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("judge", "calibrate", "--texts", "1", "--repeats", "1").exit_code == 0
    assert (tmp_path / "runs" / "quickstart-judge" / "judge.json").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    assert "is not a run folder but holds letters.txt" in refused(
        call("judge", "calibrate", "--texts", "1", "--out", tmp_path)
    )


def test_the_budget_stops_it_with_exit_code_3(tmp_path: Path) -> None:
    arguments: Sequence[str | Path] = ["judge", "calibrate", "--texts", "1", "--out", tmp_path / "out"]
    stopped = call(*arguments, "--set", "budget.max_requests=10")
    assert stopped.exit_code == 3 and not (tmp_path / "out" / "judge.json").exists()
    assert call(*arguments).exit_code == 0


def test_an_unreadable_judge_ends_with_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def door(*_: Any) -> AsyncIterator[FakeDoor]:
        yield FakeDoor(lambda role, text: "Who knows?")

    monkeypatch.setattr(asking, "open_door", door)
    result = call("judge", "calibrate", "--texts", "1", "--out", tmp_path / "out")
    assert result.exit_code == 1 and "more than budget.max_failures" in result.stderr
    assert (tmp_path / "out" / "judge.md").exists()


def test_over_http_it_finds_the_same_and_asks_nothing_twice(tmp_path: Path) -> None:
    async def drive(name: str, requests: int | None) -> dict[str, Any]:
        from prose_data.calibration.run import Plan, calibrate

        async with running(make_app(Faults())) as url:
            model = {"backend": "openai", "model": "sim-weak", "base_url": f"{url}/v1"}
            settings = config(models={"default": model}, budget={"max_requests": requests})
            return await calibrate(
                Plan(settings, ("default",), texts=1),
                tmp_path / name,
                Meter(settings.budget),
                lambda *_: None,
            )

    over_http = asyncio.run(drive("http", None))
    spent = json.loads((tmp_path / "http" / "counts" / "spent.json").read_text())["requests"]
    again = asyncio.run(drive("http", spent))  # one more request would pass the budget
    assert again == over_http
    local = call(
        "judge",
        "calibrate",
        "--set",
        "models.default.model=sim-weak",
        "--texts",
        "1",
        "--out",
        tmp_path / "in",
    )
    assert local.exit_code == 0
    in_process = read_judge(tmp_path / "in")
    assert in_process is not None and in_process["judges"] == over_http["judges"]


def test_a_judge_json_of_another_version_is_refused_and_none_is_none(tmp_path: Path) -> None:
    assert read_judge(tmp_path) is None
    (tmp_path / "judge.json").write_text('{"version": 99}')
    with pytest.raises(InputError, match="is of version 99 and this program reads 1"):
        read_judge(tmp_path)


def test_drawn_gold_needs_its_run() -> None:
    with pytest.raises(InputError, match="give that run's folder"):
        weighed([Gold("t", "c", 1, drawn=5)], None, 0)


def test_the_same_model_is_known_wherever_it_is_served() -> None:
    here = {"backend": "openai", "model": "m", "base_url": "http://localhost:8000/v1"}
    models = {
        "here": here,
        "there": {**here, "base_url": "http://localhost:9000/v1"},
        "other": {**here, "model": "n"},
    }
    roles = {"human": "here", "writer": "other", "inferrer": "here", "judge": "there"}
    assert flags(config(models=models, roles=roles)) == ("human",)


def test_judges_are_compared_by_their_first_verdicts() -> None:
    items = [item(str(number)) for number in range(6)]
    one = [said(text, degree) for text, degree in zip(items, (2, 2, 0, 0, -1, 1), strict=True)]
    later = [said(text, -2, repeat=1) for text in items]
    settings = config(models={"default": {}, "second": {}})
    same = [Heard(name, (*one, *later), ()) for name in ("default", "second")]
    assert results(settings, items, same, 2, None)["alpha"]["nominal"]["mean"] == 1.0
    assert results(settings, items, same[:1], 2, None)["alpha"] is None
