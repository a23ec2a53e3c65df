"""What the explorer shows: some users of a run with their samples, inferences and scores, in compressed chunks.

A chunk holds one user and seed and is unpacked when it is looked at. Users are drawn by a named stream, as many as fit.
"""

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl

from prose_data.report.ablation import FULL
from prose_data.report.basis import CEILING
from prose_data.report.page.evidence import Span, markable, marker
from prose_data.runs import Run
from prose_data.spaces import load_space
from prose_data.streams import stream
from schemas import SCHEMAS

MOST_USERS, MOST_STEPS, MOST_LETTERS = 120, 20, 6_000
_PER_COMPONENT = ("recovered", "ppcm")
_CELL = ["user_id", "seed"]

Frames = Mapping[str, Mapping[tuple[Any, ...], pl.DataFrame]]


def explored(run: Run, room: int) -> tuple[dict[str, Any], list[str]]:
    """Return the explorer's index and its chunks, which together are at most about `room` characters.

    The index says how many `of` the run's users are there. Of each user the first `MOST_STEPS` steps are shown.
    """
    ids = run.scan("users").select("user_id").collect()["user_id"].sort().to_list()
    drawn = stream(0, "explorer").sample(ids, min(len(ids), MOST_USERS))
    frames, checks = _frames(run, drawn), load_space(run.config.space).checks
    people = {row["user_id"]: row for row in frames["users"][()].iter_rows(named=True)}
    shown: dict[str, dict[str, Any]] = {}
    chunks: list[str] = []
    for user in drawn:
        packed = {str(seed): _packed(chunk) for seed, chunk in _of_user(run, people[user], frames, checks)}
        size = sum(map(len, packed.values())) + 400
        if size > room or not packed:
            continue
        room -= size
        shown[user] = {
            "id": user,
            "task": people[user]["task"],
            "source": people[user]["source"],
            "seeds": {seed: len(chunks) + number for number, seed in enumerate(packed)},
        }
        chunks += packed.values()
    methods = list(run.config.methods)
    first = next(
        (name for name in (FULL, *reversed(methods)) if name in methods and name != CEILING), CEILING
    )
    index = {
        "users": [shown[user] for user in sorted(shown)],
        "of": len(ids),
        "methods": methods,
        "first": first,
        "steps": MOST_STEPS,
    }
    return index, chunks


def _frames(run: Run, users: list[str]) -> Frames:
    """Return the rows of `users` in each table that is needed, by user and seed."""
    chosen = pl.LazyFrame({"user_id": users}, schema={"user_id": pl.String})
    tables = ["inferences", "scores"] + (["truths"] if run.config.varies else [])
    tables += ["edits"] if run.config.framework == "prelude" else ["samples"]
    found: dict[str, Mapping[tuple[Any, ...], pl.DataFrame]] = {
        "users": {(): run.scan("users").join(chosen, on="user_id", how="semi").collect()}
    }
    early = pl.col("step").rank("dense").over(_CELL) <= MOST_STEPS
    kept: pl.DataFrame | None = None
    for table in tables:
        rows = run.scan(table).join(chosen, on="user_id", how="semi")
        if kept is not None and table in ("scores", "edits"):
            rows = rows.join(kept.lazy(), on="inference_id", how="semi")
        whole = rows.filter(early).sort("step", *SCHEMAS[table].primary_key()).collect()
        kept = whole.select("inference_id") if table == "inferences" else kept
        found[table] = whole.partition_by(_CELL, as_dict=True)
    return found


def _of_user(
    run: Run, user: Mapping[str, Any], frames: Frames, checks: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each seed of a user and its chunk."""
    for seed in run.config.seeds:
        rows = {table: of.get((user["user_id"], seed)) for table, of in frames.items()}
        if rows["inferences"] is not None:
            yield seed, _chunk(user, rows, checks)


def _chunk(
    user: Mapping[str, Any], rows: Mapping[str, pl.DataFrame | None], checks: Mapping[str, str]
) -> dict[str, Any]:
    """Return what is known of one user and seed; texts stand once in `texts`, with their `marks`, and are named by place."""
    truths, edits, samples = (_rows(rows.get(table)) for table in ("truths", "edits", "samples"))
    held = {row["step"]: row["components"] for row in truths}
    components = list(dict.fromkeys(c for some in (user["components"], *held.values()) for c in some))
    keep, pool = _pooled(marker(checks, components))
    scores: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(rows["scores"]):
        scores.setdefault(row["inference_id"], []).append(row)
    edited = {row["inference_id"]: row for row in edits}
    methods: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(rows["inferences"]):
        edit = edited.get(row["inference_id"])
        methods.setdefault(row["method"], []).append(
            {
                "step": row["step"],
                "document": row["document_id"],
                "draft": keep(row["draft"]),
                "own": None if edit is None else keep(edit["text"]),
                "outcome": None if edit is None else edit["outcome"],
                "description": row["description"],
                "components": row["components"],
                "confidences": row["confidences"],
                **_scored(scores.get(row["inference_id"], [])),
            }
        )
    return {
        "components": components,
        "markable": [markable(checks, component) for component in components],
        "held": {step: [components.index(c) for c in some] for step, some in held.items()},
        "samples": [
            {"step": s["step"], "document": s["document_id"], "split": s["split"], "text": keep(s["text"])}
            for s in samples
        ],
        "methods": methods,
        **pool,
    }


def _rows(frame: pl.DataFrame | None) -> list[dict[str, Any]]:
    return [] if frame is None else frame.to_dicts()


def _scored(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the scores of one inference: `scores` by metric, and what is known of each component."""
    found: dict[str, Any] = {"scores": {}, **{metric: {} for metric in _PER_COMPONENT}}
    for row in sorted(rows, key=lambda row: (row["metric"], row["component"])):
        if row["component"] == "":
            found["scores"][row["metric"]] = round(row["value"], 3)
        elif row["metric"] in _PER_COMPONENT:
            found[row["metric"]][row["component"]] = [row["value"], row["verdict"]]
    return found


def _pooled(spans: Callable[[str], list[Span]]) -> tuple[Callable[[str], int], dict[str, list[Any]]]:
    """Return a function that keeps a text and returns its place, and what it fills: `texts` and their `marks`."""
    places: dict[str, int] = {}
    pool: dict[str, list[Any]] = {"texts": [], "marks": []}

    def keep(text: str) -> int:
        if text not in places:
            places[text] = len(places)
            rest = len(text) - MOST_LETTERS
            cut = text if rest <= 0 else f"{text[:MOST_LETTERS]} […{rest:,} characters more]"
            pool["texts"].append(cut)
            pool["marks"].append(spans(cut))
        return places[text]

    return keep, pool


def _packed(chunk: Mapping[str, Any]) -> str:
    """Return a chunk as base64 of gzipped JSON, the same at all times."""
    plain = json.dumps(chunk, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(plain.encode(), 6, mtime=0)).decode()
