"""The frozen values that pass between the stages; each is one row of the table that carries its name."""

from dataclasses import dataclass
from typing import Literal

Task = Literal["email", "summarization"]
Split = Literal["learn", "heldout"]
# What became of a draft: kept as it is, changed, handed back without a change.
Outcome = Literal["accepted", "edited", "unchanged"]
Stage = Literal["synthesize", "infer", "score"]


@dataclass(frozen=True, slots=True)
class Document:
    """What is written about: a source text with its kind (`source`)."""

    document_id: str
    task: Task
    source: str
    text: str
    origin: str
    licence: str


@dataclass(frozen=True, slots=True)
class User:
    """A user with its true components; only writers of the human role and the scores may see those."""

    user_id: str
    space: str
    task: Task
    source: str
    persona: str
    components: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What a user wrote for a document; `step` counts from 0 within (user, seed)."""

    sample_id: str
    user_id: str
    document_id: str
    seed: int
    step: int
    text: str
    model: str
    attempt: int
    split: Split


@dataclass(frozen=True, slots=True)
class Truth:
    """What a user holds at one of their documents, where that differs between documents (a protocol's doing).

    `components` is what scores compare with, `told` what the user wrote by there, `former` what they held before.
    """

    user_id: str
    seed: int
    step: int
    document_id: str
    components: tuple[str, ...]
    told: tuple[str, ...]
    former: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inference:
    """User x method x seed x step: what the method believed before it saw the user's own text, and its draft.

    `description` is None for a method that infers nothing (its recovery is undefined, not 0) and "" while a
    method that does infer has learned nothing yet. `cost_usd` is None where the model's price is unknown.
    `confidences` (0 to 1) stand beside `components`, None for a method that states none.
    """

    inference_id: str
    user_id: str
    method: str
    seed: int
    step: int
    document_id: str
    components: tuple[str, ...]
    confidences: tuple[float, ...] | None
    description: str | None
    draft: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    model: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What the user made of a draft (PRELUDE), and what the method concluded from that round."""

    inference_id: str
    user_id: str
    method: str
    seed: int
    step: int
    outcome: Outcome
    text: str
    learned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of one inference; `component` is empty where the metric has none."""

    inference_id: str
    metric: str
    component: str
    user_id: str
    method: str
    seed: int
    step: int
    value: float
    verdict: str
    judge: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that could not be done, named once: where (`stage`, `key`), why (`reason`), and in words."""

    failure_id: str
    stage: Stage
    key: str
    reason: str
    message: str
