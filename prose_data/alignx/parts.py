"""One shard of a data set: its users' plans, their texts, and the parts that these become.

The simulated model writes without requests, in a worker process; everything else is the same for any model.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, TypeVar

import polars as pl
import pyarrow.parquet as pq

from prose_data.alignx.plans import Plan, plans_of
from prose_data.alignx.record import RECORD_SCHEMA
from prose_data.alignx.rows import check_rows
from prose_data.alignx.tables import PARQUET, record_table, user_frame
from prose_data.alignx.writing import Texts, asked, in_sides
from prose_data.llm.door import record_writer
from prose_data.runs import MANIFEST, Run, land
from prose_data.streams import digest
from prose_data.values import Failure
from schemas.alignx import AlignxUsers

ROW_GROUP = 500  # records; as many are in memory at once
RECORDS, USERS, FAILURES = "records", "users", "failures"

Written = tuple[Plan, Texts]
T = TypeVar("T")


def part_count(run: Run) -> int:
    """Return the number of shards, of `shards.users` records each."""
    return -(-run.config.alignx.records // run.config.shards.users)


def users_in(run: Run, shard: int) -> range:
    """Return the numbers of a shard's users."""
    size = run.config.shards.users
    return range(shard * size, min(run.config.alignx.records, (shard + 1) * size))


def done(run: Run, shard: int) -> bool:
    """Return whether a shard's parts are there; its records land last."""
    parts = [run.part(RECORDS, shard), run.part(USERS, shard), run.part(FAILURES, shard, "synthesize")]
    return all(part.exists() for part in parts)


def make_part(run: Run, shard: int) -> int:
    """Write a shard by the simulated model, and return its number of users."""
    users = users_in(run, shard)
    land_part(run, shard, _simulated(run, users))
    return len(users)


def land_part(run: Run, shard: int, written: Iterable[Written | Failure]) -> None:
    """Write the parts of a shard from what was written, or failed, in the order of its users."""
    (run.path / MANIFEST).unlink(missing_ok=True)  # it describes finished tables
    settings, seed, path = run.config.alignx, run.config.users.seed, run.part(RECORDS, shard)
    failures: list[Failure] = []
    users: list[pl.DataFrame] = [AlignxUsers.create_empty()]

    def write(file: IO[bytes]) -> None:
        with pq.ParquetWriter(file, RECORD_SCHEMA, **PARQUET) as records:
            for group in _groups(written, ROW_GROUP):
                failures.extend(item for item in group if isinstance(item, Failure))
                whole = [item for item in group if not isinstance(item, Failure)]
                plans, texts = [plan for plan, _ in whole], [own for _, own in whole]
                table = record_table(plans, texts)
                check_rows(table, str(path), sum(map(len, users)))
                records.write_table(table, row_group_size=ROW_GROUP)
                users.append(user_frame(settings, seed, plans))
        frame = pl.concat(users)  # the others land before the records do, which say that the shard is done
        land(run.part(USERS, shard), lambda part: frame.write_parquet(part, compression="zstd"))
        run.write(FAILURES, failures, shard, "synthesize")

    land(path, write)


def neutral_history(run: Run, plan: Plan) -> Failure:
    """Return the failure of a plan that is not written because its history adds up to nothing."""
    message = (
        "every history drawn for this user is neutral throughout; let texts show more, or make it shorter"
    )
    return failure_of(run, plan, "neutral_history", message)


def failure_of(run: Run, plan: Plan, reason: str, message: str) -> Failure:
    """Return the failure that costs a record."""
    key = f"{run.config.users.seed}/{plan.user}"
    return Failure(
        digest("failure", "synthesize", key),
        "synthesize",
        key,
        reason,
        f"record of user {plan.user}: {message}",
    )


def _simulated(run: Run, users: range) -> Iterator[Written | Failure]:
    config = run.config
    write = record_writer(config.model_of("human"), config.users.seed)
    if write is None:
        raise TypeError("only the simulated model writes without being asked")
    for plan in plans_of(config.alignx, config.users.seed, users):
        if plan.neutral:
            yield neutral_history(run, plan)
            continue
        posts, comments, pairs, persona = write(plan.briefs, plan.comments, asked(plan), plan.held)
        yield plan, in_sides(plan, posts, comments, pairs, persona)


def _groups(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield `items` in lists of `size`, the last one shorter."""
    waiting = iter(items)
    while group := list(islice(waiting, size)):
        yield group
