"""What `summary.json` says of comparisons, curves, seeds, costs and texts, and that nothing else than the rows decides it."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from prose_data.cli import app
from prose_data.report import make_report
from prose_data.report.texts import DRAWN, MOST, diversity, drawn_texts
from prose_data.runs import load_run
from prose_data.stats import holm
from prose_data.stats.values import per_inference
from tests.test_report import LEVEL, failure, frame, replaced, summary_of, tables

MANY = [f"u{index:02}" for index in range(16)]


def noisy(level: dict[str, float] = LEVEL) -> Any:
    """Return tables in which users differ also in what the methods differ by."""
    made = tables(level, users=MANY)
    shift = (pl.col("user_id").str.tail(2).cast(pl.Int64) * 7 % 5 - 2) * 0.4
    prose = pl.when(pl.col("method") == "prose").then(shift).otherwise(0.0)
    return replaced(made, scores=made.scores.with_columns(value=pl.col("value") + prose))


def _pair(summary: dict[str, Any], metric: str, one: str, other: str) -> dict[str, Any]:
    (found,) = [
        line
        for line in summary["paired"]
        if (line["metric"], line["one"], line["other"]) == (metric, one, other)
    ]
    return dict(found)


def test_each_pair_has_its_p_value_corrected_among_those_of_its_metric() -> None:
    summary = summary_of(noisy())
    for metric in ("ppcm", "recovery_f1"):
        family = [line for line in summary["paired"] if line["metric"] == metric]
        assert len(family) == {"ppcm": 10, "recovery_f1": 1}[metric]
        assert [line["p_holm"] for line in family] == pytest.approx(
            holm([line["p"] for line in family]), abs=2e-6
        )
    clear = _pair(summary, "ppcm", "prose", "no_learning")
    assert clear["p_holm"] < 0.01 and clear["effect"]["low"] > 0
    assert clear["effect"]["low"] < clear["effect"]["g"] < clear["effect"]["high"]


def test_methods_that_differ_alike_for_all_users_have_no_effect_size() -> None:
    line = _pair(summary_of(tables()), "ppcm", "icl", "no_learning")
    assert (line["mean"], line["low"], line["high"], line["effect"]) == (1.5, 1.5, 1.5, None)


def test_a_gap_that_is_not_there_or_goes_the_other_way_has_no_share() -> None:
    assert summary_of(noisy())["gap_closed"]["prose"]["ppcm"]["mean"] == pytest.approx(2.0 / 2.8, abs=0.05)
    for ceiling in (LEVEL["no_learning"], -2.0):
        assert summary_of(noisy({**LEVEL, "oracle": ceiling}))["gap_closed"]["prose"]["ppcm"] is None
    made = tables()
    less = made.scores.filter(pl.col("metric") == "ppcm", pl.col("component") == "be brief").with_columns(
        metric=pl.lit("edit_distance"), component=pl.lit(""), value=5.0 - pl.col("value")
    )
    cheaper = replaced(made, scores=pl.concat([made.scores, less]))
    assert summary_of(cheaper)["gap_closed"]["prose"]["edit_distance"]["mean"] == pytest.approx(2.0 / 2.8)


def test_curves_have_an_estimate_per_metric_method_and_number_of_samples() -> None:
    summary = summary_of(tables())
    curve = summary["curves"]["ppcm"]
    assert curve["steps"] == [0, 1] and list(curve["methods"]) == list(LEVEL)
    assert curve["methods"]["prose"] == summary["by_step"]["prose"]
    assert set(summary["curves"]["recovery_f1"]["methods"]) == {"cipher_1", "prose"}


def test_seeds_have_their_spread() -> None:
    made = tables()
    later = pl.when(pl.col("seed") == 1).then(0.3).otherwise(0.0)
    summary = summary_of(replaced(made, scores=made.scores.with_columns(value=pl.col("value") + later)))
    spread = summary["over_seeds"]["icl"]["ppcm"]
    assert spread["mean"] == summary["methods"]["icl"]["ppcm"]["mean"]
    assert (spread["sd"], spread["se"], spread["seeds"]) == (
        pytest.approx(0.3 / 2**0.5, abs=1e-6),
        pytest.approx(0.15),
        2,
    )


def test_a_point_costs_what_is_paid_beyond_the_floor() -> None:
    made = tables(cost=0.5)
    dear = pl.when(pl.col("method") == "prose").then(7).otherwise(0)
    summary = summary_of(
        replaced(made, inferences=made.inferences.with_columns(calls=pl.col("calls") + dear))
    )
    costs = summary["cost_per_point"]
    assert costs["metric"] == "ppcm" and "no_learning" not in costs["methods"]
    prose = costs["methods"]["prose"]
    assert prose["calls"]["mean"] == pytest.approx(2 * 7 / 2.0), (
        "two steps a user and seed, two points gained"
    )
    assert (prose["tokens"]["mean"], prose["cost_usd"]["mean"]) == (0.0, 0.0)


def test_nothing_is_said_of_the_cost_where_no_point_is_gained_or_a_price_is_unknown() -> None:
    worse = summary_of(tables({**LEVEL, "icl": -1.5}))["cost_per_point"]["methods"]
    assert worse["icl"] == {"calls": None, "tokens": None, "cost_usd": None}
    assert worse["prose"]["calls"] is not None and worse["prose"]["cost_usd"] is None
    level = {"icl": 0.5, "prose": 1.0}
    assert summary_of(tables(level), methods=list(level))["cost_per_point"]["methods"] == {}


def test_avm_is_the_mean_of_ppcm_and_cpm_where_both_are_there_and_fails_with_either() -> None:
    made = tables()
    cpm = made.scores.filter(pl.col("metric") == "ppcm", pl.col("component") == "be brief").with_columns(
        metric=pl.lit("cpm"), component=pl.lit(""), value=pl.lit(1.0)
    )
    lost = pl.col("inference_id") == "icl-u1-0-0"
    made = replaced(
        made,
        scores=pl.concat([made.scores, cpm.filter(~lost)]),
        failures=frame("failures", [failure("score", "icl-u1-0-0/cpm")]),
    )
    summary = summary_of(made)
    row = summary["methods"]["icl"]
    assert (row["avm"]["n"], row["avm"]["failed"], row["ppcm"]["failed"]) == (23, 1, 0)
    other = summary["methods"]["prose"]
    assert other["avm"]["mean"] == pytest.approx((other["ppcm"]["mean"] + 1.0) / 2, abs=1e-6)
    assert "avm" not in summary_of(tables())["methods"]["icl"]


def test_values_do_not_depend_on_the_order_of_rows() -> None:
    made = tables()
    shuffled = (part.sample(fraction=1, shuffle=True, seed=2) for part in (made.scores, made.inferences))
    order = ["method", "metric", "user_id", "seed", "step"]
    one = per_inference(made.scores, made.inferences).sort(order)
    assert one.equals(per_inference(*shuffled).sort(order))
    assert one.height == one.select(order).n_unique()


SMALL = """
name: small
seeds: [0, 1]
tasks: [email]
samples: {per_user: 2}
methods: [no_learning, cipher_1, prose, oracle]
metrics: [ppcm, cpm, recovery, similarity, faithfulness, coherence, preference_likeness, edit_distance, quoted]
shards: {users: 1}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of four shards."""
    folder = tmp_path_factory.mktemp("statistics")
    (folder / "small.yaml").write_text(SMALL)
    words = ["run", str(folder / "small.yaml"), "--out", str(folder / "run"), "--engine", "plain"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return folder / "run"


def test_shards_in_another_order_give_the_same_summary(finished: Path, tmp_path: Path) -> None:
    """Each part takes the place of another one, and its rows stand in another order."""
    moved = tmp_path / "run"
    shutil.copytree(finished, moved)
    for table in ("users", "samples", "inferences", "scores", "failures"):
        parts = sorted((finished / table).glob("*.parquet"))
        for part, place in zip(parts, [*parts[1:], parts[0]], strict=True):
            rows = pl.read_parquet(part)
            rows.sample(fraction=1, shuffle=True, seed=len(rows)).write_parquet(moved / table / place.name)
    make_report(load_run(finished))
    make_report(load_run(moved))
    assert (moved / "summary.json").read_text() == (finished / "summary.json").read_text()
    assert (moved / "report.md").read_text() == (finished / "report.md").read_text()


def test_the_texts_of_a_run_have_their_diversity(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_text())
    found = summary["diversity"]
    assert (found["texts"], found["drawn"], found["quoting"]) == (16, 16, 0)
    assert set(found["by_source"]) == {"email/ampere", "email/ccby", "email/paper_tweet", "email/slf5k"}
    for part in (found, *found["by_source"].values()):
        assert 0 < part["distinct_1"] < part["distinct_2"] < part["distinct_3"] <= 1
        assert 0 < part["self_bleu"] < 1


def _written(texts: list[str], told: tuple[str, ...] = ("be highly inquisitive",)) -> pl.DataFrame:
    return pl.DataFrame({"text": texts}).with_columns(
        task=pl.lit("email"), source=pl.lit("ccby"), told=pl.lit(list(told), pl.List(pl.String))
    )


def test_texts_that_are_alike_or_quote_are_counted() -> None:
    text = "What makes the glacier move, and what would stop it? Nobody has measured that so far."
    found = diversity(
        _written([text, text, "Be highly inquisitive, I was told, and so I ask about the ice."])
    )
    assert found is not None
    assert (found["texts"], found["near_duplicates"], found["quoting"]) == (
        3,
        pytest.approx(2 / 3, abs=1e-6),
        pytest.approx(1 / 3, abs=1e-6),
    )
    assert diversity(_written([])) is None


def test_measures_that_depend_on_how_much_there_is_take_a_fixed_number() -> None:
    texts = [f"Text {number} is about thing {number % 7} and nobody else." for number in range(3 * DRAWN)]
    one, other = diversity(_written(texts)), diversity(_written(texts[: 2 * DRAWN]))
    assert one is not None and other is not None
    assert one["drawn"] == other["drawn"] == DRAWN and one["texts"] == 3 * DRAWN


def test_of_very_many_texts_some_are_drawn_the_same_ones_each_time(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_run(finished)
    assert drawn_texts(run).height == 16 <= MOST
    monkeypatch.setattr("prose_data.report.texts.MOST", 5)
    assert drawn_texts(run).height == 5
    assert drawn_texts(run).equals(drawn_texts(run))
