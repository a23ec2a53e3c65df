"""Scores: how much was recovered."""

import dataframely as dy


class Scores(dy.Schema):
    """One row per measured value; a value that could not be read is a row in failures, never a 0 here."""

    inference_id = dy.String(primary_key=True, min_length=1, description="Inference that was scored.")
    metric = dy.String(primary_key=True, min_length=1, description="What was measured.")
    component = dy.String(
        primary_key=True, description="True component measured; empty where the metric has none."
    )
    user_id = dy.String(nullable=False, min_length=1, description="User of the inference.")
    method = dy.String(nullable=False, min_length=1, description="Method of the inference.")
    seed = dy.Int64(nullable=False, min=0, description="Seed of the inference.")
    step = dy.Int64(nullable=False, min=0, description="Step of the inference.")
    value = dy.Float64(nullable=False, description="The measured value, always finite.")
    verdict = dy.String(
        nullable=False,
        description="The judge's words behind the value, or the encoder that decided; empty where it is computed.",
    )
    judge = dy.String(nullable=False, description="Model that judged; empty where the value is computed.")
