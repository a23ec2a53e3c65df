"""The ablation table: which runs have one, what it compares, and the command that makes such a run."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prose_data.methods import METHODS, ORACLE
from prose_data.methods.prose import VARIANTS
from prose_data.report.ablation import ABLATIONS, ablation_table
from prose_data.report.basis import Summary
from prose_data.report.text import markdown
from prose_data.runs import load_run
from tests.test_cli import call, refused
from tests.test_report import Tables, on_console, replaced, summary_of, tables

LEVEL = {"no_learning": -1.0, "prose": 1.0, "prose_nv": 0.7, "prose_1nc": 0.9, "oracle": 1.8}


def made(level: dict[str, float] = LEVEL, **frames: pl.DataFrame) -> Summary:
    return summary_of(replaced(tables(level), **frames), methods=list(level))


def with_calls(method: str, calls: int, prompt: int) -> Tables:
    """Return the tables with other costs of one method."""
    plain = tables(LEVEL)
    ours = pl.col("method") == method
    costs = [
        pl.when(ours).then(pl.lit(value, pl.Int64)).otherwise(pl.col(name)).alias(name)
        for name, value in (("calls", calls), ("prompt_tokens", prompt))
    ]
    return replaced(plain, inferences=plain.inferences.with_columns(costs))


def row_of(summary: Summary, method: str) -> dict[str, Any]:
    return next(row for row in summary["ablation"] if row["method"] == method)


def test_every_ablation_is_a_variant_and_every_variant_but_the_full_ones_is_an_ablation() -> None:
    assert {*ABLATIONS, "prose", "prose_icl"} == set(VARIANTS) <= set(METHODS)


def test_the_table_goes_from_the_floor_over_full_and_ablations_to_the_ceiling() -> None:
    methods = [row["method"] for row in made(dict(reversed(LEVEL.items())))["ablation"]]
    assert methods == ["no_learning", "prose", "prose_nv", "prose_1nc", "oracle"]


@pytest.mark.parametrize(
    "level", [{"prose": 1.0, "oracle": 1.8}, {"prose_nv": 1.0}, {"prose": 1.0, "icl": 0.5}]
)
def test_a_run_without_full_prose_or_without_an_ablation_has_no_table(level: dict[str, float]) -> None:
    summary = made(level)
    assert summary["ablation"] is None and "Ablations" not in markdown(summary)


def test_scores_are_compared_with_full_prose_over_the_same_drafts() -> None:
    """Users differ by more than methods do, and a draft that one of two methods lacks counts for neither."""
    ppcm = row_of(made(), "prose_nv")["ppcm"]
    assert (ppcm["difference"]["mean"], ppcm["difference"]["low"], ppcm["difference"]["high"]) == (
        pytest.approx((-0.3, -0.3, -0.3))
    )
    plain = tables(LEVEL)
    lost = (pl.col("method") == "prose") & (pl.col("user_id") == "u0")
    fewer = made(scores=plain.scores.filter(~lost))
    assert row_of(fewer, "prose_nv")["ppcm"]["difference"]["n"] == 20
    assert row_of(fewer, "prose_nv")["ppcm"]["value"]["n"] == 24
    assert row_of(made(), "prose")["ppcm"]["difference"] is None


def test_costs_are_sums_per_user_in_paired_differences() -> None:
    summary = summary_of(with_calls("prose_nv", calls=1, prompt=4), methods=list(LEVEL))
    row = row_of(summary, "prose_nv")
    assert (row["calls"]["value"]["mean"], row["calls"]["difference"]["mean"]) == (2, 2 * (1 - 3))
    assert (row["tokens"]["value"]["mean"], row["tokens"]["difference"]["mean"]) == (2 * 9, 2 * (4 - 10))
    assert row["tokens"]["difference"]["n"] == 12, "users x seeds"


def test_what_is_undefined_is_a_dash() -> None:
    """The floor states no preferences, so it has no recovery; nor has full PROSE a difference to itself."""
    summary = made()
    assert row_of(summary, "no_learning")["recovery_f1"] == {"value": None, "difference": None}
    header, lines = ablation_table(summary["ablation"])
    floor = dict(zip(header[:4], lines[0], strict=False))
    assert floor["method"] == "no_learning (floor)" and floor["recovery_f1"] == "–"
    assert lines[1][2] == "–"


def test_a_metric_that_was_not_measured_has_no_column() -> None:
    plain = tables(LEVEL)
    summary = made(scores=plain.scores.filter(pl.col("metric") == "recovery_f1"))
    header, _ = ablation_table(summary["ablation"])
    assert "ppcm" not in header and "tokens" in header


def test_the_report_has_signed_differences_and_the_terminal_no_second_table_of_the_same_methods() -> None:
    text = markdown(made())
    assert "| prose_nv | 1.05 | -0.30 [-0.30, -0.30] |" in text
    assert "| oracle (ceiling) | 2.15 | +0.80 [+0.80, +0.80] |" in text
    printed = on_console(made(), 200)
    assert "Ablations of PROSE" in printed and printed.count("prose_nv") == 1
    both = on_console(made({**LEVEL, "icl": 0.5}), 200)
    assert both.count("prose_nv") == 2 and "icl" in both


def test_a_narrow_terminal_keeps_the_first_difference() -> None:
    assert "-0.30 [-0.30, -0.30]" in on_console(made(), 80) and "calls" not in on_console(made(), 80)


def test_what_prose_went_by_is_in_the_report() -> None:
    summary = made()
    assert summary["prose"]["methods"]["prose_1nc"]["steps"] == 1
    assert summary["prose"]["methods"]["prose"]["steps"] == 5
    assert json.loads(json.dumps(summary["prose"])) == summary["prose"]
    models = {"default": {}, "infers": {"backend": "openai", "model": "gpt-4o-mini-2024-07-18"}}
    changes = {"models": models, "roles": {"inferrer": "infers"}, "prose": {"threshold": 0.0}}
    chosen = summary_of(tables(LEVEL), methods=list(LEVEL), **changes)
    assert "PROSE goes by S = 3 (published for gpt-4o-mini) and v = 0 (configured)." in markdown(chosen)
    without = summary_of(tables({"icl": 0.5}), methods=["icl"])
    assert without["prose"] is None and "PROSE goes by" not in markdown(without)


SMALL = "name: small\nseeds: [0]\ntasks: [email]\nusers: {count: 2}\nsamples: {per_user: 2}\nmethods: [icl]\nmetrics: [ppcm, recovery]\n"


def test_the_command_makes_one_ordinary_run_that_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL)
    arguments = ["ablate", "small.yaml", "--engine", "plain", "--set", "budget.max_failures=1"]
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    run = load_run(Path("runs/small-ablation"))
    assert run.config.methods == ("no_learning", "prose", *ABLATIONS, ORACLE)
    assert run.config.name == "small-ablation" and run.config.seeds == (0,)
    rows = json.loads(result.stdout)["result"]["ablation"]
    assert [row["method"] for row in rows] == list(run.config.methods)
    assert json.loads((run.path / "summary.json").read_text())["ablation"] == rows
    assert run.count("samples") == 4, "written once for all methods"
    before = {path: path.stat().st_mtime_ns for path in run.path.glob("*/*.parquet")}
    again = call(*arguments)
    assert again.exit_code == 0 and "no verification" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in run.path.glob("*/*.parquet")} == before


def test_wrong_input_of_the_command_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    assert "runs: is a run folder; give a configuration" in refused(call("ablate", "runs"))
    assert "nowhere.yaml: no such configuration file" in refused(call("ablate", "nowhere.yaml"))
    assert "prose.steps is 0" in refused(call("ablate", "--set", "prose.steps=0"))
    assert "prose.breakdown is 'some'" in refused(call("ablate", "--set", "prose.breakdown=some"))
    assert not list(tmp_path.rglob("*.parquet"))
