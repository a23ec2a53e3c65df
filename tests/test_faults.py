"""Every row of docs/faults.md against a real server; no row is without a behaviour, and no behaviour without a row."""

import asyncio
import re
import ssl
import traceback
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from prose_data.errors import EndpointError, ProseDataError, RequestFailed
from prose_data.llm.door import open_door
from prose_data.llm.types import Reply
from tests.endpoint import config_for
from tests.faulty import FAULTS, MEGABYTE, Fault, Faulty, Place

TABLES = Path(__file__).resolve().parents[1] / "docs" / "faults.md"
KEY = "sk-planted-secret-0123456789"
MESSAGES = [{"role": "user", "content": "hi"}]
FIRST_WAIT = 0.025  # seconds: half of 0.05, as up to a half is taken off at random
WAITS = {"–", "growing", "as asked"}


@dataclass(frozen=True)
class Row:
    """A row of the tables."""

    id: str
    does: str
    outcome: str
    reason: str
    requests: str
    wait: str


def rows(text: str) -> list[Row]:
    """Return the rows of all tables of faults in `text`; raises ValueError for whatever is none."""
    found = []
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0] == "id":
            if cells not in (
                ["id", f"the endpoint{more}", *"outcome reason requests wait".split()]
                for more in ("", " answers")
            ):
                raise ValueError(f"not the columns of a table of faults: {line}")
            inside = True
        elif inside and set(line) - set("|- "):
            found.append(Row(*cells))
    return found


ROWS = rows(TABLES.read_text(encoding="utf-8"))


def having(outcome: str) -> pytest.MarkDecorator:
    """Return the parametrization over the rows of this outcome."""
    chosen = [row for row in ROWS if row.outcome == outcome and row.id in FAULTS]
    return pytest.mark.parametrize("row", chosen, ids=[row.id for row in chosen])


@pytest.fixture(autouse=True)
def planted_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSE_TEST_KEY", KEY)


def test_the_tables_and_the_behaviours_are_of_the_same_faults() -> None:
    ids = [row.id for row in ROWS]
    assert sorted(ids) == sorted(set(ids)), "an id is there twice"
    assert set(ids) == set(FAULTS)


def test_every_row_is_of_a_known_form() -> None:
    for row in ROWS:
        fault = FAULTS[row.id]
        assert re.fullmatch(r"[a-z0-9_]+", row.id) and row.does, row
        assert row.wait in WAITS and (row.wait == "as asked") == (fault.wait > 0), row
        assert (row.reason != "–") == (row.outcome in ("retried", "failed")), row
        match row.outcome:
            case "answered" | "failed":
                assert row.requests == "1" and row.wait != "growing", row
            case "retried":
                assert row.requests in ("all", "3") and row.wait != "–", row
            case "stops":
                assert row.requests in ("0", "1") and row.wait == "–" and fault.says, row
            case other:
                pytest.fail(f"{row.id}: {other} is no outcome")
    assert {fault.place for fault in FAULTS.values()} == set(get_args(Place))
    with pytest.raises(ValueError, match="columns"):
        rows("| id | what |\n")
    with pytest.raises(TypeError):
        rows(TABLES.read_text(encoding="utf-8").replace("| reset | ", "| reset "))


class Certificates:
    """An authority, and server contexts with certificates that it signed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name.from_rfc4514_string("CN=authority for tests")
        self.authority = folder / "authority.pem"
        whole = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None), 1)
        self.authority.write_bytes(whole.public_bytes(serialization.Encoding.PEM))
        host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        other = x509.SubjectAlternativeName([x509.DNSName("llm.example.com")])
        self.contexts: dict[Place, ssl.SSLContext] = {
            "https": self._context(host, 1),
            "self_signed": self._context(host, 1, itself=True),
            "expired": self._context(host, -1),
            "other_host": self._context(other, 1),
        }

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extension: x509.ExtensionType,
        days: int,
        itself: bool = False,
    ) -> x509.Certificate:
        today = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            name if itself else self._name, name, key.public_key(), x509.random_serial_number()
        )
        builder = builder.not_valid_before(today - timedelta(days=3)).not_valid_after(
            today + timedelta(days=days)
        )
        return builder.add_extension(extension, critical=True).sign(
            key if itself else self._key, hashes.SHA256()
        )

    def _context(self, extension: x509.ExtensionType, days: int, itself: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        whole = self._sign(
            x509.Name.from_rfc4514_string("CN=endpoint for tests"), key, extension, days, itself
        )
        file = self._folder / "endpoint.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + whole.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def serving(server: Faulty, place: Place, certificates: Certificates) -> AsyncIterator[str]:
    """Serve at `place` while the context is open; gives the base URL."""
    tls = certificates.contexts.get(place)
    async with server.at(tls, "::1" if place == "ipv6" else "127.0.0.1") as port:
        scheme = "https" if tls or place == "http_on_https" else "http"
        yield f"{scheme}://{'[::1]' if place == 'ipv6' else '127.0.0.1'}:{port}/v1"


async def ask(url: str, fault: Fault, requests: int = 1, attempts: int = 3) -> list[Reply]:
    """Return the replies to so many requests, one after the other; `fault.after` replies before them are left out."""
    async with open_door(config_for(url, attempts=attempts, **fault.model), None) as door:
        view = door.view("infer", 1)
        replies = []
        for number in range(fault.after + requests):
            replies.append(await view(MESSAGES, role="writer", replicate=number))
            await asyncio.sleep(0.01)  # the end of a connection takes its time to arrive
        return replies[fault.after :]


async def outcome(server: Faulty, fault: Fault, certificates: Certificates, attempts: int) -> ProseDataError:
    """Return the error that a fault which lasts ends in."""
    async with serving(server, fault.place, certificates) as url:
        with pytest.raises(ProseDataError) as caught:
            await ask(url, fault, attempts=attempts)
    return caught.value


def check_message(error: ProseDataError, fault: Fault) -> None:
    message = str(error)
    assert "models.mine" in message
    assert message.isprintable() and len(message) < 500, ascii(message)
    assert all(words in message for words in fault.says), message
    assert KEY not in "".join(traceback.format_exception(error))


@having("answered")
def test_answered(row: Row, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    fault = FAULTS[row.id]
    server = Faulty(fault.behave, after=fault.after)

    async def go() -> list[Reply]:
        async with serving(server, fault.place, certificates) as url:
            return await ask(url, fault, requests=2)

    for reply in asyncio.run(go()):
        assert reply.attempts == 1
        for name, value in {"text": "Hello.", "finish_reason": "stop", **fault.replies}.items():
            if name == "text" and "completion_tokens" in fault.replies:
                value = "x" * 40
            assert getattr(reply, name) == value
    assert server.spoilt == 2
    assert server.arrivals[-1] - server.arrivals[-2] >= fault.wait


@having("retried")
def test_retried(row: Row, certificates: Certificates) -> None:
    fault = FAULTS[row.id]
    once, lasting = (Faulty(fault.behave, after=fault.after, times=times) for times in (1, None))
    attempts = 5 if row.requests == "3" else 3

    async def mended() -> Reply:
        async with serving(once, fault.place, certificates) as url:
            (reply,) = await ask(url, fault, attempts=attempts)
        return reply

    async def both() -> tuple[Reply, ProseDataError]:
        return await asyncio.gather(mended(), outcome(lasting, fault, certificates, attempts))

    reply, error = asyncio.run(both())
    assert (reply.text, reply.attempts, once.spoilt) == ("Hello.", 2, 2)
    assert isinstance(error, RequestFailed)
    assert (error.reason, lasting.spoilt) == (row.reason, 3)
    assert "(3 attempts)" in str(error)
    check_message(error, fault)
    for number, (earlier, later) in enumerate(pairwise(lasting.arrivals[fault.after :])):
        assert later - earlier >= (fault.wait or FIRST_WAIT * 2**number)


@having("failed")
def test_failed(row: Row, certificates: Certificates) -> None:
    fault = FAULTS[row.id]
    server = Faulty(fault.behave, after=fault.after)
    error = asyncio.run(outcome(server, fault, certificates, attempts=3))
    assert isinstance(error, RequestFailed)
    assert (error.reason, server.spoilt) == (row.reason, 1)
    assert "attempts" not in str(error)
    check_message(error, fault)


@having("stops")
def test_stops(row: Row, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[row.id]
    if fault.place != "self_signed":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    monkeypatch.setattr("prose_data.llm.client._CONNECT", 0.3)
    server = Faulty(fault.behave, after=fault.after)
    ends = (
        leaving(server, fault)
        if fault.place == "nowhere"
        else outcome(server, fault, certificates, attempts=5)
    )
    error = asyncio.run(ends)
    assert isinstance(error, EndpointError)
    assert server.spoilt == int(row.requests)
    assert server.connections <= (3 if fault.place == "http_on_https" else 1)
    check_message(error, fault)


async def leaving(server: Faulty, fault: Fault) -> ProseDataError:
    """Return the error that comes of asking `server` once more after its good replies, when it is gone."""
    up = server.at()
    url = f"http://127.0.0.1:{await up.__aenter__()}/v1"
    async with open_door(config_for(url, attempts=4), None) as door:
        view = door.view("infer", 1)
        for number in range(fault.after):
            await view(MESSAGES, role="writer", replicate=number)
        await up.__aexit__(None, None, None)
        with pytest.raises(ProseDataError) as caught:
            await view(MESSAGES, role="writer", replicate=fault.after)
    return caught.value


def test_large_replies_do_not_eat_the_memory(certificates: Certificates) -> None:
    for name in ("too_large", "endless", "bomb"):
        fault = FAULTS[name]
        tracemalloc.start()
        try:
            asyncio.run(outcome(Faulty(fault.behave), fault, certificates, attempts=3))
            assert tracemalloc.get_traced_memory()[1] < 160 * MEGABYTE, name
        finally:
            tracemalloc.stop()
