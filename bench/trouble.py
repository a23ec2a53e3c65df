"""When things go wrong: a killed process, an endpoint that takes only so much, and one that fails now and then."""

import os
import random
import signal
import subprocess
import time
from functools import cache
from pathlib import Path

from bench.children import OWN_ENDPOINT, Asked, Endpoint, ask, asked, endpoint, engine
from bench.speed import scratch
from bench.values import Figure, Setup, Unusable

KILLS = 5
_CONCURRENCY = 64
_AT_ONCE, _LIMITED_LATENCY = 100, 0.2  # what the limited endpoint takes, seconds
_RAMP = 10.0  # seconds until the engine should have found out
_PATIENCE = 300.0  # seconds for the work up to a kill


def kill_sent_again(setup: Setup) -> Figure:
    """Measure requests sent again after kill -9 beyond those in flight at the kill: the most of all kills."""
    kills = _kills(setup)
    numbers = ", ".join(f"{again} of {flying}" for flying, again, _, _ in kills)
    return Figure(
        max(again - flying for flying, again, _, _ in kills),
        f"sent again, of those in flight, in {len(kills)} kills: {numbers}",
    )


def kill_asked_again(setup: Setup) -> Figure:
    """Measure replies that the killed process had in hand and that were asked for again: the sum of all kills."""
    kills = _kills(setup)
    late = ", ".join(str(late) for _, _, _, late in kills)
    return Figure(
        sum(read for _, _, read, _ in kills),
        f"left the endpoint before the kill but were asked again: {late}",
    )


@cache
def _kills(setup: Setup) -> list[tuple[int, int, int, int]]:
    moments = random.Random(3)
    number = setup.some(2_000)
    return [_one_kill(number, int(number * moments.uniform(0.1, 0.9))) for _ in range(KILLS)]


def _one_kill(number: int, after: int) -> tuple[int, int, int, int]:
    """Kill the engine after about `after` replies and run it again on its store.

    Return how many requests were in flight at the kill (sent, and the reply not in the worker's hands), and how many were
    asked for again: of all, of those whose reply the worker had, and of those that the endpoint had answered.
    """
    with endpoint(OWN_ENDPOINT, latency=0.05, record=True) as at, scratch() as folder:
        store, log = folder / "store.sqlite", folder / "replies"
        with engine(at, f"0:{number}", _CONCURRENCY, store, log) as process:
            _wait_for(process, log, after)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        killed = time.monotonic()
        time.sleep(0.2)  # what was sent arrives, is answered to nobody, and is not mistaken for a repetition
        read = set(log.read_text(encoding="ascii").split())
        before = at.get("/arrivals")
        sent = {word for word, _, _ in before} - {"warm"}
        left = {word for word, _, gone in before if gone is not None and gone <= killed} - {"warm"}
        at.reset()
        took = ask(at, number, _CONCURRENCY, store)
        if sum(took.replies.values()) != number:
            raise Unusable(f"the second run gave {dict(took.replies)} and {dict(took.failures)}")
        again = {word for word, _, _ in at.get("/arrivals")} & sent
    flying = len(sent - read)
    print(
        f"  killed after {len(read)} of {number} replies: {flying} in flight, {len(again)} sent again, "
        f"{len(again & read)} of them read before",
        flush=True,
    )
    if flying > _CONCURRENCY:
        raise Unusable(f"{flying} requests were in flight, more than {_CONCURRENCY}: the log missed replies")
    return flying, len(again), len(again & read), len(again & left)


def _wait_for(process: subprocess.Popen[str], log: Path, replies: int) -> None:
    """Return when the log holds this many replies."""
    until = time.monotonic() + _PATIENCE
    while not log.exists() or log.read_bytes().count(b"\n") < replies:
        if process.poll() is not None or time.monotonic() > until:
            raise Unusable("the engine ended before it could be killed")
        time.sleep(0.002)


def limit_in_flight(setup: Setup) -> Figure:
    """Measure how many requests a limited endpoint works on, on average after the first ten seconds."""
    flying, _, absolute = _limited(setup)
    return Figure(flying, absolute)


def limit_rejected(setup: Setup) -> Figure:
    """Measure the share of requests that a limited endpoint turned away, of all that it got."""
    _, share, absolute = _limited(setup)
    return Figure(share, absolute)


@cache
def _limited(setup: Setup) -> tuple[float, float, str]:
    number = setup.some(20_000, 8_000)
    with endpoint(setup.endpoint, latency=_LIMITED_LATENCY, limit=_AT_ONCE) as at, scratch() as folder:
        with engine(at, f"0:{number}", 256, folder / "store.sqlite") as process:
            accepted = _watch(process, at)
            took = asked(process)
        counts = at.get("/count")
    _all_answered(took, number)
    began = next(moment for moment, taken in accepted if taken)
    # At the end, when less is left than the endpoint takes, what is in flight says nothing.
    steady = [seen for seen in accepted if seen[0] >= began + _RAMP and seen[1] <= number - 2 * _AT_ONCE]
    if len(steady) < 2:
        raise Unusable(f"{number} requests took less than {_RAMP:g} s")
    (first, some), (last, most) = steady[0], steady[-1]
    flying = (most - some) / (last - first) * _LIMITED_LATENCY  # Little's law
    share = counts["rejected"] / counts["requests"]
    absolute = (
        f"{number} requests in {took.wall:.1f} s (ideal {number * _LIMITED_LATENCY / _AT_ONCE:.1f}), "
        f"{counts['rejected']} of {counts['requests']} rejected, most in flight {counts['in_flight_max']}"
    )
    print(
        f"  {flying:.1f} in flight from {first - began:.1f} s to {last - began:.1f} s; {absolute}", flush=True
    )
    return flying, share, absolute


def _watch(process: subprocess.Popen[str], at: Endpoint) -> list[tuple[float, int]]:
    """Return the number of accepted requests twice a second, until the process has ended."""
    seen = []
    while process.poll() is None:
        counts = at.get("/count")
        seen.append((time.monotonic(), counts["requests"] - counts["rejected"]))
        time.sleep(0.5)
    return seen


def errors_unanswered(setup: Setup) -> Figure:
    """Measure requests that were not answered by an endpoint that fails a tenth of them."""
    took, _, absolute = _errors(setup)
    return Figure(sum(took.failures.values()), absolute)


def errors_extra(setup: Setup) -> Figure:
    """Measure requests beyond one each, as a share, at an endpoint that fails a tenth of them."""
    _, share, absolute = _errors(setup)
    return Figure(share, absolute)


@cache
def _errors(setup: Setup) -> tuple[Asked, float, str]:
    number = setup.some(5_000)
    with endpoint(setup.endpoint, error_rate=0.1) as at, scratch() as folder:
        took = ask(at, number, _CONCURRENCY, folder / "store.sqlite")
        counts = at.get("/count")
    replies = took.replies.get("endpoint", 0)
    absolute = f"{replies} of {number} answered, {counts['errors']} errors, {counts['requests']} requests"
    print(f"  {absolute}", flush=True)
    if replies + sum(took.failures.values()) != number:
        raise Unusable(f"of {number} requests, {number - replies} are unaccounted for")
    return took, counts["requests"] / (number + 1) - 1, absolute  # one request more opens the connection


def _all_answered(took: Asked, number: int) -> None:
    if sum(took.replies.values()) != number:
        raise Unusable(f"of {number} requests: {dict(took.replies)}, failures {dict(took.failures)}")
