"""`prose-data score pairs` and `prose-data export`, beside `score RUN`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from prose_data.alignx.record import PAIR
from prose_data.cli import app
from tests.alignx_targets import rows
from tests.endpoint import Endpoint, answer, completion
from tests.test_alignx_margin import toy

COLUMNS = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}
P_SOUPS = {
    "prompt": "Why?", "chosen": "Short.", "rejected": "A rather longer answer.", "profile": "Likes art",
    PAIR: [{"prompt": "p", "chosen": "c", "rejected": "r"}],
}  # fmt: skip


def call(*arguments: Any) -> Result:
    return CliRunner(env=COLUMNS).invoke(
        app, [str(argument) for argument in arguments], prog_name="prose-data"
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "records.json"
    path.write_text(json.dumps(rows(12)))
    return path


def test_the_stage_and_the_pairs_go_by_one_word(file: Path, tmp_path: Path) -> None:
    stage = call("score", tmp_path / "none.yaml")
    assert stage.exit_code == 2 and "no such configuration file" in stage.stderr
    assert "RUN-OR-CONFIG" in call("score", "--help").stdout
    assert "--persona" in call("score", "pairs", "--help").stdout
    assert call("score", "run", tmp_path / "none.yaml").stderr == stage.stderr


def test_a_table_with_rules_and_paired_differences(file: Path) -> None:
    result = call("score", "pairs", file, "--method", "golden", "--method", "none")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Made with the simulated model")
    assert "12 targets, 12 distinct, 12 users; 0 without a persona." in lines
    names = [line.split(" | ")[0] for line in lines if line.startswith("| ") and "---" not in line]
    assert names == ["| method", "| none", "| golden", "| rule: longer", "| rule: first_word", "| rule: overlap",
                     "| methods", "| golden less none"]  # fmt: skip


def test_json_and_rows_agree_and_two_runs_are_alike(file: Path, tmp_path: Path) -> None:
    arguments = ("score", "pairs", file, "--method", "ica", "--persona", "pair", "--items", 2)
    first = call(*arguments, "--json", "--out", tmp_path / "one.parquet")
    assert first.exit_code == 0, first.output
    figures = json.loads(first.stdout)
    assert (figures["persona"], figures["items"], figures["targets"]) == ("pair", 2, 12)
    frame = pl.read_parquet(tmp_path / "one.parquet")
    mean = frame.filter(method="ica", metric="selection_accuracy")["value"].mean()
    assert mean == pytest.approx(figures["methods"]["ica"]["selection_accuracy"]["mean"], abs=1e-6)
    assert set(frame["method"]) == {"ica", "longer", "first_word", "overlap"}
    call(*arguments, "--out", tmp_path / "two.jsonl")
    call(*arguments, "--out", tmp_path / "two.parquet")
    assert (tmp_path / "two.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()
    assert pl.read_ndjson(tmp_path / "two.jsonl", schema=frame.schema).equals(frame)


def test_directions_and_a_left_out_row(file: Path, tmp_path: Path) -> None:
    twice = tmp_path / "twice.json"
    twice.write_text(json.dumps([*rows(12), rows(12)[3]]))
    result = call("score", "pairs", twice, "--metric", "direction", "--method", "pba", "--json")
    figures = json.loads(result.stdout)
    assert figures["left_out"] == 1 and figures["rules"] == {}
    assert figures["recovery"]["pba"]["gain"]["mean"] > 0
    assert "duplicate_row: " in result.stderr and "row 13" in result.stderr


def test_outside_data_is_scored_by_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "soups.json"
    path.write_text(json.dumps([P_SOUPS]))
    done = call("score", "pairs", path, "--method", "pba_stored", "--method", "ica", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rules"]["longer"]["mean"] == 0.0
    for method, said in (("golden", "own direction"), ("pba_arithmetic", "the persona has none")):
        result = call("score", "pairs", path, "--method", method)
        assert result.exit_code == 2 and said in result.stderr and result.stderr.count("\n") == 1


def test_margins_through_an_endpoint(file: Path, tmp_path: Path) -> None:
    """A model that takes to `a` where it is told of a user: the response with more of it gains."""
    pairs = tmp_path / "ab.jsonl"
    pairs.write_text(
        json.dumps({"id": "x", "prompt": "p", "chosen": "aa", "rejected": "bb", "persona": "Fond of a."})
        + "\n"
    )

    async def go() -> Result:
        async with Endpoint(toy(lambda prompt: 0.9 if "Fond" in prompt else 0.5)).at() as url:
            config = tmp_path / "c.yaml"
            model = {"backend": "openai", "model": "toy", "base_url": url}
            config.write_text(json.dumps({"models": {"default": {}, "toy": model}}))
            arguments = (
                "score",
                "pairs",
                pairs,
                "--metric",
                "margin",
                "--policy",
                "toy",
                "--persona",
                "demo",
            )
            return await asyncio.to_thread(call, *arguments, "--config", config, "--json")

    result = asyncio.run(go())
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["methods"]["ica"]
    assert found["persona_margin_accuracy"]["mean"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--method", "magic"], "--method magic: is not a method; use none, ica, pba"),
        (["--out", "x.csv"], "--out x.csv: must end in .parquet or .jsonl"),
        (["--reference", "base"], "goes with --metric margin only"),
        (["--policy", "base"], "goes with --metric margin or letters only"),
        (["--metric", "letters"], "models.default: is simulated and gives no log-probabilities"),
        (["--metric", "margin"], "models.default: is simulated and gives no log-probabilities"),
        (["--metric", "margin", "--policy", "mine"], "models.mine: is not defined"),
        (["--metric", "direction"], "ica states no direction"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], said: str, file: Path) -> None:
    result = call("score", "pairs", file, *arguments)
    assert result.exit_code == 2 and said in result.stderr and result.stderr.count("\n") == 1, result.output


def test_more_failures_than_allowed_is_exit_code_1(file: Path, tmp_path: Path) -> None:
    async def go() -> Result:
        async with Endpoint(answer(completion("I like both."))).at() as url:
            config = tmp_path / "c.yaml"
            model = {"backend": "openai", "model": "m", "base_url": url}
            config.write_text(json.dumps({"models": {"default": model}}))
            return await asyncio.to_thread(call, "score", "pairs", file, "--config", config)

    result = asyncio.run(go())
    assert result.exit_code == 1 and result.stderr.count("unreadable_verdict: row-00000") == 24
    (row,) = (line for line in result.stdout.splitlines() if line.startswith("| ica"))
    assert row.endswith("| 24 |") and "selection_published" in result.stdout


def test_export_writes_rows_and_says_what_it_left_out(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "dpo.jsonl"
    result = call("export", file, "--prompt", "pba", "--share", "0.5", "--out", out)
    assert result.exit_code == 0 and "not in subset" in result.stdout, result.output
    lines = out.read_text().splitlines()
    assert f"{len(lines)} rows in {out}" in result.stdout and 0 < len(lines) < 12
    counts = json.loads(call("export", file, "--share", "0.5", "--out", out, "--json").stdout)
    assert counts["rows"] + counts["not_in_subset"] == 12
    assert call("export", file, "--out", tmp_path / "x.txt").exit_code == 2
    assert call("export", tmp_path / "none.json", "--out", out).exit_code == 2
