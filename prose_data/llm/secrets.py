"""Secrets: a key that does not show itself, and a knife for what endpoints repeat of it."""

import base64
import json
from collections.abc import Callable, Iterable
from urllib.parse import quote

_PIECE = 8  # characters: shorter pieces of a secret tell nothing, and ordinary words could hold them
_LONGEST = 4000  # characters of a text that are looked at


class Hidden(str):
    """A text whose `repr` does not show it, so that no dump of variables and no log of arguments does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def knife(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return a function that gives the first 4,000 characters of a text with *** for all that is left of `secrets`.

    That is any piece of eight characters or more of a secret as it is, percent-encoded, in JSON, or in base64, where it
    may stand behind a user name. Secrets shorter than that are not looked for.
    """
    forms = [form for secret in secrets if len(secret) >= _PIECE for form in _forms(secret)]
    pieces = {form[at : at + _PIECE] for form in forms for at in range(len(form) - _PIECE + 1)}

    def cut(text: str) -> str:
        text = text[:_LONGEST]
        shown: list[str] = []
        end = 0  # of the last piece that was found
        for at in range(len(text) - _PIECE + 1):
            if text[at : at + _PIECE] in pieces:
                if at > end or not shown:
                    shown += (text[end:at], "***")
                end = at + _PIECE
        return "".join([*shown, text[end:]])

    return cut


def _forms(secret: str) -> list[str]:
    coded = []
    for before in range(3):  # base64 takes three bytes at a time, so what stands before shifts the letters
        letters = base64.b64encode(bytes(before) + secret.encode()).decode()
        coded.append(letters[-(-before * 4 // 3) : (before + len(secret)) * 4 // 3])
    coded += [letters.translate({ord("+"): "-", ord("/"): "_"}) for letters in coded]
    return [secret, quote(secret, safe=""), json.dumps(secret)[1:-1], *coded]
