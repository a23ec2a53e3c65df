"""`prose-data synthesize` and `validate` where the space is alignx: a data set of records in the published form."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from prose_data.errors import printable

if TYPE_CHECKING:
    from prose_data.config import Config

_SECONDS = 10.0  # between two lines


def synthesize_records(config: "Config", folder: Path, as_json: bool) -> float:
    """Make the data set of `config` in `folder`, print what its checks found, and return the share of records that were
    given up; ends with exit code 1 where a check found a problem."""
    from prose_data.alignx.synthesis import checks_of, failed_share, synthesize
    from prose_data.llm.meter import Meter
    from prose_data.report.summary import simulated_notice

    run = synthesize(config, folder, _pace(), Meter(config.budget))
    checks, share = checks_of(run), failed_share(run)
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "failed_share": share, "checks": checks}))
    else:
        _print(folder, checks, simulated_notice(run.config))
    for problem in checks["problems"]:
        typer.echo(f"problem: {printable(problem)}", err=True)
    if checks["problems"]:
        raise typer.Exit(1)
    return share


def validate_records(config: "Config", as_json: bool) -> None:
    """Print how large the data set of `config` would be."""
    settings = config.alignx
    texts = 1 + 2 + 2 * settings.comments + 3 * settings.pairs + 1
    counts = {
        "records": settings.records,
        "texts": settings.records * texts,
        "shards": -(-settings.records // config.shards.users),
    }
    if as_json:
        typer.echo(json.dumps({"name": config.name, **counts}))
        return
    typer.echo(f"the configuration is valid; the data set {config.name} would have:")
    for word, count in counts.items():
        typer.echo(f"{count:>12,} {word}")


def _pace() -> Callable[[int, int], None]:
    """Return what prints on stderr, now and then, how many records there are and how many come in a second."""
    began, first, last = time.monotonic(), None, -math.inf

    def tick(done: int, total: int) -> None:
        nonlocal first, last
        now = time.monotonic()
        if first is None:
            first = done
        if done < total and now - last < _SECONDS:
            return
        last = now
        rate = f", {(done - first) / (now - began):,.0f}/s" if done > first else ""
        typer.echo(f"{done:,} of {total:,} records{rate}", err=True)

    return tick


def _print(folder: Path, checks: dict[str, Any], notice: str | None) -> None:
    if notice:
        typer.echo(notice)
    surface, near = checks["surface"], checks["near_duplicates"]
    poles = sum(bool(one[pole]) for one in checks["dimensions"] for pole in ("positive", "negative"))
    for figure, what in (
        (f"{checks['records']:,}", f"records in {folder / 'records'}"),
        (f"{checks['distinct']['vectors']:,}", "distinct target directions"),
        (f"{poles}", "of 180 poles among the targets"),
        (f"{surface['longer']:.1%}", "of targets right by length alone"),
        (f"{surface['longer_by_pole']:.1%}", "by the length that goes with the target's poles"),
        (f"{surface['first_word']:.1%}", "by the first word"),
        (f"{near['posts'] + near['replies']:,}", "posts and replies that nearly equal another"),
    ):
        typer.echo(f"{figure:>12} {what}")
