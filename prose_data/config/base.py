"""What all sections of the configuration share."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

# A request's seed is a thousand times this, and has to survive JSON's numbers and a 64-bit column.
Seed = Annotated[int, Field(ge=0, le=9_000_000_000_000)]
Named = Annotated[str, Field(min_length=1)]

T = TypeVar("T")


class Section(BaseModel):
    """A part of the configuration: frozen, and strict about keys and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def without_repeats(values: tuple[T, ...]) -> tuple[T, ...]:
    """Return `values`; raises ValueError where one is there twice."""
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is listed twice")
    return values
