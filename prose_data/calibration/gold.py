"""Gold: texts of which it is known whether they show a component, as JSON Lines.

A line is {"text", "component", "label": true, false or -2..2, and, where known, "document", "origin", "who", "drawn"}.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prose_data.errors import InputError
from prose_data.rows import Row, read_rows
from prose_data.runs import land

_UNFIT = re.compile("[\0\ud800-\udfff]")
_FIELDS = ("text", "component", "label", "document", "origin", "who", "drawn")
Pair = tuple[str, str]  # a text and a component


@dataclass(frozen=True, slots=True)
class Gold:
    """What is known of one component in a text.

    `label` is True or False, or a degree from -2 to 2 on the judge's scale. Items about one `document` are resampled
    together. `origin` says how the text came about, `who` labelled it ("" for a measure), `drawn` how many texts of a run
    were drawn to be labelled, this one among them (None for a text from elsewhere).
    """

    text: str
    component: str
    label: bool | int
    document: str = ""
    origin: str = ""
    who: str = ""
    drawn: int | None = None

    @property
    def pair(self) -> Pair:
        """What the judge is asked about."""
        return self.text, self.component

    @property
    def exhibits(self) -> bool:
        """Whether the text shows the component."""
        return self.label if isinstance(self.label, bool) else self.label >= 1

    @property
    def degree(self) -> int | None:
        """The label on the scale from -2 to 2; None for one of true and false."""
        return None if isinstance(self.label, bool) else self.label


def read_gold(paths: Sequence[Path]) -> list[Gold]:
    """Return the items of JSON Lines files, in order of component, text and labeller.

    Raises InputError naming file, line and field, also where one person labels one pair in two ways, and where only some
    items were drawn from a run: those stand for many others each, and the rest for themselves.
    """
    seen: dict[tuple[str, str, str], tuple[Gold, str]] = {}
    for path in paths:
        if path.suffix.lower() not in (".jsonl", ".ndjson"):
            raise InputError(f"--gold {path}: must be a .jsonl file with a line per text and component")
        if not path.is_file():
            raise InputError(f"--gold {path}: no such file")
        for row in read_rows(path):
            item = _item(row)
            before, place = seen.setdefault((item.component, item.text, item.who), (item, row.place))
            if before.label != item.label or isinstance(before.label, bool) != isinstance(item.label, bool):
                raise InputError(
                    f"{row.place}: labels the text and component of {place} in another way; say in who labelled which"
                )
    items = [seen[key][0] for key in sorted(seen)]
    if len({item.drawn is None for item in items}) > 1:
        raise InputError(
            f"--gold {', '.join(map(str, paths))}: holds texts drawn from a run (with drawn) and others; "
            "calibrate with each kind alone"
        )
    return items


def gold_line(item: Gold) -> str:
    """Return an item as one line of JSON, fields that hold nothing left out."""
    fields = {key: value for key, value in asdict(item).items() if value not in ("", None) or key == "label"}
    return json.dumps(fields, ensure_ascii=False) + "\n"


def write_gold(path: Path, items: Iterable[Gold]) -> None:
    """Write `items` as JSON Lines, whole or not at all."""
    text = "".join(map(gold_line, items))
    land(path, lambda file: file.write(text.encode()))


def _item(row: Row) -> Gold:
    if strange := [name for name in row.fields if name not in _FIELDS]:
        raise InputError(
            f"{row.place}: {strange[0]!r} is not a field of gold; known are {', '.join(_FIELDS)}"
        )
    for name in ("text", "component", "document", "origin", "who"):
        if isinstance(row.fields.get(name), str) and _UNFIT.search(row.fields[name]):
            raise InputError(f"{row.place}: {name} holds a NUL or half a character; it must be plain text")
    document, origin, who = (row.text_or(name, "") for name in ("document", "origin", "who"))
    drawn = row.fields.get("drawn")
    if drawn is not None and (not _is_whole(drawn) or drawn < 1):
        raise InputError(f"{row.place}: drawn is {drawn!r}; it must be the number of texts that were drawn")
    return Gold(row.text("text"), row.text("component"), _label(row), document, origin, who, drawn)


def _label(row: Row) -> bool | int:
    if "label" not in row.fields:
        raise InputError(f"{row.place}: there is no field 'label'; it must be true, false or -2 to 2")
    label = row.fields["label"]
    if isinstance(label, bool) or (_is_whole(label) and -2 <= label <= 2):
        return bool(label) if isinstance(label, bool) else int(label)
    raise InputError(
        f"{row.place}: label is {str(label)[:40]!r}; it must be true, false or a whole number from -2 to 2"
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
