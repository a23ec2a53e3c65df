"""What a run will take before anything is sent: calls, requests, tokens, cost and time, scaled up from a pilot."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import polars as pl

from prose_data.config import ROLES, Config, Price
from prose_data.llm.prices import price_of, price_source
from prose_data.llm.types import Role
from prose_data.pilot import USERS, Pilot, last_end, pilot
from prose_data.runs import STAGES
from prose_data.stages import ASKING, shards_at_once, workers_of
from prose_data.streams import stream
from prose_data.values import Stage

SECONDS_PER_REPLY = 2.0
_RESAMPLES = 400
_LINED_UP = 200  # users whose units are put in line to see how a stage ends; before that it goes on alike
_AMOUNTS = ("calls", "requests", "prompt_tokens", "completion_tokens")


@dataclass(frozen=True, slots=True)
class Row:
    """What one stage takes for one method ("" where it has none).

    `calls` is what is asked; equal ones share one reply through the request store, and what is left are the
    `requests` that are sent and paid for, which the tokens and the US dollars (None: unknown) are of.
    """

    stage: str
    method: str
    calls: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Priced:
    """A role's model and what it costs; `source` says where the price is from, None: there is none."""

    role: Role
    model: str
    price: Price | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take. Ranges hold nine of ten totals of resampled pilots, as (low, high).

    `known_usd` is the cost as far as prices are known. `seconds` is None in batch mode, where a run waits for `rounds`
    batches one after another.
    """

    name: str
    users: int
    seeds: int
    pilot_users: int
    rows: tuple[Row, ...]
    total: Row
    ranges: Mapping[str, tuple[float, float]]
    known_usd: float
    prices: tuple[Priced, ...]
    simulated: bool
    seconds: float | None
    rounds: int | None
    seconds_per_reply: float


def estimate(config: Config, seconds_per_reply: float = SECONDS_PER_REPLY, users: int = USERS) -> Estimate:
    """Return what a run of `config` will take, from a pilot of at most `users` users.

    Must not be called where an event loop runs. Raises InputError as `stages.check` does.
    """
    flown = pilot(config, users)
    scaled = _scaled(config, flown)
    simulated = all(config.model_of(role).backend == "simulated" for role in ROLES)
    batched = any(config.model_of(role).mode == "batch" for role in ROLES)
    chains = {stage: _chains(config, flown, stage) for stage in STAGES}
    served = max(1, round(sum(member.users for member in flown.members)))
    seconds: float | None = None
    if simulated:
        seconds = sum(pace.units * pace.seconds for pace in flown.paces.values())
    elif not batched:
        seconds = sum(
            _seconds(config, served, stage, chains[stage], scaled, seconds_per_reply) for stage in STAGES
        )
    longest = {stage: max((max(units, default=0) for units in chains[stage]), default=0) for stage in STAGES}
    return Estimate(
        name=config.name,
        users=flown.users,
        seeds=len(config.seeds),
        pilot_users=sum(len(member.served) for member in flown.members),
        rows=_rows(config, scaled),
        total=_row("total", "", scaled),
        ranges=_ranges(scaled, len(flown.members)),
        known_usd=float(scaled["cost_usd"].sum()),
        prices=tuple(
            Priced(role, model.model, price_of(model), price_source(model))
            for role, model in ((role, config.model_of(role)) for role in ROLES)
        ),
        simulated=simulated,
        seconds=seconds,
        rounds=sum(longest[stage] * _turns(config, flown, stage) for stage in STAGES) if batched else None,
        seconds_per_reply=seconds_per_reply,
    )


def _turns(config: Config, flown: Pilot, stage: Stage) -> int:
    """Return how often a run in batch mode goes through the longest unit of `stage`: by as many shards as go on at once."""
    shards = math.ceil(flown.users / flown.shard_size)
    units = math.ceil(flown.paces[stage].units / shards)
    return math.ceil(shards / shards_at_once(config, stage, units))


def _scaled(config: Config, flown: Pilot) -> pl.DataFrame:
    """Return what the users that each pilot user stands for take, per user, stage, method and role."""
    seeds = len(config.seeds)
    members = pl.DataFrame(
        [
            (number, member.users * seeds * flown.length, member.documents, member.turns)
            for number, member in enumerate(flown.members)
        ],
        schema={"user": pl.Int64, "times": pl.Float64, "documents": pl.Float64, "turns": pl.Float64},
        orient="row",
    )
    prices = {role: price_of(config.model_of(role)) for role in ROLES}
    priced = pl.DataFrame(
        [
            (role, price and price.prompt / 1e6, price and price.completion / 1e6)
            for role, price in prices.items()
        ],
        schema={"role": pl.String, "prompt_usd": pl.Float64, "completion_usd": pl.Float64},
        orient="row",
    )
    stored = [role for role in ROLES if config.model_of(role).backend != "simulated"]
    differs = pl.when("common").then("documents").otherwise("turns")
    share = pl.when(pl.col("role").is_in(stored)).then(differs).otherwise(1.0)
    requests = pl.when("sent").then(pl.col("times") * share).otherwise(0.0)
    return (
        flown.asked.join(members, on="user")
        .join(priced, on="role")
        .with_columns(requests=requests)
        .with_columns(
            cost_usd=(
                pl.col("prompt_tokens") * pl.col("prompt_usd")
                + pl.col("completion_tokens") * pl.col("completion_usd")
            )
            * pl.col("requests")
        )
        .group_by("user", "stage", "method", "role")
        .agg(
            calls=pl.col("times").sum(),
            requests=pl.col("requests").sum(),
            prompt_tokens=(pl.col("prompt_tokens") * pl.col("requests")).sum(),
            completion_tokens=(pl.col("completion_tokens") * pl.col("requests")).sum(),
            cost_usd=pl.when(pl.col("cost_usd").is_not_null().all()).then(pl.col("cost_usd").sum()),
        )
        .sort("user", "stage", "method", "role")
    )


def _rows(config: Config, scaled: pl.DataFrame) -> tuple[Row, ...]:
    places = [
        (stage, method) for stage in STAGES for method in (("",) if stage == "synthesize" else config.methods)
    ]
    return tuple(_row(stage, method, scaled.filter(stage=stage, method=method)) for stage, method in places)


def _row(stage: str, method: str, part: pl.DataFrame) -> Row:
    sums = {name: round(float(part[name].sum())) for name in _AMOUNTS}
    unknown = part.filter(pl.col("cost_usd").is_null() & (pl.col("requests") > 0)).height > 0
    return Row(stage, method, **sums, cost_usd=None if unknown else float(part["cost_usd"].sum()))


def _ranges(scaled: pl.DataFrame, members: int) -> dict[str, tuple[float, float]]:
    """Return the 5th and 95th of a hundred totals of pilots drawn anew, with repeats, from the pilot's users."""
    names = (*_AMOUNTS, "cost_usd")
    sums = scaled.group_by("user").agg(pl.col(*names).sum()).sort("user")
    draws = stream(0, "estimate")
    drawn = [draws.choices(range(members), k=members) for _ in range(_RESAMPLES)]
    ranges = {}
    for name in names:
        values = sums[name].to_list()
        totals = sorted(sum(values[user] for user in users) for users in drawn)
        ranges[name] = (totals[_RESAMPLES // 20], totals[-_RESAMPLES // 20 - 1])
    return ranges


def _chains(config: Config, flown: Pilot, stage: Stage) -> list[list[int]]:
    """Return, for each pilot user, how many replies each of its units waits for, one after another.

    Methods meet a user at the same time, so a reply that they share is still on its way when the second one asks.
    """
    remote = [role for role in ROLES if config.model_of(role).backend != "simulated"]
    waits = pl.col("role").is_in(remote) & (pl.col("sent") | (pl.col("stage") == "infer"))
    counted = flown.asked.filter(waits, stage=stage).group_by("user", "unit").len().sort("user", "unit")
    chains: dict[int, list[int]] = defaultdict(list)
    for user, _, length in counted.iter_rows():
        chains[user].append(round(length * flown.times(stage)))
    more = flown.length / flown.times(stage)
    return [
        list(islice(cycle(chains[user]), round(len(chains[user]) * more)))
        for user in range(len(flown.members))
    ]


def _seconds(
    config: Config,
    users: int,
    stage: Stage,
    chains: Sequence[Sequence[int]],
    scaled: pl.DataFrame,
    seconds_per_reply: float,
) -> float:
    """Return how long a stage waits for replies: as many units at once as there are workers, and then the last ones."""
    lined_up = min(users, _LINED_UP)
    units = [length for unit in islice(cycle(chains), lined_up) for _ in config.seeds for length in unit]
    workers = min(workers_of(config, *ASKING[stage]), max(1, len(units)))
    busy = sum(units) / workers
    tail = last_end(units, workers) - busy if units else 0.0
    waiting = (busy * users / lined_up + tail) * seconds_per_reply
    for name in {getattr(config.roles, role) for role in ROLES}:
        model = config.models[name]
        roles = [role for role in ROLES if getattr(config.roles, role) == name]
        part = scaled.filter(pl.col("role").is_in(roles), stage=stage)
        if model.requests_per_minute is not None:
            waiting = max(waiting, float(part["requests"].sum()) / model.requests_per_minute * 60)
        if model.tokens_per_minute is not None:
            tokens = float((part["prompt_tokens"] + part["completion_tokens"]).sum())
            waiting = max(waiting, tokens / model.tokens_per_minute * 60)
    return waiting
