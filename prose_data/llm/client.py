"""Transport to OpenAI-compatible endpoints: one call is one attempt that gives a Reply, a Fault or an EndpointError.

Requests go through aiohttp as they are: the openai client would spend six times as long on each building objects, of
which a reply needs five fields. No message names the key; what the endpoint itself says is quoted with secrets cut out.
"""

import asyncio
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from yarl import URL

from prose_data import __version__
from prose_data.config import Model
from prose_data.errors import EndpointError, InputError, printable
from prose_data.llm.dialect import Dialect, Put
from prose_data.llm.prices import is_local
from prose_data.llm.rates import retry_after, seconds_to_wait
from prose_data.llm.secrets import Hidden, knife
from prose_data.llm.store import encode
from prose_data.llm.types import Fault, Reply, Request, Rung

_CONNECT = 10.0  # seconds
_LONGEST = 200  # characters of what an endpoint says
_LARGEST = 64 * 2**20  # bytes of a reply
_OPENAI = "https://api.openai.com/v1"
_REASONS = {408: "timeout", 409: "server_error", 425: "server_error", 429: "rate_limit"}
_REFUSING = (400, 422, 500)  # llama-cpp-python's server says 500 of a response_format that it does not know
_OVERLOAD = (408, 429, 503, 529)
_USER = re.compile(r"//[^/@\s]+@")


class Adjusted(Fault):
    """The endpoint refused a parameter that `Endpoint.prepare` spares it from here on: to be tried again at once."""


class Endpoint:
    """One model entry's endpoint; calling it sends one request once.

    `dialect` is what was learned of the endpoint before. `heed` hears the headers of answers, for what they say about
    rate limits. Raises InputError when the key's
    environment variable is not set and the base URL is not a local one. Opened inside the event loop that uses it.
    """

    path = "chat/completions"  # behind the base URL

    def __init__(self, name: str, model: Model, dialect: Dialect | None = None) -> None:
        self.name = name
        self.model = model
        self.url = model.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
        parts = _checked(name, self.url)
        self.key = Hidden(_key(name, model, self.url))
        self.dialect = dialect or Dialect()
        self.heed: Callable[[Mapping[str, str]], None] = _ignore
        self._where = _without_secrets(self.url)
        self._answered = False
        self._harmless: set[tuple[str, ...]] = set()  # names of models and finish reasons that hold no secret
        self._target = URL(
            parts._replace(path=f"{parts.path.rstrip('/')}/{self.path}", fragment="").geturl(),
            encoded=True,
        )
        self._proxy = _proxy_to(self._target)
        password = (self._proxy and URL(self._proxy).password) or ""
        self._cut = knife([self.key, password, *(value for _, value in parse_qsl(parts.query))])
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=model.concurrency,
                ssl=_certificates(parts.scheme),
                # A race between a host's addresses costs time with every connection; here there is one address.
                happy_eyeballs_delay=None if is_local(self.url) else 0.25,
            ),
            headers={
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                "User-Agent": f"prose-data/{__version__}",
            },
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(_CONNECT, model.timeout)),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def __call__(self, request: Request) -> Reply:
        """Return the reply to one attempt; raises Fault or EndpointError."""
        while True:
            started = time.perf_counter()
            data, put = self.prepare(request.body)
            try:
                async with asyncio.timeout(self.model.timeout):
                    status, headers, content = await self._post(data)
            except aiohttp.ConnectionTimeoutError as error:  # a TimeoutError too
                raise self._broken(error) from None
            except TimeoutError:
                message = f"{self.who}: no reply within {self.model.timeout:g} s"
                raise Fault("timeout", message, overload=True) from None
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise self._broken(error) from None
            try:
                return self.read(status, headers, content, request, put, time.perf_counter() - started)
            except Adjusted:
                continue

    async def _post(self, data: bytes) -> tuple[int, Mapping[str, str], bytes]:
        async with self._session.post(
            self._target, data=data, allow_redirects=False, proxy=self._proxy
        ) as response:
            parts, size = [], 0
            async for part in response.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > _LARGEST:
                    raise Fault(
                        "bad_reply", f"{self.who}: the reply is over {_LARGEST >> 20} MB", retry=False
                    )
            content = parts[0] if len(parts) == 1 else b"".join(parts)
            return response.status, response.headers, content

    def prepare(self, body: Mapping[str, Any]) -> tuple[bytes, Put]:
        """Return `body` as this endpoint takes it, encoded, and how it was put."""
        sent, put = self.dialect.apply(body)
        return encode(sent), put

    def read(
        self,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        request: Request,
        put: Put,
        seconds: float,
    ) -> Reply:
        """Return the reply in an HTTP answer; raises Fault, Adjusted or EndpointError for what is none."""
        if not 200 <= status < 300:
            said, code = _said(content)
            if status in _REFUSING and self.dialect.learn(request.body, put, said[:_LONGEST]):
                raise Adjusted("bad_request", f"{self.who}: refuses a parameter: {self.clean(said)}")
            raise self._refusal(status, headers, self.clean(said), code)
        self._answered = True
        self.heed(headers)
        try:
            reply = self.reply_in(content, request.body, put.rung, seconds)
        except Fault as fault:
            message = f"{self.who}: {self.clean(str(fault))}"
            raise Fault(fault.reason, message, retry=fault.retry) from None
        words = reply.model, reply.finish_reason
        if words in self._harmless:
            return reply
        model, finish_reason = cleaned = tuple(self.clean(printable(word)) for word in words)
        if cleaned == words:
            self._harmless.add(words)
        return replace(reply, model=model, finish_reason=finish_reason)

    def reply_in(self, content: bytes, body: Mapping[str, Any], rung: Rung, seconds: float) -> Reply:
        """Return the reply in a response body; raises Fault where it holds none."""
        return _read(content, body, rung, seconds)

    @property
    def who(self) -> str:
        """The endpoint's name in messages."""
        return f"models.{self.name} ({self.model.model} at {self._where})"

    def _refusal(self, status: int, headers: Mapping[str, str], said: str, code: str) -> Exception:
        """Return what an HTTP status that is no success means for this request or for the whole run."""
        if status == 401 or (status == 403 and not self._answered):
            return EndpointError(
                f"{self.who} refuses the key in the environment variable {self.model.api_key_env} "
                f"(HTTP {status}); set a valid one"
            )
        if status in (404, 405) or status < 400:
            return EndpointError(
                f"{self.who}: HTTP {status}, {said}; check models.{self.name}.model and base_url (it usually ends in /v1)"
            )
        if status == 402 or "insufficient_quota" in code:
            return EndpointError(f"{self.who}: the account has no credit left: {said}")
        message = f"{self.who}: HTTP {status}, {said}"
        if status in _REASONS or status >= 500:
            wait = retry_after(headers)
            if wait is None and status == 429:
                wait = seconds_to_wait(headers) or None
            reason = _REASONS.get(status, "server_error")
            return Fault(reason, message, wait=wait, overload=status in _OVERLOAD)
        filtered = "content_filter" in code or "content_policy" in code or status == 403
        return Fault("refused" if filtered else "bad_request", message, retry=False)

    def _broken(self, error: Exception) -> Exception:
        """Return the fault of a connection that did not come about or broke."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            said = self.clean(printable(str(error.certificate_error)))
            return EndpointError(
                f"{self.who}: its certificate is not accepted ({said}); correct base_url, or name the authority's "
                "certificate in the environment variable SSL_CERT_FILE"
            )
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        said = self.clean(printable(str(cause)) or type(cause).__name__)
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            proxy = isinstance(error, aiohttp.ClientProxyConnectionError) and URL(self._proxy or "")
            where = f"at the proxy {proxy.host}:{proxy.port}" if proxy else "there"
            tls = isinstance(cause, ssl.SSLError)
            hint = "; base_url must start with http:// if it has no TLS" if tls else ""
            return Fault("connection", f"{self.who}: nothing answers {where}: {said}{hint}", unreachable=True)
        return Fault("connection", f"{self.who}: the connection broke: {said}")

    def clean(self, text: str) -> str:
        """Return `text` without secrets and then shortened: the other way round would leave half a key."""
        text = _USER.sub("//", self._cut(text))
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _ignore(_: Mapping[str, str]) -> None:
    """Do nothing with an answer's headers."""


def _checked(name: str, url: str) -> Any:
    """Return the parts of a usable base URL; raises InputError."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        URL(url)
    except ValueError:
        usable = False
    if not usable:
        raise InputError(
            f"models.{name}.base_url {_without_secrets(url)} is not a URL like http://localhost:8000/v1"
        )
    if "@" in parts.netloc:
        raise InputError(
            f"models.{name}.base_url must hold no user or password; the key's place is api_key_env"
        )
    return parts


def _certificates(scheme: str) -> ssl.SSLContext | bool:
    """Return what certificates are checked against: this machine's authorities and those of certifi."""
    if scheme == "http":
        return True
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _proxy_to(target: URL) -> str | None:
    """Return the proxy that the environment names for `target`; none reaches this machine's own addresses."""
    host = target.host or ""
    ours = host == "localhost" or host.startswith("127.") or host == "::1"
    proxy = None if ours or proxy_bypass(host) else getproxies().get(target.scheme)
    return proxy and Hidden(proxy)


def _key(name: str, model: Model, url: str) -> str:
    key = os.environ.get(model.api_key_env, "").strip()
    if not key:
        if is_local(url):
            return "none"
        raise InputError(
            f"models.{name}.api_key_env: the environment variable {model.api_key_env} is not set; "
            f"{_without_secrets(url)} needs a key"
        )
    if not (key.isascii() and key.isprintable()):
        raise InputError(f"the environment variable {model.api_key_env} holds characters that no key has")
    return key


def _without_secrets(url: str) -> str:
    """Return `url` without a user, a password or a query."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return url.partition(":")[0]


def _said(content: bytes) -> tuple[str, str]:
    """Return the endpoint's own words about an error, without what it repeats of the request, and its codes."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        text = content[:4000].decode(errors="replace").lstrip()
        return ("an HTML page" if text.startswith("<") else printable(text) or "an empty body"), ""
    inner = body.get("error", body) if isinstance(body, dict) else body
    code = f"{inner.get('code')} {inner.get('type')}" if isinstance(inner, dict) else ""
    match inner:
        case {"message": str(message)} | {"detail": str(message)} | str(message):
            return printable(message), code
        case {"detail": [*problems]} | {
            "message": {"detail": [*problems]}
        }:  # FastAPI's form: place and message
            known = (problem for problem in problems if isinstance(problem, dict))
            places = (
                f"{'.'.join(map(str, problem.get('loc', ())))}: {problem.get('msg')}" for problem in known
            )
            return printable("; ".join(places)), code
    return printable(content[:4000].decode(errors="replace")), code


def _read(content: bytes, body: Mapping[str, Any], rung: Rung, seconds: float) -> Reply:
    """Return the reply in a response body; raises Fault where it holds none.

    Where the endpoint reports no usage, a token is taken to be four bytes.
    """
    data = json_of(content)
    match data:
        case {"choices": [{"message": {"content": str(text)}} as choice, *_]}:
            pass
        case {"choices": [{"message": {"refusal": str(refusal)}}, *_]} if refusal:
            raise Fault("refused", f"the model refused: {printable(refusal)}", retry=False)
        case {"choices": [{"finish_reason": "content_filter"}, *_]}:
            raise Fault("refused", "the content filter took the reply", retry=False)
        case {"choices": [{"finish_reason": str(finish)}, *_]}:
            raise Fault("bad_reply", f"the reply has no text (finish_reason {printable(finish)})")
        case {"error": {"message": str(message)}}:
            raise Fault("bad_reply", f"HTTP 200 with an error: {printable(message)}")
        case _:
            raise Fault("bad_reply", "the reply's JSON has no choices[0].message.content")
    if choice.get("finish_reason") == "content_filter":
        raise Fault("refused", "the content filter cut the reply", retry=False)
    usage = data["usage"] if isinstance(data.get("usage"), dict) else {}
    return Reply(
        text=text,
        finish_reason=str(choice.get("finish_reason") or "stop"),
        prompt_tokens=_tokens(usage.get("prompt_tokens"), lambda: encode({"": body["messages"]})),
        completion_tokens=_tokens(usage.get("completion_tokens"), text.encode),
        model=str(data.get("model") or body["model"]),
        source="endpoint",
        seconds=seconds,
        rung=rung,
    )


def json_of(content: bytes) -> Any:
    """Return what JSON text says, with U+FFFD for lone surrogates; raises Fault for what is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:  # the standard library also reads lone surrogates, which some servers send
        return orjson.loads(encode(json.loads(content)))
    except (ValueError, RecursionError):
        start = printable(content[:4000].decode(errors="replace"))
        raise Fault("bad_reply", f"the reply is not JSON: {start or 'an empty body'}") from None


def _tokens(reported: Any, content: Any) -> int:
    if isinstance(reported, int) and 0 <= reported < 2**53:
        return int(reported)
    return (len(content()) + 3) // 4
