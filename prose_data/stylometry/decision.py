"""Which habits stand out: statistics over texts, for all users at once.

Each text gives a p value of its count in ordinary writing: negative binomial for rates, beta-binomial for shares, so
that texts may differ among themselves (overdispersion: Mosteller & Wallace 1964, chapter 4). The values of a user's
texts, mid-p values where there are several, are added as normal scores (Stouffer), each capped, so that one text's
burst carries nothing. False discoveries over all habits are held at `FALSE` (Benjamini & Hochberg 1995). A habit must
also recur, and be plain beside ordinary writing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from prose_data.stylometry.ordinary import Floats, Ints, Ordinary
from prose_data.stylometry.table import TABLE

FALSE = 0.05  # share of stated habits that may be false
CAP = (
    3.3  # most that one text can say, in standard deviations: enough alone, too little for a burst among four
)
FLOOR = -2.0
SHOWN = 0.5  # share of the clear strength from which a text shows a habit
LIFT = 2.0  # a habit is at least so many times as strong as in ordinary writing
_MOST = 40  # hits and chances of a share are scaled down to this; more say no more, as texts differ
_PSEUDO = 0.5  # words / 100 added to a text's length, so that one hit in a short text is no rate

CLEAR = np.array([row.clear for row in TABLE.values()])
RATE = np.array([row.family == "rate" for row in TABLE.values()])


@dataclass(frozen=True, slots=True)
class Found:
    """One habit of one user: row of the table, adjusted p value, texts that show it, texts that could."""

    row: int
    p: float
    support: int
    of: int


def strengths(hits: Floats, chances: Floats) -> Floats:
    """Return how strongly each text shows each habit, 0 to 1; both arrays are (texts, rows)."""
    padded = chances + np.where(RATE, _PSEUDO, 0.0)
    found: Floats = np.minimum(1.0, hits / np.maximum(padded, 1e-9) / CLEAR)
    return found


def rates(hits: Floats, chances: Floats) -> Floats:
    """Return hits per chance; 0 where there is no chance."""
    found: Floats = np.divide(hits, chances, out=np.zeros(hits.shape), where=chances > 0)
    return found


def decide(hits: Floats, chances: Floats, sizes: Sequence[int], base: Ordinary) -> list[list[Found]]:
    """Return the habits of each user, strongest evidence first.

    `hits` and `chances` are (texts, rows), the texts of one user after those of another; `sizes` are their numbers.
    Values are computed only for habits that recur and are plain, as no other can be stated.
    """
    shown = strengths(hits, chances)
    seen = (chances > 0).astype(np.float64)
    ends = np.cumsum(np.asarray(sizes, dtype=np.int64))
    starts = ends - sizes
    of, support, mean = (
        _by_user(part, starts, ends) for part in (seen, (shown >= SHOWN) * seen, shown * seen)
    )
    mean /= np.maximum(of, 1)
    plain = np.maximum(SHOWN, LIFT * np.minimum(1.0, base.mean / CLEAR))
    users, rows = np.nonzero((support * 2 > of) & (mean >= plain))
    z = _combined(hits, chances, starts[users], ends[users], rows, base)
    tests: list[list[tuple[float, int]]] = [[] for _ in sizes]
    for user, row, score in zip(users.tolist(), rows.tolist(), z.tolist(), strict=True):
        tests[user].append((erfc(score / sqrt(2)) / 2, row))
    return [
        [Found(row, p, int(support[user, row]), int(of[user, row])) for p, row in _discoveries(own)]
        for user, own in enumerate(tests)
    ]


def _by_user(values: Floats, starts: Ints, ends: Ints) -> Floats:
    """Return the sums over the texts of each user, (users, rows)."""
    running = np.vstack((np.zeros(values.shape[1]), np.cumsum(values, axis=0)))
    return running[ends] - running[starts]


def _combined(hits: Floats, chances: Floats, starts: Ints, ends: Ints, rows: Ints, base: Ordinary) -> Floats:
    """Return for each test, the texts from `starts` to `ends` in a row of the table, the combined normal score."""
    sizes = ends - starts
    test = np.repeat(np.arange(len(rows)), sizes)
    text = np.arange(len(test)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(starts, sizes)
    row = rows[test]
    possible = chances[text, row] > 0
    test, text, row = test[possible], text[possible], row[possible]
    texts = np.maximum(1, np.bincount(test, minlength=len(rows)))
    p = np.empty(len(test))
    for mine, tail in ((RATE[row], _rate_tail), (~RATE[row], _share_tail)):
        at = text[mine], row[mine]
        more, here = tail(hits[at], chances[at], base.mean[at[1]], base.spread[at[1]])
        p[mine] = more + here * np.where(texts[test[mine]] > 1, 0.5, 1.0)
    total = np.bincount(test, np.clip(_normal_score(np.clip(p, 1e-9, 1.0)), FLOOR, CAP), len(rows))
    return total / np.sqrt(texts)


def _discoveries(tests: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return the tests that stand at the false discovery rate, with adjusted p; those left out count as p = 1."""
    ranked = sorted(tests)
    least, kept = 1.0, []
    for rank in range(len(ranked), 0, -1):
        p, row = ranked[rank - 1]
        least = min(least, p * len(TABLE) / rank)
        if least <= FALSE:
            kept.append((least, row))
    return sorted(kept)


def _rate_tail(hits: Floats, length: Floats, mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return P(more) and P(as many) of a negative binomial with this mean per length."""
    scale = np.minimum(1.0, _MOST / np.maximum(hits, 1.0))
    hits = np.rint(hits * scale)
    expected = mean * length * scale
    odds = expected / (spread + expected)
    here = (spread / (spread + expected)) ** spread
    below = np.zeros(hits.shape)
    for j in range(int(hits.max(initial=0))):
        more = hits > j
        below = np.where(more, below + here, below)
        here = np.where(more, here * odds * (spread + j) / (j + 1), here)
    return 1.0 - below - here, here


def _share_tail(hits: Floats, chances: Floats, mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return P(more) and P(as many) of a beta-binomial with this mean share."""
    scale = np.minimum(1.0, _MOST / chances)
    n = np.maximum(1.0, np.rint(chances * scale))
    hits = np.minimum(n, np.rint(hits * scale))
    a, b = mean * spread, (1 - mean) * spread
    here = np.ones(hits.shape)
    for i in range(int(n.max(initial=0))):
        here = np.where(n > i, here * (b + i) / (spread + i), here)
    below = np.zeros(hits.shape)
    for j in range(int(hits.max(initial=0))):
        more = hits > j
        below = np.where(more, below + here, below)
        here = np.where(more, here * (n - j) / (j + 1) * (a + j) / np.maximum(b + n - j - 1, 1e-9), here)
    return 1.0 - below - here, here


def _normal_score(p: Floats) -> Floats:
    """Return z with P(Z > z) = p, to within 0.0005 (Abramowitz & Stegun 1964, 26.2.23)."""
    small = np.minimum(p, 1.0 - p)
    t = np.sqrt(-2.0 * np.log(np.maximum(small, 1e-300)))
    top = 2.515517 + t * (0.802853 + t * 0.010328)
    z = t - top / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    return np.where(p < 0.5, z, -z)
