"""Scores of preference pairs: which response a method, a model or a rule takes for the preferred one."""

import dataframely as dy


class PairScores(dy.Schema):
    """One row per measured value; a reply that could not be read is a failure, and a miss only where that is published."""

    target_id = dy.String(primary_key=True, min_length=1, description="Choice that was to be predicted.")
    method = dy.String(primary_key=True, min_length=1, description="Method, or the rule that needs no model.")
    persona = dy.String(primary_key=True, description="Form of the persona; empty for a rule.")
    items = dy.Int64(primary_key=True, min=-1, description="Most history items shown; -1 for all there are.")
    metric = dy.String(primary_key=True, min_length=1, description="What was measured.")
    component = dy.String(
        primary_key=True,
        description="Order of the responses, or what the prompts of policy and reference held; empty where neither matters.",
    )
    user_id = dy.String(nullable=False, min_length=1, description="User whose choice it is.")
    value = dy.Float64(nullable=False, description="The measured value, always finite.")
    verdict = dy.String(
        nullable=False, description="The letter, the predicted profile, or tie; empty where there is none."
    )
    model = dy.String(nullable=False, description="Model that was asked; empty for a rule.")
