"""The habits of one writer or of many, and how strongly one text shows one habit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prose_data.stylometry.decision import RATE, Found, decide, rates, strengths
from prose_data.stylometry.ordinary import Floats, Ordinary, ordinary, with_references
from prose_data.stylometry.reading import read
from prose_data.stylometry.table import TABLE, Row
from prose_data.values import Task

_ROWS = tuple(TABLE.values())
_NUMBERS = {name: number for number, name in enumerate(TABLE)}
_BATCH = 2_000  # users whose counts are held at once
_FEW = 64  # texts
_MOST_KEPT = 2_000  # texts of those that came in few
_WHOLE = 0.5  # words / 100 from which a reference counts as a whole text


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit that stands out.

    component:   the habit as an imperative phrase
    name:        its name in the table
    confidence:  (support + 1) / (of + 2), the share of texts to expect with it (Laplace), times 1 - the adjusted p value
    support:     texts that show it
    of:          texts in which it could be seen
    evidence:    figures in words; never words of the texts
    """

    component: str
    name: str
    confidence: float
    support: int
    of: int
    evidence: str


def habits(
    texts: Sequence[str], references: Sequence[str] = (), kind: Task | None = None
) -> tuple[Habit, ...]:
    """Return what stands out in one user's texts, strongest first; () where nothing does or no text holds a word.

    A text that is there twice counts once, as it says nothing more about its writer.
    `references` are texts of the same kind by others, such as drafts written without any preference; they are
    counted in with the bundled figures for ordinary writing of `kind`.
    """
    return habits_of_many([texts], references, kind)[0]


def habits_of_many(
    users: Sequence[Sequence[str]], references: Sequence[str] = (), kind: Task | None = None
) -> list[tuple[Habit, ...]]:
    """Return the habits of each user, as `habits` would."""
    base = ordinary(kind)
    if references:
        hits, chances = _counted(references)
        weights = np.where(RATE, np.minimum(1.0, chances / _WHOLE), chances > 0)
        base = with_references(base, rates(hits, chances), weights)
    found: list[tuple[Habit, ...]] = []
    for start in range(0, len(users), _BATCH):
        found += _of_batch(users[start : start + _BATCH], base)
    return found


def shows(text: str, name: str) -> float | None:
    """Return how strongly `text` shows the habit `name`, 0 to 1; None where it could not be seen in it.

    Raises KeyError for a name that is not in the table.
    """
    row = _NUMBERS[name]
    hits, chances = _counted([text])
    return float(strengths(hits, chances)[0, row]) if chances[0, row] > 0 else None


def _of_batch(users: Sequence[Sequence[str]], base: Ordinary) -> list[tuple[Habit, ...]]:
    different = [tuple(dict.fromkeys(texts)) for texts in users]
    hits, chances = _counted([text for texts in different for text in texts])
    out, first = [], 0
    for texts, found in zip(different, decide(hits, chances, [*map(len, different)], base), strict=True):
        mine = slice(first, first + len(texts))
        first += len(texts)
        names = {_ROWS[one.row].name for one in found}
        kept = [
            _habit(one, hits[mine, one.row], chances[mine, one.row], base)
            for one in found
            if names.isdisjoint(_ROWS[one.row].yields_to)
        ]
        out.append(tuple(sorted(kept, key=lambda habit: -habit.confidence)))
    return out


def _counted(texts: Sequence[str]) -> tuple[Floats, Floats]:
    """Return hits and chances, (texts, rows) each; few texts are kept, as methods come back to them."""
    both = read(texts) if len(texts) > _FEW else _read_few(texts)
    return both[:, 0], both[:, 1]


_kept: dict[str, Floats] = {}


def _read_few(texts: Sequence[str]) -> Floats:
    """Return what `read` does, and read those together that are not kept."""
    known = {text: _kept[text] for text in texts if text in _kept}
    new = [text for text in dict.fromkeys(texts) if text not in known]
    known.update(zip(new, read(new), strict=True))
    if len(_kept) + len(new) > _MOST_KEPT:
        _kept.clear()
    _kept.update(known)
    return np.array([known[text] for text in texts]).reshape(-1, 2, len(TABLE))


def _habit(found: Found, hits: Floats, chances: Floats, base: Ordinary) -> Habit:
    row = _ROWS[found.row]
    confidence = (found.support + 1) / (found.of + 2) * (1 - found.p)
    evidence = _evidence(row, found, hits, chances, float(base.mean[found.row]))
    return Habit(row.component, row.name, confidence, found.support, found.of, evidence)


def _evidence(row: Row, found: Found, hits: Floats, chances: Floats, usual: float) -> str:
    """Return the figures in words: '"&" in place of "and" 14 of 20 times in 4 of 4 texts, ordinarily about never'."""
    times, shown = int(hits.sum()), f"{found.support} of {found.of} texts"
    if row.family == "flag":
        often = f"in {usual:.0%} of texts" if usual >= 0.005 else "about never"
        return f"{row.counted}: {found.support} of {found.of}, ordinarily {often}"
    if row.family == "share":
        often = f"{usual:.0%}" if usual >= 0.005 else "about never"
        return f"{row.counted}: {times} of {int(chances.sum())} in {shown}, ordinarily {often}"
    often = f"{usual:.1f}" if usual >= 0.05 else "about none"
    return (
        f"{row.counted}: {times / max(chances.sum(), 1e-9):.1f} per 100 words in {shown}, ordinarily {often}"
    )
