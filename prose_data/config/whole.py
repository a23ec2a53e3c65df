"""The whole configuration, and the sections of how a run goes: budget, shards and engine."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from prose_data.config.alignx import AlignX, Experiment
from prose_data.config.base import Named, Section, Seed, without_repeats
from prose_data.config.data import (
    Audience,
    Framework,
    HubDocuments,
    OwnDocuments,
    Protocol,
    Samples,
    Users,
)
from prose_data.config.methods import Cipher, Majority, Prelude, Prose, ProsePlus, Retrieval, Ticl
from prose_data.config.models import ROLES, Model, Roles
from prose_data.llm.types import Role
from prose_data.values import Task


class Budget(Section):
    """Limits of one run; `max_failures` is the share of failed items above which the exit code is 1."""

    max_cost: Annotated[float, Field(ge=0, strict=False)] | None = None
    max_requests: Annotated[int, Field(ge=0)] | None = None
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    max_failures: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.05


class Shards(Section):
    """A shard is this many users with everything of theirs; it is written, resumed and scheduled as one."""

    users: Annotated[int, Field(ge=1, le=100_000)] = 50


class Engine(Section):
    """The cluster of `--engine dask` or `ray`: its scheduler's address; null starts processes of this machine.

    `workers` is how many of its workers are used, null all; without an address how many are started, null one per processor.
    """

    address: Named | None = None
    workers: Annotated[int, Field(ge=1, le=100_000)] | None = None


class Config(Section):
    """The whole configuration of one run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "quickstart"
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, strict=False)] = (
        0,
        1,
        2,
        3,
        4,
    )
    space: str = "plume"
    framework: Framework = "plume"
    audience: Audience | None = (
        None  # null: one user at a time, in PRELUDE's frameworks all of a task, unknown
    )
    protocol: Protocol = Protocol()
    tasks: Annotated[tuple[Task, ...], Field(min_length=1, strict=False)] = ("email", "summarization")
    documents: Literal["bundled"] | OwnDocuments | HubDocuments = "bundled"
    users: Users = Users()
    samples: Samples = Samples()
    methods: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] = (
        "no_learning",
        "icl",
        "cipher_1",
        "cipher_n",
        "prose",
        "prose_icl",
        "oracle",
    )
    metrics: Annotated[tuple[str, ...], Field(strict=False)] = (
        "ppcm",
        "recovery",
        "identification",
        "edit_distance",
        "description_length",
    )
    models: Mapping[str, Model] = Field(default_factory=lambda: {"default": Model()})
    roles: Roles = Roles()
    retrieval: Retrieval = Retrieval()
    prose: Prose = Prose()
    prose_plus: ProsePlus = ProsePlus()
    cipher: Cipher = Cipher()
    prelude: Prelude = Prelude()
    ticl: Ticl = Ticl()
    majority: Majority = Majority()
    budget: Budget = Budget()
    shards: Shards = Shards()
    engine: Engine = Engine()
    alignx: AlignX = AlignX()
    experiment: Experiment = Experiment()
    store: str | None = (
        None  # request store to share between runs (FOLDER/ or a URL: between machines); null: the run's own
    )
    offline: bool = False  # every reply comes from the request store; one that is not there stops the run

    @field_validator("documents", mode="before")
    @classmethod
    def _documents(cls, value: Any) -> Any:
        if value == "bundled" or isinstance(value, OwnDocuments | HubDocuments):
            return value
        if isinstance(value, dict) and ("path" in value) != ("dataset" in value):
            return (OwnDocuments if "path" in value else HubDocuments).model_validate(value)
        raise ValueError("must be bundled, {path: FILE-OR-FOLDER} or {dataset: NAME}")

    @field_validator("seeds", "tasks", "methods", "metrics")
    @classmethod
    def _no_repeats(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return without_repeats(values)

    @model_validator(mode="after")
    def _roles_have_models(self) -> "Config":
        for role in ROLES:
            name = getattr(self.roles, role)
            if name not in self.models:
                known = ", ".join(sorted(self.models)) or "none"
                raise ValueError(
                    f"roles.{role} is {name!r}, which models does not define; it defines {known}"
                )
        if self.budget.max_cost is not None:
            from prose_data.llm.prices import price_of  # brings all list prices

            for role in ROLES:
                model = self.model_of(role)
                if price_of(model) is None:
                    raise ValueError(
                        f"budget.max_cost needs models.{getattr(self.roles, role)}.price (prompt and completion, "
                        f"US dollars per million tokens), as no list price of {model.model} there is known"
                    )
        return self

    @model_validator(mode="after")
    def _protocol_fits(self) -> "Config":
        protocol, learned = self.protocol, self.samples.per_user
        if protocol.drift is not None and protocol.drift.step >= learned:
            raise ValueError(
                f"protocol.drift.step is {protocol.drift.step}, but samples.per_user {learned} makes documents 0 to "
                f"{learned - 1} to learn from, and one must come after the change"
            )
        if protocol.conflict is not None and not protocol.conflict.texts(learned):
            raise ValueError(
                f"protocol.conflict.share is {protocol.conflict.share}, which of samples.per_user {learned} is not one "
                "text; raise either"
            )
        if protocol.documents != "source" and self.framework != "plume":
            raise ValueError(
                f"protocol.documents: {protocol.documents} does not go with framework {self.framework}, whose users are "
                "the sources of documents; use framework plume"
            )
        if self.retrieval.by == "exact_match" and self.serves.source == "unknown":
            raise ValueError(
                "retrieval.by: exact_match needs to know whose a document is, and audience.source is unknown; use "
                "cosine or most_recent"
            )
        return self

    @property
    def retrieves(self) -> Retrieval:
        """How related samples are found: `retrieval`, with `by` as it follows from the audience where it is null."""
        by = self.retrieval.by or ("exact_match" if self.serves.source == "known" else "cosine")
        return self.retrieval.model_copy(update={"by": by})

    @property
    def serves(self) -> Audience:
        """Whom a method serves at once: `audience`, or what the framework says."""
        if self.audience is not None:
            return self.audience
        return Audience() if self.framework == "plume" else Audience(users="task", source="unknown")

    @property
    def varies(self) -> bool:
        """Whether what a user holds or is told differs between their documents."""
        return self.protocol.drift is not None or self.protocol.conflict is not None

    @property
    def rounds(self) -> int:
        """Documents per user and seed, heldout ones included."""
        return self.samples.per_user + self.samples.heldout

    def model_of(self, role: Role) -> Model:
        """Return the model that plays `role`."""
        return self.models[getattr(self.roles, role)]
