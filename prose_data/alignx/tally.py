"""What is counted in one part of a data set, so that the whole can be judged in one pass and in flat memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from prose_data.alignx.correlation import Signs
from prose_data.alignx.dimensions import COUNT
from prose_data.alignx.leaks import quoting
from prose_data.alignx.likeness import Places, Whole, hashes, mixed, signatures, words_of
from prose_data.alignx.profile import ABOVE
from prose_data.alignx.record import RECORD_SCHEMA
from prose_data.alignx.rows import Columns, check_rows, read_columns

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of some rows.

    `listed` has something for each row: `key` of its post and responses, `vector` of its target, `longer` and `wordier`
    (1 if the chosen response is, -1 if the rejected), `first` (numbers of the first words of both); the signatures of
    `posts` and of `replies`; and for each pole of a target its `row` and its `code`, 2 × index + positive. `summed` counts
    in all rows: `shown`, the poles of histories by code; `items` and `characters`; `products` of users' signs by pairs of
    dimensions, and with 1 in the last row and column. `bad` counts what must not be, each with the row where it was first seen.
    """

    listed: Mapping[str, NDArray[Any]]
    summed: dict[str, NDArray[np.int64]]
    bad: Mapping[str, tuple[int, str]]


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return the counts of all rows together, in the order of `tallies`."""
    lists: dict[str, list[NDArray[Any]]] = {}
    summed: dict[str, NDArray[np.int64]] = {}
    bad: dict[str, tuple[int, str]] = {}
    rows = 0
    for tally in tallies:
        for name, own in tally.listed.items():
            lists.setdefault(name, []).append(own + rows if name == "row" else own)
        for name, counts in tally.summed.items():
            summed[name] = summed[name] + counts if name in summed else counts
        for what, (count, place) in tally.bad.items():
            before, first = bad.get(what, (0, place))
            bad[what] = before + count, first
        rows += len(tally.listed["key"])
    listed = {}
    for name in list(lists):
        listed[name] = np.concatenate(lists.pop(name))  # each list goes before the next array comes
    return Tally(listed, summed, bad)


def examine(records: Path, users: Path | None = None) -> Tally:
    """Return the counts of a part of records and, where it is known, of that of its users.

    Raises InputError naming file and row for a row that is no record.
    """
    before = 0
    tallies = [_counted(check_rows(RECORD_SCHEMA.empty_table(), str(records), 0), records, 0)]
    for columns in read_columns(records):
        tallies.append(_counted(columns, records, before))
        before += len(columns)
    whole = merged(tallies)
    if users is not None:
        whole.summed["products"] += _products(users)
    return whole


def _counted(columns: Columns, path: Path, before: int) -> Tally:
    post, chosen, rejected = (words_of(text) for text in (columns.prompt, columns.chosen, columns.rejected))
    lengths = [pc.utf8_length(text).to_numpy() for text in (columns.prompt, columns.chosen, columns.rejected)]
    rows, indices = columns.signs.nonzero()
    keys = [hashes(text) for text in (columns.prompt, columns.chosen, columns.rejected)]
    listed = {
        "key": mixed(keys[0] + mixed(keys[1] + mixed(keys[2]))),
        "vector": _vector_keys(columns.signs),
        "longer": np.sign(lengths[1] - lengths[2]).astype(np.int8),
        "wordier": np.sign(np.diff(chosen[1]) - np.diff(rejected[1])).astype(np.int8),
        "first": np.stack([_first_words(*chosen), _first_words(*rejected)], axis=1),
        "posts": signatures(*post),
        "replies": np.concatenate([signatures(*chosen), signatures(*rejected)]),
        "row": rows,
        "code": (2 * indices + (columns.signs[rows, indices] > 0)).astype(np.uint8),
    }
    items = (columns.comments, columns.pairs)
    summed = {
        "shown": np.sum([_shown(own.signs) for own in items], axis=0),
        "items": np.array([len(own.rows) for own in items]),
        "characters": np.array([int(length.sum()) for length in lengths]),
        "products": np.zeros((COUNT + 1, COUNT + 1), np.int64),
    }
    return Tally(listed, summed, _bad(columns, path, before))


def _bad(columns: Columns, path: Path, before: int) -> dict[str, tuple[int, str]]:
    """Return how often there is what must not be, and the first row of each."""
    comments, pairs = columns.comments, columns.pairs
    target = np.arange(len(columns))
    rows = np.concatenate([comments.rows, pairs.rows])
    vectors = np.concatenate([_vector_keys(comments.signs), _vector_keys(pairs.signs)])
    posts = [
        (target, columns.prompt),
        (comments.rows, comments.texts["prompt"]),
        (pairs.rows, pairs.texts["prompt"]),
    ]
    texts = [
        (target, columns.chosen),
        (target, columns.rejected),
        (comments.rows, comments.texts["comment"]),
        (pairs.rows, pairs.texts["chosen"]),
        (pairs.rows, pairs.texts["rejected"]),
    ]
    every = [*posts, *texts, (target, columns.demographic)]
    found = {
        "target_in_history": rows[vectors == _vector_keys(columns.signs)[rows]],
        "neutral_history": _neutral(columns),
        "repeated_post": _repeated(posts),
        "repeated_text": _repeated(texts),
        "quoted_label": np.concatenate([where[quoting(text)] for where, text in every]),
    }
    return {
        what: (len(where), f"{path}, row {before + int(where.min()) + 1}")
        for what, where in found.items()
        if len(where)
    }


def _neutral(columns: Columns) -> Places:
    """Return the rows whose history adds up to nothing by the published thresholds; rows without one are left out."""
    votes = np.zeros((len(columns), COUNT), np.int64)
    items = np.zeros(len(columns), np.int64)
    for own in (columns.comments, columns.pairs):
        ends = np.searchsorted(own.rows, np.arange(len(columns) + 1))
        sums = np.zeros((len(own.rows) + 1, COUNT), np.int32)
        np.cumsum(own.signs, axis=0, out=sums[1:])
        votes += sums[ends[1:]] - sums[ends[:-1]]
        items += np.diff(ends)
    part, whole = ABOVE
    most = np.abs(votes).max(axis=1, initial=0)
    return np.flatnonzero((items > 0) & (most * whole < items * (2 * part - whole)))


def _repeated(texts: Sequence[tuple[Places, pa.StringArray]]) -> Places:
    """Return the row of each text that its row has had before."""
    where = np.concatenate([rows for rows, _ in texts])
    keys = mixed(np.concatenate([hashes(text) for _, text in texts]) + where.astype(np.uint64) * _FACTOR)
    _, first = np.unique(keys, return_index=True)
    return np.delete(where, first)


def _vector_keys(signs: Signs) -> NDArray[np.int64]:
    """Return a number for each vector; equal vectors have equal ones."""
    factors = mixed(np.arange(1, COUNT + 1, dtype=np.uint64) * _FACTOR).view(np.int64)
    return signs.astype(np.int64) @ factors


def _shown(signs: Signs) -> NDArray[np.int64]:
    """Return how often each pole is there, by code."""
    counts = np.stack([(signs < 0).sum(axis=0), (signs > 0).sum(axis=0)], axis=1)
    return counts.ravel()


def _first_words(words: Whole, bounds: Places) -> Whole:
    """Return the number of each text's first word, 0 where it has none."""
    padded = np.append(words, np.uint64(0))
    return np.where(np.diff(bounds) > 0, padded[bounds[:-1]], np.uint64(0))


def _products(users: Path) -> NDArray[np.int64]:
    vectors = pl.read_parquet(users, columns=["vector"])["vector"].to_numpy()
    signs = np.column_stack([2 * vectors - 1, np.ones(len(vectors))])
    return np.asarray(signs.T @ signs).astype(np.int64)
