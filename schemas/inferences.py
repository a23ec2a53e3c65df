"""Inferences: what a method believed and drafted, step by step."""

import dataframely as dy


class Inferences(dy.Schema):
    """One row per user, method, seed and step; it holds no times, so repetitions of a run are equal."""

    inference_id = dy.String(primary_key=True, min_length=1, description="Stable id of the inference.")
    user_id = dy.String(nullable=False, min_length=1, description="User whose writing is inferred from.")
    method = dy.String(nullable=False, min_length=1, description="Method, or oracle for the upper bound.")
    seed = dy.Int64(nullable=False, min=0, description="Seed of the repetition.")
    step = dy.Int64(
        nullable=False, min=0, description="Number of the user's samples the method had seen before."
    )
    document_id = dy.String(nullable=False, min_length=1, description="Document the draft is about.")
    components = dy.List(
        dy.String(nullable=False, min_length=1),
        nullable=False,
        description="Components the draft was written with; empty while nothing is inferred.",
    )
    confidences = dy.List(
        dy.Float64(nullable=False, min=0.0, max=1.0),
        nullable=True,
        description="Confidence of each component, 0 to 1, in the same order; null for a method that states none.",
    )
    description = dy.String(
        nullable=True,
        description="The inferred preference in words; null for a method that infers nothing, empty before it has.",
    )
    draft = dy.String(
        nullable=False, min_length=1, description="Text written before the user's own was seen."
    )
    calls = dy.Int64(
        nullable=False, min=0, description="Model calls of this step: recall, draft and learning."
    )
    prompt_tokens = dy.Int64(nullable=False, min=0, description="Prompt tokens of these calls.")
    completion_tokens = dy.Int64(nullable=False, min=0, description="Completion tokens of these calls.")
    cost_usd = dy.Float64(
        nullable=True,
        min=0.0,
        description="Price of these calls in US dollars; null where a model's price is unknown.",
    )
    model = dy.String(
        nullable=False,
        min_length=1,
        description="Model of the inferrer, or of the writer for a method that infers nothing.",
    )
