"""Margin accuracy, which AlignX calls alignment accuracy: does tuning, or a persona, move a model towards `chosen`?

    gain(y) = beta * (S_policy(y | its prompt) - S_reference(y | its prompt))        hit = [gain(chosen) > gain(rejected)]

S sums the log-probabilities of a response's tokens and of one end token. A tie is a miss, and counted; beta, 0.1 as
published, cannot change a hit. There is no length normalisation, so longer responses weigh more: the share of hits by
gains per token stands beside it under a name of its own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prose_data.config import Config
from prose_data.errors import RequestFailed
from prose_data.llm.chat_format import CHAT_FORMATS, ChatFormat
from prose_data.llm.echo import Echo, echo, open_echo
from prose_data.llm.meter import Meter
from prose_data.llm.types import Message, Send

BETA = 0.1


@dataclass(frozen=True, slots=True)
class Scored:
    """The summed log-probability (natural) of a response's tokens with its end token, and how many these are."""

    total: float
    tokens: int


Scorer = Callable[[Sequence[Message], str], Awaitable[Scored]]  # the prompt, the response
NamedScorer = tuple[str, Scorer]  # with its model's name


@dataclass(frozen=True, slots=True)
class Gains:
    """What policy and reference give the chosen and the rejected response of one target."""

    policy_chosen: Scored
    policy_rejected: Scored
    reference_chosen: Scored
    reference_rejected: Scored

    @property
    def margin(self) -> float:
        """gain(chosen) - gain(rejected)."""
        chosen = self.policy_chosen.total - self.reference_chosen.total
        rejected = self.policy_rejected.total - self.reference_rejected.total
        return BETA * (chosen - rejected)

    @property
    def margin_per_token(self) -> float:
        """The same with each gain divided by its response's number of tokens."""
        chosen = (self.policy_chosen.total - self.reference_chosen.total) / self.policy_chosen.tokens
        rejected = (self.policy_rejected.total - self.reference_rejected.total) / self.policy_rejected.tokens
        return BETA * (chosen - rejected)


async def gains(
    policy: Scorer,
    reference: Scorer,
    policy_prompt: Sequence[Message],
    reference_prompt: Sequence[Message],
    chosen: str,
    rejected: str,
) -> Gains:
    """Return the four scores of one target, each model's behind its own prompt; raises RequestFailed."""
    return Gains(
        await policy(policy_prompt, chosen),
        await policy(policy_prompt, rejected),
        await reference(reference_prompt, chosen),
        await reference(reference_prompt, rejected),
    )


def endpoint_scorer(send: Send, model: str, form: ChatFormat) -> Scorer:
    """Return the scorer of a model behind a completions endpoint.

    Which tokens are the response's is found by asking for the prompt alone as well: they are those behind it. Raises
    RequestFailed where the prompt's tokens change when the response follows (`boundary`), where a text holds a mark of
    the chat format (`chat_mark`), and where the endpoint adds its begin token twice (`begin_token`).
    """

    async def score(messages: Sequence[Message], response: str) -> Scored:
        prompt, reply = form.prompt(messages), form.reply(response)
        if prompt is None or reply is None:
            raise RequestFailed(
                "chat_mark", "a text holds a mark of the chat format, which would forge a turn"
            )
        alone = await echo(send, model, prompt)
        both = await echo(send, model, prompt + reply)
        return response_score(alone, both, form.begin)

    return score


def response_score(alone: Echo, both: Echo, begin: str = "") -> Scored:
    """Return the score of what `both` has behind `alone`; `begin` is the begin token that may be there once.

    Raises RequestFailed where `both` does not go on behind `alone`, or begins twice.
    """
    length = len(alone.tokens)
    if both.tokens[:length] != alone.tokens or len(both.tokens) == length:
        raise RequestFailed("boundary", "the tokens of prompt and response run into each other")
    if begin and both.tokens.count(begin) > 1:
        raise RequestFailed("begin_token", f"the prompt has the begin token {begin} more than once")
    values = [value for value in both.logprobs[length:] if value is not None]
    return Scored(sum(values), len(values))


@asynccontextmanager
async def open_scorers(
    config: Config, names: Sequence[str], form: str, store: str | None, meter: Meter
) -> AsyncIterator[list[NamedScorer]]:
    """Open a scorer of each of the models called `names`, in chat format `form`, and close them after.

    Raises InputError for a model that has no completions endpoint.
    """
    async with open_echo(config, names, store, meter) as sends:
        models = {name: config.models[name].model for name in names}
        yield [
            (models[name], endpoint_scorer(sends[name], models[name], CHAT_FORMATS[form])) for name in names
        ]
