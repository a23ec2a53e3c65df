"""PRELUDE's measures (arXiv 2404.15269, section on evaluation): what it costs users to edit each method's drafts."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import polars as pl

from prose_data.config import Config
from prose_data.report.basis import CEILING, DASH, FLOOR, grid, named

if TYPE_CHECKING:
    from prose_data.report.summary import Tables

BIN = 20  # rounds in which the share without any cost is counted together
METRIC = "edit_distance"

# Ratios to no_learning after 200 rounds, as reported second-hand for the paper (GPT-4 as agent and as user). Two numbers
# are two encoders; of CIPHER with five neighbours the best encoder of each task is all that is known.
REPORTED: Mapping[str, Mapping[str, str]] = {
    "summarization": {
        "no_learning": "1",
        "explore_exploit": "1.351",
        "continual": "1.200",
        "icl_edit": "0.799, 0.823",
        "cot_edit": "0.844",
        "cipher_n": "0.683",
        "oracle": "0.136",
    },
    "email": {
        "no_learning": "1",
        "explore_exploit": "0.790",
        "continual": "0.863",
        "icl_edit": "1.042, 0.995",
        "cot_edit": "0.781",
        "cipher_n": "0.270",
        "oracle": "0.060",
    },
}
# The order of these results, cheapest first; methods that stand together are about equal.
ORDERS: Mapping[str, Sequence[Sequence[str]]] = {
    "summarization": (
        *(("oracle",), ("cipher_n",), ("icl_edit",), ("cot_edit",)),
        *(("no_learning",), ("continual",), ("explore_exploit",)),
    ),
    "email": (
        *(("oracle",), ("cipher_n",), ("cot_edit", "explore_exploit")),
        *(("continual",), ("no_learning", "icl_edit")),
    ),
}


def prelude(config: Config, tables: "Tables") -> dict[str, Any] | None:
    """Return the cost of editing per task and method, None outside PRELUDE's frameworks and where no cost was measured.

    A `spread` is {"mean", "sd", "n"} over seeds, with the sample standard deviation (null for one seed). Per method:
    `cost` (word tokens, summed over the rounds), `per_round` (its share of the longer text, 0 to 1, mean over rounds),
    `ratio` to the floor, `gap_closed`, shares of rounds `zero_cost`, `accepted` and `unchanged` (null where users write
    from scratch), `zero_by_bin`, `accuracy`, `expense` (10^5 tokens), `curve` (cumulative cost by round), `lost` rounds.
    """
    if config.framework == "plume" or METRIC not in tables.scores["metric"]:
        return None
    rounds = _rounds(tables)
    comparable = (
        config.framework == "prelude"
        and config.space == "prelude"
        and config.audience is None
        and config.users.count is None
    )
    tasks = {}
    for task in config.tasks:
        users = tables.users.filter(task=task).height
        part = rounds.filter(task=task)
        if users and part.height:
            tasks[task] = _of_task(config, part, users * config.rounds, task if comparable else None)
    return {"framework": config.framework, "bin": BIN, "tasks": tasks}


def _rounds(tables: "Tables") -> pl.DataFrame:
    """Return one row per measured round: task, method, seed, step, cost, share, outcome (null: no draft is answered),
    tokens, and whether the inferred preference was the right one (null: undefined)."""
    of = {
        name: tables.scores.filter(metric=metric).select("inference_id", pl.col("value").alias(name))
        for name, metric in (("cost", METRIC), ("share", f"{METRIC}_normalised"), ("right", "accuracy"))
    }
    asked = tables.inferences.select(
        "inference_id", tokens=pl.col("prompt_tokens") + pl.col("completion_tokens")
    )
    edits = tables.edits
    if edits is None:
        edits = pl.DataFrame(schema={"inference_id": pl.String, "outcome": pl.String})
    return (
        tables.scores.filter(metric=METRIC)
        .select("inference_id", "user_id", "method", "seed", "step")
        .join(tables.users.select("user_id", "task"), on="user_id")
        .join(of["cost"], on="inference_id")
        .join(of["share"], on="inference_id", how="left")
        .join(of["right"], on="inference_id", how="left")
        .join(asked, on="inference_id")
        .join(edits, on="inference_id", how="left")
        .sort("method", "seed", "step", "inference_id")
    )


def _of_task(config: Config, rounds: pl.DataFrame, wanted: int, reported: str | None) -> dict[str, Any]:
    """Return the measures of all methods on one task with `wanted` rounds per seed."""
    methods = {
        method: _of_method(rounds.filter(method=method), wanted, len(config.seeds))
        for method in config.methods
        if (rounds["method"] == method).any()
    }
    mean = {method: found["cost"]["mean"] for method, found in methods.items()}
    floor, ceiling = mean.get(FLOOR), mean.get(CEILING)
    for method, found in methods.items():
        found["ratio"] = _quotient(mean[method], floor)
        found["gap_closed"] = None
        if floor is not None and ceiling is not None:
            found["gap_closed"] = _quotient(floor - mean[method], floor - ceiling)
        found["reported_ratio"] = REPORTED[reported].get(method) if reported else None
    return {
        "rounds": wanted,
        "methods": methods,
        "expected": _expected(rounds, ORDERS[reported]) if reported else [],
    }


def _of_method(rounds: pl.DataFrame, wanted: int, seeds: int) -> dict[str, Any]:
    answered = rounds["outcome"].null_count() < rounds.height
    sums = rounds.group_by("seed", maintain_order=True).agg(
        pl.col("cost", "tokens").sum(),
        pl.col("share").mean(),
        zero=(pl.col("cost") == 0).mean(),
        accepted=(pl.col("outcome") == "accepted").mean(),
        unchanged=(pl.col("outcome") == "unchanged").mean(),
    )
    bins = rounds.group_by(pl.col("step") // BIN).agg(zero=(pl.col("cost") == 0).mean())
    by_bin = dict(bins.iter_rows())
    return {
        "cost": _spread(sums["cost"]),
        "per_round": _spread(sums["share"]),
        "zero_cost": _spread(sums["zero"]),
        "accepted": _spread(sums["accepted"]) if answered else None,
        "unchanged": _spread(sums["unchanged"]) if answered else None,
        "zero_by_bin": [
            _rounded(by_bin[number]) if number in by_bin else None
            for number in range(math.ceil(wanted / BIN))
        ],
        "accuracy": _rounded(rounds["right"].mean()) if rounds["right"].count() else None,
        "expense": _spread(sums["tokens"] / 1e5),
        "curve": _curve(rounds),
        "lost": wanted * seeds - rounds.height,
    }


def _curve(rounds: pl.DataFrame) -> list[float]:
    """Return the cumulative cost after each round, mean over the seeds that came so far."""
    by_step = rounds.group_by("seed", "step").agg(pl.col("cost").sum()).sort("seed", "step")
    cumulative = by_step.with_columns(pl.col("cost").cum_sum().over("seed"))
    means = cumulative.group_by("step").agg(pl.col("cost").mean()).sort("step")
    return [round(cost, 3) for cost in means["cost"]]


def _expected(rounds: pl.DataFrame, order: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return, for methods that follow each other in the reported order, in how many seeds the first costs less."""
    sums = rounds.group_by("method", "seed").agg(pl.col("cost").sum())
    cost = {(method, seed): total for method, seed, total in sums.iter_rows()}
    there = [[method for method in group if (rounds["method"] == method).any()] for group in order]
    found = []
    for cheaper, dearer in pairwise(group for group in there if group):
        for one, other in product(cheaper, dearer):
            seeds = [seed for method, seed in cost if method == one and (other, seed) in cost]
            holds = sum(cost[one, seed] < cost[other, seed] for seed in seeds)
            found.append({"one": one, "other": other, "holds": holds, "seeds": len(seeds)})
    return found


def _spread(values: pl.Series) -> dict[str, Any]:
    numbers = [float(value) for value in values]
    return {
        "mean": _rounded(fmean(numbers)),
        "sd": _rounded(stdev(numbers)) if len(numbers) > 1 else None,
        "n": len(numbers),
    }


def _quotient(top: float, bottom: float | None) -> float | None:
    return _rounded(top / bottom) if bottom else None


def _rounded(value: Any) -> float:
    return round(float(value), 6)


def prelude_parts(found: Mapping[str, Any] | None) -> list[str]:
    """Return the report's section on the cost of editing with its figures, nothing where there is none."""
    if found is None:
        return []
    edited = found["framework"] == "prelude"
    what = (
        "A user accepts a draft or edits it; the cost of a round is the number of word tokens that the edit inserts, deletes "
        "or replaces. What the user is asked (to decide, to edit) is part of the protocol, and counts among no method's calls "
        "and tokens."
        if edited
        else "Users write from scratch; the cost of a round is the number of word tokens in which draft and own text differ."
    )
    parts = [
        "## The cost of editing (PRELUDE)"
        if edited
        else "## The distance to the user's own text (PRELUDE, no edits)",
        f"{what} Costs are summed over the rounds, mean ± standard deviation over seeds; per round: the same as a share of the "
        f"longer text; tokens: 10^5 of them, prompt and completion. The ratio is to {FLOOR}, the gap is that between {FLOOR} "
        f"and {CEILING}.",
    ]
    for task, of_task in found["tasks"].items():
        parts += _task_parts(task, of_task, found["bin"])
    return parts


def cost_table(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a task's table as text; what no method has is left out."""
    methods = found["methods"]
    columns: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "cost": lambda m: _plus_minus(m["cost"]),
        "ratio": lambda m: _number(m["ratio"], 3),
        "reported": lambda m: m["reported_ratio"] or DASH,
        "gap closed": lambda m: _percent(m["gap_closed"]),
        "per round": lambda m: _number(m["per_round"]["mean"], 3),
        "without cost": lambda m: _percent(m["zero_cost"]["mean"]),
        "accepted": lambda m: _percent(m["accepted"] and m["accepted"]["mean"]),
        "unchanged": lambda m: _percent(m["unchanged"] and m["unchanged"]["mean"]),
        "accuracy": lambda m: _number(m["accuracy"], 2),
        "tokens": lambda m: _number(m["expense"]["mean"], 2),
    }
    texts = {name: [text(m) for m in methods.values()] for name, text in columns.items()}
    kept = [name for name, cells in texts.items() if set(cells) != {DASH}]
    rows = [[named(m), *(texts[name][at] for name in kept)] for at, m in enumerate(methods)]
    return ["method", *kept], rows


def _task_parts(task: str, found: Mapping[str, Any], size: int) -> list[str]:
    methods = found["methods"]
    header, rows = cost_table(found)
    parts = [f"### {task}: {found['rounds']} rounds", grid(header, rows)]
    if "reported" in header:
        parts.append(
            "Reported: the ratios that are reported second-hand for the paper (arXiv 2404.15269; GPT-4, 200 rounds), for "
            "orientation; two numbers are two encoders, and of cipher_n the better one is known."
        )
    if lost := {m: v["lost"] for m, v in methods.items() if v["lost"]}:
        counts = ", ".join(f"{method} {count}" for method, count in lost.items())
        parts.append(f"Rounds that failed and are missing in the sums, over all seeds: {counts}.")
    bins = max(len(m["zero_by_bin"]) for m in methods.values())
    ranges = [f"{size * b + 1}–{min(found['rounds'], size * (b + 1))}" for b in range(bins)]
    parts += [
        f"![Cumulative cost of editing by round, {task}](figures/{figure_name(task)}.svg)",
        "Share of rounds without cost, by round:",
        grid(["method", *ranges], [[named(m), *map(_percent, v["zero_by_bin"])] for m, v in methods.items()]),
    ]
    if found["expected"]:
        lines = [[f"{e['one']} < {e['other']}", f"{e['holds']} of {e['seeds']}"] for e in found["expected"]]
        parts += [
            "The order of the reported costs, and in how many seeds it holds here:",
            grid(["order", "holds"], lines),
        ]
    return parts


def figure_name(task: str) -> str:
    """Return the name of a task's figure, without an ending."""
    return f"edit_cost_{task}"


def _plus_minus(spread: Mapping[str, Any]) -> str:
    text = f"{spread['mean']:,.0f}"
    return text if spread["sd"] is None else f"{text} ± {spread['sd']:,.0f}"


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return DASH if value is None else f"{100 * value:.0f} %"
