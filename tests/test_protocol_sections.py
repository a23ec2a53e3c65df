"""What the report says of the harder protocols, from rows made by hand."""

from typing import Any

import polars as pl
import pytest

from prose_data.config import Config, parse_config
from prose_data.report.protocols import protocol_parts, protocols
from prose_data.report.summary import Tables


def _tables(scores: list[tuple[str, str, int, str, str, float]], **more: Any) -> Tables:
    """Return tables with these (user, document, step, metric, component, value) of the method `prose` under seed 0."""
    ids = {(user, document) for user, document, *_ in scores}
    inferences = [
        {"inference_id": f"{u}-{d}", "document_id": d, "user_id": u, "method": "prose", "seed": 0}
        for u, d in sorted(ids)
    ]
    rows = [
        {"inference_id": f"{u}-{d}", "user_id": u, "method": "prose", "seed": 0, "step": step}
        | {"metric": metric, "component": component, "value": value}
        for u, d, step, metric, component, value in scores
    ]
    empty = pl.DataFrame()
    samples = more.pop("samples", empty)
    return Tables(empty, samples, pl.DataFrame(inferences), pl.DataFrame(rows), empty, **more)


def _sections(config: Config, tables: Tables) -> dict[str, dict[str, Any]]:
    keys = ("method", "metric", "user_id", "seed", "step", "document_id")
    rows = tables.scores.join(tables.inferences.select("inference_id", "document_id"), on="inference_id")
    values = rows.filter(pl.col("metric") != "recovered").group_by(*keys).agg(pl.col("value").mean())
    cells = {
        (str(m), str(k)): f for (m, k), f in values.partition_by("method", "metric", as_dict=True).items()
    }
    sections = protocols(config, tables, cells, {})
    assert protocol_parts(sections)
    return {section["title"]: section for section in sections}


def _means(section: dict[str, Any]) -> dict[str, Any]:
    values = section["rows"]["prose"]
    shown = [value["mean"] if isinstance(value, dict) else value for value in values]
    return dict(zip(section["columns"], shown, strict=True))


def test_drift_is_told_by_the_samples_since_the_change() -> None:
    """Two users, whose second component is another from document 2 on; nothing of document 0 is told."""
    held = {step: ["a", "b"] if step < 2 else ["a", "c"] for step in range(5)}
    truths = pl.DataFrame(
        [
            {"user_id": user, "seed": 0, "step": step, "document_id": f"d{step}"}
            | {"components": components, "told": components, "former": ["b"] * (step >= 2)}
            for user in ("u", "v")
            for step, components in held.items()
        ]
    )
    new = {2: (0.0, 0.0), 3: (1.0, 0.0), 4: (1.0, 1.0)}
    old = {2: (1.0, 1.0), 3: (1.0, 0.0), 4: (0.0, 0.0)}
    scores = [("u", "d0", 0, "recovery_f1", "", 0.9), ("u", "d1", 1, "recovery_f1", "", 0.5)]
    for place, user in enumerate(("u", "v")):
        for step in (2, 3, 4):
            scores += [(user, f"d{step}", step, "recovered", "a", 1.0)]
            scores += [(user, f"d{step}", step, "recovered", "c", new[step][place])]
            scores += [(user, f"d{step}", step, "stale", "b", old[step][place])]
    data = {"protocol": {"drift": {"step": 2, "components": 1}}, "methods": ["no_learning", "prose"]}
    sections = _sections(parse_config(data, "test"), _tables(scores, truths=truths))
    assert _means(sections["Drift: recovery_f1"]) == {"before": 0.5, "0": None, "1": None, "2": None}
    assert _means(sections["Drift: new components stated"]) == {
        "before": None,
        "0": 0.0,
        "1": 0.5,
        "2": 1.0,
        "half-way": "2",
    }
    assert _means(sections["Drift: dropped components still stated"]) == {
        "before": None,
        "0": 1.0,
        "1": 0.5,
        "2": 0.0,
    }
    assert all("no_learning" not in section["rows"] for section in sections.values())


def test_a_method_that_never_follows_is_not_half_way() -> None:
    truths = pl.DataFrame(
        [
            {"user_id": "u", "seed": 0, "step": step, "document_id": f"d{step}"}
            | {"components": [c], "told": [c], "former": ["b"] if c == "c" else []}
            for step, c in enumerate("bcc")
        ],
        schema_overrides={"former": pl.List(pl.String)},
    )
    scores = [("u", f"d{step}", step, metric, c, 1.0) for step in (1, 2) for metric, c in (("recovered", "c"), ("stale", "b"))]  # fmt: skip
    config = parse_config({"protocol": {"drift": {"step": 1, "components": 1}}, "methods": ["prose"]}, "test")
    section = _sections(config, _tables(scores, truths=truths))["Drift: new components stated"]
    assert _means(section)["half-way"] == "not by 1"


def test_a_contested_component_is_told_apart_from_the_others() -> None:
    """Four users in the four cases, judged at the heldout document only."""
    truths = pl.DataFrame(
        [
            {"user_id": user, "seed": 0, "step": step, "document_id": f"d{step}"}
            | {"components": ["a", "b"], "told": ["a", "x" if step == 1 else "b"], "former": []}
            for user in "stuv"
            for step in range(6)
        ],
        schema_overrides={"former": pl.List(pl.String)},
    )
    cases = {"s": (1.0, 0.0), "t": (1.0, 0.0), "u": (1.0, 1.0), "v": (0.0, 1.0)}
    scores = []
    for user, (ours, theirs) in cases.items():
        for step, changed in ((4, 1.0), (5, 0.0)):
            scores += [(user, f"d{step}", step, "recovered", "a", float(step == 5))]
            scores += [(user, f"d{step}", step, "recovered", "b", abs(changed - ours))]
            scores += [(user, f"d{step}", step, "rival", "x", abs(changed - theirs))]
    data = {"protocol": {"conflict": {}}, "samples": {"heldout": 1}, "methods": ["prose"]}
    sections = _sections(parse_config(data, "test"), _tables(scores, truths=truths))
    assert _means(sections["Conflict: what is stated of a contested component"]) == {
        "majority": 0.5,
        "minority": 0.25,
        "both": 0.25,
        "neither": 0.0,
        "uncontested": 1.0,
    }


def test_components_of_users_served_together_are_counted() -> None:
    scores = [("u", "d0", 0, "recovered", c, 0.0) for c in "ab"] + [
        ("u", "d1", 1, "recovered", c, 1.0) for c in "ab"
    ]
    scores += [("u", "d1", 1, "crosstalk", c, float(c != "x")) for c in "xyz"]
    scores += [("u", "d1", 1, "recovery_f1", "", 0.75), ("u", "d0", 0, "recovery_f1", "", 0.0)]
    data = {"audience": {"users": 2, "source": "unknown"}, "methods": ["prose"]}
    related = pl.DataFrame({"right": [3, 1], "found": [6, 2]})
    section = _sections(parse_config(data, "test"), _tables(scores, related=related))["Users served together"]
    assert _means(section) == {
        "recovery_f1": 0.75,
        "own": 2.0,
        "others'": 2.0,
        "crosstalk": pytest.approx(2 / 3),
    }
    assert (
        "not told whose a document is" in section["note"]
        and "50% of them are the user's own" in section["note"]
    )


def test_drafts_on_the_topic_and_on_others_are_told_apart() -> None:
    scores = [
        ("u", "d0", 0, "ppcm", "", -2.0),
        ("u", "d1", 1, "ppcm", "", 1.0),
        ("u", "d2", 2, "ppcm", "", 2.0),
    ]
    scores += [("u", "d1", 1, "topic_leak", "", 0.5)]
    samples = pl.DataFrame(
        {
            "user_id": ["u"] * 3,
            "seed": [0] * 3,
            "document_id": ["d0", "d1", "d2"],
            "split": ["learn", "learn", "heldout"],
        }
    )
    config = parse_config({"protocol": {"documents": "topic"}, "methods": ["prose"]}, "test")
    section = _sections(config, _tables(scores, samples=samples))["Distractor topics"]
    assert _means(section) == {"topic_leak": 0.5, "ppcm, same topic": 1.0, "ppcm, other sources": 2.0}


def test_a_plain_run_has_no_section() -> None:
    assert protocols(Config(), _tables([("u", "d0", 0, "ppcm", "", 1.0)]), {}, {}) == []
