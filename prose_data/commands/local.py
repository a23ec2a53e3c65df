"""`prose-data local-llm`: the embedded local model as an OpenAI-compatible endpoint."""

from typing import Annotated

import typer


def local_llm(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")],
) -> None:
    """Serve the local model of the extra `local` as an OpenAI-compatible endpoint. Ends on Ctrl-C."""
    from prose_data.config import LOCAL_MODEL
    from prose_data.errors import InputError
    from prose_data.llm.local import death, start

    server = start("local-llm", port)
    try:
        typer.echo(f"{LOCAL_MODEL} at {server.url}")
        server.process.wait()
        raise InputError(death("local-llm", server))
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
