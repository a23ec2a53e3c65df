"""What a judge's answers say about it: agreement with gold, self-consistency, and whether length or place sways it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from prose_data.calibration.agreement import Scale, alpha, coincidences, kappa
from prose_data.calibration.asking import Heard, Pick, Verdict
from prose_data.calibration.gold import Gold, Pair
from prose_data.calibration.resampling import Array, Share, of_totals, share, totals_by
from prose_data.features import features
from prose_data.stats import Estimate

DEGREES = (-2, -1, 0, 1, 2)
_SHIFT = 2  # from a degree to its category number


@dataclass(frozen=True, slots=True)
class Weighed:
    """A gold item, how many pairs of a run it stands for, how many scores are about it, and with what it is resampled."""

    gold: Gold
    weight: float
    rows: int
    cluster: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One verdict on one gold item."""

    item: Weighed
    degree: int

    @property
    def says(self) -> bool:
        """Whether the judge finds that the text shows the component."""
        return self.degree >= 1


def observations(items: Sequence[Weighed], verdicts: Sequence[Verdict]) -> list[Observation]:
    """Return the readable verdicts, each with every gold item of its pair, in order of items and repeats."""
    by_pair: dict[Pair, list[int]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.repeat):
        if verdict.degree is not None:
            by_pair.setdefault(verdict.pair, []).append(verdict.degree)
    return [Observation(item, degree) for item in items for degree in by_pair.get(item.gold.pair, ())]


def agreement(seen: Sequence[Observation]) -> dict[str, Share | Estimate | None]:
    """Return the share of verdicts on the right side, Cohen's kappa of sides and, where gold has degrees, of degrees
    (weighted), sensitivity and specificity; None where one is undefined."""
    same = [one.says == one.item.gold.exhibits for one in seen]
    present = [one for one in seen if one.item.gold.exhibits]
    absent = [one for one in seen if not one.item.gold.exhibits]
    return {
        "agreement": _share(same, seen),
        "kappa": _kappa(seen, [(one.item.gold.exhibits, one.says) for one in seen], 2, "nominal"),
        "kappa_weighted": _weighted_kappa([one for one in seen if one.item.gold.degree is not None]),
        "sensitivity": _share([one.says for one in present], present),
        "specificity": _share([not one.says for one in absent], absent),
    }


def confusion(seen: Sequence[Observation]) -> dict[str, int]:
    """Return how many verdicts there are of each kind: found and missed where gold has the component, false and right
    rejections where not."""
    counts = dict.fromkeys(("found", "missed", "invented", "rejected"), 0)
    for one in seen:
        word = (
            ("found" if one.says else "missed")
            if one.item.gold.exhibits
            else ("invented" if one.says else "rejected")
        )
        counts[word] += 1
    return counts


def degrees(seen: Sequence[Observation]) -> list[list[int]] | None:
    """Return how many verdicts of each degree (columns, -2 to 2) gold's degrees (rows) got; None without degrees."""
    table = [[0] * len(DEGREES) for _ in DEGREES]
    graded = [(one.item.gold.degree, one.degree) for one in seen if one.item.gold.degree is not None]
    for label, degree in graded:
        table[label + _SHIFT][degree + _SHIFT] += 1
    return table if graded else None


def length(seen: Sequence[Observation]) -> Estimate | None:
    """Return how much more often the judge finds a component in a longer text than in a shorter one, all else equal.

    Longer is above the median number of words among the texts of the same component and label; the difference of shares
    is pooled over these strata by Mantel and Haenszel's weights. 0 is a judge that length does not sway.
    """
    words = {one.item.gold.text: len(features(one.item.gold.text).words) for one in seen}
    strata: dict[tuple[str, bool], list[Observation]] = {}
    for one in seen:
        strata.setdefault((one.item.gold.component, one.item.gold.exhibits), []).append(one)
    clusters, cells, weights = [], [], []
    for number, members in enumerate(strata.values()):
        middle = median([words[text] for text in dict.fromkeys(one.item.gold.text for one in members)])
        for one in members:
            longer = words[one.item.gold.text] > middle
            cell = 4 * number + 2 * longer
            for place in (cell, cell + 1) if one.says else (cell,):
                clusters.append(one.item.cluster)
                cells.append(place)
                weights.append(one.item.weight * one.item.rows)

    def difference(totals: Array) -> Array:
        counts = totals.reshape(len(totals), -1, 2, 2)  # stratum, longer, all and those found
        (short, short_found), (long, long_found) = np.moveaxis(counts, (2, 3), (0, 1))
        both = np.where(short * long > 0, short + long, np.inf)
        result: Array = ((long_found * short - short_found * long) / both).sum(axis=1) / (
            short * long / both
        ).sum(axis=1)
        return result

    return of_totals(totals_by(clusters, cells, 4 * len(strata), weights), difference, len(seen))


def consistency(
    verdicts: Sequence[Verdict], clusters: Mapping[Pair, str]
) -> dict[str, Share | Estimate | None]:
    """Return the shares of pairs of repeats with the same verdict and on the same side, and alpha among repeats."""
    by_pair: dict[Pair, list[int]] = {}
    for verdict in verdicts:
        if verdict.degree is not None:
            by_pair.setdefault(verdict.pair, []).append(verdict.degree)
    same, side, owners = [], [], []
    for pair, found in sorted(by_pair.items()):
        for place, degree in enumerate(found):
            for other in found[place + 1 :]:
                same.append(degree == other)
                side.append((degree >= 1) == (other >= 1))
                owners.append(clusters[pair])
    return {
        "same": share(same, owners),
        "same_side": share(side, owners),
        "alpha": krippendorff(by_pair, clusters, "ordinal"),
    }


def krippendorff(
    ratings: Mapping[Pair, Sequence[int]], clusters: Mapping[Pair, str], scale: Scale
) -> Estimate | None:
    """Return alpha of degrees (or, nominal, of the five words) among those who rated the same pairs."""
    pairs = [pair for pair in sorted(ratings) if len(ratings[pair]) > 1]
    size = len(DEGREES)
    found = coincidences([[degree + _SHIFT for degree in ratings[pair]] for pair in pairs], size).reshape(
        -1, size * size
    )
    cells = np.tile(np.arange(size * size), len(pairs))
    owners = np.repeat([clusters[pair] for pair in pairs], size * size)
    totals = totals_by(owners, cells, size * size, found.ravel())

    def of(sums: Array) -> Array:
        return alpha(sums.reshape(-1, size, size), scale)

    return of_totals(totals, of, len(pairs))


def position(picks: Sequence[Pick]) -> dict[str, Any] | None:
    """Return for clear and torn probes how often the one in first place is picked (half of the time by a judge without
    bias), how often both orders give the same one, and for clear ones how often the right one; None without picks."""
    if not picks:
        return None
    result: dict[str, Any] = {}
    for kind, torn in (("clear", False), ("torn", True)):
        asked = [pick for pick in picks if pick.probe.torn is torn]
        heard = [pick for pick in asked if pick.picked is not None]
        owners = [str(pick.probe.number) for pick in heard]
        orders: dict[int, list[int | None]] = {}
        for pick in heard:
            orders.setdefault(pick.probe.number, []).append(pick.picked)
        both = {str(number): found for number, found in orders.items() if len(found) > 1}
        result[kind] = {
            "asked": len(asked),
            "first": share([(pick.picked == 1) == pick.swapped for pick in heard], owners),
            "steady": share([len(set(found)) == 1 for found in both.values()], list(both)),
        }
        if not torn:
            result[kind]["right"] = share([pick.picked == 0 for pick in heard], owners)
    return result


def _owners(seen: Sequence[Observation]) -> tuple[list[str], list[float]]:
    """Return the cluster and the weight of each observation."""
    return [one.item.cluster for one in seen], [one.item.weight * one.item.rows for one in seen]


def _share(hits: Sequence[bool], seen: Sequence[Observation]) -> Share | None:
    return share(hits, *_owners(seen))


def _kappa(
    seen: Sequence[Observation], sides: Sequence[tuple[int, int]], size: int, scale: Scale
) -> Estimate | None:
    cells = [size * first + second for first, second in sides]
    clusters, weights = _owners(seen)
    totals = totals_by(clusters, cells, size * size, weights)

    def of(sums: Array) -> Array:
        return kappa(sums.reshape(-1, size, size), scale)

    return of_totals(totals, of, len(seen))


def _weighted_kappa(graded: Sequence[Observation]) -> Estimate | None:
    sides = [((one.item.gold.degree or 0) + _SHIFT, one.degree + _SHIFT) for one in graded]
    return _kappa(graded, sides, len(DEGREES), "ordinal")


def answered(heard: Heard) -> tuple[int, int, int]:
    """Return how many verdicts were asked for, how many could not be read, and how many requests failed."""
    lost = [verdict.reason for verdict in heard.verdicts if verdict.verdict is None]
    unreadable = sum(reason.startswith("unreadable") for reason in lost)
    return len(heard.verdicts), unreadable, len(lost) - unreadable
