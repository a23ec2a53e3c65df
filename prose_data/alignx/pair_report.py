"""What the scores of preference pairs come to: estimates with intervals over users, methods in pairs, rules beside them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import polars as pl

from prose_data.alignx.dimensions import DIMENSIONS
from prose_data.alignx.directions import Recovery, recovery
from prose_data.alignx.persona import Persona
from prose_data.alignx.predicting import shown_direction
from prose_data.alignx.profile import parse
from prose_data.alignx.scoring import PairScore, Scores
from prose_data.alignx.shortcuts import RULES
from prose_data.alignx.targets import Target, distinct
from prose_data.report.basis import DASH, grid, plain, show
from prose_data.stats import mean_interval, paired_difference
from schemas.pair_scores import PairScores

Summary = dict[str, Any]

MAIN = (
    "selection_accuracy",
    "letter_accuracy",
    "margin_accuracy",
    "persona_margin_accuracy",
    "direction_accuracy",
)
_RAW = ("log_probability", "tokens", "selection", "letter_selection")  # kept as rows, and not averaged
_LETTERS = ("selection", "letter_selection")


def to_frame(rows: Iterable[PairScore]) -> pl.DataFrame:
    """Return rows as the validated table of schema `PairScores`, sorted by its key."""
    rows = list(rows)
    types = PairScores.create_empty().schema
    frame = pl.DataFrame({name: [getattr(row, name) for row in rows] for name in types}, schema=types)
    return PairScores.validate(frame).sort(PairScores.primary_key())


def summarize(
    targets: Sequence[Target], personas: Sequence[Persona], scores: Scores, rules: Iterable[PairScore]
) -> Summary:
    """Return what the scores come to, as JSON values; `personas` are what was shown of the targets' users.

    targets, distinct_targets, users, empty_personas: how many there are
    methods      by method: an estimate per metric, and counts: `failures` (replies and requests), `ties`
    rules        by rule: its accuracy
    differences  [{"method", "to", "metric", "difference"}], each method less each one before it, over common targets
    recovery     by method, where directions were predicted: see `Recovery`
    """
    frame = to_frame(scores.rows)
    methods = list(dict.fromkeys([*(row.method for row in scores.rows), *scores.failed]))
    by_rule = _means(to_frame(rules), "method")
    return {
        "targets": len(targets),
        "distinct_targets": distinct(targets),
        "users": len({target.user_id for target in targets}),
        "empty_personas": sum(persona.empty for persona in personas),
        "methods": {
            method: _of_method(frame.filter(method=method)) | {"failures": scores.failed[method]}
            for method in methods
        },
        "rules": {name: by_rule[name] for name in RULES if name in by_rule},
        "differences": _differences(frame, methods),
        "recovery": _recoveries(frame, targets, personas, methods),
    }


def _of_method(own: pl.DataFrame) -> Summary:
    averaged = own.filter(~pl.col("metric").is_in(_RAW))
    found: Summary = _means(averaged, "metric")
    asked = own.filter(pl.col("metric").is_in(_LETTERS)).with_columns(
        value=(pl.col("verdict") == "A").cast(pl.Float64)
    )
    if asked.height:
        found["share_of_a"] = _means(asked, "method")[asked["method"][0]]
    if averaged.filter(metric="selection_accuracy").height:
        found["ties"] = averaged.filter(metric="selection_accuracy", value=0.5).height
    if "tie" in own["verdict"]:
        found["ties"] = own.filter(pl.col("metric").is_in(MAIN) & (pl.col("verdict") == "tie")).height
    return found


def _means(frame: pl.DataFrame, by: str) -> Summary:
    """Return the mean of `value` with its interval for each word in column `by`."""
    parts = frame.partition_by(by, as_dict=True, maintain_order=True)
    return {str(word): plain(found) for (word,), own in parts.items() if (found := mean_interval(own))}


def _differences(frame: pl.DataFrame, methods: Sequence[str]) -> list[Summary]:
    main = frame.filter(pl.col("metric").is_in(MAIN)).with_columns(
        seed=pl.lit(0), document_id=pl.col("target_id")
    )
    rows = []
    for one, other in combinations(methods, 2):
        difference = paired_difference(main.filter(method=other), main.filter(method=one))
        if difference is not None:
            row = {"method": other, "to": one, "metric": main["metric"][0]}
            rows.append(row | {"difference": plain(difference)})
    return rows


def _recoveries(
    frame: pl.DataFrame, targets: Sequence[Target], personas: Sequence[Persona], methods: Sequence[str]
) -> Summary:
    predicted = frame.filter(metric="direction_accuracy")
    if not predicted.height:
        return {}
    truths = {
        target.target_id: shown_direction(target, persona)
        for target, persona in zip(targets, personas, strict=True)
    }
    found = {}
    for method in methods:
        own = predicted.filter(method=method)
        told = [parse(profile, "profile") for profile in own["verdict"]]
        result = recovery(own["user_id"].to_list(), told, [truths[target] for target in own["target_id"]])
        if result is not None:
            found[method] = _recovery(result)
    return found


def _recovery(found: Recovery) -> Summary:
    names = [dimension.name for dimension in DIMENSIONS]
    return {
        "accuracy": plain(found.accuracy),
        "gain": plain(found.gain),
        "macro_f1": found.macro_f1,
        "above": found.above,
        "dimensions": {
            name: plain(gain) | {"majority": round(majority, 6)}
            for name, gain, majority in zip(names, found.by_dimension, found.majority, strict=True)
        },
    }


def table(summary: Summary) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: methods, then rules, with all metrics."""
    methods: Mapping[str, Any] = summary["methods"]
    metrics = list(dict.fromkeys(name for own in methods.values() for name in own))
    rows = [[name, *(_shown(own.get(metric), metric) for metric in metrics)] for name, own in methods.items()]
    main = next((metric for metric in metrics if metric in MAIN), None)
    for name, estimate in summary["rules"].items():
        rows.append(
            [f"rule: {name}", *(show(estimate, metric) if metric == main else DASH for metric in metrics)]
        )
    return ["method", *metrics], rows


def markdown(summary: Summary) -> str:
    """Return the table and the paired differences as Markdown."""
    counts = f"{summary['targets']:,} targets, {summary['distinct_targets']:,} distinct, {summary['users']:,} users"
    parts = [f"{counts}; {summary['empty_personas']:,} without a persona.", grid(*table(summary))]
    if summary["differences"]:
        rows = [
            [f"{row['method']} less {row['to']}", show(row["difference"], row["metric"], signed=True)]
            for row in summary["differences"]
        ]
        parts.append(grid(["methods", summary["differences"][0]["metric"]], rows))
    return "\n\n".join(parts)


def _shown(value: Any, metric: str) -> str:
    if value is None:
        return DASH
    return f"{value:,}" if isinstance(value, int) else show(value, metric)
