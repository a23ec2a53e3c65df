"""A judge that is the same model as one whose texts it judges may favour them: who that is, and the sentence that says so."""

from collections.abc import Sequence

from prose_data.config import Config
from prose_data.llm.types import Role


def flags(config: Config, judge: str | None = None) -> tuple[Role, ...]:
    """Return which of human and writer are played by the judge's own model, wherever that is served.

    `judge` is a key of `models`, by default the one of the role.
    """
    model = config.models[judge or config.roles.judge].model
    roles: tuple[Role, ...] = ("human", "writer")
    return tuple(role for role in roles if config.model_of(role).model == model)


def flag_sentence(roles: Sequence[str]) -> str | None:
    """Return what a table of such a judge's verdicts has to say; None where there is nothing to say."""
    if not roles:
        return None
    return f"The judge is the same model as the {' and the '.join(roles)}: it may favour its own writing."
