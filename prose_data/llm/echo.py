"""Log-probabilities of a given text: the completions endpoint repeats a prompt with them (`echo` and `logprobs`).

Such requests go through the same request store, limits and budget as all others. vLLM answers them, and the server of
the local model. llama-cpp-python's echo is one token off for prompts that do not begin with the model's begin token.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.llm.client import Endpoint, json_of
from prose_data.llm.dialect import Put
from prose_data.llm.limits import Limits
from prose_data.llm.meter import Known, Meter
from prose_data.llm.prices import price_of
from prose_data.llm.reply_folder import open_replies
from prose_data.llm.store import encode
from prose_data.llm.types import Fault, Reply, Request, Rung, Send

_BACKEND = "echo"  # in the store's addresses, so that no chat reply is taken for one of ours
_NO_KEY = "PROSE_DATA_LOCAL_KEY"  # so that no other server's key is sent to our own


@dataclass(frozen=True, slots=True)
class Echo:
    """The tokens of a text and their natural log-probabilities, None for a first token that nothing precedes."""

    tokens: tuple[str, ...]
    logprobs: tuple[float | None, ...]


class EchoEndpoint(Endpoint):
    """An endpoint asked to repeat the one message of a request; its reply's text is JSON of tokens and logprobs."""

    path = "completions"

    def prepare(self, body: Mapping[str, Any]) -> tuple[bytes, Put]:
        """Return the completions request for the message in `body`, and how it was put."""
        sent, put = self.dialect.apply(body)
        prompt = sent["messages"][0]["content"]
        rest = {key: value for key, value in sent.items() if key != "messages"}
        return encode(rest | {"prompt": prompt}), put

    def reply_in(self, content: bytes, body: Mapping[str, Any], rung: Rung, seconds: float) -> Reply:
        """Return the reply in a response body; raises Fault where it holds no log-probability for each token."""
        data = json_of(content)
        match data:
            case {
                "choices": [{"logprobs": {"tokens": [*tokens], "token_logprobs": [*logprobs]}}, *_],
                "usage": {"prompt_tokens": int(asked), "completion_tokens": int(written)},
            } if 0 <= written <= 1 and asked >= 0:
                pass
            case _:
                raise Fault("no_logprobs", "the endpoint gave no logprobs of the echo", retry=False)
        kept = len(tokens) - written
        tokens, logprobs = tokens[:kept], logprobs[:kept]
        if len(tokens) != len(logprobs) or not tokens or not all(isinstance(token, str) for token in tokens):
            raise Fault("no_logprobs", "tokens and logprobs of the echo do not go together", retry=False)
        if not all(_is_logprob(value) for value in logprobs[1:]):
            raise Fault("no_logprobs", "a token of the echo has no logprob", retry=False)
        text = orjson.dumps({"tokens": tokens, "logprobs": [None, *logprobs[1:]]}).decode()
        return Reply(
            text, "stop", asked, written, str(data.get("model") or body["model"]), "endpoint", seconds=seconds
        )


def _is_logprob(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value < 1e-3


async def echo(send: Send, model: str, text: str) -> Echo:
    """Return the tokens of `text` with their log-probabilities under `model`; raises RequestFailed as any request."""
    message = {"role": "user", "content": text}
    body = {
        "model": model,
        "messages": [message],
        "echo": True,
        "logprobs": 1,
        "max_tokens": 1,
        "temperature": 0,
    }
    reply = await send(Request("judge", body))
    found = orjson.loads(reply.text)
    return Echo(tuple(found["tokens"]), tuple(found["logprobs"]))


@asynccontextmanager
async def open_echo(
    config: Config, names: Sequence[str], store: Path | str | None, meter: Meter | None = None
) -> AsyncIterator[dict[str, Send]]:
    """Open the way to the completions endpoint of each of the models called `names`, and close it after.

    Raises InputError for a name that `config.models` lacks, and for a model that has no such endpoint.
    """
    models = {name: config.models[name] for name in names if name in config.models}
    for name in names:
        if name not in models:
            raise InputError(f"models.{name}: is not defined; defined are {', '.join(sorted(config.models))}")
        if models[name].backend == "simulated" or models[name].mode == "batch":
            kind = "simulated" if models[name].backend == "simulated" else "in batch mode"
            raise InputError(
                f"models.{name}: is {kind} and gives no log-probabilities; these need a model with a "
                "completions endpoint that has echo and logprobs, such as vLLM's, or the backend local"
            )
    meter = meter or Meter(config.budget)
    async with AsyncExitStack() as stack:
        limits = Limits(list(models.values()), meter)
        kept = None
        if store is not None:
            kept = open_replies(store, config.offline)
            stack.callback(kept.close)
        sends: dict[str, Send] = {}
        for name, model in models.items():
            if config.offline:
                if kept is None:
                    raise InputError("offline needs a request store; name one with --store")
                sends[name] = kept.replay(_BACKEND)
                continue
            if model.backend == "local":
                from prose_data.llm.local import served

                model = model.model_copy(update={"base_url": served(name, model), "api_key_env": _NO_KEY})
            known = meter.known.setdefault((model.base_url, model.model), Known())
            endpoint = EchoEndpoint(name, model, known.dialect)
            stack.push_async_callback(endpoint.close)
            lane = limits.lane(model)
            endpoint.heed = lane.heed
            send = limits.around(endpoint, model, price_of(model), lane)
            sends[name] = send if kept is None else kept.through(send, _BACKEND)
        yield sends
