"""What a model's tokens cost: nothing, the configuration's own price, or the list price of the package genai-prices.

The package brings its data along and is asked for nothing over the network; it is imported only where it is needed.
"""

import ipaddress
import os
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prose_data.config import Model, Price

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_FREE = Price(prompt=0.0, completion=0.0)
_OPENAI = "https://api.openai.com/v1"
_BATCH = (
    0.5  # of the list price: what most makers take in batch mode, where the package does not know it better
)


def price_of(model: Model) -> Price | None:
    """Return the price of `model` in US dollars per million tokens, None where it is unknown.

    Simulated and local models cost nothing. The configuration's own price is taken as it is, in batch mode too. Others
    are looked up by name and base URL, also what they cost in batch mode (half where that is not known); where the
    price depends on the length of the prompt, that of short prompts counts. A server on this machine or in a private
    network has no list price: it may cost nothing, or stand before a model that is paid for.
    """
    if model.backend != "openai":
        return _FREE
    if model.price is not None:
        return model.price
    url = model.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    return None if is_local(url) else _listed(url, model.model, batch=model.mode == "batch")


def price_source(model: Model) -> str | None:
    """Return where `price_of` has the price from: "configuration", "free" or the package and version; None: no price."""
    if model.backend != "openai":
        return "free"
    if model.price is not None:
        return "configuration"
    return None if price_of(model) is None else f"genai-prices {version('genai-prices')}"


def is_local(url: str) -> bool:
    """Return whether `url` is on this machine or a private network, where servers run without keys and list prices."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".lan"))


@lru_cache
def _listed(url: str, name: str, *, batch: bool) -> Price | None:
    """Return today's list price of model `name` at `url`."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(name, None, None, url)
    except LookupError:
        return None
    # Some prices fall at night; at noon they are the usual ones, whatever the hour of this run.
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    listed = _base(found.get_prices(noon))
    if listed is None or not batch:
        return listed
    known = _base(found.get_prices(noon, {"processing": "batch"}))
    if known is not None and known != listed:
        return known
    return Price(prompt=listed.prompt * _BATCH, completion=listed.completion * _BATCH)


def _base(prices: "ModelPrice") -> Price | None:
    from genai_prices.types import TieredPrices

    prompt, completion = (
        price.base if isinstance(price, TieredPrices) else price
        for price in (prices.input_mtok, prices.output_mtok)
    )
    if prompt is None or completion is None:
        return None
    return Price(prompt=float(prompt), completion=float(completion))
