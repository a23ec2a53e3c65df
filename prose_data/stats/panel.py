"""Values of several methods and metrics side by side, one row per draft: what comparisons in pairs are made from."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from prose_data.stats.resampling import Array, Ratio

CELL = ("user_id", "seed", "document_id")  # what two methods are paired by: one draft of each
Key = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """`values` has a row per key and a column per cell, in order of user, seed and document; NaN where there is none.

    `starts` are the columns at which a user begins.
    """

    values: Array
    starts: NDArray[np.intp]
    rows: Mapping[Key, int]

    def mean(self, key: Key) -> Ratio | None:
        """Return the mean of a key's values; None if it has none."""
        values = self._of(key)
        return None if values is None else self._ratio(values, np.ones_like(values))

    def difference(self, one: Key, other: Key) -> Ratio | None:
        """Return the mean of `one` - `other` over the cells that both have; None if there are none."""
        values, others = self._of(one), self._of(other)
        return (
            None if values is None or others is None else self._ratio(values - others, np.ones_like(values))
        )

    def gap(self, key: Key, floor: Key, ceiling: Key) -> Ratio | None:
        """Return the share of the way from `floor` to `ceiling` that `key` goes, over the cells that all three have.

        0 is the floor and 1 the ceiling; outside of that is possible.
        """
        values, low, high = self._of(key), self._of(floor), self._of(ceiling)
        return (
            None if values is None or low is None or high is None else self._ratio(values - low, high - low)
        )

    def _of(self, key: Key) -> Array | None:
        row = self.rows.get(key)
        return None if row is None else self.values[row]

    def _ratio(self, top: Array, bottom: Array) -> Ratio | None:
        """Return the ratio over the cells that have both; users without such a cell are left out."""
        there = ~(np.isnan(top) | np.isnan(bottom))
        number = np.add.reduceat(there, self.starts, dtype=np.int64)
        served = number > 0
        if not served.any():
            return None
        tops, bottoms = (
            np.add.reduceat(np.where(there, part, 0.0), self.starts)[served] for part in (top, bottom)
        )
        return Ratio(tops, bottoms, int(number.sum()))


def panel(values: pl.DataFrame, keys: Sequence[str]) -> Panel:
    """Return the rows of `values` (columns CELL, `keys` and value) as a panel; a key has at most one row per cell.

    The order of rows does not matter.
    """
    cells = values.select(CELL).unique().sort(CELL).with_row_index("column")
    names = values.select(keys).unique().sort(keys).with_row_index("row")
    placed = values.join(cells, on=CELL).join(names, on=keys).select("row", "column", "value")
    filled = np.full((names.height, cells.height), np.nan)
    filled[placed["row"].to_numpy(), placed["column"].to_numpy()] = placed["value"].to_numpy()
    users = cells["user_id"]
    starts = np.flatnonzero((users != users.shift()).fill_null(True).to_numpy()).astype(np.intp)
    rows: dict[Key, int] = {name[1:]: name[0] for name in names.iter_rows()}
    return Panel(filled, starts, rows)


def beside(frames: Mapping[str, pl.DataFrame]) -> Panel:
    """Return the panel of some frames (columns CELL and value), each under the key (its name,)."""
    columns: list[Any] = [*CELL, "value"]
    named = [frame.select(*columns, of=pl.lit(name)) for name, frame in frames.items()]
    return panel(pl.concat(named), ["of"])
