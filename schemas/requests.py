"""Requests: the log of what was asked of the models."""

import dataframely as dy


class Requests(dy.Schema):
    """One row per answered request; this table is a log and differs between repetitions of a run."""

    request_id = dy.String(primary_key=True, min_length=1, description="Id of the request within the run.")
    stage = dy.String(
        nullable=False,
        check=lambda column: column.is_in(["synthesize", "infer", "score"]),
        description="Stage that asked: synthesize, infer or score.",
    )
    role = dy.String(
        nullable=False,
        check=lambda column: column.is_in(["human", "writer", "inferrer", "judge"]),
        description="Who asked: human, writer, inferrer or judge.",
    )
    method = dy.String(
        nullable=False, description="Method it was asked for; empty for what methods have in common."
    )
    model = dy.String(nullable=False, min_length=1, description="Model that answered.")
    prompt_tokens = dy.Int64(nullable=False, min=0, description="Tokens of the prompt.")
    completion_tokens = dy.Int64(nullable=False, min=0, description="Tokens of the reply.")
    cost_usd = dy.Float64(
        nullable=True, min=0.0, description="Price in US dollars; null where it is unknown."
    )
    seconds = dy.Float64(nullable=False, min=0.0, description="Wall time at the endpoint; 0 from the store.")
    attempts = dy.Int64(nullable=False, min=0, description="Tries until the reply came, the last included.")
    source = dy.String(
        nullable=False,
        check=lambda column: column.is_in(["endpoint", "store", "batch", "simulated"]),
        description="Where the reply came from: endpoint, store, batch or simulated.",
    )
    rung = dy.String(
        nullable=False,
        check=lambda column: column.is_in(["schema", "json", "text", "correction"]),
        description="How the reply got its form: the endpoint's JSON schema or JSON mode, words alone, or a second turn "
        "in which the model corrected what could not be read.",
    )
