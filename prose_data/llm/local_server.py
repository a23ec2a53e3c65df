"""The process that serves the local model: `python -m prose_data.llm.local_server SOCKET FILE NAME`.

llama-cpp-python's OpenAI-compatible server on a socket that it inherits. It ends when its standard input does, for that
pipe closes however the process at its other end comes to its end.
"""

import json
import os
import socket
import sys
import threading
from typing import Any

from prose_data.llm.local_echo import App, Receive, body_of, served_echo, with_body, with_echo

CONTEXT = 8192  # tokens, what the model was trained for


def end_with_stdin() -> None:
    """End this process, from a thread, as soon as standard input ends."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def with_schemas(app: App) -> App:
    """Return the ASGI `app` so that it takes JSON schemas in the form that OpenAI's endpoints do."""

    async def translating(scope: Any, receive: Receive, send: Any) -> None:
        if scope["type"] == "http":
            receive = with_body(in_own_words(await body_of(receive)), receive)
        await app(scope, receive, send)

    return translating


def in_own_words(body: bytes) -> bytes:
    """Return a request's body with its JSON schema, if there is one, in the form that llama-cpp-python knows."""
    try:
        request = json.loads(body)
    except ValueError:
        return body
    match request:
        case {"response_format": {"type": "json_schema", "json_schema": {"schema": dict(schema)}}}:
            request["response_format"] = {"type": "json_object", "schema": schema}
            return json.dumps(request).encode()
    return body


def main() -> None:
    """Serve the model FILE as NAME on the listening socket with the file number SOCKET."""
    number, file, name = sys.argv[1:]
    end_with_stdin()
    import uvicorn
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    cores = os.cpu_count() or 1
    model = ModelSettings(
        model=file,
        model_alias=name,
        n_ctx=CONTEXT,
        n_threads=cores,
        n_threads_batch=cores,
        logits_all=False,  # else a copy of all tokens' logits is kept: 1.6 GB; `local_echo` needs none
        verbose=False,
    )
    app = create_app(server_settings=ServerSettings(), model_settings=[model])
    # Idle connections live longer than clients keep them, so that none closes under a request.
    config = uvicorn.Config(
        with_schemas(with_echo(app, served_echo())),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=60,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(number))])


if __name__ == "__main__":
    main()
