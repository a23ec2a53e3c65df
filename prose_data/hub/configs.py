"""Which configs a run makes, the truth kept apart from everything else.

What users really hold is in the configs `LABELS` alone: elsewhere a component is its id, the oracle's inferences are left
out, and a verdict that names a component is null.
"""

from collections.abc import Mapping

import dataframely as dy
import polars as pl

from prose_data.alignx.parts import USERS
from prose_data.hub.tables import Table
from prose_data.methods import ORACLE
from prose_data.runs import Run
from prose_data.streams import digest
from schemas import SCHEMAS
from schemas.alignx import AlignxUsers

LABELS = ("labels", "truths", "components", "oracle")
TRAIN, TEST = "train", "test"
_TABLES = ("users", "documents", "samples", "inferences", "edits", "scores", "truths")
_ABOUT = {
    "users": "One row per user, without what they hold, which is in labels.",
    "documents": "One row per source text that the run could draw from.",
    "samples": "One row per text that a user wrote: train is what methods learn from, test what they only draft for.",
    "inferences": "One row per user, method, seed and step: what was inferred so far and the draft written with it; "
    "the oracle's rows are in oracle.",
    "edits": "One row per draft that a user accepted or edited.",
    "scores": "One row per measured value.",
    "truths": "Labels: what each user holds at each of their documents.",
    "labels": "Labels: the true components of each user.",
    "components": "Labels: the text behind each component_id of scores.",
    "oracle": "Labels: the inferences of the oracle, which is told what users hold.",
}
_COLUMNS = {
    "component_id": "Id of a true component, whose text is in components; empty where the metric has none.",
    "component": "The component in words.",
    "verdict": "The judge's words behind the value, or the encoder that decided; empty where it is computed, null where "
    "it names a component.",
}


def tables_of(run: Run) -> list[Table]:
    """Return the configs of a run's tables, those without a row left out; the records of space alignx are no table."""
    tables = _alignx(run) if run.config.space == "alignx" else _prose(run)
    return [table for table in tables if table.frames]


def _alignx(run: Run) -> list[Table]:
    users = pl.scan_parquet(run.parts(USERS))
    splits = {split: users.filter(pl.col("split") == split) for split in (TRAIN, TEST)}
    public = {split: frame.drop("vector", "components") for split, frame in splits.items()}
    about = "One row per user, without what they hold; row n of a split is of row n of that split of alignx."
    told = "Labels: what each user holds, as a vector and in words."
    return [_table("users", about, AlignxUsers, public), _table("labels", told, AlignxUsers, splits)]


def _prose(run: Run) -> list[Table]:
    there = {name: run.scan(name) for name in _TABLES if run.count(name)}
    ids = {text: digest("component", text) for text in _components(there)}
    made = [_table(name, _ABOUT[name], SCHEMAS[name], _public(name, there[name], ids)) for name in there]
    hidden = {"labels": ("users", there["users"].select("user_id", "components"))}
    listed = pl.LazyFrame({"component_id": list(ids.values()), "component": list(ids)})
    hidden["components"] = "scores", listed
    if "inferences" in there:
        hidden["oracle"] = "inferences", there["inferences"].filter(pl.col("method") == ORACLE)
    made += [
        _table(name, _ABOUT[name], SCHEMAS[like], {TRAIN: frame}) for name, (like, frame) in hidden.items()
    ]
    return made


def _public(name: str, frame: pl.LazyFrame, ids: Mapping[str, str]) -> dict[str, pl.LazyFrame]:
    """Return the splits of the table `name`, without what tells of a user's components; `truths` does nothing else."""
    match name:
        case "users":
            return {TRAIN: frame.drop("components")}
        case "samples":
            learn = pl.col("split") == "learn"
            return {TRAIN: frame.filter(learn), TEST: frame.filter(~learn)}
        case "inferences":
            return {TRAIN: frame.filter(pl.col("method") != ORACLE)}
        case "scores":
            return {TRAIN: _with_ids(frame, ids)}
    return {TRAIN: frame}


def _with_ids(scores: pl.LazyFrame, ids: Mapping[str, str]) -> pl.LazyFrame:
    """Return scores with an id for each component, and without the verdicts that name one."""
    known = pl.col("component").replace_strict({**ids, "": ""}, return_dtype=pl.String)
    names = pl.col("verdict").str.contains_any(list(ids))
    hidden = scores.with_columns(component=known, verdict=pl.when(~names).then("verdict"))
    return hidden.rename({"component": "component_id"})


def _table(name: str, about: str, schema: type[dy.Schema], splits: Mapping[str, pl.LazyFrame]) -> Table:
    """Return a config with the splits that have rows; `schema` says what its columns are and which are its key."""
    there = next(iter(splits.values())).collect_schema().names()
    sentences = {key: column.description or "" for key, column in schema.columns().items()} | _COLUMNS
    key = tuple(column for column in there if column in (*schema.primary_key(), "component_id"))
    full = {split: frame for split, frame in splits.items() if frame.select(pl.len()).collect().item()}
    return Table(name, about, key, {column: sentences[column] for column in there}, full)


def _components(there: Mapping[str, pl.LazyFrame]) -> list[str]:
    """Return every component that some user holds or is measured by, sorted."""
    lists = [("users", "components"), ("truths", "components"), ("truths", "told"), ("truths", "former")]
    columns = [there[table].select(pl.col(column).explode()) for table, column in lists if table in there]
    if "scores" in there:
        columns.append(there["scores"].select("component"))
    found = pl.concat(
        [column.select(pl.all().name.map(lambda _: "text")).unique() for column in columns]
    ).collect()
    return sorted(set(found["text"].drop_nulls()) - {""})
