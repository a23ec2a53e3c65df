"""`prose-data estimate`: what a run would take, before anything is sent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from prose_data.estimate import Estimate, Row


def estimate(
    config: Annotated[
        Path | None, typer.Argument(help="A YAML configuration; default the quickstart.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the configuration."),
    ] = None,
    seconds_per_reply: Annotated[
        float, typer.Option(min=0.001, max=86_400, help="How long the endpoint takes for one reply.")
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Predict calls, tokens, cost and time per stage and method, from a few users on the simulated model."""
    import json
    from dataclasses import asdict

    from prose_data.config import load_config
    from prose_data.estimate import estimate as predict

    found = predict(load_config(config, sets or ()), seconds_per_reply)
    if as_json:
        data = asdict(found)
        for priced in data["prices"]:
            priced["price"] = priced["price"] and priced["price"].model_dump()
        typer.echo(json.dumps(data))
    else:
        _show(found)


def _show(found: "Estimate") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console = console if console.is_terminal else Console(width=160)
    title = f"{found.name}: {found.users:,} users x {found.seeds} seeds"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("method")
    for name in ("calls", "requests", "prompt tokens", "completion tokens", "cost"):
        table.add_column(name, justify="right")
    for row in (*found.rows, found.total):
        table.add_row(row.stage, row.method, *_amounts(row), style="bold" if row is found.total else None)
    console.print(table)
    for line in _notes(found):
        console.print(line, highlight=False, markup=False)


def _amounts(row: "Row") -> list[str]:
    counts = (row.calls, row.requests, row.prompt_tokens, row.completion_tokens)
    return [f"{count:,}" for count in counts] + [
        "unknown" if row.cost_usd is None else _dollars(row.cost_usd)
    ]


def _notes(found: "Estimate") -> list[str]:
    """Return, line by line, the time, the ranges, the prices and what all of it rests on."""
    lines = [f"time      {_time(found)}"]
    (fewest, most), (least, dearest) = found.ranges["requests"], found.ranges["cost_usd"]
    spread = f"range     {fewest:,.0f} to {most:,.0f} requests"
    lines.append(spread + (f", {_dollars(least)} to {_dollars(dearest)}" if found.known_usd else ""))
    models = {(priced.model, priced.price, priced.source): "" for priced in found.prices}
    for model, price, source in models:
        roles = ", ".join(p.role for p in found.prices if (p.model, p.price) == (model, price))
        if price is None:
            lines.append(f"price     {model} ({roles}): not known; set models.NAME.price")
        elif source != "free":
            per = f"${price.prompt:g} and ${price.completion:g} per million tokens of prompt and completion"
            lines.append(f"price     {model} ({roles}): {per} ({source})")
    if found.total.cost_usd is None:
        lines.append(
            f"cost      at least {_dollars(found.known_usd)}, and what the models without a price cost"
        )
    behind = "all" if found.pilot_users == found.users else f"{found.pilot_users} of {found.users:,}"
    lines.append(
        f"basis     {behind} users under one seed, on the simulated model; a token is taken to be four bytes. Of equal "
        "requests to an endpoint one is sent."
    )
    return lines


def _time(found: "Estimate") -> str:
    if found.rounds is not None:
        return f"{found.rounds:,} batches at most, one after another; each may take up to a day"
    span = _span(found.seconds or 0.0)
    if found.simulated:
        return f"{span} of one processor here, as all models are simulated"
    return f"{span} at {found.seconds_per_reply:g} s per reply (--seconds-per-reply)"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _dollars(cost: float) -> str:
    return f"${cost:,.2f}" if cost >= 1 or cost == 0 else f"${cost:.4f}"
