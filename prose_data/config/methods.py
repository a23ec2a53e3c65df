"""The sections of the methods, one each, and of what they share: how earlier samples are found."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from prose_data.config.base import Section, without_repeats

# What ends PROSE's refinement early: our candidate is the user's text, the description stays as it was, or the inferrer
# finds that candidate and text could be of one hand.
Stop = Literal["equal_text", "unchanged", "judged_equal"]


class Retrieval(Section):
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


class Prose(Section):
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
        return without_repeats(values)


class Cipher(Section):
    """CIPHER-n: how many nearest earlier rounds are aggregated (3 in the release used here, 5 in PRELUDE)."""

    retrieve: Annotated[int, Field(ge=1, le=100)] = 5


class Ticl(Section):
    """TICL: how many drafts are tried and explained per sample, the one that was sent included."""

    trials: Annotated[int, Field(ge=1, le=20)] = 2


class Prelude(Section):
    """PRELUDE's agents: explore_exploit explores for `rounds` rounds, continual looks at the edits of the last `rounds`.

    icl_edit and cot_edit see the `retrieve` most related edits. The paper ran both with 5, the release's default is 3.
    """

    rounds: Annotated[int, Field(ge=1, le=100)] = 5
    retrieve: Annotated[int, Field(ge=1, le=100)] = 5


class Majority(Section):
    """Majority of replies: how often the inferrer is asked the same about a sample."""

    votes: Annotated[int, Field(ge=1, le=100)] = 5


class ProsePlus(Section):
    """`prose_plus`: looks at one text at most `steps`, related samples `retrieve`, and its parts, on or off.

    `examples`: how many of these the writer of drafts is shown beside the components; `evidence`: what stands out in
    numbers is shown to the reader; `contrast`: drafts without preference are compared with.
    """

    steps: Annotated[int, Field(ge=1, le=20)] = 3
    retrieve: Annotated[int, Field(ge=0, le=100)] = 5
    examples: Annotated[int, Field(ge=0, le=100)] = 1
    evidence: bool = True
    contrast: bool = True
