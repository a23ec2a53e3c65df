"""The samples of an Inspect log: one per draft, with the document, the truth, the draft, its scores and what failed.

This is a log of an evaluation: unlike a method, whoever reads it may know the true components.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from prose_data.report.summary import in_order
from prose_data.runs import Run
from prose_data.stats.values import AVM, HALVES, PER_COMPONENT
from prose_data.streams import digest
from prose_data.values import Edit, Inference, Sample, Score, Stage, Truth, User

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One document of a user under one seed, for which each method drafts: its `number` among them, what is true there,
    and the user's own text where they write from scratch."""

    user: User
    seed: int
    number: int
    document_id: str
    components: Sequence[str]
    own: str | None

    @property
    def sample_id(self) -> str:
        """What a log calls it, safe as the name of a file; sorted, a user's seeds and documents follow each other."""
        name = self.user.user_id
        safe = name if re.fullmatch(r"[\w-]+", name) else digest(name)
        return f"{safe}.s{self.seed}.{self.number:03d}"


def samples_of(run: Run, shard: int, documents: Mapping[str, str], model: str) -> Iterator[tuple[str, Json]]:
    """Yield each method's name and sample for each document of a shard's users, in order of users, seeds and documents.

    `documents` are the texts by id, `model` the name under which tokens are counted. A draft that was not made is a sample
    with an error and without scores.
    """
    inferences = run.values(Inference, shard)
    scores: dict[str, list[Score]] = defaultdict(list)
    for score in run.values(Score, shard):
        scores[score.inference_id].append(score)
    edits = {e.inference_id: e for e in run.values(Edit, shard)} if run.config.framework == "prelude" else {}
    failed = _failures(run, shard)
    made = {(one.user_id, one.seed, one.document_id, one.method): one for one in inferences}
    cells = cells_of(run, shard, inferences)
    for cell in cells:
        document = documents.get(cell.document_id, "")
        for method in run.config.methods:
            common = _common(cell, method, document)
            one = made.get((cell.user.user_id, cell.seed, cell.document_id, method))
            if one is None:
                yield method, _not_made(common, cell, len(cells), failed)
            else:
                edit = edits.get(one.inference_id)
                own = cell.own if edit is None else edit.text
                outcome = None if edit is None else edit.outcome
                beside = {"own_text": own, "outcome": outcome, "failures": failed.get(one.inference_id)}
                yield method, _made(common, one, scores[one.inference_id], beside, model)


def cells_of(run: Run, shard: int, inferences: Sequence[Inference]) -> list[Cell]:
    """Return what the methods were to draft for, in order of users, seeds and documents.

    Where users answer drafts, nothing but the inferences says what that was.
    """
    places: dict[tuple[str, int, str], tuple[int, str | None]] = {}
    if run.config.framework == "prelude":
        for one in inferences:
            key = one.user_id, one.seed, one.document_id
            places[key] = min(one.step, places.get(key, (one.step, None))[0]), None
    else:
        places = {(s.user_id, s.seed, s.document_id): (s.step, s.text) for s in run.values(Sample, shard)}
    users = {user.user_id: user for user in run.values(User, shard)}
    held: dict[tuple[str, int, str], Sequence[str]] = {}
    if run.config.varies:
        held = {(t.user_id, t.seed, t.document_id): t.components for t in run.values(Truth, shard)}
    cells: list[Cell] = []
    numbers: dict[tuple[str, int], int] = defaultdict(int)
    for key in sorted(places, key=lambda key: (key[0], key[1], places[key][0], key[2])):
        user, seed, document = users[key[0]], key[1], key[2]
        number = numbers[key[0], seed]
        numbers[key[0], seed] += 1
        cells.append(Cell(user, seed, number, document, held.get(key, user.components), places[key][1]))
    return cells


def _common(cell: Cell, method: str, document: str) -> Json:
    user = cell.user
    return {
        "id": cell.sample_id,
        "epoch": 1,
        "input": document,
        "target": list(cell.components),
        "metadata": {
            "user_id": user.user_id,
            "seed": cell.seed,
            "document_id": cell.document_id,
            "method": method,
            "task": user.task,
            "source": user.source,
            "persona": user.persona,
        },
        "store": {},  # the viewer asks for these three, empty or not
        "events": [],
        "attachments": {},
    }


def _made(
    common: Json,
    one: Inference,
    scores: Sequence[Score],
    beside: Mapping[str, Any],
    model: str,
) -> Json:
    """Return the sample of a draft; what is known `beside` its row and its scores goes into its metadata."""
    usage = {
        "input_tokens": one.prompt_tokens,
        "output_tokens": one.completion_tokens,
        "total_tokens": one.prompt_tokens + one.completion_tokens,
    }
    draft = {"role": "assistant", "content": one.draft, "source": "generate"}
    found = {
        "step": one.step,
        "inference_id": one.inference_id,
        "inferred": list(one.components),
        "confidences": None if one.confidences is None else list(one.confidences),
        "description": one.description,
        "calls": one.calls,
        "cost_usd": one.cost_usd,
        "named": {s.component: s.value for s in scores if s.metric == PER_COMPONENT} or None,
        **beside,
    }
    return {
        **common,
        "messages": [_asked(common), draft],
        "output": {
            "model": one.model,
            "choices": [{"message": draft, "stop_reason": "stop"}],
            "usage": usage,
        },
        "scores": scored(scores, one.description),
        "metadata": {
            **common["metadata"],
            **{key: value for key, value in found.items() if value is not None},
        },
        "model_usage": {model: usage},
    }


def _not_made(common: Json, cell: Cell, rounds: int, failed: Mapping[str, list[str]]) -> Json:
    """Return the rest of a sample whose draft was not made, with the reason if there is a row that says it."""
    who = cell.user.user_id, common["metadata"]["method"], cell.seed
    keys = (digest("inference", *who, seen, cell.document_id) for seen in range(rounds))
    said = next((failed[key] for key in keys if key in failed), ["no draft was made"])
    return {
        **common,
        "messages": [_asked(common)],
        "output": {"model": "", "choices": []},
        "error": {"message": "\n".join(said), "traceback": "", "traceback_ansi": ""},
    }


def _asked(common: Json) -> Json:
    return {"role": "user", "content": common["input"], "source": "input"}


def scored(rows: Sequence[Score], answer: str | None) -> dict[str, Json]:
    """Return a draft's value in each metric in which it has one: the mean where there is a row per component, with the
    verdicts as its explanation; the `answer` is what was inferred, None for a method that infers nothing."""
    of: dict[str, list[Score]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.metric, row.component)):
        if row.metric != PER_COMPONENT:
            of[row.metric].append(row)
    found = {metric: _score(of[metric], answer) for metric in in_order(of)}
    if all(half in found for half in HALVES):
        found[AVM] = {"value": sum(found[half]["value"] for half in HALVES) / 2}
    return found


def _score(rows: Sequence[Score], answer: str | None) -> Json:
    said = [f"{row.component}: {row.verdict}" if row.component else row.verdict for row in rows]
    found: Json = {"value": sum(sorted(row.value for row in rows)) / len(rows)}
    if answer is not None:
        found["answer"] = answer
    if any(row.verdict for row in rows):
        found["explanation"] = "\n".join(said)
    if len(rows) > 1 or rows[0].component:
        found["metadata"] = {"components": {row.component: row.value for row in rows}}
    if rows[0].judge:
        found["metadata"] = {**found.get("metadata", {}), "judge": rows[0].judge}
    return found


def _failures(run: Run, shard: int) -> dict[str, list[str]]:
    """Return per inference what failed or was noted, as "metric: reason: message"."""
    found: dict[str, list[str]] = {}
    stages: tuple[Stage, ...] = ("infer", "score")
    for stage in stages:
        part = run.part("failures", shard, stage)
        rows = pl.scan_parquet(part).select("key", "reason", "message").collect()
        for key, reason, message in rows.sort("key", "reason", "message").iter_rows():
            inference, _, metric = key.partition("#")[0].partition("/")
            found.setdefault(inference, []).append(": ".join(filter(None, (metric, reason, message))))
    return found
