"""What the local model's server answers to completions requests with `echo`: the prompt with its log-probabilities.

llama-cpp-python answers these itself only where it keeps the logits of all tokens, 1.6 GB of them, and is one token off
for prompts that do not begin with the begin token. Here each batch's logits are looked at and let go.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
App = Callable[[Any, Receive, Any], Awaitable[None]]
Echo = Callable[
    [str], Awaitable[tuple[list[str], list[float | None]] | None]
]  # None: longer than the context


async def body_of(receive: Receive) -> bytes:
    """Return the whole body of an HTTP request."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def with_body(body: bytes, receive: Receive) -> Receive:
    """Return what gives `body` as a whole, and then what `receive` has to say."""
    whole = iter([{"type": "http.request", "body": body}])

    async def received() -> dict[str, Any]:
        return next(whole, None) or await receive()

    return received


def with_echo(app: App, echo: Echo) -> App:
    """Return the ASGI `app` so that completions requests with `echo` are answered by `echo`."""

    async def echoing(scope: Any, receive: Receive, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/v1/completions"):
            await app(scope, receive, send)
            return
        body = await body_of(receive)
        prompt = _echoed(body)
        if prompt is None:
            await app(scope, with_body(body, receive), send)
            return
        found = await echo(prompt)
        if found is None:
            await _answer(send, 400, {"error": {"message": "the prompt is longer than the model's context"}})
            return
        tokens, logprobs = found
        choice = {"index": 0, "text": prompt, "finish_reason": "length"}
        usage = {"prompt_tokens": len(tokens), "completion_tokens": 0, "total_tokens": len(tokens)}
        choice["logprobs"] = {"tokens": tokens, "token_logprobs": logprobs}
        await _answer(send, 200, {"object": "text_completion", "choices": [choice], "usage": usage})

    return echoing


def _echoed(body: bytes) -> str | None:
    """Return the prompt that a request wants repeated; None for any other request."""
    try:
        request = json.loads(body)
    except ValueError:
        return None
    match request:
        case {"echo": True, "prompt": str(prompt)} if prompt:
            return prompt
    return None


async def _answer(send: Any, status: int, content: Any) -> None:
    data = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def served_echo() -> Echo:
    """Return what repeats a prompt by the model of llama-cpp-python's server in this process, one request at a time."""
    from contextlib import asynccontextmanager

    from fastapi.concurrency import run_in_threadpool
    from llama_cpp.server.app import get_llama_proxy

    async def echo(prompt: str) -> tuple[list[str], list[float | None]] | None:
        async with asynccontextmanager(get_llama_proxy)() as models:
            return await run_in_threadpool(_repeat, models(None), prompt)

    return echo


def _repeat(llama: Any, prompt: str) -> tuple[list[str], list[float | None]] | None:
    add_bos = llama._model.add_bos_token()
    tokens = llama.tokenize(prompt.encode(errors="replace"), add_bos=add_bos, special=True)
    if len(tokens) > llama.n_ctx():
        return None
    names = [llama.detokenize([token], special=True).decode(errors="replace") for token in tokens]
    return names, _logprobs(llama, tokens)


def _logprobs(llama: Any, tokens: list[int]) -> list[float | None]:
    """Return the log-probability of each token after those before it; the first has none."""
    import numpy as np

    found: list[float | None] = [None]
    _forget(llama)
    for start in range(0, len(tokens), llama.n_batch):
        batch = tokens[start : start + llama.n_batch]
        llama._batch.set_batch(batch=batch, n_past=start, logits_all=True)
        llama._ctx.decode(llama._batch)
        logits = np.ctypeslib.as_array(llama._ctx.get_logits(), shape=(len(batch) * llama.n_vocab(),))
        logprobs = llama.logits_to_logprobs(logits.reshape(len(batch), -1))
        following = tokens[start + 1 : start + len(batch) + 1]
        found += logprobs[np.arange(len(following)), following].tolist()
    _forget(llama)
    return found


def _forget(llama: Any) -> None:
    """Empty the model's memory, so that no request takes another's beginning for its own."""
    llama.reset()
    llama._ctx.kv_cache_seq_rm(-1, 0, -1)
