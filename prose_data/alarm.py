"""Word of a run that failed, for a command or a URL: one JSON object, with no text of a model and no secret in it.

The target comes from the environment variable PROSE_DATA_ON_FAILURE alone, which `prose-data serve --on-failure` sets: a
webhook's URL is a secret, and a command among a deployment's parameters could be changed by whoever reaches its server.
"""

import json
import os
import shlex
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from prose_data.errors import InputError, ProseDataError, printable
from prose_data.llm.secrets import knife

ON_FAILURE = "PROSE_DATA_ON_FAILURE"
_SECONDS = 60
_LONGEST = 500  # characters of an error's sentence
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "AUTH", ON_FAILURE)


def check_target(target: str) -> None:
    """Raise InputError where `target` is neither an http(s) URL nor a command that is there."""
    if _is_url(target):
        if not urlsplit(target).hostname:
            raise InputError("--on-failure: the URL names no host")
        return
    words = _words(target)
    if not words or shutil.which(words[0]) is None:
        raise InputError(
            f"--on-failure: there is no command {words[0] if words else target!r}; "
            "give a command, or a URL that begins with http:// or https://"
        )


def tell(news: Mapping[str, str]) -> None:
    """Hand `news` to the target, if there is one: on a command's standard input, or as the body of a POST.

    Raises OSError or subprocess.SubprocessError when it was not taken.
    """
    target = os.environ.get(ON_FAILURE)
    if not target:
        return
    body = json.dumps(news, ensure_ascii=False).encode(errors="replace")
    if _is_url(target):
        request = urllib.request.Request(target, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_SECONDS):
            return
    subprocess.run(_words(target), input=body, timeout=_SECONDS, check=True)


def sentence_of(error: object) -> str:
    """Return what may be said of an error: the sentence of one of ours, or a text of the engine's, without the secrets in
    the environment; of any other exception its kind."""
    if not isinstance(error, ProseDataError | str):
        return f"{type(error).__name__}; the log of the run says more"
    secrets = [value for name, value in os.environ.items() if any(word in name for word in _SECRET_WORDS)]
    return printable(knife(secrets)(str(error)))[:_LONGEST]


def _is_url(target: str) -> bool:
    return target.lower().startswith(("http://", "https://"))


def _words(target: str) -> list[str]:
    try:
        return shlex.split(target)
    except ValueError as error:
        raise InputError(f"--on-failure: not a command ({error})") from None
