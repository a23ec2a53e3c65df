"""`prose-data fake-llm`: the simulated models as an OpenAI-compatible endpoint."""

from typing import Annotated

import typer

from prose_data.errors import InputError


def fake_llm(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")],
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 is for all machines that can reach this one.")
    ] = "127.0.0.1",
    latency: Annotated[float, typer.Option(min=0, help="Seconds before every reply.")] = 0.0,
    rate_429: Annotated[
        float, typer.Option("--rate-429", min=0, max=1, help="Share answered with 429.")
    ] = 0.0,
    rate_500: Annotated[
        float, typer.Option("--rate-500", min=0, max=1, help="Share answered with 500.")
    ] = 0.0,
    hang_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share answered after --hang seconds only.")
    ] = 0.0,
    hang: Annotated[float, typer.Option(min=0, help="Seconds that a hanging request takes.")] = 30.0,
    bad_json_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share whose body ends in the middle.")
    ] = 0.0,
    truncate_rate: Annotated[float, typer.Option(min=0, max=1, help="Share whose text is cut off.")] = 0.0,
    batch_seconds: Annotated[float, typer.Option(min=0, help="Seconds that every batch takes.")] = 0.0,
    batch_expire_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a batch's lines that expire unanswered.")
    ] = 0.0,
    batch_error_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a batch's lines answered with 500.")
    ] = 0.0,
    api_key: Annotated[str | None, typer.Option(help="The only key that is accepted; default any.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which requests fail.")] = 0,
) -> None:
    """Serve the simulated models as an OpenAI-compatible endpoint, with faults on demand. Ends on Ctrl-C."""
    from prose_data.simulator.batches import BatchFaults
    from prose_data.simulator.server import Faults, serve

    online = rate_429 + rate_500 + hang_rate + bad_json_rate + truncate_rate
    for shares in (online, batch_expire_rate + batch_error_rate):
        if shares > 1:
            raise InputError(f"the rates of all faults add up to {shares:g} and must not exceed 1")
    batches = BatchFaults(batch_seconds, batch_expire_rate, batch_error_rate, seed)
    faults = Faults(
        latency, rate_429, rate_500, hang_rate, hang, bad_json_rate, truncate_rate, api_key, seed, batches
    )
    serve(port, faults, host)
