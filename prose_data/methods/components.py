"""Lists of components as one line and back."""

import re
from collections.abc import Iterable

from prose_data.llm.parse import string_list

_ITEMS = re.compile(r";\s+|;$")  # not the semicolon of "use semicolons (;) when possible"
_PHRASE = re.compile(r";\s+|;$|,\s+(?:and\s+)?")


def joined(components: Iterable[str]) -> str:
    """Return components as one line, "a; b; c"."""
    return "; ".join(components)


def items(description: str) -> tuple[str, ...]:
    """Return the items of a description, "a; b; c" or a JSON list, repeats dropped."""
    listed = json_items(description)
    return unique(_ITEMS.split(description)) if listed is None else listed


def json_items(description: str) -> tuple[str, ...] | None:
    """Return the items of a description that is a JSON list already, None for any other."""
    listed = string_list(description) if description.startswith("[") else None
    return None if listed is None else unique(listed)


def phrase_items(phrase: str) -> tuple[str, ...]:
    """Return the single preferences that a short phrase lists ("brief, informal, and with emojis" gives three).

    CIPHER keeps its phrase whole; recovery is matched item by item, so that a phrase is not held to one match.
    """
    return unique(_PHRASE.split(phrase))


def unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the non-empty texts in order, each on one line and once."""
    return tuple(dict.fromkeys(filter(None, (" ".join(text.split()) for text in texts))))


def folded(component: str) -> str:
    """Return a component without what makes no difference to its meaning: case, spacing and a final full stop."""
    return " ".join(component.split()).rstrip(". ").casefold()


def distinct(components: Iterable[str]) -> tuple[str, ...]:
    """Return the components in order, each on one line; of those that are equal when `folded`, the first."""
    first: dict[str, str] = {}
    for component in unique(components):
        first.setdefault(folded(component), component)
    return tuple(first.values())
