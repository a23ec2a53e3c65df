"""Talking to the hub with patience that ends: the client library waits for as long as it is told, and without time-outs.

Inside `talking`, a request that gets no answer for a minute is broken off; trouble in a row (429, 5xx, connections that
break) is waited out for a minute and then ends in one sentence, so that a command never hangs. The token is the one given
and never that of a login on this machine.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2
from huggingface_hub import HfApi, is_offline_mode, set_client_factory
from huggingface_hub.utils import logging as hub_logging
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from prose_data.errors import InputError
from prose_data.llm.rates import retry_after
from prose_data.llm.secrets import Hidden

PATIENCE = 60.0  # seconds of trouble in a row
_SILENCE = 60.0  # seconds without an answer
_XET_PATIENCE = "HF_XET_CLIENT_RETRY_MAX_DURATION", "20s"  # of one attempt; its own default is six minutes
_TROUBLE = (408, 429, 500, 502, 503, 504)  # what the client library waits for and asks again
_RATE_LIMIT = re.compile(r";\s*r=0\b.*?;\s*t=(\d+)")


@dataclass(slots=True)
class Session:
    """The client library's interface to one hub, what was sent through it, and how long trouble has lasted."""

    api: HfApi
    sent: int = 0  # bytes of request bodies
    heard: bool = False  # whether the hub has answered at all
    _since: dict[str, float] = field(default_factory=dict)  # request -> when trouble with it began
    _waiting: dict[int, str] = field(
        default_factory=dict
    )  # thread -> its last request, which has got no answer

    def _asking(self, request: httpx2.Request) -> None:
        thread = threading.get_ident()
        if broken := self._waiting.get(thread):
            self._trouble(broken, "it broke off the connection or did not answer")
        self._waiting[thread] = _name(request)
        self.sent += int(request.headers.get("Content-Length", 0))

    def _answered(self, response: httpx2.Response) -> None:
        self._waiting.pop(threading.get_ident(), None)
        self.heard = True
        name = _name(response.request)
        if response.status_code in _TROUBLE:
            self._trouble(name, f"it answers {response.status_code}", _wait(response))
        else:
            self._since.pop(name, None)

    def _trouble(self, name: str, what: str, wait: float = 0.0) -> None:
        """Note that a request went wrong. Raises InputError where another `wait` seconds would be too long."""
        now = time.monotonic()
        if now + wait - self._since.setdefault(name, now) > PATIENCE:
            asked = f", and asks to wait {wait:,.0f} s" if wait > PATIENCE else ""
            raise InputError(
                f"the hub at {self.api.endpoint} is in trouble ({what}){asked}; run the same command again later: "
                "what has been sent is not sent again"
            )

    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            follow_redirects=True,
            timeout=httpx2.Timeout(_SILENCE, connect=15),
            event_hooks={"request": [self._asking], "response": [self._answered]},
        )


@contextmanager
def talking(token: str) -> Iterator[Session]:
    """Give a session with the hub of HF_ENDPOINT (huggingface.co where none is set) that uses `token`.

    The client library's own messages and bars are silent meanwhile, and its usual client is back afterwards. Raises
    InputError where the environment says to stay offline.
    """
    if is_offline_mode():
        raise InputError(
            "HF_HUB_OFFLINE is set, so nothing can be published on the hub; unset it, or use file:// or s3://"
        )
    os.environ.setdefault(*_XET_PATIENCE)
    session = Session(HfApi(token=Hidden(token)))
    level, bars = hub_logging.get_verbosity(), not are_progress_bars_disabled()
    hub_logging.set_verbosity(logging.CRITICAL)
    disable_progress_bars()
    set_client_factory(session._client)
    try:
        yield session
    finally:
        set_client_factory(_usual_client())
        if bars:
            enable_progress_bars()
        hub_logging.set_verbosity(level)


def _usual_client() -> Callable[[], httpx2.Client]:
    from huggingface_hub.utils._http import default_client_factory

    return default_client_factory


def _name(request: httpx2.Request) -> str:
    return f"{request.method} {request.url.path}"


def _wait(response: httpx2.Response) -> float:
    """Return the seconds that a response asks to wait, in either of the two headers that the client obeys."""
    if limit := _RATE_LIMIT.search(response.headers.get("ratelimit", "")):
        return float(limit.group(1))
    return retry_after(response.headers) or 0.0
