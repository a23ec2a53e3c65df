"""Truths: what users hold at each of their documents, where a protocol makes that differ."""

import dataframely as dy

_COMPONENTS = dy.String(nullable=False, min_length=1)


class Truths(dy.Schema):
    """One row per user, seed and document of a run in which preferences drift or samples conflict."""

    user_id = dy.String(primary_key=True, min_length=1, description="User who holds the components.")
    seed = dy.Int64(primary_key=True, min=0, description="Seed of the repetition.")
    step = dy.Int64(
        primary_key=True, min=0, description="Number of the document among the user's own, from 0."
    )
    document_id = dy.String(nullable=False, min_length=1, description="Document that is written about.")
    components = dy.List(
        _COMPONENTS,
        nullable=False,
        description="True components at this document: scores compare with these.",
    )
    told = dy.List(_COMPONENTS, nullable=False, description="Components that the user wrote this sample by.")
    former = dy.List(
        _COMPONENTS, nullable=False, description="Components held at earlier documents and no longer."
    )
