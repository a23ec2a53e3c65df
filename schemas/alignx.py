"""AlignX: the users behind the records of a data set, which hold the seven published columns and nothing of these."""

import dataframely as dy
import polars as pl


class AlignxUsers(dy.Schema):
    """One row per user, in the order of the records: the n-th row is the user of the n-th record."""

    user_id = dy.String(primary_key=True, min_length=1, description="Stable id of the user.")
    seed = dy.Int64(nullable=False, min=0, description="Seed that the user was drawn with.")
    split = dy.String(
        nullable=False,
        check=lambda column: column.is_in(["train", "test"]),
        description="train, or test: kept apart from all training.",
    )
    vector = dy.Array(
        dy.Float64(nullable=False, check=lambda value: value.is_in([0.0, 0.5, 1.0])),
        90,
        nullable=False,
        description="What the user holds: 1, 0.5 or 0 for each of the 90 dimensions, 0.5 for no preference.",
    )
    components = dy.List(
        dy.String(nullable=False, min_length=1),
        nullable=False,
        min_length=1,
        description="The labels of the poles that the user holds, in the order of the dimensions.",
    )

    @dy.rule()
    def one_label_per_direction(cls) -> pl.Expr:
        """A user has as many labels as directions."""
        return (
            pl.col("components").list.len()
            == pl.col("vector").arr.to_list().list.eval(pl.element() != 0.5).list.sum()
        )
