"""The sweep: its grids from a run's methods, what it says about the best setting, and the command."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from prose_data.errors import InputError
from prose_data.methods.named import base, parameters
from prose_data.report.basis import Summary
from prose_data.report.sweep import sweep_sentence, sweep_table
from prose_data.report.text import markdown
from prose_data.runs import load_run
from tests.test_cli import call, refused
from tests.test_report import on_console, replaced, summary_of, tables

LEVEL = {
    "prose:steps=5,threshold=0": 1.0,
    "prose:threshold=0.5,steps=2": 0.5,
    "prose:steps=2,threshold=0": 0.25,
    "prose": 3.0,
    "prose:threshold=1": 3.0,
    "prose:steps=null,threshold=0.75": 3.0,
    "prose_icl:steps=2,threshold=1": 3.0,
    "no_learning": -1.0,
}
GRID = list(LEVEL)[:3]


def swept(level: dict[str, float] = LEVEL) -> Summary:
    return summary_of(tables(level), methods=list(level))


def test_the_grid_has_the_settings_of_both_numbers_in_order() -> None:
    found = swept()["sweep"]
    assert found["methods"] == GRID
    assert (found["steps"], found["thresholds"]) == ([2, 5], [0.0, 0.5])
    means = [[cell and cell["mean"] for cell in row] for row in found["metrics"]["ppcm"]["values"]]
    assert means == [[pytest.approx(0.6), pytest.approx(0.85)], [pytest.approx(1.35), None]]


def test_a_run_with_fewer_than_two_settings_has_no_grid() -> None:
    summary = swept({"prose": 1.0, GRID[0]: 1.0, "prose:threshold=1": 2.0})
    assert summary["sweep"] is None and "Sweep" not in markdown(summary)


def test_the_best_setting_is_named_with_those_that_may_be_as_good() -> None:
    found = swept()["sweep"]
    assert found["metrics"]["ppcm"]["best"] == {"steps": 5, "threshold": 0.0}
    assert "S = 5, v = 0. Not separated from it" in sweep_sentence(found, "ppcm")
    assert sweep_sentence(found, "ppcm").endswith(": 0 of the 2 other settings.")
    equal = swept(dict.fromkeys(GRID, 1.0))["sweep"]["metrics"]["ppcm"]
    assert (equal["best"], equal["not_separated"]) == ({"steps": 2, "threshold": 0.0}, 2)
    one_user = summary_of(tables(dict.fromkeys(GRID, 1.0) | {GRID[0]: 1.5}, users=["u1"]), methods=GRID)
    assert one_user["sweep"]["metrics"]["ppcm"]["not_separated"] == 2, "no interval, no separation"


def test_a_measure_of_which_less_is_better_has_its_best_at_the_bottom() -> None:
    plain = tables(dict.fromkeys(GRID, 0.0) | {GRID[1]: -1.0})
    distances = plain.scores.filter(pl.col("component") == "be brief").with_columns(
        metric=pl.lit("edit_distance"), component=pl.lit("")
    )
    found = summary_of(replaced(plain, scores=distances), methods=GRID)["sweep"]
    assert found["metrics"]["edit_distance"]["best"] == {"steps": 2, "threshold": 0.5}


def test_the_report_has_a_section_with_tables_and_figures_that_say_what_they_show() -> None:
    text = markdown(swept())
    assert re.search(r"\| 2 \| 0\.60 \[0\.\d\d, 0\.\d\d\] \| 0\.85 \[0\.\d\d, \d\.\d\d\] \|\n", text)
    assert "| S | v = 0 | v = 0.5 |" in text
    assert "![Heat map of ppcm by steps S and threshold v" in text and "(figures/sweep_ppcm.svg)" in text
    header, rows = sweep_table(swept()["sweep"], "ppcm")
    assert header == ["S", "v = 0", "v = 0.5"] and [row[0] for row in rows] == ["2", "5"]
    assert rows[1][2] == "–"


def test_the_terminal_shows_the_grid_alone_unless_there_are_other_methods() -> None:
    assert "prose:steps" not in on_console(swept(dict.fromkeys(GRID, 1.0)), 200)
    printed = on_console(swept(), 200)
    assert "no_learning (floor)" in printed and "ppcm by steps S and threshold v" in printed


SMALL = "name: small\nseeds: [0]\ntasks: [email]\nusers: {count: 2}\nsamples: {per_user: 2}\nmetrics: [ppcm, recovery]\nbudget: {max_failures: 1}\n"


def test_the_command_makes_one_ordinary_run_with_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)
    result = call(
        "sweep", "small.yaml", "--steps", "1,2", "--thresholds", "-0,.50", "--engine", "plain", "--json"
    )
    assert result.exit_code == 0, result.output
    run = load_run(Path("runs/small-sweep"))
    assert run.config.methods == tuple(f"prose:steps={s},threshold={v}" for s in (1, 2) for v in (0, 0.5))
    found = json.loads(result.stdout)["result"]["sweep"]
    assert (found["steps"], found["thresholds"]) == ([1, 2], [0, 0.5])
    report = (run.path / "report.md").read_text()
    for metric in ("ppcm", "recovery_f1"):
        assert f"(figures/sweep_{metric}.svg)" in report
        assert (run.path / "figures" / f"sweep_{metric}.svg").read_text().startswith("<svg")
        assert (run.path / "figures" / f"sweep_{metric}.png").read_bytes().startswith(b"\x89PNG")


def test_the_published_grid_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def stop(methods: list[str], *_: object) -> None:
        seen.extend(methods)
        raise InputError("stop here")

    monkeypatch.setattr("prose_data.commands.sweep.run_with", stop)
    assert call("sweep").exit_code == 2
    pairs = [tuple(parameters(name).values()) for name in seen]
    assert pairs == [(s, v) for s in (2, 3, 4, 5) for v in (0, 0.25, 0.5, 0.75, 1)]
    assert {base(name) for name in seen} == {"prose"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "2,x"], "--steps 2,x: 'x' is not a number"),
        (["--steps", ""], "--steps : '' is not a number"),
        (["--steps", "2,3,2.0"], "--steps 2,3,2.0: 2 is there twice"),
        (["--thresholds", "0,-0"], "--thresholds 0,-0: 0 is there twice"),
        (
            ["--steps", "2.5,3"],
            "method prose:steps=2.5,threshold=0: prose.steps is 2.5: must be a whole number",
        ),
        (["--steps", "0,1"], "prose.steps is 0: must be greater than or equal to 1"),
        (["--thresholds", "0,2"], "prose.threshold is 2: must be less than 2"),
        (["--thresholds", "nan,1"], "prose.threshold is 'nan': must be a finite number"),
        (["--steps", "3", "--thresholds", "1"], "one setting alone is no sweep"),
        (["nowhere.yaml"], "nowhere.yaml: no such configuration file"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(call("sweep", *arguments))
    assert not list(tmp_path.rglob("*.parquet"))


def test_both_commands_explain_themselves_with_an_example() -> None:
    for command in ("ablate", "sweep"):
        result = call(command, "--help")
        assert result.exit_code == 0 and f"prose-data {command} my.yaml" in result.stdout
