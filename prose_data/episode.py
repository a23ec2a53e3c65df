"""One method meets one audience: it recalls, drafts, and only then learns from what the user wrote.

Nothing here has a user's true components: an `Episode` knows users by name, a method by its two functions, and a user
who answers drafts by a function that was given to it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from prose_data.errors import RequestFailed
from prose_data.failures import failures_of
from prose_data.llm.door import View
from prose_data.methods.types import Draft, Entry, Memory, Method
from prose_data.streams import digest
from prose_data.values import Document, Edit, Failure, Inference, Outcome, Split
from prose_data.writing import Example, write


@dataclass(frozen=True, slots=True)
class Episode:
    """Who learns about whom: one method on one audience under one seed, and the model that does the inferring."""

    audience: str
    method: str
    seed: int
    model: str


@dataclass(frozen=True, slots=True)
class Round:
    """One document of one user: as the method sees it, and `document_id` as the tables name it.

    `text` is what the user wrote for it, None where they answer the draft instead.
    """

    user_id: str
    document: Document
    document_id: str
    text: str | None
    split: Split


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user made of a draft, and what went wrong on the way (reason, message); `text` None: nothing readable."""

    outcome: Outcome
    text: str | None
    notes: tuple[tuple[str, str], ...] = ()


Respond = Callable[[Round, str], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Lived:
    """What came of an episode: `edits` has one per inference where users answer drafts, else none."""

    inferences: list[Inference] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


async def live(
    episode: Episode,
    method: Method,
    rounds: Sequence[Round],
    respond: Respond,
    open_view: Callable[[], View],
) -> Lived:
    """Return what came of one episode: for each round recall, draft, have the user answer, and only then learn.

    Held-out rounds are drafted for and not learned from. A round whose recall, draft or answer failed has no row and is
    not learned from; when learning fails, the row stands and memory stays as it was.
    """
    lived = Lived()
    memory: Memory = ()
    seen = 0
    for turn in rounds:
        view = open_view()
        who = turn.user_id, episode.method, episode.seed
        key = digest("inference", *who, seen, turn.document_id)
        place = f"{episode.method} on {turn.user_id}, seed {episode.seed}, step {seen}"
        text, own, outcome = None, turn.text, None
        try:
            preference = await method.recall(memory, turn.document, view)
            text = await write(view, turn.document, preference.components, preference.examples)
            if text is not None and own is None:
                answer = await respond(turn, text)
                outcome, own = answer.outcome, answer.text
                view.notes.extend(answer.notes)
        except RequestFailed as error:
            view.notes.append((error.reason, str(error)))
        if text is None or own is None:
            lived.failures.extend(failures_of("infer", key, view.notes, place, lost=True))
            continue
        before = memory
        if turn.split == "learn":
            example, draft = Example(turn.document, own), Draft(text, preference)
            try:
                memory = await method.learn(memory, example, draft, view)
            except RequestFailed as error:
                view.notes.append((error.reason, f"nothing learned: {error}"))
        lived.failures.extend(failures_of("infer", key, view.notes, place))
        lived.inferences.append(
            Inference(
                inference_id=key,
                user_id=turn.user_id,
                method=episode.method,
                seed=episode.seed,
                step=seen,
                document_id=turn.document_id,
                components=preference.components,
                confidences=tuple(e.confidence for e in preference.evidence) if preference.evidence else None,
                description=preference.description,
                draft=text,
                calls=view.calls,
                prompt_tokens=view.prompt_tokens,
                completion_tokens=view.completion_tokens,
                cost_usd=view.cost_usd,
                model=episode.model,
            )
        )
        if outcome is not None:
            lived.edits.append(Edit(key, *who, seen, outcome, own, _concluded(before, memory)))
        seen += turn.split == "learn"
    return lived


def _concluded(before: Memory, after: Memory) -> tuple[str, ...]:
    """Return what the newest entry of a memory says was concluded from its round; nothing where none was learned from."""
    last = after[-1] if after and after is not before else None
    return last.components if isinstance(last, Entry) else ()
