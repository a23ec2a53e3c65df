"""The simulated model's front: it reads the messages, sees what is asked, and answers as its skills allow.

It gets `messages`, a model name and a replicate number, and nothing else. Everything is deterministic in these.
Asked to correct a reply of its own, it answers the request before that reply once more, with the same skills.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from functools import lru_cache

from prose_data.llm.types import Message
from prose_data.simulator import (
    alignx_requests,
    alignx_user,
    assessor,
    explain,
    human,
    judge,
    keeper,
    reader,
    revisions,
    writer,
)
from prose_data.simulator.skills import SKILLS, Skills

Answer = Callable[[str, Skills, random.Random, str], str]

# What the system message asks the model to be, and who in the simulator is that.
_PARTS: tuple[tuple[str, Answer], ...] = (
    ("experienced writer", writer.write),
    ("archivist", writer.notes),
    ("careful reader", reader.infer),
    ("careful observer", reader.infer),
    ("merges lists", reader.merge),
    ("unites writing preferences", reader.merge_list),
    ("breaks descriptions", reader.break_down),
    ("strict checker", judge.verify),
    ("keeps a numbered list", keeper.change_list),
    ("impartial checker", keeper.hold_against),
    ("could be of one hand", judge.one_hand),
    ("learns a user's writing preference", reader.phrase),
    ("descriptions of a user's writing preference have in common", reader.aggregate),
    ("explains what a draft misses", explain.miss),
    ("describes how a writer writes", explain.describe),
    ("several readers who say, each alone", explain.vote),
    ("groups writing preferences", explain.group),
    ("assesses how a text is written against", judge.all_components),
    ("assesses how a text is written", judge.one_component),
    ("compares two lists", judge.match),
    ("decides which of several people", judge.identify),
    ("rates how similar two accounts", assessor.similarity),
    ("compares a text with the document it is about", assessor.faithfulness),
    ("rates how coherent a text is", assessor.coherence),
    ("client who decides whether a draft", human.decide),
    ("client who edits a draft", human.edit),
    ("client's general taste", revisions.taste),
    ("what the next draft needs", revisions.reasoned),
    ("answer posts the way one user would like best", alignx_user.respond),
    ("which of two responses to a post one user prefers", alignx_user.select),
    ("which directions of preference it shows", alignx_user.predict),
    ("write posts for a discussion forum", alignx_requests.posts),
    ("write replies under posts", alignx_requests.replies),
    ("introduce users of a discussion forum", alignx_requests.persona),
)
_CONFUSED = "I am not sure what you would like me to do."


def simulate(messages: Sequence[Message], model: str, seed: int) -> str:
    """Return the reply of simulated `model` (a key of SKILLS) to `messages`; another `seed` is another try."""
    return _reply(tuple((message["role"], message["content"]) for message in messages), model, seed)


@lru_cache(maxsize=2_000)  # methods ask much that another method has asked about the same user
def _reply(messages: tuple[tuple[str, str], ...], model: str, seed: int) -> str:
    skills = SKILLS[model]
    roles = [role for role, _ in messages]
    asked = roles.index("assistant") if "assistant" in roles else len(roles)
    system, prompt = messages[0][1], messages[asked - 1][1]
    name = f"{model}\x1f{seed}"
    whole = "\x1e".join(f"{role}\x1f{content}" for role, content in messages)
    rng = random.Random(hashlib.blake2b(f"{name}\x1e{whole}".encode(), digest_size=16).digest())
    for part, answer in _PARTS:
        if part in system:
            return answer(prompt, skills, rng, name)
    return _CONFUSED


def count_tokens(text: str) -> int:
    """Return a rough number of tokens, a quarter of the text's UTF-8 bytes; the simulated model has no tokenizer."""
    return (len(text.encode()) + 3) // 4
