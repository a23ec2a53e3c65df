"""The report on PRELUDE: costs of editing from saved rows, what stands beside them, and their figure."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from prose_data.config import Config, parse_config
from prose_data.report.figures import cost_curves, save
from prose_data.report.prelude import ORDERS, REPORTED, figure_name, prelude, prelude_parts
from prose_data.report.summary import Tables, summarize
from prose_data.report.text import markdown
from schemas import SCHEMAS

COSTS = {"no_learning": [40, 60], "cipher_n": [40, 10], "oracle": [0, 20]}  # by seed, of each round
ROUNDS, SEEDS = 24, (0, 1)
USERS = ("a", "b")
MANIFEST = {"version": "1", "prompts": {}, "samples": {"rejected": {}}, "rungs": {}}


def _config(**changes: Any) -> Config:
    fixed: dict[str, Any] = {
        "space": "prelude",
        "framework": "prelude",
        "tasks": ["email"],
        "seeds": [*SEEDS],
    }
    fixed |= {"samples": {"per_user": ROUNDS // 2}, "methods": [*COSTS], "metrics": ["edit_distance"]}
    return parse_config({**fixed, **changes}, "test")


def _tables(lost: int = 0, answered: bool = True, task: str = "email") -> Tables:
    inferences, scores, edits = [], [], []
    for method, by_seed in COSTS.items():
        for seed in SEEDS:
            for step in range(ROUNDS - (lost if method == "cipher_n" else 0)):
                name, cost = f"{method}-{seed}-{step}", by_seed[seed] if step else 0
                cell = {"user_id": USERS[step % 2], "method": method, "seed": seed, "step": step}
                row = {"inference_id": name, **cell}
                amounts = {"calls": 1, "prompt_tokens": 3000, "completion_tokens": 1000, "cost_usd": None}
                believed: dict[str, Any] = {
                    "components": [],
                    "confidences": None,
                    "description": "x",
                    "draft": "text",
                }
                inferences.append({**row, "document_id": f"d{step}", "model": "m", **amounts, **believed})
                for metric, value in (
                    ("edit_distance", cost),
                    ("edit_distance_normalised", cost / 100),
                    ("accuracy", step % 2),
                ):
                    if metric != "accuracy" or method == "cipher_n":
                        judged = {"component": "", "verdict": "", "judge": ""}
                        scores.append({**row, **judged, "metric": metric, "value": float(value)})
                outcome = "edited" if cost else "accepted" if seed else "unchanged"
                edits.append({**row, "outcome": outcome, "text": "t", "learned": []})
    people = [
        {"user_id": user, "space": "prelude", "task": task, "source": user}
        | {"persona": "", "components": ["be brief"], "seed": 0}
        for user in USERS
    ]
    return Tables(
        users=_frame("users", people),
        samples=_frame("samples", []),
        inferences=_frame("inferences", inferences),
        scores=_frame("scores", scores),
        failures=_frame("failures", []),
        edits=_frame("edits", edits) if answered else None,
    )


def _frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = SCHEMAS[table]
    return schema.validate(pl.DataFrame(rows, schema=schema.create_empty().schema), cast=True)


def _email(config: Config | None = None, **settings: Any) -> dict[str, Any]:
    found = prelude(config or _config(), _tables(**settings))
    assert found is not None
    return dict(found["tasks"]["email"])


def test_costs_are_sums_with_a_mean_and_a_deviation_over_seeds() -> None:
    methods = _email()["methods"]
    rounds = ROUNDS - 1  # the first one cost nothing
    assert methods["no_learning"]["cost"] == {
        "mean": 50 * rounds,
        "sd": pytest.approx(20 * rounds / 2**0.5),
        "n": 2,
    }
    assert methods["cipher_n"]["ratio"] == 0.5 and methods["no_learning"]["ratio"] == 1
    assert methods["cipher_n"]["gap_closed"] == pytest.approx(25 / 40, abs=1e-6)
    assert methods["oracle"]["gap_closed"] == 1
    assert methods["cipher_n"]["per_round"]["mean"] == pytest.approx(0.25 * rounds / ROUNDS, abs=1e-6)
    assert methods["cipher_n"]["expense"] == {"mean": 0.96, "sd": 0.0, "n": 2}


def test_rounds_without_cost_are_counted_in_bins_and_acceptances_apart_from_unchanged_edits() -> None:
    methods = _email()["methods"]
    assert methods["no_learning"]["zero_by_bin"] == [0.05, 0.0]
    assert methods["oracle"]["zero_by_bin"] == [pytest.approx(21 / 40), 0.5], "under seed 0 no round costs"
    assert methods["oracle"]["accepted"]["mean"] == pytest.approx(1 / 48, abs=1e-6)
    assert methods["oracle"]["unchanged"]["mean"] == 0.5
    assert methods["oracle"]["zero_cost"]["mean"] == pytest.approx(25 / 48, abs=1e-6)


def test_the_learning_curve_adds_up_to_the_cost() -> None:
    methods = _email()["methods"]
    for found in methods.values():
        assert len(found["curve"]) == ROUNDS and found["curve"][-1] == found["cost"]["mean"]
        assert found["curve"] == sorted(found["curve"])
    assert methods["no_learning"]["curve"][:3] == [0, 50, 100]


def test_accuracy_is_undefined_where_nothing_is_inferred() -> None:
    methods = _email()["methods"]
    assert methods["cipher_n"]["accuracy"] == 0.5 and methods["no_learning"]["accuracy"] is None


def test_rounds_that_are_missing_are_counted_and_said() -> None:
    tables = _tables(lost=2)
    found = prelude(_config(), tables)
    assert found is not None and found["tasks"]["email"]["methods"]["cipher_n"]["lost"] == 4
    assert "cipher_n 4" in "\n".join(prelude_parts(found))
    summary = summarize(_config(), tables, MANIFEST)
    entry = summary["methods"]["cipher_n"]["edit_distance"]
    assert (entry["n"], entry["failed"]) == (2 * ROUNDS - 4, 4)


@pytest.mark.parametrize(
    ("changes", "comparable"),
    [
        ({}, True),
        ({"framework": "prelude.no_edit"}, False),
        ({"space": "plume"}, False),
        ({"users": {"count": 2}}, False),
        ({"audience": {"users": "task", "source": "known"}}, False),
    ],
)
def test_reported_ratios_stand_only_beside_the_same_protocol(
    changes: dict[str, Any], comparable: bool
) -> None:
    found = _email(_config(**changes))
    reported = {method: row["reported_ratio"] for method, row in found["methods"].items()}
    if comparable:
        assert reported == {"no_learning": "1", "cipher_n": "0.270", "oracle": "0.060"}
        assert found["expected"] == [
            {"one": "oracle", "other": "cipher_n", "holds": 1, "seeds": 2},
            {"one": "cipher_n", "other": "no_learning", "holds": 1, "seeds": 2},
        ]
    else:
        assert set(reported.values()) == {None} and found["expected"] == []


def test_what_is_reported_is_ordered_as_its_ratios() -> None:
    for task, order in ORDERS.items():
        ratios = [min(float(REPORTED[task][m].split(",")[0]) for m in group) for group in order]
        assert ratios == sorted(ratios)
        assert {method for group in order for method in group} == set(REPORTED[task])


def test_users_who_write_from_scratch_accept_nothing() -> None:
    found = prelude(_config(framework="prelude.no_edit"), _tables(answered=False))
    assert found is not None
    assert found["tasks"]["email"]["methods"]["oracle"]["accepted"] is None
    text = "\n".join(prelude_parts(found))
    assert "no edits" in text and "accepted" not in text and "reported" not in text


def test_other_frameworks_and_runs_without_costs_have_no_section() -> None:
    tables = _tables()
    assert prelude(_config(framework="plume"), tables) is None
    bare = Tables(**{**_as_dict(tables), "scores": tables.scores.filter(pl.col("metric") == "accuracy")})
    assert prelude(_config(), bare) is None
    assert prelude_parts(None) == []


def _as_dict(tables: Tables) -> dict[str, Any]:
    return {name: getattr(tables, name) for name in Tables.__dataclass_fields__}


def test_the_report_shows_costs_and_shares_few_columns_among_many_rounds() -> None:
    summary = summarize(_config(), _tables(), MANIFEST)
    text = markdown(summary)
    assert summary["main_metric"] == "edit_distance"
    assert "| cipher_n | 575 ± 488 | 0.500 | 0.270 | 62 % |" in text
    assert "| method | 1–20 | 21–24 |" in text and "oracle \\< cipher_n | 1 of 2 |" in text
    assert f"figures/{figure_name('email')}.svg" in text
    assert "| method | 0–2 | 3–5 |" in text and "## Samples" not in text
    single = markdown(summarize(_config(seeds=[0]), _one_seed(), MANIFEST))
    assert "| cipher_n | 920 | 1.000 |" in single, "one seed has no deviation"


def _one_seed() -> Tables:
    tables = _as_dict(_tables())
    for name in ("inferences", "scores", "edits"):
        tables[name] = tables[name].filter(seed=0)
    return Tables(**tables)


def test_the_figure_has_a_named_line_per_method(tmp_path: Path) -> None:
    save(cost_curves(_email(), "email", "sim-strong writes"), tmp_path / "costs")
    shown = {element.text for element in ElementTree.parse(tmp_path / "costs.svg").iter() if element.text}
    assert {*COSTS, "round", "Cost of editing: email", "sim-strong writes", "1,000"} <= shown
    assert (tmp_path / "costs.png").read_bytes().startswith(b"\x89PNG")
