"""Plans and their texts become the tables of a data set: the records by columns, as they are published, and the users."""

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from prose_data.alignx.dimensions import COUNT, label
from prose_data.alignx.plans import Plan, Poles
from prose_data.alignx.record import DIRECTION, PAIR, RECORD_SCHEMA, UGC
from prose_data.alignx.writing import Texts
from prose_data.config import AlignX
from schemas.alignx import AlignxUsers

PARQUET = {  # the vectors are few different ones, the texts all different
    "compression": "zstd",
    "write_statistics": False,
    "use_dictionary": [
        f"{DIRECTION}.list.element",
        f"{UGC}.list.element.{DIRECTION}.list.element",
        f"{PAIR}.list.element.{DIRECTION}.list.element",
    ],
}


def record_table(plans: Sequence[Plan], texts: Sequence[Texts]) -> pa.Table:
    """Return the records of plans and their texts, in the published columns and types."""
    comments, pairs = (len(plans[0].comments), len(plans[0].pairs) - 1) if plans else (0, 0)
    behind = 1 + comments
    posts = [written.posts for written in texts]
    targets = [written.pairs[0] for written in texts]
    own = [text for written in texts for text in written.comments]
    others = [pair for written in texts for pair in written.pairs[1:]]
    ugc = [
        _strings(post for all_posts in posts for post in all_posts[1:behind]),
        _strings(own),
        _vectors([poles for plan in plans for poles in plan.comments]),
    ]
    pair = [
        _strings(post for all_posts in posts for post in all_posts[behind:]),
        _strings(chosen for chosen, _ in others),
        _strings(rejected for _, rejected in others),
        _vectors([poles for plan in plans for poles in plan.pairs[1:]]),
    ]
    columns = [
        _strings(all_posts[0] for all_posts in posts),
        _strings(chosen for chosen, _ in targets),
        _strings(rejected for _, rejected in targets),
        _vectors([plan.pairs[0] for plan in plans]),
        _strings(written.persona for written in texts),
        _items(UGC, ugc, comments, len(plans)),
        _items(PAIR, pair, pairs, len(plans)),
    ]
    return pa.Table.from_arrays(columns, schema=RECORD_SCHEMA)


def user_frame(settings: AlignX, seed: int, plans: Sequence[Plan]) -> pl.DataFrame:
    """Return the users of plans as the table of users."""
    frame = pl.DataFrame(
        {
            "user_id": [user_id(seed, plan.user) for plan in plans],
            "seed": [seed] * len(plans),
            "split": [split_of(settings, plan.user) for plan in plans],
            "vector": _matrix([plan.held for plan in plans]),
            "components": [[label(pole) for pole in plan.held] for plan in plans],
        },
        schema=AlignxUsers.create_empty().schema,
    )
    return AlignxUsers.validate(frame)


def user_id(seed: int, user: int) -> str:
    """Return the id of a user; ids of one seed sort by number."""
    return f"alignx-{seed}-{user:09d}"


def split_of(settings: AlignX, user: int) -> str:
    """Return `test` for the last `test` users, else `train`."""
    return "test" if user >= settings.records - settings.test else "train"


def _matrix(poles: Sequence[Poles]) -> NDArray[np.float64]:
    """Return vectors as rows."""
    rows = [row for row, own in enumerate(poles) for _ in own]
    columns = [index for own in poles for index, _ in own]
    signs = [positive for own in poles for _, positive in own]
    matrix = np.full((len(poles), COUNT), 0.5)
    matrix[rows, columns] = signs
    return matrix


def _vectors(poles: Sequence[Poles]) -> pa.ListArray:
    offsets = np.arange(0, (len(poles) + 1) * COUNT, COUNT, dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(_matrix(poles).ravel()))


def _strings(texts: Iterable[str]) -> pa.StringArray:
    return pa.array(list(texts), pa.string())


def _items(column: str, parts: Sequence[pa.Array], each: int, rows: int) -> pa.ListArray:
    """Return lists of `each` items, whose keys have the values of `parts`."""
    kind = RECORD_SCHEMA.field(column).type
    items = pa.StructArray.from_arrays(parts, fields=list(kind.value_type))
    offsets = np.arange(0, rows * each + 1, each, dtype=np.int32) if each else np.zeros(rows + 1, np.int32)
    return pa.ListArray.from_arrays(offsets, items, type=kind)
