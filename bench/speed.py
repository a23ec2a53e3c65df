"""How fast: throughput and latency against the floor, start of the program, and replies from the store."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.children import OWN_ENDPOINT, Asked, Took, answered, ask, child, endpoint, floor
from bench.values import Figure, Setup, Unusable

PAIRS = 3
STARTS = 5
_LATENCY = 0.2  # seconds
_PATIENCE = 60.0  # seconds until a started program must have sent its first request
_START = """
name: start
seeds: [0]
tasks: [email]
users: {count: 2}
samples: {per_user: 1}
methods: [no_learning, prose]
metrics: [ppcm]
models: {mock: {backend: openai, model: mock, base_url: "http://127.0.0.1:%d/v1"}}
roles: {human: mock, writer: mock, inferrer: mock, judge: mock}
"""


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is deleted when the context is closed."""
    with tempfile.TemporaryDirectory(prefix="prose-bench-") as folder:
        yield Path(folder)


def pairs(setup: Setup, number: int, concurrency: int, latency: float) -> list[tuple[Asked, Took]]:
    """Return what engine (with a new store) and floor took, in turn, one pair after the other."""
    taken = []
    with endpoint(setup.endpoint, latency=latency) as at, scratch() as folder:
        for turn in range(PAIRS):
            at.reset()
            ours = answered(ask(at, number, concurrency, folder / f"{turn}.sqlite"), number)
            at.reset()
            theirs = floor(setup, at, number, concurrency)
            print(f"  engine {_shown(ours)}; floor {_shown(theirs)}", flush=True)
            taken.append((ours, theirs))
    return taken


def throughput(setup: Setup) -> Figure:
    """Measure requests/s of the engine with its store on, against the floor, at an endpoint that answers at once."""
    taken = pairs(setup, setup.some(20_000), 64, 0.0)
    return Figure(median(ours.rate / theirs.rate for ours, theirs in taken), _medians(taken))


def latency_64(setup: Setup) -> Figure:
    """Measure what share of the ideal rate is reached with 64 in flight: number x latency / 64 over the time taken."""
    number = setup.some(2_000)
    ideal = number * _LATENCY / 64
    taken = pairs(setup, number, 64, _LATENCY)
    return Figure(median(ideal / ours.wall for ours, _ in taken), f"ideal {ideal:.2f} s; {_medians(taken)}")


def latency_256(setup: Setup) -> Figure:
    """Measure the time with 256 in flight, against the floor's."""
    number = setup.some(2_000, 512)
    taken = pairs(setup, number, 256, _LATENCY)
    ideal = number * _LATENCY / 256
    return Figure(
        median(ours.wall / theirs.wall for ours, theirs in taken), f"ideal {ideal:.2f} s; {_medians(taken)}"
    )


def start(setup: Setup) -> Figure:
    """Measure seconds from the start of the program to the arrival of its first request; one run before warms files."""
    with endpoint(OWN_ENDPOINT, record=True) as at, scratch() as folder:
        (folder / "start.yaml").write_text(_START % at.port, encoding="utf-8")
        taken = []
        for turn in range(STARTS + 1):
            at.reset()
            words = ("run", folder / "start.yaml", "--engine", "plain", "--out", folder / str(turn))
            said = folder / f"{turn}.txt"
            began = time.monotonic()
            with (
                said.open("w") as file,
                child("-m", "prose_data", *words, stdout=file, stderr=file) as process,
            ):
                while not (arrivals := at.get("/arrivals")):
                    if process.poll() is not None or time.monotonic() > began + _PATIENCE:
                        raise Unusable(f"the program sent no request: {said.read_text(encoding='utf-8')}")
                    time.sleep(0.05)
            taken.append(arrivals[0][1] - began)
            print(
                f"  first request after {taken[-1]:.3f} s{'' if turn else ' (files not yet warm)'}",
                flush=True,
            )
        warm = taken[1:]
    return Figure(median(warm), f"{min(warm):.2f} to {max(warm):.2f} s in {STARTS} starts")


def replay(setup: Setup) -> Figure:
    """Measure replies/s of a store that has them all, through the whole door; the endpoint must hear of nothing."""
    number = setup.some(20_000)
    with endpoint(setup.endpoint) as at, scratch() as folder:
        store = folder / "store.sqlite"
        answered(ask(at, number, 64, store), number)
        at.reset()
        taken = []
        for _ in range(PAIRS):
            took = ask(at, number, 64, store)
            if took.replies != {"store": number} or at.get("/count")["requests"]:
                raise Unusable(f"not all of {number} replies came from the store: {dict(took.replies)}")
            print(f"  engine {_shown(took)}", flush=True)
            taken.append(took)
    used = median(took.cpu_ms for took in taken)
    walls = median(took.wall for took in taken)
    return Figure(
        median(took.rate for took in taken), f"{number} replies in {walls:.2f} s; CPU {used:.3f} ms each"
    )


def _shown(took: Took) -> str:
    return f"{took.rate:.0f}/s, {took.wall:.2f} s, CPU {took.cpu_ms:.3f} ms a request"


def _medians(taken: list[tuple[Asked, Took]]) -> str:
    """Return the median figures of both sides, engine first."""
    sides = [*zip(*taken, strict=True)]
    rates, walls, used = (
        [f"{median(getattr(took, name) for took in side):.{digits}f}" for side in sides]
        for name, digits in (("rate", 0), ("wall", 2), ("cpu_ms", 2))
    )
    return (
        f"engine {rates[0]} and floor {rates[1]} requests/s, {walls[0]} and {walls[1]} s, "
        f"CPU {used[0]} and {used[1]} ms a request"
    )
