"""Edits: what users made of drafts, where they answer drafts instead of writing from scratch (PRELUDE)."""

import dataframely as dy


class Edits(dy.Schema):
    """One row per inference of a run whose users accept or edit drafts."""

    inference_id = dy.String(
        primary_key=True, min_length=1, description="Inference whose draft this is about."
    )
    user_id = dy.String(nullable=False, min_length=1, description="User who read the draft.")
    method = dy.String(nullable=False, min_length=1, description="Method that drafted.")
    seed = dy.Int64(nullable=False, min=0, description="Seed of the repetition.")
    step = dy.Int64(nullable=False, min=0, description="Rounds that the method had learned from before.")
    outcome = dy.String(
        nullable=False,
        check=lambda column: column.is_in(["accepted", "edited", "unchanged"]),
        description="accepted as it was, edited, or handed back unchanged though not accepted.",
    )
    text = dy.String(nullable=False, min_length=1, description="The text that the user ended up with.")
    learned = dy.List(
        dy.String(nullable=False, min_length=1),
        nullable=False,
        description="What the method concluded from this round; the draft's own belief is in inferences.components.",
    )
