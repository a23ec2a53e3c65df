"""HTML that cannot be broken out of: every text goes through `text`, every tag through `element`."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from typing import NewType

Html = NewType("Html", str)


def text(words: str) -> Html:
    """Return `words` as HTML that shows them, whatever they are."""
    return Html(html.escape(words, quote=True))


def joined(parts: Sequence[Html], between: str = "\n") -> Html:
    """Return parts one after the other."""
    return Html(between.join(parts))


def element(name: str, *children: Html, **attributes: str) -> Html:
    """Return an element; an attribute's trailing `_` is dropped, others stand for `-`."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items()
    )
    return Html(f"<{name}{said}>{''.join(children)}</{name}>")


def paragraph(words: str) -> Html:
    """Return a paragraph."""
    return element("p", text(words))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> Html:
    """Return a table that scrolls sideways by touch and by key where it is too wide; its first column names the rows."""
    head = element("tr", *(element("th", text(name), scope="col") for name in header))
    body = [
        element(
            "tr", element("th", text(row[0]), scope="row"), *(element("td", text(value)) for value in row[1:])
        )
        for row in rows
    ]
    whole = element(
        "table", element("caption", text(caption)), element("thead", head), element("tbody", *body)
    )
    return element("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)


def folded(title: str, *children: Html) -> Html:
    """Return what is shown only when asked for."""
    return element("details", element("summary", text(title)), *children)


def section(name: str, title: str, *children: Html) -> Html:
    """Return a section with its heading; `name` is its anchor."""
    return element("section", element("h2", text(title)), *children, id=name)


def embedded(data: object) -> str:
    """Return JSON that can stand in a script element: no `<` can end it."""
    plain = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def hashed(content: str) -> str:
    """Return how a content security policy names inline `content`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
