"""`summary.json` from a run's tables: everything that a person can read in a report, a machine can read here."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from prose_data.config import ROLES, Config
from prose_data.report.ablation import ablation
from prose_data.report.basis import COSTS, Summary, optional, plain
from prose_data.report.prelude import prelude
from prose_data.report.protocols import protocols
from prose_data.report.settings import prose_settings
from prose_data.report.statistics import (
    costs_per_point,
    curves,
    estimated,
    gaps,
    means,
    paired,
    parts,
    spreads,
)
from prose_data.report.sweep import sweep
from prose_data.report.texts import diversity
from prose_data.simulator.skills import SKILLS
from prose_data.stats import Estimate, Panel, panel
from prose_data.stats.values import AVM, HALVES, per_inference

METRICS = (
    *("ppcm", "cpm", AVM, "recovery_f1", "recovery_precision", "recovery_recall", "identification"),
    *("similarity", "accuracy", "accuracy_stated", "preference_likeness", "text_likeness"),
    *("bertscore_precision", "bertscore_recall", "bertscore_f1", "bertscore_text"),
    *("bertscore_accuracy", "bertscore_accuracy_stated", "faithfulness", "coherence"),
    *("edit_distance", "edit_distance_normalised", "description_length"),
    *("topic_leak", "quoted", "stale", "rival", "crosstalk"),
)
_ASKED_ONE_BY_ONE = ("ppcm",)  # a reply that can't be read costs one component of these
UNDEFINED = {"mean": None, "low": None, "high": None, "n": 0, "failed": 0}

# What PROSE (arXiv 2505.23815) and PREDICT (arXiv 2410.06273) report of ppcm, and what follows for recovery; `>=` allows
# for equality.
EXPECTED = (
    ("ppcm", "oracle", ">", "prose_icl"),
    ("ppcm", "prose_icl", ">=", "prose"),
    ("ppcm", "prose", ">", "cipher_n"),
    ("ppcm", "prose", ">", "cipher_1"),
    ("ppcm", "cipher_n", ">", "no_learning"),
    ("ppcm", "cipher_1", ">", "no_learning"),
    ("recovery_f1", "prose", ">", "cipher_1"),
)

_LOST = ~pl.col("key").str.contains("#", literal=True)  # a key with #1, #2, … behind it cost no row


_CELL = ["user_id", "method", "seed", "step"]
COLUMNS = {
    "users": ["user_id", "task", "components"],
    "samples": ["user_id", "seed", "document_id", "split", "attempt"],
    "inferences": ["inference_id", "document_id", *_CELL, *COSTS],
    "scores": ["inference_id", *_CELL, "metric", "component", "value"],
    "failures": ["stage", "key", "reason"],
}

NEEDED = ("samples", "version", "prompts", "rungs")  # of the manifest


@dataclass(frozen=True, slots=True)
class Tables:
    """What a report is made from: the columns `COLUMNS` (others are ignored) of a run's whole tables.

    `edits` (inference_id, outcome) is None where users do not answer drafts; `truths`, `documents` (document_id, words)
    and `related` (right, found) are there for the protocols that need them (`protocols.beside`). `texts` are the users' own
    (`texts.drawn_texts`).
    """

    users: pl.DataFrame
    samples: pl.DataFrame
    inferences: pl.DataFrame
    scores: pl.DataFrame
    failures: pl.DataFrame
    edits: pl.DataFrame | None = None
    truths: pl.DataFrame | None = None
    documents: pl.DataFrame | None = None
    related: pl.DataFrame | None = None
    texts: pl.DataFrame | None = None


def simulated_notice(config: Config) -> str | None:
    """Return the sentence that a report made with a simulated model starts with; None where no role is simulated.

    Its name tells it also where it is served over HTTP.
    """
    models = {config.model_of(role).model for role in ROLES} & set(SKILLS)
    if not models:
        return None
    names = " and ".join(sorted(models))
    return (
        f"Made with the simulated model {names}: an instrument for testing the pipeline, "
        "not evidence about real models."
    )


def summarize(config: Config, tables: Tables, manifest: Mapping[str, Any]) -> Summary:
    """Return the content of `summary.json`; an estimate is {"mean", "low", "high", "n"}, null where there is none.

    `manifest` is that of the run; `version`, `prompts`, `rungs` and `samples.rejected` are taken from it.
    """
    values = per_inference(tables.scores, tables.inferences)
    sides = panel(values, ["method", "metric"])
    cells: dict[tuple[str, str], pl.DataFrame] = {
        (str(method), str(metric)): frame
        for (method, metric), frame in values.partition_by("method", "metric", as_dict=True).items()
    }
    scored = in_order(values["metric"].unique().to_list())
    failed = missing_values(config, tables, scored, sides.rows.keys())
    first = "ppcm" if config.framework == "plume" else "edit_distance"
    main = first if first in scored or not scored else scored[0]
    costs = {(method, metric): frame for method in config.methods for metric, frame in _costs(tables, method)}
    found = means(config.methods, scored, sides, costs)

    def entry(method: str, metric: str) -> dict[str, Any]:
        estimate, missing = found[method, metric], failed.get((method, metric), 0)
        return (
            {**UNDEFINED, "failed": missing} if estimate is None else {**plain(estimate), "failed": missing}
        )

    tasks = dict(tables.users.select("user_id", "task").iter_rows())
    kinds = [task for task in config.tasks if task in tasks.values()]
    return {
        "name": config.name,
        "models": {role: config.model_of(role).model for role in ROLES},
        "simulated": simulated_notice(config) is not None,
        "notice": simulated_notice(config),
        "methods": {m: {metric: entry(m, metric) for metric in (*scored, *COSTS)} for m in config.methods},
        "paired": paired(config.methods, scored, sides),
        "gap_closed": gaps(config.methods, scored, sides),
        "expected": _expected(config.methods, sides),
        "main_metric": main,
        **parts(config.methods, main, cells, tasks, kinds),
        "curves": curves(config.methods, scored, cells),
        "over_seeds": spreads(config.methods, scored, cells),
        "cost_per_point": costs_per_point(config.methods, main, cells, costs),
        "ablation": ablation(config.methods, cells, costs),
        "sweep": sweep(config, cells, main),
        "prelude": prelude(config, tables),
        "protocols": protocols(config, tables, cells, costs),
        "prose": prose_settings(config),
        "samples": {**_sample_counts(tables), "rejected": manifest["samples"]["rejected"]},
        "diversity": None if tables.texts is None else diversity(tables.texts),
        "failures": _failure_counts(tables.failures),
        "replies": _reply_counts(manifest["rungs"], tables.failures),
        "users": tables.users.height,
        "seeds": list(config.seeds),
        "space": config.space,
        "version": manifest["version"],
        "prompts": dict(manifest["prompts"]),
    }


def _costs(tables: Tables, method: str) -> list[tuple[str, pl.DataFrame]]:
    """Return per cost a frame with a row per user and seed: the sum over the user's steps, where it is known."""
    rows = tables.inferences.filter(pl.col("method") == method)
    known = [pl.when(pl.col(cost).is_not_null().all()).then(pl.col(cost).sum()) for cost in COSTS]
    sums = rows.group_by("user_id", "seed").agg(
        *(e.cast(pl.Float64).alias(c) for e, c in zip(known, COSTS, strict=True))
    )
    return [(cost, sums.select("user_id", "seed", value=cost).drop_nulls()) for cost in COSTS]


def missing_values(
    config: Config, tables: Tables, scored: Sequence[str], defined: Collection[Hashable]
) -> dict[tuple[str, str], int]:
    """Return, where a metric is defined for a method, how many inferences have no or not all values of it.

    Those are inferences that failed themselves (their samples or rounds have no row), those named in a failure of the metric
    (`inference_id/metric`), and those with fewer components scored than the user has.
    """
    inferences = tables.inferences.select("inference_id", "method", "user_id")
    done = dict(inferences["method"].value_counts().iter_rows())
    named = (
        tables.failures.filter(pl.col("stage") == "score", _LOST)
        .select(
            inference_id=pl.col("key").str.split("/").list.first(),
            metric=pl.col("key").str.split("/").list.last(),
        )
        .join(inferences, on="inference_id")
    )
    wanted = tables.users.select("user_id", wanted=pl.col("components").list.len())
    partial = (
        tables.scores.filter(pl.col("metric").is_in(_ASKED_ONE_BY_ONE))
        .group_by("inference_id", "method", "user_id", "metric")
        .len()
        .join(wanted, on="user_id")
        .filter(pl.col("len") < pl.col("wanted"))
    )
    rounds = tables.users.height * len(config.seeds) * config.rounds
    wanted_rows = rounds if config.framework == "prelude" else tables.samples.height
    counts: dict[tuple[str, str], int] = {}
    for method in config.methods:
        for metric in scored:
            asked = HALVES if metric == AVM else (metric,)
            of_metric = pl.any_horizontal(
                (pl.col("metric") == name) | pl.lit(name).str.starts_with(pl.col("metric") + "_")
                for name in asked
            )
            lost = set(named.filter(pl.col("method") == method).filter(of_metric)["inference_id"])
            lost |= set(
                partial.filter(pl.col("method") == method, pl.col("metric").is_in(asked))["inference_id"]
            )
            if lost or (method, metric) in defined:
                counts[method, metric] = len(lost) + max(0, wanted_rows - done.get(method, 0))
    return counts


def _expected(methods: Sequence[str], sides: Panel) -> list[dict[str, Any]]:
    """Return what became of each order in `EXPECTED` whose two methods and metric are there."""
    there = {
        (metric, one, sign, other): sides.difference((one, metric), (other, metric))
        for metric, one, sign, other in EXPECTED
        if {(one, metric), (other, metric)} <= sides.rows.keys() and {one, other} <= set(methods)
    }
    return [
        {"metric": metric, "one": one, "sign": sign, "other": other, "difference": optional(difference)}
        | {"verdict": _verdict(difference, sign)}
        for (metric, one, sign, other), difference in estimated(there).items()
    ]


def _verdict(difference: Estimate | None, sign: str) -> str:
    """Return whether an expected order holds: only an interval that leaves no doubt decides."""
    if difference is None or difference.low is None or difference.high is None:
        return "not separated"
    if difference.low > 0 or (sign == ">=" and difference.low == 0):
        return "holds"
    return "does not hold" if difference.high < 0 else "not separated"


def _sample_counts(tables: Tables) -> dict[str, Any]:
    """Return how many samples were accepted at the first writing, after rewriting, and never."""
    written, refused = tables.samples.height, tables.failures.filter(_LOST, stage="synthesize").height
    first = tables.samples.filter(pl.col("attempt") == 1).height
    return {"wanted": written + refused, "first": first, "rewritten": written - first, "refused": refused}


def _failure_counts(failures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return per stage and reason how many rows are `lost` and how many mishaps cost none (`noted`)."""
    counts = failures.group_by("stage", "reason").agg(lost=_LOST.sum(), noted=(~_LOST).sum())
    return counts.sort("stage", "reason").to_dicts()


def _reply_counts(rungs: Mapping[str, Mapping[str, int]], failures: pl.DataFrame) -> dict[str, int]:
    """Return how many first replies there were, how many of them got a correction turn, and how many of these turns
    were in vain."""
    corrected = sum(counts.get("correction", 0) for counts in rungs.values())
    total = sum(number for counts in rungs.values() for number in counts.values())
    unreadable = pl.col("reason").str.starts_with("unreadable_") | (pl.col("reason") == "empty_reply")
    return {
        "first": total - corrected,
        "corrected": corrected,
        "unreadable": failures.filter(unreadable).height,
    }


def in_order(metrics: Iterable[str]) -> list[str]:
    """Return metric names, the known ones first in their order, the others by name."""
    return sorted(metrics, key=lambda name: (METRICS.index(name) if name in METRICS else len(METRICS), name))
