"""How much: the memory that a million requests take, and eight processes on one store."""

from contextlib import ExitStack
from functools import cache

from bench.children import answered, ask, asked, endpoint, engine
from bench.speed import scratch
from bench.values import Figure, Setup, Unusable

PROCESSES = 8
_CONCURRENCY = 64


def memory_growth(setup: Setup) -> Figure:
    """Measure peak memory with a million queued requests beyond that with ten thousand."""
    few, many, absolute = _peaks(setup)
    return Figure(many - few, absolute)


def memory_peak(setup: Setup) -> Figure:
    """Measure peak memory with a million queued requests."""
    _, many, absolute = _peaks(setup)
    return Figure(many, absolute)


@cache
def _peaks(setup: Setup) -> tuple[float, float, str]:
    numbers = (setup.some(10_000), setup.some(1_000_000, 1_000))
    peaks, rates = [], []
    with endpoint(setup.endpoint) as at, scratch() as folder:
        for number in numbers:
            at.reset()
            took = answered(ask(at, number, _CONCURRENCY, folder / f"{number}.sqlite"), number)
            print(f"  {number} requests: {took.peak_mb:.0f} MB, {took.rate:.0f}/s", flush=True)
            peaks.append(took.peak_mb)
            rates.append(took.rate)
    few, many = peaks
    absolute = (
        f"{few:.0f} MB with {numbers[0]:,} requests, {many:.0f} MB with {numbers[1]:,}; "
        f"{rates[0]:.0f} and {rates[1]:.0f} requests/s"
    )
    return few, many, absolute


def processes(setup: Setup) -> Figure:
    """Measure what is lost when eight processes ask at once through one store, half of it the same requests.

    Counted are processes that failed, requests that were not answered, and replies that the store does not have after.
    """
    half = setup.some(1_000, 100)
    firsts = range(half, half * (PROCESSES + 1), half)
    everything = f"0:{half * (PROCESSES + 1)}"
    with endpoint(setup.endpoint, latency=0.01) as at, scratch() as folder, ExitStack() as stack:
        store = folder / "store.sqlite"
        running = [
            stack.enter_context(engine(at, f"0:{half},{first}:{first + half}", _CONCURRENCY, store))
            for first in firsts
        ]
        failed = lost = 0
        for process in running:
            try:
                took = asked(process)
            except Unusable as error:
                failed += 1
                print(f"  {error}", flush=True)
                continue
            lost += 2 * half - sum(took.replies.values())
        counts = at.get("/count")
        kept = ask(at, everything, _CONCURRENCY, store).replies.get("store", 0)
    missing = half * (PROCESSES + 1) - kept
    absolute = (
        f"{failed} of {PROCESSES} processes failed, {lost} requests unanswered, {missing} of "
        f"{half * (PROCESSES + 1)} replies not in the store; the endpoint got {counts['requests'] - PROCESSES} requests"
    )
    print(f"  {absolute}", flush=True)
    return Figure(failed + lost + missing, absolute)
