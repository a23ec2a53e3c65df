"""The sections of space alignx: its data set, and the experiments on it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from prose_data.config.base import Section


class Block(Section):
    """Dimensions `first` to `last` of AlignX and how much they follow a common cause; opposite signs go against each other."""

    first: Annotated[int, Field(ge=0, le=89)]
    last: Annotated[int, Field(ge=0, le=89)]
    loading: Annotated[float, Field(gt=-1, lt=1, strict=False)]


Cause = Annotated[tuple[Block, ...], Field(strict=False)]


class AlignX(Section):
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


class Experiment(Section):
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
