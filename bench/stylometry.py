"""How many users a second stylometry takes: five samples of 300 words each, in one process and in two at once.

python -m bench.stylometry --users 1000 --first 0

is one of the processes. It makes its texts, says that it is ready, waits for a line, works, and prints one JSON object.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

from bench.children import child
from bench.engine import peak_mb
from bench.values import Figure, Setup, Unusable
from prose_data.config import Config
from prose_data.documents import load_documents
from prose_data.features import split_sentences
from prose_data.spaces import load_space
from prose_data.streams import stream
from prose_data.stylometry import habits_of_many

SAMPLES, WORDS = 5, 300
ROUNDS = 3
_BATCH = 500  # users asked about in one call
_MARKED = ("{} 😊", "{} (or so it seems)", "{}!", "Who knew? {}", "{} — no less")


def users_a_second(setup: Setup) -> Figure:
    """Measure users/s of two processes at once, five samples of 300 words each, no text seen before."""
    number = setup.some(2_000, 200)
    one, cpu, memory = sorted(_measured(1, number) for _ in range(ROUNDS))[ROUNDS // 2]
    two, cpu_of_two, _ = sorted(_measured(2, number) for _ in range(ROUNDS))[ROUNDS // 2]
    return Figure(
        two,
        f"one process {one:,.0f} users/s, two {two:,.0f}, CPU {cpu:.2f} and {cpu_of_two:.2f} ms a user; {memory:.0f} MB at "
        f"most with {number:,} users in memory",
    )


def _measured(processes: int, users: int) -> tuple[float, float, float]:
    """Return users/s of this many processes together, CPU ms a user, and the most memory of one of them in MB."""
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                child(
                    "-m", "bench.stylometry", "--users", str(users), "--first", str(number * users),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )
            )
            for number in range(processes)
        ]  # fmt: skip
        for worker in workers:
            if worker.stdout is None or worker.stdout.readline() != "ready\n":
                raise Unusable("stylometry: a process did not get ready")
        began = time.perf_counter()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        printed = [worker.communicate()[0] for worker in workers]
        if any(worker.returncode for worker in workers):
            raise Unusable("stylometry: a process failed")
    found = [json.loads(text) for text in printed]
    wall = max(one["ended"] for one in found) - began
    rate = processes * users / wall
    cpu = sum(one["cpu"] for one in found) / (processes * users) * 1000
    stated = found[0]["stated"] / users
    print(
        f"  {processes} at once: {rate:,.0f} users/s, CPU {cpu:.2f} ms, {stated:.1f} habits a user",
        flush=True,
    )
    return rate, cpu, max(one["peak_mb"] for one in found)


def texts(first: int, users: int) -> Iterator[list[str]]:
    """Yield the samples of each user: sentences of the bundled documents, of every other user with two marks in some."""
    rows = load_documents(Config(), load_space("style")).rows
    sentences = [s for row in rows for line in row.text.splitlines() for s in split_sentences(line)]
    for user in range(first, first + users):
        rng = stream(0, "bench", "stylometry", user)
        marks = rng.sample(_MARKED, 2) if user % 2 else []
        yield [_sample(sentences, marks, rng) for _ in range(SAMPLES)]


def _sample(sentences: list[str], marks: list[str], rng: Random) -> str:
    chosen: list[str] = []
    words = 0
    while words < WORDS:
        sentence = rng.choice(sentences)
        words += len(sentence.split())
        chosen.append(
            rng.choice(marks).format(sentence.rstrip(".")) if marks and rng.random() < 0.4 else sentence
        )
    third = max(1, len(chosen) // 3)
    return "\n\n".join(" ".join(chosen[i : i + third]) for i in range(0, len(chosen), third))


def main() -> None:
    """Be one process of the measurement."""
    parser = argparse.ArgumentParser(prog="python -m bench.stylometry")
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--first", type=int, required=True)
    options = parser.parse_args()
    users = [*texts(options.first, options.users)]
    habits_of_many([["warm"]], kind="email")
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    stated = 0
    for start in range(0, len(users), _BATCH):
        stated += sum(map(len, habits_of_many(users[start : start + _BATCH], kind="summarization")))
    print(
        json.dumps(
            {
                "ended": time.perf_counter(),
                "cpu": time.process_time() - began,
                "stated": stated,
                "peak_mb": peak_mb(),
            }
        )
    )


if __name__ == "__main__":
    main()
