"""A data set from a configuration: shards of records and users, their checks, and a manifest that is written last.

RUN/records/part-00000.parquet     the records, in the published columns and nothing else
RUN/users/ failures/ requests/     who is behind each record, what was given up, what was asked
RUN/correlations/part-00000.parquet
RUN/manifest.json                  with all checks

The simulated model writes in worker processes, one shard each, without being asked; other models are asked through the
door. Run again on the same folder, only what is missing is made, and everything is as if it had never stopped.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prose_data.alignx.checks import check_parts
from prose_data.alignx.parts import (
    FAILURES,
    RECORDS,
    USERS,
    Written,
    done,
    failure_of,
    land_part,
    make_part,
    neutral_history,
    part_count,
    users_in,
)
from prose_data.alignx.plans import Plan, plans_of
from prose_data.alignx.writing import Unwritten, write_texts
from prose_data.config import Config
from prose_data.errors import RequestFailed
from prose_data.failures import failures_of
from prose_data.llm.door import Door, open_door
from prose_data.llm.meter import Meter
from prose_data.llm.pool import drive, each
from prose_data.manifest import failures_by_reason, origin_of, requests_by_source
from prose_data.runs import MANIFEST, SPENT, Run, land, open_run, read_json, write_json
from prose_data.values import Failure
from prose_data.workers import Spread, processors, worker_processes

_WORTH_A_PROCESS = 2_000  # records; with fewer a process takes longer to start than to do them

Tick = Callable[[int, int], None]  # records done, records in all


def synthesize(config: Config, out: Path, tick: Tick, meter: Meter) -> Run:
    """Make what is missing of the data set of `config` in folder `out`, and return its run.

    Raises InputError, EndpointError or BudgetReached; shards that are done by then stay.
    """
    several = max(1, min(processors(), config.alignx.records // _WORTH_A_PROCESS))
    with open_run(out, config) as run, worker_processes(several) as spread:
        missing = [shard for shard in range(part_count(run)) if not done(run, shard)]
        if config.model_of("human").backend == "simulated":
            _make(run, missing, tick, spread)
        else:
            asyncio.run(ask_for(run, missing, tick, meter))
        if not run.finished:
            _write_manifest(run, spread)
    return run


def _make(run: Run, shards: Sequence[int], tick: Tick, spread: Spread) -> None:
    """Make shards by the simulated model."""
    left = sum(len(users_in(run, shard)) for shard in shards)
    tick(run.config.alignx.records - left, run.config.alignx.records)
    for users in spread(partial(make_part, run), shards):
        left -= users
        tick(run.config.alignx.records - left, run.config.alignx.records)


async def ask_for(run: Run, shards: Sequence[int], tick: Tick, meter: Meter) -> None:
    """Make shards by asking the model of the role human; while the last records of one wait, the next one begins."""
    from prose_data.stages import shards_at_once  # brings all methods and metrics

    config = run.config
    meter.begin_with(*run.read_spent())
    left = sum(len(users_in(run, shard)) for shard in shards)
    tick(config.alignx.records - left, config.alignx.records)
    async with open_door(config, run.store, meter) as door:

        async def one(shard: int) -> None:
            nonlocal left
            await _ask_for_part(run, shard, door.part(shard))
            run.write_counts(SPENT, meter.spent())
            left -= len(users_in(run, shard))
            tick(config.alignx.records - left, config.alignx.records)

        await drive(shards, one, shards_at_once(config, "synthesize", config.shards.users))


async def _ask_for_part(run: Run, shard: int, door: Door) -> None:
    from prose_data.stages import workers_of

    config = run.config

    async def unit(numbered: tuple[int, Plan]) -> list[Written | Failure]:
        order, plan = numbered
        if plan.neutral:
            return [neutral_history(run, plan)]
        view = door.view("synthesize", config.users.seed, order=order)
        result: Written | Failure
        try:
            result = plan, await write_texts(plan, config.samples.attempts, view)
        except (Unwritten, RequestFailed) as error:
            result = failure_of(run, plan, error.reason, str(error))
        key = f"{config.users.seed}/{plan.user}"
        return [result, *failures_of("synthesize", key, view.notes, f"record of user {plan.user}")]

    plans = plans_of(config.alignx, config.users.seed, users_in(run, shard))
    written = await each(enumerate(plans), unit, workers_of(config, "human"))
    run.write("requests", door.drain("synthesize"), shard, "synthesize")
    land_part(run, shard, (item for items in written for item in items))


def failed_share(run: Run) -> float:
    """Return the share of the records that were given up, 0 to 1."""
    records = run.config.alignx.records
    return (records - run.count(RECORDS)) / records


def _write_manifest(run: Run, spread: Spread) -> None:
    """Check the whole data set and write its manifest."""
    parts = list(zip(run.parts(RECORDS), run.parts(USERS), strict=True))
    checks, correlations = check_parts(parts, spread)
    land(run.part("correlations"), lambda file: correlations.write_parquet(file, compression="zstd"))
    asked = {"requests": requests_by_source(run)} if run.parts("requests") else {}
    manifest: dict[str, Any] = {
        **origin_of(run.config),
        "rows": {table: run.count(table) for table in (RECORDS, USERS, FAILURES)},
        "failures": failures_by_reason(run),
        "failed_share": failed_share(run),
        **asked,
        "checks": checks,
    }
    write_json(run.path / MANIFEST, manifest)


def checks_of(run: Run) -> dict[str, Any]:
    """Return what the checks of a finished run found, as its manifest has it."""
    return dict(read_json(run.path / MANIFEST)["checks"])
