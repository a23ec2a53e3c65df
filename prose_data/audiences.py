"""Audiences: which users a method serves at once, with one memory, and in which order their documents come.

PRELUDE's agents (arXiv 2404.15269, section 3) serve all sources of a task in one shuffled sequence, and nothing tells
them whose document it is; PLUME's (arXiv 2505.23815) serve one user after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from prose_data.config import Config
from prose_data.documents import Documents, prelude_turns
from prose_data.episode import Round
from prose_data.errors import InputError
from prose_data.methods.retrieval import related
from prose_data.methods.types import Entry
from prose_data.spaces import Kind, Space
from prose_data.streams import digest, stream
from prose_data.values import Document, User
from prose_data.writing import Example

UNKNOWN = "unknown"  # the source of a document that does not say whose it is


@dataclass(frozen=True, slots=True)
class Audience:
    """Users who are served together; `name` is the one user's id, or made of the first one's."""

    name: str
    users: tuple[User, ...]


def block_size(config: Config, space: Space, kinds: Sequence[Kind]) -> int:
    """Return how many users in a row stay together, so that no audience is split between shards.

    Raises InputError for an audience of a whole task in a drawn space, which has no rounds of users.
    """
    users = config.serves.users
    if users != "task":
        return users
    if space.kind == "drawn":
        raise InputError(
            f"audience.users: task is for spaces with one user per source, and {space.name} draws its users; "
            "give a number of users"
        )
    return len(kinds)


def audiences_of(
    config: Config, space: Space, kinds: Sequence[Kind], users: Sequence[User]
) -> list[Audience]:
    """Return the audiences that the users of a shard make, in order; `users` are whole blocks, the last may be short."""
    size = block_size(config, space, kinds)
    blocks = [users[start : start + size] for start in range(0, len(users), size)]
    if config.serves.users == "task":
        blocks = [list(group) for block in blocks for _, group in groupby(block, key=lambda user: user.task)]
    return [
        Audience(block[0].user_id + f"+{len(block) - 1}" * (len(block) > 1), tuple(block)) for block in blocks
    ]


def in_sequence(
    config: Config, space: Space, documents: Documents, audience: Audience, seed: int
) -> list[tuple[User, int]]:
    """Return the audience's rounds in order: whose each is, and its number among that user's own documents.

    Each user's own come in order, and all heldout ones behind all that is learned from. A whole task's users take turns
    as PRELUDE's draw has it in PRELUDE's frameworks (`prelude_turns`), all others by a stream of their own.
    """
    n = config.rounds
    if config.framework != "plume" and config.serves.users == "task":
        of = {user.source: user for user in audience.users}
        sources = prelude_turns(space, documents, audience.users[0].task, seed, n)
        turns = [of[source] for source in sources if source in of]
    else:
        turns = [user for user in audience.users for _ in range(n)]
        if len(audience.users) > 1:
            stream(seed, "audience", audience.name).shuffle(turns)
    left = {user.user_id: iter(range(n)) for user in audience.users}
    rounds = [(user, next(left[user.user_id])) for user in turns]
    return sorted(rounds, key=lambda turn: turn[1] >= config.samples.per_user)


def as_shown(config: Config, audience: Audience, user: User, document: Document, seed: int) -> Document:
    """Return `document` as a method sees it: its source tells whose it is, or nothing where that is to be unknown.

    The user's id stands for the source where that does not tell: several users may share one, and by some protocols a
    user writes about many. The document's id is another where the source is unknown, and where several users are
    served, as they may have documents in common.
    """
    known, alone = config.serves.source == "known", len(audience.users) == 1
    if known and alone:
        return document if config.protocol.documents == "source" else replace(document, source=user.user_id)
    shown = replace(document, document_id=digest("shown", user.user_id, seed, document.document_id))
    if known:
        return replace(shown, source=user.user_id)
    return replace(shown, source=UNKNOWN, origin="", licence="")


def right_sources(config: Config, rounds: Sequence[Round]) -> tuple[int, int]:
    """Return how many of the samples related to the rounds' documents are the same user's, and how many there are.

    Their ratio is PLUME's `document_source_accuracy` (arXiv 2505.23815, section on retrieval), for `prose.retrieve` of
    them.
    """
    memory: tuple[Entry, ...] = ()
    owners: list[str] = []
    right = found = 0
    for turn in rounds:
        places = related(memory, turn.document, config.prose.retrieve, config.retrieves)
        right += sum(owners[place] == turn.user_id for place in places)
        found += len(places)
        if turn.split == "learn":
            memory = (*memory, Entry(Example(turn.document, turn.text or "")))
            owners.append(turn.user_id)
    return right, found
