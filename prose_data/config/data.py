"""The sections that say what is written: users, documents, samples, whom a method serves, and harder protocols."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from prose_data.config.base import Named, Section, Seed

# plume: users write from scratch. prelude: they accept or edit the draft. prelude.no_edit: from scratch, in PRELUDE's order.
Framework = Literal["plume", "prelude", "prelude.no_edit"]


class Users(Section):
    """How many users; `null` is one per source of the space. `components` is for spaces that draw them."""

    count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seed: Seed = 0
    components: Annotated[int, Field(ge=1, le=12)] = 4


class OwnDocuments(Section):
    """Documents from a JSONL, Parquet or CSV file or a folder of text files; the first `limit` of them, null for all."""

    path: Named
    column: str = "text"
    limit: Annotated[int, Field(ge=1)] | None = None


class HubDocuments(Section):
    """Documents from Hugging Face: `plume` for the nine published sources, or one data set by name; the first `limit`."""

    dataset: Named
    config: str | None = None
    split: str = "train"
    column: str = "text"
    revision: str | None = None
    limit: Annotated[int, Field(ge=1)] = 1000


class Samples(Section):
    """Samples per user and seed; `heldout` ones are never learned from; `attempts` counts all writings of one."""

    per_user: Annotated[int, Field(ge=1, le=1000)] = 5
    heldout: Annotated[int, Field(ge=0, le=1000)] = 0
    attempts: Annotated[int, Field(ge=1, le=20)] = 3


class Audience(Section):
    """Whom a method serves at once: whose documents reach it as one sequence, and whether it is told whose each is.

    `users`: how many users in a row share one memory, their rounds shuffled; `task`: all of a fixed space's users of
    one task, one per source, as in PRELUDE. `source: unknown` hides whose document it is (PROSE, section on retrieval).
    """

    users: Annotated[int, Field(ge=1, le=1000)] | Literal["task"] = 1
    source: Literal["known", "unknown"] = "known"


class Drift(Section):
    """From the user's document number `step` (from 0) on, `components` of their components are replaced by others."""

    step: Annotated[int, Field(ge=1)] = 3
    components: Annotated[int, Field(ge=1)] = 2


class Conflict(Section):
    """In a `share` of the texts to learn from, rounded down, users write by other values of `components` components."""

    share: Annotated[float, Field(gt=0, lt=0.5, strict=False)] = 0.4
    components: Annotated[int, Field(ge=1)] = 1

    def texts(self, of: int) -> int:
        """Return how many of so many texts the share is: always fewer than half."""
        return int(self.share * of + 1e-9)  # 0.29 of 100 is 29, whatever the float


class Protocol(Section):
    """What makes inference harder than in the published benchmarks (all off by default).

    `documents`: `source` the user's own kind; `task` any source of the user's task; `topic` such as are about one topic
    while learning, and heldout ones of other sources. `parts`: how many documents of a source are joined into a long one.
    """

    drift: Drift | None = None
    conflict: Conflict | None = None
    documents: Literal["source", "task", "topic"] = "source"
    parts: Annotated[int, Field(ge=1, le=100)] = 1

    @model_validator(mode="after")
    def _one_truth(self) -> "Protocol":
        if self.drift is not None and self.conflict is not None:
            raise ValueError("drift and conflict can't be told apart in one run; set one of them to null")
        return self
