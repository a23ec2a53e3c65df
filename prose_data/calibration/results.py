"""`judge.json`: everything that a calibration found, for machines, the report and `judge.md`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from prose_data import __version__
from prose_data.calibration.asking import Heard, as_judge
from prose_data.calibration.corrected import Rows, prediction_powered, rogan_gladen, slope
from prose_data.calibration.drawing import draw
from prose_data.calibration.flags import flag_sentence, flags
from prose_data.calibration.gold import Gold, Pair
from prose_data.calibration.measuring import (
    Observation,
    Weighed,
    agreement,
    answered,
    confusion,
    consistency,
    degrees,
    krippendorff,
    length,
    observations,
    position,
)
from prose_data.calibration.resampling import Share, share
from prose_data.config import Config
from prose_data.errors import InputError
from prose_data.prompts import prompt_hashes
from prose_data.report.basis import optional
from prose_data.report.summary import simulated_notice
from prose_data.runs import read_json
from prose_data.stats import Estimate, mean_interval

JUDGE, VERSION = "judge.json", 1
_PROMPTS = ("judge_component", "judge_identify")

Result = dict[str, Any]


def read_judge(folder: Path) -> Result | None:
    """Return the content of the `judge.json` in `folder`, None where there is none.

    Raises InputError for a damaged file, or one of another version.
    """
    if not (folder / JUDGE).exists():
        return None
    result = read_json(folder / JUDGE)
    if result.get("version") != VERSION:
        raise InputError(
            f"{folder / JUDGE}: is of version {result.get('version')!r} and this program reads {VERSION}; "
            "run prose-data judge calibrate again"
        )
    return result


def weighed(gold: Sequence[Gold], rows: pl.DataFrame | None, seed: int) -> list[Weighed]:
    """Return gold items with what they stand for: texts drawn from a run for others like them, and they are resampled by
    user; others for themselves, resampled by document (by text, where none is named).

    `rows` are those of the run (`drawing.rated`). Raises InputError where drawn texts are not of that run.
    """
    drawn = {item.drawn for item in gold}
    if drawn <= {None}:
        return [Weighed(item, 1.0, 1, item.document or item.text) for item in gold]
    (count, *others) = drawn
    if rows is None:
        raise InputError(
            "--gold: its texts were drawn from a run; give that run's folder in place of a configuration"
        )
    if others or count is None:
        raise InputError(
            f"--gold: its texts are of several draws, of {', '.join(map(str, sorted(map(str, drawn))))}"
        )
    known = {item.pair: item for item in draw(rows, count, seed)}
    if strange := [item for item in gold if item.pair not in known]:
        raise InputError(
            f"--gold: holds {strange[0].text[:40]!r}, which was not among the {count} texts drawn from this run"
        )
    found = [(item, known[item.pair]) for item in gold]
    return [Weighed(item, of.weight, of.rows, of.user_id) for item, of in found]


def results(
    config: Config,
    items: Sequence[Weighed],
    all_heard: Sequence[Heard],
    repeats: int,
    rows: pl.DataFrame | None,
) -> Result:
    """Return the content of `judge.json`; an estimate is {"mean", "low", "high", "n"}, null where it is undefined."""
    clusters = {item.gold.pair: item.cluster for item in items}
    seen = {heard.judge: observations(items, heard.verdicts) for heard in all_heard}
    simulated = [
        name
        for name in (heard.judge for heard in all_heard)
        if simulated_notice(as_judge(config, name)) is not None
    ]
    return {
        "version": VERSION,
        "name": config.name,
        "prose_data": __version__,
        "prompts": {name: prompt_hashes()[name] for name in _PROMPTS},
        "simulated": simulated,
        "gold": _gold(items),
        "repeats": repeats,
        "judges": {heard.judge: _judge(config, heard, seen[heard.judge], clusters) for heard in all_heard},
        "alpha": _between(all_heard, clusters),
        "people": _people(items, clusters),
        "corrected": None if rows is None else _corrected(config, seen, items, rows),
    }


def _gold(items: Sequence[Weighed]) -> Result:
    gold = [item.gold for item in items]
    return {
        "items": len(gold),
        "texts": len({item.text for item in gold}),
        "present": sum(item.exhibits for item in gold),
        "components": sorted({item.component for item in gold}),
        "who": sorted({item.who for item in gold if item.who}),
        "measured": sum(not item.who for item in gold),
        "drawn": next(iter({item.drawn for item in gold})),
    }


def _judge(config: Config, heard: Heard, seen: Sequence[Observation], clusters: Mapping[Pair, str]) -> Result:
    asked, unreadable, failed = answered(heard)
    by_component: dict[str, list[Observation]] = {}
    for one in seen:
        by_component.setdefault(one.item.gold.component, []).append(one)
    roles = flags(config, heard.judge)
    return {
        "model": config.models[heard.judge].model,
        "same_as": list(roles),
        "flag": flag_sentence(roles),
        "asked": asked,
        "unreadable": unreadable,
        "failed": failed,
        **{name: optional(found) for name, found in agreement(seen).items()},
        "confusion": confusion(seen),
        "degrees": degrees(seen),
        "components": [_component(name, by_component[name]) for name in sorted(by_component)],
        "length": optional(length(seen)),
        "position": _position(heard),
        "consistency": {
            name: optional(found) for name, found in consistency(heard.verdicts, clusters).items()
        },
    }


def _component(name: str, seen: Sequence[Observation]) -> Result:
    found = agreement(seen)
    kept = ("agreement", "sensitivity", "specificity")
    return {"component": name, **confusion(seen), **{key: optional(found[key]) for key in kept}}


def _position(heard: Heard) -> Result | None:
    found = position(heard.picks)
    if found is None:
        return None
    return {
        kind: {key: value if isinstance(value, int) else optional(value) for key, value in part.items()}
        for kind, part in found.items()
    }


def _between(all_heard: Sequence[Heard], clusters: Mapping[Pair, str]) -> Result | None:
    """Return Krippendorff's alpha between several judges, by the first verdict of each; None with one judge."""
    if len(all_heard) < 2:
        return None
    ratings: dict[Pair, list[int]] = {}
    for heard in all_heard:
        for verdict in heard.verdicts:
            if verdict.repeat == 0 and verdict.degree is not None:
                ratings.setdefault(verdict.pair, []).append(verdict.degree)
    return _alphas(ratings, clusters)


def _people(items: Sequence[Weighed], clusters: Mapping[Pair, str]) -> Result | None:
    """Return the same between the people who labelled in degrees; None with fewer than two."""
    ratings: dict[Pair, list[int]] = {}
    for item in items:
        if item.gold.who and item.gold.degree is not None:
            ratings.setdefault(item.gold.pair, []).append(item.gold.degree)
    return _alphas(ratings, clusters) if any(len(found) > 1 for found in ratings.values()) else None


def _alphas(ratings: Mapping[Pair, Sequence[int]], clusters: Mapping[Pair, str]) -> Result:
    return {
        "nominal": optional(krippendorff(ratings, clusters, "nominal")),
        "ordinal": optional(krippendorff(ratings, clusters, "ordinal")),
    }


def _corrected(
    config: Config, seen: Mapping[str, Sequence[Observation]], items: Sequence[Weighed], rows: pl.DataFrame
) -> Result | None:
    """Return the run's means raw and corrected, by method; None where none of the judges made the run's verdicts."""
    made_by = set(rows["judge"].unique().to_list())
    judge = next((name for name in seen if {config.models[name].model} == made_by), None)
    if judge is None:
        return None
    rates = agreement(seen[judge])
    labelled = rows.join(_labels(items), on=["text", "component"], how="left").with_columns(
        pl.col("weight").fill_null(0.0)
    )
    used = {value: slope(_rows(labelled, value)) for value in ("value", "exhibits")}
    methods: dict[str, Result] = {}
    for method in dict.fromkeys([*config.methods, *sorted(rows["method"].unique())]):
        frame = labelled.filter(method=method)
        if frame.is_empty():
            continue
        exhibits = share((frame["value"] >= 1).to_list(), frame["user_id"].to_list())
        methods[method] = {
            "ppcm": optional(mean_interval(frame.select("user_id", "value"))),
            "ppcm_labelled": optional(prediction_powered(_rows(frame, "value"), used["value"])),
            "exhibits": optional(exhibits),
            "exhibits_corrected": optional(_rogan_gladen(exhibits, rates)),
            "exhibits_labelled": optional(prediction_powered(_rows(frame, "exhibits"), used["exhibits"])),
        }
    return {"judge": judge, "methods": methods}


def _rogan_gladen(exhibits: Share | None, rates: Mapping[str, Share | Estimate | None]) -> Estimate | None:
    sensitivity, specificity = rates["sensitivity"], rates["specificity"]
    if exhibits is None or not isinstance(sensitivity, Share) or not isinstance(specificity, Share):
        return None
    return rogan_gladen(exhibits, sensitivity, specificity)


def _labels(items: Sequence[Weighed]) -> pl.DataFrame:
    """Return the labels of texts drawn from a run: the mean over labellers as a degree (null without degrees) and as yes
    or no, and how many pairs each stands for."""
    drawn = [item for item in items if item.gold.drawn is not None]
    schema = {
        "text": pl.String,
        "component": pl.String,
        "degree": pl.Float64,
        "shown": pl.Float64,
        "weight": pl.Float64,
    }
    rows = [(*item.gold.pair, item.gold.degree, float(item.gold.exhibits), item.weight) for item in drawn]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.group_by("text", "component").agg(pl.col("degree", "shown").mean(), pl.col("weight").first())


def _rows(labelled: pl.DataFrame, value: str) -> Rows:
    """Return the rows whose mean is wanted: of verdicts from -2 to 2 (`value`), or of those that find the component."""
    judged = labelled["value"].to_numpy().astype(np.float64)
    label = "degree" if value == "value" else "shown"
    labels = labelled[label].to_numpy().astype(np.float64)
    weights = np.where(np.isnan(labels), 0.0, labelled["weight"].to_numpy())
    return Rows(
        labelled["user_id"].to_list(), judged if value == "value" else (judged >= 1) * 1.0, labels, weights
    )
