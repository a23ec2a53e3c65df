"""One YAML file -> one frozen, strict `Config`; every key has a default, so an empty file is the quickstart.

Unknown keys and wrong values end in an `InputError` that names the file, the key and what would be right.
"""

import os
import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from prose_data.errors import InputError
from prose_data.llm.types import Role
from prose_data.paths import DATA
from prose_data.values import Task

ROLES: tuple[Role, ...] = ("human", "writer", "inferrer", "judge")
LOCAL_MODEL = "SmolLM2-135M-Instruct"
# For a small model on this machine's processor: its server answers one request at a time, and what it writes beyond a
# short text is mostly the same words over and over.
_LOCAL_DEFAULTS = {"concurrency": 2, "max_tokens": 256, "timeout": 300.0}


# A request's seed is a thousand times this, and has to survive JSON's numbers and a 64-bit column.
Seed = Annotated[int, Field(ge=0, le=9_000_000_000_000)]
_SECRET = re.compile(r"key|token|secret|pass|sig|auth", re.I)  # what parameters with a secret are called
Named = Annotated[str, Field(min_length=1)]
# What ends PROSE's refinement early: our candidate is the user's text, the description stays as it was, or the inferrer
# finds that candidate and text could be of one hand.
Stop = Literal["equal_text", "unchanged", "judged_equal"]
# plume: users write from scratch. prelude: they accept or edit the draft. prelude.no_edit: from scratch, in PRELUDE's order.
Framework = Literal["plume", "prelude", "prelude.no_edit"]


T = TypeVar("T")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _without_repeats(values: tuple[T, ...]) -> tuple[T, ...]:
    """Return `values`; raises ValueError where one is there twice."""
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is listed twice")
    return values


class Users(_Strict):
    """How many users; `null` is one per source of the space. `components` is for spaces that draw them."""

    count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seed: Seed = 0
    components: Annotated[int, Field(ge=1, le=12)] = 4


class OwnDocuments(_Strict):
    """Documents from a JSONL, Parquet or CSV file or a folder of text files; the first `limit` of them, null for all."""

    path: Named
    column: str = "text"
    limit: Annotated[int, Field(ge=1)] | None = None


class HubDocuments(_Strict):
    """Documents from Hugging Face: `plume` for the nine published sources, or one data set by name; the first `limit`."""

    dataset: Named
    config: str | None = None
    split: str = "train"
    column: str = "text"
    revision: str | None = None
    limit: Annotated[int, Field(ge=1)] = 1000


class Samples(_Strict):
    """Samples per user and seed; `heldout` ones are never learned from; `attempts` counts all writings of one."""

    per_user: Annotated[int, Field(ge=1, le=1000)] = 5
    heldout: Annotated[int, Field(ge=0, le=1000)] = 0
    attempts: Annotated[int, Field(ge=1, le=20)] = 3


class Price(_Strict):
    """US dollars per million tokens."""

    prompt: Annotated[float, Field(ge=0, strict=False)]
    completion: Annotated[float, Field(ge=0, strict=False)]


class Model(_Strict):
    """One model behind the door; decoding values of `null` are left to the endpoint.

    `openai` is any OpenAI-compatible endpoint; `local` the small model of the extra `local`, served by this program.
    `concurrency` is the most that is in flight at once; less where the endpoint says that it has too much to do.
    """

    backend: Literal["simulated", "openai", "local"] = "simulated"
    model: Named = "sim-strong"
    mode: Literal["online", "batch"] = "online"
    base_url: str | None = None
    api_key_env: Named = "OPENAI_API_KEY"
    temperature: Annotated[float, Field(ge=0, le=2, strict=False)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1, strict=False)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 64
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = None
    timeout: Annotated[float, Field(gt=0, strict=False)] = 120.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 10
    price: Price | None = None

    @model_validator(mode="before")
    @classmethod
    def _local_defaults(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("backend") != "local":
            return values
        unset = (None, cls.model_fields["model"].default)  # a simulated model's name: it stood there before
        model = LOCAL_MODEL if values.get("model") in unset else values["model"]
        return {**_LOCAL_DEFAULTS, **values, "model": model}

    @field_validator("base_url")
    @classmethod
    def _usable_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("must be a URL such as http://localhost:8000/v1")
        if "@" in parts.netloc:
            raise ValueError(
                "must not hold a user or password; put the key in the variable that api_key_env names"
            )
        if any(_SECRET.search(name) for name, _ in parse_qsl(parts.query)):
            raise ValueError("must not hold a key; put it in the variable that api_key_env names")
        return url

    @field_validator("api_key_env")
    @classmethod
    def _name_of_a_variable(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*|[a-z_][a-z0-9_]*", name):
            # the message does not repeat it, as it may be the key itself
            raise ValueError("must name the environment variable that holds the key, such as OPENAI_API_KEY")
        return name

    @model_validator(mode="after")
    def _batch_needs_an_endpoint(self) -> "Model":
        if self.mode == "batch" and self.backend != "openai":
            raise ValueError(f"mode batch is for the backend openai, and this one is {self.backend}")
        return self

    @model_validator(mode="after")
    def _local_is_the_bundled_model(self) -> "Model":
        if self.backend == "local" and self.model != LOCAL_MODEL:
            raise ValueError(
                f"no local model is called {self.model!r}; leave model out, or serve that one yourself and use backend openai"
            )
        if self.backend == "local" and self.base_url is not None:
            raise ValueError(
                "base_url is for the backend openai; the local model's server is started by the run"
            )
        return self

    @model_validator(mode="after")
    def _known_simulated_model(self) -> "Model":
        if self.backend == "simulated" and self.model not in ("sim-strong", "sim-medium", "sim-weak"):
            raise ValueError(
                f"no simulated model is called {self.model!r}; use sim-strong, sim-medium or sim-weak"
            )
        return self


class Roles(_Strict):
    """Which model plays which role (keys of `models`)."""

    human: str = "default"
    writer: str = "default"
    inferrer: str = "default"
    judge: str = "default"


class Retrieval(_Strict):
    """Which earlier samples count as related to a document (PROSE, section on retrieval; how many is the method's).

    `exact_match`: the latest of its task and source, which tells a method whom it serves. `most_recent`: the latest of
    any. `cosine`: those whose documents are most alike by `encoder`, at least `floor`; without `normalise` by raw dot
    products, as in PRELUDE's code before October 2024. Null: exact_match where the source is known, else cosine.
    `encoder` also decides the metric accuracy.
    """

    by: Literal["exact_match", "most_recent", "cosine"] | None = None
    encoder: Literal["hashing", "minilm"] = "hashing"
    normalise: bool = True
    floor: Annotated[float, Field(strict=False)] | None = None

    @model_validator(mode="after")
    def _floor_can_be_passed(self) -> "Retrieval":
        if self.floor is not None and self.by != "cosine":
            raise ValueError(f"floor is for by: cosine, and by is {self.by or 'null'}")
        if self.floor is not None and self.normalise and not -1 <= self.floor <= 1:
            raise ValueError(f"floor is {self.floor}, but a cosine lies between -1 and 1")
        return self


class Prose(_Strict):
    """PROSE: S refinement steps, verification threshold v (a component stays when its mean score is above v).

    Null stands for the number published for the inferring model. `retrieve` is the number of related earlier samples.
    `candidates`: our draft is written again after each step, stays the first one, or is not shown. `breakdown`: into
    components, once behind the last step, after each step, or by the description's own separators without a call.
    """

    steps: Annotated[int, Field(ge=1, le=20)] | None = None
    threshold: Annotated[float, Field(ge=-2, lt=2, strict=False)] | None = None
    retrieve: Annotated[int, Field(ge=0, le=100)] = 5
    candidates: Literal["iterate", "single", "none"] = "iterate"
    verify: bool = True
    breakdown: Literal["once", "each", "off"] = "once"
    stop: Annotated[tuple[Stop, ...], Field(strict=False)] = ("equal_text", "unchanged")

    @field_validator("breakdown", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value  # YAML reads `off` as false

    @field_validator("stop")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return _without_repeats(values)


class Cipher(_Strict):
    """CIPHER-n: how many nearest earlier rounds are aggregated (3 in the release used here, 5 in PRELUDE)."""

    retrieve: Annotated[int, Field(ge=1, le=100)] = 5


class Ticl(_Strict):
    """TICL: how many drafts are tried and explained per sample, the one that was sent included."""

    trials: Annotated[int, Field(ge=1, le=20)] = 2


class Prelude(_Strict):
    """PRELUDE's agents: explore_exploit explores for `rounds` rounds, continual looks at the edits of the last `rounds`.

    icl_edit and cot_edit see the `retrieve` most related edits. The paper ran both with 5, the release's default is 3.
    """

    rounds: Annotated[int, Field(ge=1, le=100)] = 5
    retrieve: Annotated[int, Field(ge=1, le=100)] = 5


class Majority(_Strict):
    """Majority of replies: how often the inferrer is asked the same about a sample."""

    votes: Annotated[int, Field(ge=1, le=100)] = 5


class ProsePlus(_Strict):
    """`prose_plus`: looks at one text at most `steps`, related samples `retrieve`, and its parts, on or off.

    `examples`: how many of these the writer of drafts is shown beside the components; `evidence`: what stands out in
    numbers is shown to the reader; `contrast`: drafts without preference are compared with.
    """

    steps: Annotated[int, Field(ge=1, le=20)] = 3
    retrieve: Annotated[int, Field(ge=0, le=100)] = 5
    examples: Annotated[int, Field(ge=0, le=100)] = 1
    evidence: bool = True
    contrast: bool = True


class Audience(_Strict):
    """Whom a method serves at once: whose documents reach it as one sequence, and whether it is told whose each is.

    `users`: how many users in a row share one memory, their rounds shuffled; `task`: all of a fixed space's users of
    one task, one per source, as in PRELUDE. `source: unknown` hides whose document it is (PROSE, section on retrieval).
    """

    users: Annotated[int, Field(ge=1, le=1000)] | Literal["task"] = 1
    source: Literal["known", "unknown"] = "known"


class Drift(_Strict):
    """From the user's document number `step` (from 0) on, `components` of their components are replaced by others."""

    step: Annotated[int, Field(ge=1)] = 3
    components: Annotated[int, Field(ge=1)] = 2


class Conflict(_Strict):
    """In a `share` of the texts to learn from, rounded down, users write by other values of `components` components."""

    share: Annotated[float, Field(gt=0, lt=0.5, strict=False)] = 0.4
    components: Annotated[int, Field(ge=1)] = 1

    def texts(self, of: int) -> int:
        """Return how many of so many texts the share is: always fewer than half."""
        return int(self.share * of + 1e-9)  # 0.29 of 100 is 29, whatever the float


class Protocol(_Strict):
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


class Budget(_Strict):
    """Limits of one run; `max_failures` is the share of failed items above which the exit code is 1."""

    max_cost: Annotated[float, Field(ge=0, strict=False)] | None = None
    max_requests: Annotated[int, Field(ge=0)] | None = None
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    max_failures: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.05


class Shards(_Strict):
    """A shard is this many users with everything of theirs; it is written, resumed and scheduled as one."""

    users: Annotated[int, Field(ge=1, le=100_000)] = 50


class Block(_Strict):
    """Dimensions `first` to `last` of AlignX and how much they follow a common cause; opposite signs go against each other."""

    first: Annotated[int, Field(ge=0, le=89)]
    last: Annotated[int, Field(ge=0, le=89)]
    loading: Annotated[float, Field(gt=-1, lt=1, strict=False)]


Cause = Annotated[tuple[Block, ...], Field(strict=False)]


class AlignX(_Strict):
    """The data set of space alignx: `records`, of which the last `test` are kept apart; each is one user's.

    `held`: share of the 90 dimensions that a user has a direction in. `shown`: how many of these one text shows, from and
    to. `comments` and `pairs`: items of the history. `correlations`: common causes, each with the blocks that follow it.
    """

    records: Annotated[int, Field(ge=1, le=100_000_000)] = 1000
    test: Annotated[int, Field(ge=0)] = 0
    held: Annotated[float, Field(gt=0, lt=1, strict=False)] = 0.15
    shown: Annotated[
        tuple[Annotated[int, Field(ge=1, le=6)], Annotated[int, Field(ge=1, le=6)]], Field(strict=False)
    ] = (2, 4)
    comments: Annotated[int, Field(ge=0, le=32)] = 4
    pairs: Annotated[int, Field(ge=0, le=32)] = 4
    correlations: Annotated[tuple[Cause, ...], Field(strict=False)] = (
        (Block(first=24, last=40, loading=0.7), Block(first=41, last=45, loading=-0.7)),
        (Block(first=74, last=89, loading=0.4),),
    )

    @model_validator(mode="after")
    def _can_be_made(self) -> "AlignX":
        if self.test > self.records:
            raise ValueError(f"test is {self.test}, more than the {self.records} records")
        if self.shown[0] > self.shown[1]:
            raise ValueError(f"shown is {list(self.shown)}, from the fewest to the most directions of a text")
        if self.comments + self.pairs == 0:
            raise ValueError("comments and pairs are both 0, and a history must hold something")
        followed = [0.0] * 90
        for block in (block for cause in self.correlations for block in cause):
            if block.first > block.last:
                raise ValueError(f"correlations: first {block.first} comes behind last {block.last}")
            for index in range(block.first, block.last + 1):
                followed[index] += block.loading**2
        if max(followed) >= 1:
            raise ValueError(
                f"correlations: the squares of the loadings of dimension {followed.index(max(followed))} add up to "
                f"{max(followed):.2f}, and must stay below 1"
            )
        return self


class Experiment(_Strict):
    """An experiment of AlignX's paper on the records of space alignx, for `prose-data experiment`.

    `history`: choices are predicted from the latest `items` of the history. `novel`: `held_out` of the 90 dimensions stay
    out of every history. `control`: one direction of what a reader or writer is told is turned around.
    """

    protocol: Literal["history", "novel", "control"] = "history"
    persona: Literal["ugc", "pair", "mixed"] = "mixed"
    items: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, strict=False)] = (
        1,
        2,
        4,
        8,
        16,
    )
    held_out: Annotated[int, Field(ge=1, le=89)] = 45


class Config(_Strict):
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
    alignx: AlignX = AlignX()
    experiment: Experiment = Experiment()
    store: str | None = None  # request store to share between runs; null: store.sqlite in the run folder
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
        return _without_repeats(values)

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


def load_config(path: Path | None, overrides: Sequence[str] = ()) -> Config:
    """Return the configuration in `path` (the bundled quickstart if None) with `key.sub=value` overrides applied.

    Where there is no such file, the name of a bundled configuration (`local`) stands for that.
    Relative file names in the file (`documents.path`, `space`, `store`) count from the file's folder.
    Raises InputError naming the file and key.
    """
    bundled = {Path(file.stem): file for file in sorted((DATA / "configs").glob("*.yaml"))}
    if path is None:
        path = bundled[Path("quickstart")]
    elif path in bundled and not path.exists():
        path = bundled[path]
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        names = ", ".join(map(str, bundled))
        raise InputError(f"{path}: no such configuration file; bundled ones are {names}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a UTF-8 text file ({error})") from None
    data = load_yaml(text, str(path))
    _anchor_paths(data, path.resolve().parent)
    for override in overrides:
        _override(data, override)
    _anchor_paths(data, Path.cwd())
    settings = (f"with --set {override.partition('=')[0]}" for override in overrides)
    return parse_config(data, " ".join([str(path), *settings]))


def load_yaml(text: str, origin: str) -> dict[str, Any]:
    """Return the keys and values of a YAML file, none for an empty one; `origin` is named in errors.

    Raises InputError, also for a key that is there twice, of which YAML would silently take the last.
    """
    try:
        data = yaml.load(text, _Loader)  # a safe one
    except yaml.YAMLError as error:
        problem = " ".join(str(error).replace('in "<unicode string>", ', "at ").split())
        raise InputError(f"{origin}: not valid YAML: {problem}") from None
    except RecursionError:
        raise InputError(f"{origin}: not a configuration: it is nested too deeply") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InputError(f"{origin}: must hold keys and values, not a {type(data).__name__}")
    return data


class _Loader(yaml.SafeLoader):
    """Safe YAML in which no key is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping of `node`; raises ConstructorError at the second of two equal keys."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"the key {key.value} is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else key)
        return super().construct_mapping(node, deep)


def parse_config(data: Mapping[str, Any], origin: str) -> Config:
    """Return `data` as a Config; `origin` is named in errors."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{origin}: {_explain(error)}") from None


def dump_config(config: Config) -> str:
    """Return `config` as YAML; loading it gives an equal Config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _anchor_paths(data: dict[str, Any], folder: Path) -> None:
    def anchored(value: str) -> str:
        return (
            value
            if not value or "://" in value or Path(value).is_absolute()
            else os.path.normpath(folder / value)
        )

    documents = data.get("documents")
    if isinstance(documents, dict) and isinstance(documents.get("path"), str):
        documents["path"] = anchored(documents["path"])
    if isinstance(data.get("store"), str):
        data["store"] = anchored(data["store"])
    if isinstance(data.get("space"), str) and data["space"].endswith((".yaml", ".yml")):
        data["space"] = anchored(data["space"])


def _override(data: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    if not sign or not key:
        raise InputError(f"--set {override}: must look like key.sub=value")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        raise InputError(f"--set {key}: the value is not valid YAML") from None
    *parents, last = key.split(".")
    for parent in parents:
        inner = data.setdefault(parent, {})
        if not isinstance(inner, dict):  # e.g. documents: bundled, overridden by documents.path=…
            inner = data[parent] = {}
        data = inner
    data[last] = parsed


_SHOWN = 60  # characters of a wrong value
_PLAIN = {  # pydantic's words where they speak of Python
    "tuple_type": "must be a list such as [a, b]",
    "dict_type": "must hold keys and values",
    "model_type": "must hold keys and values",
    "invalid_key": "must be a text",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_pattern_mismatch": "must be letters, digits, dots, - and _, a letter or digit first",
}


def _explain(error: ValidationError) -> str:
    """Return the first problems in one sentence: key, what is wrong, what would be right."""
    problems = error.errors()
    places = [problem["loc"] for problem in problems]
    parts = []
    for problem in problems:
        place = problem["loc"]
        if any(len(other) > len(place) and other[: len(place)] == place for other in places):
            continue  # the consequence of a problem further in
        where = ".".join(str(step) for step in place) or "the configuration"
        if problem["type"] == "extra_forbidden":
            parts.append(f"{where} is not a known key{_near(place)}")
        elif problem["type"] == "value_error":
            prefix = "" if where == "the configuration" else f"{where}: "
            parts.append(prefix + str(problem["ctx"]["error"]))
        elif problem["type"] == "missing":
            parts.append(f"{where} is missing")
        else:
            message = _PLAIN.get(problem["type"], problem["msg"].replace("Input should be", "must be"))
            value = repr(problem["input"])
            shown = value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"
            parts.append(f"{where} is {shown}: {message}")
    return "; ".join(parts[:3])


def _near(location: tuple[str | int, ...]) -> str:
    from difflib import get_close_matches

    model: Any = Config
    for step in location[:-1]:
        field = getattr(model, "model_fields", {}).get(step)
        if field is None:
            model = Model if location[0] == "models" else None
            continue
        model = field.annotation
    fields = list(getattr(model, "model_fields", {}))
    close = get_close_matches(str(location[-1]), fields, n=1)
    return f"; did you mean {close[0]}?" if close else (f"; known are {', '.join(fields)}" if fields else "")
