"""What one endpoint takes of a chat completion request, learned from its refusals, once per model entry.

The ladder for structured replies: the endpoint's own JSON schema, else its JSON mode, else words alone. Parameters that
it does not know are left out or go by another name.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from prose_data.llm.types import Rung

# The parameter, its other name (None: left out), and how endpoints word that they refuse it.
_REFUSED: tuple[tuple[str, str | None, re.Pattern[str]], ...] = (
    ("max_tokens", "max_completion_tokens", re.compile(r"use\W{0,3}max_completion_tokens", re.I)),
    (
        "seed",
        None,
        re.compile(r"\bseed\b.*(support|permit|allow)|(support|unknown|unexpected|extra).*\bseed\b", re.I),
    ),
)
_FORMAT = re.compile(
    r"response_format|json_schema|json_object|json.mode|structured.output|guided|grammar", re.I
)
_DOWN: Mapping[Rung, Rung] = {"schema": "json", "json": "text"}


class Put(NamedTuple):
    """How a request was put: the rung that its reply will be on, and how much of the dialect was known by then."""

    rung: Rung
    known: int


class Dialect:
    """What an endpoint takes; `adjusted` names the refused parameters, `rung` is the form of structured replies."""

    def __init__(self) -> None:
        self.adjusted: dict[str, str | None] = {}
        self.rung: Rung = "schema"
        self._known = 0  # refusals learned

    def apply(self, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], Put]:
        """Return `body` as this endpoint takes it, and how that is."""
        wants_form = "response_format" in body
        put = Put(self.rung if wants_form else "text", self._known)
        if not self.adjusted and (self.rung == "schema" or not wants_form):
            return body, put
        names = {key: self.adjusted.get(key, key) for key in body}
        sent = {name: body[key] for key, name in names.items() if name is not None}
        if wants_form and self.rung == "json":
            sent["response_format"] = {"type": "json_object"}
        elif wants_form and self.rung == "text":
            del sent["response_format"]
        return sent, put

    def learn(self, body: Mapping[str, Any], put: Put, said: str) -> bool:
        """Return whether a refusal in these words is of something that can be spared; it is left out from then on.

        `body` is what `apply` was given, `put` what it gave. Many requests may be refused at once: each is tried again
        that was put before the first of these refusals was understood.
        """
        if put.rung in _DOWN and _FORMAT.search(said):
            if self.rung == put.rung:
                self.rung = _DOWN[put.rung]
                self._known += 1
            return True
        for parameter, instead, words in _REFUSED:
            if parameter in body and words.search(said):
                if self.adjusted.get(parameter, parameter) == instead:
                    return put.known < self._known
                self.adjusted[parameter] = instead
                self._known += 1
                return True
        return False
