import io
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from prose_data.config import Config, parse_config
from prose_data.errors import InputError
from prose_data.report import make_report
from prose_data.report.basis import Summary, show
from prose_data.report.summary import Tables, summarize
from prose_data.report.text import markdown, print_headline
from prose_data.runs import open_run, write_json
from schemas import SCHEMAS

METHODS = ["no_learning", "icl", "cipher_1", "prose", "oracle"]
LEVEL = {"no_learning": -1.0, "icl": 0.5, "cipher_1": 0.0, "prose": 1.0, "oracle": 1.8}
MANIFEST = {
    "version": "0.1.0",
    "prompts": {"write": "abcdef0123456789"},
    "samples": {"rejected": {"length": 7}},
    "rungs": {"infer": {"text": 1_000, "correction": 12}, "score": {"schema": 500, "correction": 3}},
}
COMPONENTS = ["be brief", "use emojis"]
USERS = [f"u{index}" for index in range(6)]


def config(**changes: Any) -> Config:
    return parse_config(
        {"name": "trial", "methods": METHODS, "metrics": ["ppcm", "recovery"], **changes}, "test"
    )


def tables(
    level: dict[str, float] = LEVEL,
    users: list[str] = USERS,
    seeds: tuple[int, ...] = (0, 1),
    cost: float | None = None,
) -> Tables:
    """Return the tables of a small run; users, seeds and steps shift all methods alike."""
    cells = [(u, s, t) for u in users for s in seeds for t in (0, 1)]
    inferences, scores = [], []
    for method, base in level.items():
        for user, seed, step in cells:
            name = f"{method}-{user}-{seed}-{step}"
            row = {"user_id": user, "method": method, "seed": seed, "step": step, "inference_id": name}
            infers = method in ("cipher_1", "prose")
            inferences.append(
                row
                | {
                    "document_id": f"d{step}",
                    "components": [],
                    "description": "x" if infers else None,
                    "draft": "text",
                }
                | {
                    "calls": 3,
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "cost_usd": cost,
                    "model": "sim-strong",
                }
            )
            value = base + 0.1 * int(user[1:]) + 0.2 * step
            for component, delta in zip(COMPONENTS, (-0.1, 0.1), strict=True):
                scores.append(row | _score("ppcm", component, value + delta))
            if infers:
                scores.append(row | _score("recovery_f1", "", 0.2 + value / 10))
    samples = [
        {
            "sample_id": f"{u}-{s}-{t}",
            "user_id": u,
            "document_id": f"d{t}",
            "seed": s,
            "step": t,
            "text": "text",
        }
        | {"model": "sim-strong", "attempt": 1 + (t == 1 and s == 1), "split": "learn"}
        for u, s, t in cells
    ]
    people = [
        {"user_id": u, "space": "plume", "task": "summarization" if i % 2 else "email", "source": "imdb"}
        | {"persona": "", "components": COMPONENTS, "seed": 0}
        for i, u in enumerate(users)
    ]
    return Tables(
        users=frame("users", people),
        samples=frame("samples", samples),
        inferences=frame("inferences", inferences),
        scores=frame("scores", scores),
        failures=frame("failures", []),
    )


def _score(metric: str, component: str, value: float) -> dict[str, Any]:
    return {"metric": metric, "component": component, "value": value, "verdict": "", "judge": "sim-strong"}


def frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = SCHEMAS[table]
    return schema.validate(pl.DataFrame(rows, schema=schema.create_empty().schema), cast=True)


def summary_of(made: Tables, **changes: Any) -> Summary:
    return summarize(config(**changes), made, MANIFEST)


def replaced(made: Tables, **frames: pl.DataFrame) -> Tables:
    return Tables(**{name: frames.get(name, getattr(made, name)) for name in Tables.__dataclass_fields__})


def failure(stage: str, key: str, reason: str = "unreadable_verdict") -> dict[str, str]:
    return {"failure_id": f"{stage}-{key}", "stage": stage, "key": key, "reason": reason, "message": "m"}


def test_a_metric_with_a_row_per_component_counts_once_per_inference() -> None:
    entry = summary_of(tables())["methods"]["prose"]["ppcm"]
    assert entry["mean"] == pytest.approx(1.0 + 0.25 + 0.1)
    assert entry["n"] == 6 * 2 * 2
    assert entry["failed"] == 0
    assert entry["low"] < entry["mean"] < entry["high"]


def test_an_undefined_metric_is_null_and_a_dash_not_0() -> None:
    summary = summary_of(tables())
    assert summary["methods"]["icl"]["recovery_f1"] == {
        "mean": None,
        "low": None,
        "high": None,
        "n": 0,
        "failed": 0,
    }
    line = next(line for line in markdown(summary).splitlines() if line.startswith("| icl"))
    assert "–" in line and "0.00" not in line


def test_one_user_gets_means_without_intervals() -> None:
    summary = summary_of(tables(users=["u1"]))
    assert summary["methods"]["prose"]["ppcm"]["low"] is None
    assert {line["verdict"] for line in summary["expected"]} == {"not separated"}
    assert set(summary["by_task"]["prose"]) == {"email"}, "the user's own, not all that are configured"
    scores = markdown(summary).split("## Cost per user")[0].split("## Scores")[1]
    assert not re.search(r"\d \[", scores)


def test_costs_are_summed_per_user_and_seed() -> None:
    row = summary_of(tables(cost=0.5))["methods"]["prose"]
    assert (row["calls"]["mean"], row["calls"]["n"]) == (6.0, 12)
    assert row["cost_usd"]["mean"] == 1.0


def test_an_unknown_price_is_no_cost_of_0() -> None:
    row = summary_of(tables(cost=None))["methods"]["prose"]
    assert row["cost_usd"]["mean"] is None


def test_what_is_missing_is_counted_and_shown() -> None:
    made = tables()
    lost = "prose-u1-0-0"
    failures = [
        failure("score", "prose-u2-0-0/recovery"),
        failure("score", "prose-u3-0-0/recovery#1"),  # a note: the row is there
        failure("infer", lost, "timeout"),
        failure("synthesize", "u9-0-0", "not_shown"),
    ]
    gone = (pl.col("inference_id") == lost) | (
        (pl.col("inference_id") == "prose-u2-0-0") & (pl.col("metric") == "recovery_f1")
    )
    partial = (pl.col("inference_id") == "prose-u4-0-0") & (pl.col("component") == "be brief")
    made = replaced(
        made,
        failures=frame("failures", failures),
        inferences=made.inferences.filter(pl.col("inference_id") != lost),
        scores=made.scores.filter(~gone, ~partial),
    )
    summary = summary_of(made)
    row = summary["methods"]["prose"]
    assert (row["recovery_f1"]["n"], row["recovery_f1"]["failed"]) == (22, 2)
    assert (row["ppcm"]["n"], row["ppcm"]["failed"]) == (23, 2)  # one lost, one with a component missing
    assert summary["methods"]["oracle"]["ppcm"]["failed"] == 0
    assert summary["methods"]["icl"]["recovery_f1"]["failed"] == 0
    assert summary["samples"] == {
        "wanted": 25,
        "first": 18,
        "rewritten": 6,
        "refused": 1,
        "rejected": {"length": 7},
    }
    reasons = {(f["stage"], f["reason"]): (f["lost"], f["noted"]) for f in summary["failures"]}
    assert reasons["score", "unreadable_verdict"] == (1, 1)
    assert summary["replies"] == {"first": 1_500, "corrected": 15, "unreadable": 2}
    line = "Of 1,500 replies, 15 could not be read and got one correction turn; 2 stayed unreadable."
    assert line in markdown(summary)
    assert "(22 of 24)" in markdown(summary)


def test_methods_are_compared_in_pairs() -> None:
    """Users differ more than methods do, so only a paired comparison separates the two."""
    pairs = {(p["one"], p["other"], p["metric"]): p for p in summary_of(tables())["paired"]}
    pair = pairs["prose", "cipher_1", "ppcm"]
    assert (pair["mean"], pair["low"], pair["high"]) == pytest.approx((1.0, 1.0, 1.0))
    assert ("prose", "icl", "recovery_f1") not in pairs


def test_the_share_of_the_gap_needs_floor_and_ceiling() -> None:
    gaps = summary_of(tables())["gap_closed"]
    assert gaps["prose"]["ppcm"]["mean"] == pytest.approx(2.0 / 2.8, abs=1e-6)
    assert "recovery_f1" not in gaps["prose"]
    level = {method: LEVEL[method] for method in ("prose", "oracle")}
    assert summary_of(tables(level), methods=["prose", "oracle"])["gap_closed"] == {"prose": {}}


def test_expected_orders_are_checked_and_never_forced() -> None:
    def verdicts(level: dict[str, float]) -> dict[tuple[str, str], str]:
        return {
            (e["one"], e["other"]): e["verdict"]
            for e in summary_of(tables(level))["expected"]
            if e["metric"] == "ppcm"
        }

    assert verdicts(LEVEL) == {("prose", "cipher_1"): "holds", ("cipher_1", "no_learning"): "holds"}
    assert verdicts({**LEVEL, "prose": -2.0})["prose", "cipher_1"] == "does not hold"
    assert verdicts({**LEVEL, "prose": 0.0})["prose", "cipher_1"] == "not separated"


def test_only_an_expected_order_that_allows_equality_holds_where_two_methods_are_equal() -> None:
    methods = [*METHODS, "prose_icl"]
    level = {**LEVEL, "prose_icl": 1.0, "oracle": 1.0}
    expected = summary_of(tables(level), methods=methods)["expected"]
    verdicts = {(e["one"], e["sign"], e["other"]): e["verdict"] for e in expected if e["metric"] == "ppcm"}
    assert verdicts["prose_icl", ">=", "prose"] == "holds"
    assert verdicts["oracle", ">", "prose_icl"] == "not separated"


def test_steps_and_kinds_are_told_apart() -> None:
    summary = summary_of(tables())
    first, second = summary["by_step"]["prose"]
    assert second["mean"] - first["mean"] == pytest.approx(0.2)
    assert summary["after_first"]["prose"]["mean"] == pytest.approx(second["mean"])
    kinds = summary["by_task"]["prose"]
    assert kinds["summarization"]["mean"] - kinds["email"]["mean"] == pytest.approx(0.1)


def test_rows_in_another_order_give_the_same_summary() -> None:
    made = tables()
    shuffled = Tables(
        **{
            name: frame.sample(fraction=1, shuffle=True, seed=1)
            for name in Tables.__dataclass_fields__
            if (frame := getattr(made, name)) is not None
        }
    )
    assert json.dumps(summary_of(shuffled)) == json.dumps(summary_of(made))


def test_a_simulated_model_is_named_in_the_first_line_and_the_terminal() -> None:
    summary = summary_of(tables())
    notice = "Made with the simulated model sim-strong: an instrument for testing the pipeline, not evidence about real"
    assert markdown(summary).startswith(notice)
    printed = on_console(summary, 300)
    assert printed.startswith(notice)
    assert "no_learning (floor)" in printed


def test_a_narrow_terminal_gets_fewer_columns_not_broken_ones() -> None:
    summary = summary_of(tables())
    wide, narrow = on_console(summary, 300), on_console(summary, 60)
    assert "calls" in wide and "calls" not in narrow
    assert re.search(r"prose +│ +1\.35 \[[\d.]+, [\d.]+\] │", narrow)


def on_console(summary: Summary, width: int) -> str:
    file = io.StringIO()
    print_headline(Console(file=file, width=width), summary)
    return file.getvalue()


def test_a_simulated_model_served_over_http_is_still_one() -> None:
    served = {"default": {"backend": "openai", "model": "sim-weak", "base_url": "http://127.0.0.1:1/v1"}}
    assert markdown(summary_of(tables(), models=served)).startswith("Made with the simulated model sim-weak:")


def test_a_real_model_needs_no_such_line() -> None:
    models = {
        "default": {"backend": "openai", "model": "some|model"},
        "judge": {"backend": "openai", "model": "other"},
    }
    summary = summary_of(tables(), models=models, roles={"judge": "judge"})
    assert summary["simulated"] is False
    assert markdown(summary).startswith("# trial")
    assert "| human | some\\|model |" in markdown(summary)
    assert "may favour" not in markdown(summary)
    assert "may favour" in markdown(summary_of(tables(), models=models))


def test_estimates_are_shown_with_their_interval() -> None:
    estimate = {"mean": 0.834, "low": 0.79, "high": 0.87, "n": 9, "failed": 0}
    assert show(estimate, "ppcm") == "0.83 [0.79, 0.87]"
    assert show({**estimate, "failed": 1}, "ppcm") == "0.83 [0.79, 0.87] (9 of 10)"
    assert show({**estimate, "mean": None, "low": None, "n": 0, "failed": 3}, "ppcm") == "– (0 of 3)"


def test_a_run_without_scores_still_has_its_costs() -> None:
    made = replaced(tables(), scores=frame("scores", []))
    summary = summary_of(made, metrics=[])
    assert summary["methods"]["prose"]["calls"]["mean"] == 6.0
    assert "## Cost per user" in markdown(summary)


def test_a_report_is_read_from_a_run_and_written_into_it(tmp_path: Path) -> None:
    made = tables()
    with open_run(tmp_path, config()) as run:
        for name in ("users", "samples", "inferences"):
            run.write(name, rows(getattr(made, name)))
        run.write("failures", [], stage="infer")
        run.write("scores", rows(made.scores))
        with pytest.raises(InputError, match=r"not finished; run prose-data run"):
            make_report(run)
        write_json(tmp_path / "manifest.json", {"version": "0.1.0"})
        with pytest.raises(InputError, match=r"manifest\.json: has no samples; delete it and run"):
            make_report(run)
        write_json(tmp_path / "manifest.json", MANIFEST)
        summary = make_report(run)
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert (tmp_path / "report.md").read_text() == markdown(summary)
    assert summary["methods"] == summary_of(made)["methods"]


def rows(table: pl.DataFrame) -> list[SimpleNamespace]:
    return [SimpleNamespace(**row) for row in table.iter_rows(named=True)]


def test_held_out_drafts_of_one_step_count_one_by_one() -> None:
    """All drafts for held-out documents have seen equally many samples, so they share their step."""
    made = tables()
    step = pl.lit(1, dtype=pl.Int64)
    merged = replaced(
        made, inferences=made.inferences.with_columns(step=step), scores=made.scores.with_columns(step=step)
    )
    apart, together = summary_of(made), summary_of(merged)
    assert together["methods"]["prose"]["ppcm"] == apart["methods"]["prose"]["ppcm"]
    assert together["paired"] == apart["paired"]
