"""What secrets, e-mail addresses and phone numbers look like; each pattern takes time in proportion to the text."""

import re
from collections.abc import Callable

# What every text must hold to be worth a closer look; RE2 reads some hundred MB of it a second.
SUSPECT = r"@[^\s@]|\d{2}[ ().\-/]{0,3}\d{2}|-----BEGIN|[A-Za-z0-9_\-]{20}|://[^/\s]*:"

_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?![\w-]*@)")
_NOBODYS = re.compile(r"(?i)(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost)")

_PRIVATE_KEY = (re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),)
_API_KEY = tuple(
    re.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})")
    for pattern in (
        r"sk-(?=[A-Za-z_-]{0,60}[0-9])(?=[A-Za-z0-9_-]{0,60}[A-Z])[A-Za-z0-9_-]{20}",
        r"sk-(?:ant|proj|or-v1|svcacct)-[A-Za-z0-9_-]{20}",
        r"sk-[A-Za-z0-9]{32}",
        r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])",
        r"AIza[0-9A-Za-z_-]{35}",
        r"[rs]k_live_[0-9A-Za-z]{16}",
        r"(?:gsk|xai|pplx|nvapi)[-_][A-Za-z0-9_-]{30}",
    )
)
_ACCESS_TOKEN = tuple(
    re.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})")
    for pattern in (
        r"hf_[A-Za-z0-9]{30}",
        r"gh[opsur]_[A-Za-z0-9]{36}",
        r"github_pat_[A-Za-z0-9_]{22}",
        r"glpat-[A-Za-z0-9_-]{20}",
        r"xox[abeoprs]-[0-9A-Za-z-]{16}",
        r"npm_[A-Za-z0-9]{36}",
        r"pypi-[A-Za-z0-9_-]{50}",
        r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{16}",
        r"(?i:bearer) {1,3}(?=[A-Za-z._~+/-]{0,60}[0-9])[A-Za-z0-9._~+/-]{24}",
    )
)
_PASSWORD = (
    re.compile(r"://[^/\s:@]{1,64}:[^/\s:@]{3,128}@[A-Za-z0-9]"),
    re.compile(
        r"(?i)(?:api[_-]?key|secret|token|passwd|password)[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
        r"(?=[a-z+/_.~-]{0,60}[0-9])(?=[0-9+/_.~-]{0,60}[a-z])[a-z0-9+/_.~-]{20}"
    ),
)

_PHONES = (
    re.compile(r"(?<![\w+])\+[1-9]\d{0,2}(?:[ .\-/()]{0,3}\d){6,13}(?!\d)"),  # +49 30 123456
    re.compile(r"(?<![\w.-])(?:1[ .-])?\(\d{3}\) ?\d{3}[ .-]\d{4}(?![\w-])"),  # (212) 234-5678
    re.compile(r"(?<![\w.-])(?:1[ .-])?\d{3}([.-])\d{3}\1\d{4}(?![\w-])"),  # 212-234-5678
    re.compile(r"(?<![\w.-])[2-9]\d\d [2-9]\d\d \d{4}(?![\w-])"),  # 212 234 5678
    re.compile(
        r"(?<![\w.,:/-])\(?0[1-9]\d{0,4}\)?[ /-]{1,2}\d{2,4}(?:[ -]?\d{2,4}){1,3}(?![\w-])"
    ),  # 030 1234567
    re.compile(
        r"(?i)\b(?:telephone|tel|phone|mobile|cell|fax|whatsapp)(?: (?:number|no))?[.:]{0,2}(?: is)? {0,2}"
        r"[+(]?\d(?:[ ().\-/]{0,2}\d){6,14}(?!\d)"
    ),
)
_DECIMAL = re.compile(r"\+?\d+\.\d+")
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d|(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2})(?!\d)"
)
_FICTION = re.compile(r"555[ .-]?01\d\d$")
_DIGITS = (7, 15)  # of a phone number


def _is_email(found: re.Match[str]) -> bool:
    return not _NOBODYS.fullmatch(found[1])


def _is_phone(found: re.Match[str]) -> bool:
    text = found[0]
    digits = sum(char.isdigit() for char in text)
    if not _DIGITS[0] <= digits <= _DIGITS[1] or (text.lstrip("(").startswith("0") and digits < 9):
        return False
    return not (_DECIMAL.fullmatch(text) or _DATE.search(text) or _FICTION.search(text))


# Kind, what a text in small letters holds at least if it holds one, patterns, and the last word.
_KINDS: tuple[
    tuple[str, re.Pattern[str], tuple[re.Pattern[str], ...], Callable[[re.Match[str]], bool]], ...
] = (
    ("a private key", re.compile("private key"), _PRIVATE_KEY, bool),
    ("an API key", re.compile("sk-|akia|asia|aiza|k_live_|gsk|xai|pplx|nvapi"), _API_KEY, bool),
    (
        "an access token",
        re.compile("hf_|gh[opsur]_|_pat_|glpat-|xox|npm_|pypi-|eyj|bearer"),
        _ACCESS_TOKEN,
        bool,
    ),
    ("a password", re.compile("://|key|secret|token|passw"), _PASSWORD, bool),
    ("an e-mail address", re.compile("@"), (_EMAIL,), _is_email),
    ("a phone number", re.compile(r"\d(?:[ ().\-/]{0,3}\d){6}"), _PHONES, _is_phone),
)


def kinds_of(text: str) -> list[str]:
    """Return the kinds of things in `text` that should not be published, each once."""
    small = text.lower()
    return [
        kind
        for kind, hint, patterns, holds in _KINDS
        if hint.search(small)
        and any(holds(found) for pattern in patterns for found in pattern.finditer(text))
    ]
