"""Schemas: they describe the values that pass between stages, and refuse rows that cannot be."""

from dataclasses import fields
from typing import Any

import dataframely as dy
import polars as pl
import pytest

from prose_data.values import Document, Edit, Failure, Inference, Sample, Score, Truth, User
from schemas import SCHEMAS

VALUES: dict[str, type] = {
    "users": User,
    "documents": Document,
    "samples": Sample,
    "truths": Truth,
    "inferences": Inference,
    "edits": Edit,
    "scores": Score,
    "failures": Failure,
}
KEYS = {
    "users": ["user_id"],
    "documents": ["document_id"],
    "samples": ["sample_id"],
    "truths": ["user_id", "seed", "step"],
    "inferences": ["inference_id"],
    "edits": ["inference_id"],
    "scores": ["inference_id", "metric", "component"],
    "failures": ["failure_id"],
    "requests": ["request_id"],
}
ROWS: dict[str, dict[str, Any]] = {
    "users": {
        "user_id": "u",
        "space": "plume",
        "task": "email",
        "source": "ccby",
        "persona": "",
        "components": ["use emojis"],
        "seed": 0,
    },
    "samples": {
        "sample_id": "s",
        "user_id": "u",
        "document_id": "d",
        "seed": 0,
        "step": 0,
        "text": "Hello",
        "model": "m",
        "attempt": 1,
        "split": "learn",
    },
    "inferences": {
        "inference_id": "i",
        "user_id": "u",
        "method": "prose",
        "seed": 0,
        "step": 0,
        "document_id": "d",
        "components": [],
        "confidences": None,
        "description": None,
        "draft": "Hello",
        "calls": 1,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": None,
        "model": "m",
    },
    "truths": {
        "user_id": "u",
        "seed": 0,
        "step": 0,
        "document_id": "d",
        "components": ["use emojis"],
        "told": ["use emojis"],
        "former": [],
    },
    "edits": {
        "inference_id": "i",
        "user_id": "u",
        "method": "cipher_1",
        "seed": 0,
        "step": 0,
        "outcome": "edited",
        "text": "Hello 😀",
        "learned": ["use emojis"],
    },
    "scores": {
        "inference_id": "i",
        "metric": "ppcm",
        "component": "",
        "user_id": "u",
        "method": "prose",
        "seed": 0,
        "step": 0,
        "value": -2.0,
        "verdict": "",
        "judge": "",
    },
}


def _frame(table: str, *changes: dict[str, Any]) -> pl.DataFrame:
    schema = SCHEMAS[table].create_empty().schema
    return pl.DataFrame([ROWS[table] | change for change in changes], schema=schema)


@pytest.mark.parametrize("table", SCHEMAS)
def test_a_table_has_the_columns_of_its_value_in_order_and_a_sentence_for_each(table: str) -> None:
    columns = SCHEMAS[table].columns()
    if table in VALUES:
        assert list(columns) == [field.name for field in fields(VALUES[table])]
    assert SCHEMAS[table].primary_key() == KEYS[table]
    for name, column in columns.items():
        assert column.description is not None and column.description.endswith("."), name


@pytest.mark.parametrize("table", ROWS)
def test_a_good_row_is_valid(table: str) -> None:
    SCHEMAS[table].validate(_frame(table, {}))


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("users", {"task": "poem"}),
        ("users", {"components": []}),
        ("users", {"components": [""]}),
        ("users", {"seed": -1}),
        ("samples", {"text": ""}),
        ("samples", {"attempt": 0}),
        ("samples", {"split": "test"}),
        ("inferences", {"draft": ""}),
        ("inferences", {"cost_usd": -0.1}),
        ("inferences", {"calls": None}),
        ("inferences", {"confidences": [1.5]}),
        ("truths", {"components": [""]}),
        ("edits", {"outcome": "kept"}),
        ("edits", {"text": ""}),
        ("scores", {"value": float("nan")}),
        ("scores", {"value": float("inf")}),
        ("scores", {"value": None}),
    ],
)
def test_a_row_that_cannot_be_is_refused(table: str, change: dict[str, Any]) -> None:
    with pytest.raises(dy.exc.ValidationError, match=next(iter(change))):
        SCHEMAS[table].validate(_frame(table, change))


def test_keys_are_unique_and_a_user_has_one_sample_per_step() -> None:
    with pytest.raises(dy.exc.ValidationError, match="primary_key"):
        SCHEMAS["scores"].validate(_frame("scores", {}, {"value": 1.0}))
    SCHEMAS["scores"].validate(_frame("scores", {}, {"component": "use emojis"}))
    with pytest.raises(dy.exc.ValidationError, match="one_sample_per_step"):
        SCHEMAS["samples"].validate(_frame("samples", {}, {"sample_id": "t"}))
