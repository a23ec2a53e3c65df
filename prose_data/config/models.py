"""The sections `models` and `roles`: which models there are, how they are asked, and which role each plays."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, field_validator, model_validator

from prose_data.config.base import Named, Section
from prose_data.llm.types import Role

ROLES: tuple[Role, ...] = ("human", "writer", "inferrer", "judge")
LOCAL_MODEL = "SmolLM2-135M-Instruct"
# For a small model on this machine's processor: its server answers one request at a time, and what it writes beyond a
# short text is mostly the same words over and over.
_LOCAL_DEFAULTS = {"concurrency": 2, "max_tokens": 256, "timeout": 300.0}
_SECRET = re.compile(r"key|token|secret|pass|sig|auth", re.I)  # what parameters with a secret are called


class Price(Section):
    """US dollars per million tokens."""

    prompt: Annotated[float, Field(ge=0, strict=False)]
    completion: Annotated[float, Field(ge=0, strict=False)]


class Model(Section):
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


class Roles(Section):
    """Which model plays which role (keys of `models`)."""

    human: str = "default"
    writer: str = "default"
    inferrer: str = "default"
    judge: str = "default"
