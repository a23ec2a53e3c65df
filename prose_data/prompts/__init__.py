"""Prompts are files, one each, with {{fields}}; a missing or unused field is an error.

A file has a [system] and a [user] part; one that goes on with a conversation has a [user] part alone; one without parts is
a piece of other prompts.

Whatever stands between tags in a prompt may be hostile: `render` takes the power from look-alikes of the prompt's
own tags inside a field (`</text>` becomes `‹/text›`), so that no document or sample can end its own block.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

from prose_data.llm.types import Message

_FOLDER = Path(__file__).parent
_FIELD = re.compile(r"\{\{(\w+)\}\}")
_PARTS = re.compile(r"(?:\[system\]\n(.*?)\n)?\[user\]\n(.*)", re.DOTALL)
_TAGS = "|".join(
    ("candidates", "component", "components", "document", "draft", "example", "explanation", "inferred")
)
_TAGS += "|" + "|".join(("evidence", "first", "missing", "preferences", "phrases", "second", "text", "true"))
_TAGS += "|" + "|".join(("briefs", "chosen", "comment", "persona", "post", "rejected", "traits"))
_TAG = re.compile(rf"<\s*(/?)\s*({_TAGS})\s*>", re.IGNORECASE)


class Fragment(str):
    """Text that was rendered already; it goes into a prompt as it is."""

    __slots__ = ()


@cache
def _load(name: str) -> str:
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip()


@cache
def _fields(name: str) -> frozenset[str]:
    return frozenset(_FIELD.findall(_load(name)))


@cache
def _pieces(template: str) -> tuple[str, ...]:
    """Return a template in pieces: text and the name of a field in turn, text first and last."""
    return tuple(_FIELD.split(template))


@cache
def _parts(name: str) -> tuple[tuple[str, str], ...]:
    """Return the roles of a prompt's messages and their templates."""
    parts = _PARTS.fullmatch(_load(name))
    if parts is None:
        raise ValueError(f"prompt {name} has no [user] part")
    roles = (("system", parts[1]), ("user", parts[2]))
    return tuple((role, part.strip()) for role, part in roles if part is not None)


def _fill(name: str, template: str, fields: dict[str, str]) -> str:
    if _fields(name) != fields.keys():
        raise KeyError(f"prompt {name} has the fields {sorted(_fields(name))}, got {sorted(fields)}")
    pieces = _pieces(template)
    return "".join(_harmless(fields[piece]) if at % 2 else piece for at, piece in enumerate(pieces))


def _harmless(text: str) -> str:
    if isinstance(text, Fragment) or "<" not in text:
        return text
    return _TAG.sub(r"‹\1\2›", text)


def render(name: str, **fields: str) -> list[Message]:
    """Return the messages of prompt `name`: of the system, where it has that part, and of the user.

    Raises KeyError for a missing or unused field.
    """
    return [{"role": role, "content": _fill(name, part, fields)} for role, part in _parts(name)]


def render_fragment(name: str, **fields: str) -> Fragment:
    """Return a piece of a prompt (a file without parts), to be used as a field of another."""
    return Fragment(_fill(name, _load(name), fields))


def prompt_hashes() -> dict[str, str]:
    """Return the first 16 hex digits of each prompt file's blake2b, by name, for the manifest."""
    return {
        path.stem: hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
        for path in sorted(_FOLDER.glob("*.txt"))
    }
