"""From rows of scores to the values that are averaged: one per inference and metric."""

import polars as pl

PER_COMPONENT = "recovered"  # for a closer look: its mean is the recall, which is there already
AVM = "avm"  # of PLUME: the mean of PPCM and CPM (arXiv 2505.23815, section on metrics), asked for by neither
HALVES = ("ppcm", "cpm")
_OF = ("inference_id", "user_id", "method", "seed", "step", "document_id")


def per_inference(scores: pl.DataFrame, inferences: pl.DataFrame) -> pl.DataFrame:
    """Return user_id, method, seed, step, document_id, metric, value: one row per inference and metric, in no fixed order.

    A metric with a row per component is averaged over them; `avm` is there where both of its halves are.
    """
    rows = scores.filter(pl.col("metric") != PER_COMPONENT).select(
        "inference_id", "metric", "component", "value"
    )
    whole = rows.filter(pl.col("component") == "").drop("component")
    parts = rows.filter(pl.col("component") != "").group_by("inference_id", "metric")
    averaged = parts.agg(pl.col("value").sort().mean())  # sums of floats depend on their order
    values = pl.concat([whole, averaged])
    one, other = (values.filter(metric=half).select("inference_id", half="value") for half in HALVES)
    both = one.join(other, on="inference_id", suffix="_other").select(
        "inference_id", metric=pl.lit(AVM), value=(pl.col("half") + pl.col("half_other")) / 2
    )
    return pl.concat([values, both]).join(inferences.select(_OF), on="inference_id").drop("inference_id")
