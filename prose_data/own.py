"""Somebody's own writing: texts from files in, inferred components out, with how many of the texts support each.

Nothing is known here but texts. Where the document that a text is about is not given, plain notes made from the text
stand in for it, so that a method can draft its own version and compare. A method that needs no draft asks no model.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from prose_data.config import Config
from prose_data.errors import InputError, RequestFailed, printable
from prose_data.llm.door import Door, View, open_door
from prose_data.llm.pool import each
from prose_data.methods import METHODS, ORACLE
from prose_data.methods.named import base, make
from prose_data.methods.types import Draft, Memory, Method, Preference
from prose_data.methods.verification import verify_component
from prose_data.rows import Row, read_rows
from prose_data.values import Document, Split, Task
from prose_data.writing import Example, notes, write

if TYPE_CHECKING:
    from rich.console import Console

_UNFIT = re.compile("[\0\ud800-\udfff]")
SUPPORTS = 1  # the least verdict on a text (-2 to 2) that counts as support


@dataclass(frozen=True, slots=True)
class OwnText:
    """One text of somebody; `document` is what it is about, None where that is not known."""

    document_id: str
    text: str
    document: str | None
    split: Split


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody with their texts, in the order in which they are learned from."""

    user_id: str
    task: Task
    source: str
    texts: tuple[OwnText, ...]


@dataclass(frozen=True, slots=True)
class Supported:
    """An inferred component; `support` of `of` texts show it.

    `confidence` is the method's own, where it states one; else (support + 1) / (of + 2), the mean of the share of texts
    that show it after these observations and before any (Laplace's rule): one text out of one is not certainty.
    """

    text: str
    confidence: float
    support: int
    of: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What was inferred about one author from `learned` of `of` texts.

    `failures` (reason, message) say what could not be done on the way; not each of them cost a text. `calls` counts what
    models were asked.
    """

    user_id: str
    method: str
    components: tuple[Supported, ...]
    description: str
    learned: int
    of: int
    calls: int
    failures: tuple[tuple[str, str], ...]


def inferring(name: str, config: Config) -> Method:
    """Return the method called `name`. Raises InputError for one that is unknown or infers no preferences."""
    choices = ", ".join(known for known in METHODS if make(known, config).infers)
    if name == ORACLE:
        raise InputError(
            f"--method {name}: needs the true preferences, which your own texts do not state; use {choices}"
        )
    if base(name) not in METHODS:
        raise InputError(f"--method {name}: is not a method; use {choices}")
    method = make(name, config)
    if not method.infers:
        raise InputError(f"--method {name}: infers no preferences; use {choices}")
    return method


def read_texts(path: Path) -> list[Author]:
    """Return the authors in `path`: a folder of .txt and .md files, or a JSONL, CSV or Parquet file.

    The files directly in a folder are one author named after it, those of each sub-folder another. Raises InputError
    naming the file, line and field.
    """
    folder = path.resolve().name if path.is_dir() else None
    kinds: dict[str, tuple[Task, str]] = {}
    texts: dict[str, dict[str, OwnText]] = {}
    for row in read_rows(path):
        _check_encodable(row)
        source = row.text_or("source", "" if folder else "own")
        user_id = row.text("user_id") if folder is None else source or folder
        kind = (_one_of(row, "task", "email", get_args(Task)), source)
        if kinds.setdefault(user_id, kind) != kind and folder:
            raise InputError(
                f"{path}: both the folder and its sub-folder {folder} would be the user {folder}; rename one of them"
            )
        if kinds[user_id] != kind:
            raise InputError(
                f"{row.place}: user {user_id} is {' / '.join(kind)} here and {' / '.join(kinds[user_id])} before; "
                "a user has one task and source, so another needs a user_id of its own"
            )
        own = texts.setdefault(user_id, {})
        text = _own_text(row, len(own) + 1)
        if text.document_id in own:
            raise InputError(
                f"{row.place}: document_id {text.document_id} of user {user_id} was there before; it must be unique"
            )
        own[text.document_id] = text
    if not any(text.split == "learn" for own in texts.values() for text in own.values()):
        raise InputError(
            f"{path}: every text is heldout, so there is none to learn from; set the split of some to learn"
        )
    return [Author(user_id, *kinds[user_id], tuple(own.values())) for user_id, own in texts.items()]


async def infer_own(authors: Sequence[Author], method: str, config: Config) -> list[Findings]:
    """Return what `method` infers about each author, asking through a door with the request store `config.store`.

    A request that fails for good costs its text, not the author. Raises InputError for an unknown or unfit method.
    """
    chosen = inferring(method, config)
    workers = config.model_of("inferrer").concurrency
    async with open_door(config, config.store) as door:

        async def work(author: Author) -> Findings:
            return await _infer_author(author, method, chosen, door, config.seeds[0], workers)

        return await each(authors, work, workers)


def to_rows(findings: Iterable[Findings]) -> list[dict[str, Any]]:
    """Return one object per author, a line each of what `infer --out` writes."""
    rows = []
    for found in findings:
        components = [
            {"text": c.text, "confidence": round(c.confidence, 4), "support": c.support, "of": c.of}
            for c in found.components
        ]
        row: dict[str, Any] = {"user_id": found.user_id, "method": found.method, "components": components}
        rows.append(row | {"description": found.description})
    return rows


def print_findings(console: "Console", findings: Iterable[Findings], notice: str | None) -> None:
    """Print what was inferred as data: nothing in it is read as markup or as a control code."""
    from rich.table import Table
    from rich.text import Text

    if notice:
        console.print(Text(notice, style="yellow"), soft_wrap=True)
    for found in findings:
        title = f"{found.user_id}: {found.method}, learned from {found.learned} of {found.of} texts"
        if not found.components:
            console.print(Text(f"{printable(title)}; no component was inferred"), soft_wrap=True)
            continue
        table = Table("component", title=Text(printable(title)), title_justify="left")
        table.add_column("shown by", justify="right", no_wrap=True)
        table.add_column("confidence", justify="right", no_wrap=True)
        for c in found.components:
            table.add_row(Text(printable(c.text)), f"{c.support} of {c.of}", f"{c.confidence:.2f}")
        console.print(table)


async def _infer_author(
    author: Author, name: str, method: Method, door: Door, seed: int, workers: int
) -> Findings:
    """Return what `method` believes after the author's last text, and which of the texts show it."""
    view = door.view("infer", seed, name)
    failures: list[tuple[str, str]] = []
    texts = [own for own in author.texts if own.split == "learn"]
    learned: list[Example] = []
    memory: Memory = ()
    for own in texts:
        try:
            example = await _example(author, own, method, view)
            after = None if example is None else await _learn(memory, example, method, view)
        except RequestFailed as error:
            failures.append((error.reason, f"{author.user_id}, {own.document_id}: {error}"))
            continue
        if example is not None and after is not None:
            memory = after
            learned.append(example)
    preference = Preference()
    try:
        if learned:
            preference = await method.recall(memory, learned[-1].document, view)
    except RequestFailed as error:
        failures.append((error.reason, f"{author.user_id}: {error}"))
    if preference.evidence:
        weighed = zip(preference.components, preference.evidence, strict=True)
        supported = _best_first(Supported(text, w.confidence, w.support, w.of) for text, w in weighed)
    else:
        supported = await _supported(preference.components, learned, view, workers, failures)
    found = (author.user_id, name, supported, preference.description or "")
    return Findings(*found, len(learned), len(texts), view.calls, (*failures, *view.notes))


async def _example(author: Author, own: OwnText, method: Method, view: View) -> Example | None:
    about = own.document or (await notes(view, own.text) if method.drafts else "")
    if about is None:
        return None
    return Example(Document(own.document_id, author.task, author.source or "own", about, "own", ""), own.text)


async def _learn(memory: Memory, example: Example, method: Method, view: View) -> Memory | None:
    """Return the memory after one text, drafted first as in a run; None where there is no draft to compare with."""
    if not method.drafts:
        return await method.learn(memory, example, Draft("", Preference()), view)
    preference = await method.recall(memory, example.document, view)
    text = await write(view, example.document, preference.components, preference.examples)
    return None if text is None else await method.learn(memory, example, Draft(text, preference), view)


async def _supported(
    components: Sequence[str],
    learned: Sequence[Example],
    view: View,
    workers: int,
    failures: list[tuple[str, str]],
) -> tuple[Supported, ...]:
    """Return for each component how many texts show it, best supported first; verdicts that can't be had don't count."""

    async def verdict(pair: tuple[str, Example]) -> int | None:
        component, example = pair
        try:
            return await verify_component(view, example.text, component)
        except RequestFailed as error:
            failures.append((error.reason, f"{example.document.document_id}: {error}"))
            return None

    verdicts = await each(product(components, learned), verdict, workers)
    found = []
    for index, component in enumerate(components):
        given = [v for v in verdicts[index * len(learned) : (index + 1) * len(learned)] if v is not None]
        support, of = sum(v >= SUPPORTS for v in given), len(given)
        found.append(Supported(component, (support + 1) / (of + 2), support, of))
    return _best_first(found)


def _best_first(components: Iterable[Supported]) -> tuple[Supported, ...]:
    return tuple(sorted(components, key=lambda component: -component.confidence))


def _check_encodable(row: Row) -> None:
    """Raise InputError for characters that no text file can hold; JSON escapes can smuggle them in."""
    for column in ("user_id", "source", "document_id", "document", "text"):
        value = row.fields.get(column)
        if isinstance(value, str) and _UNFIT.search(value):
            raise InputError(f"{row.place}: {column} holds a NUL or half a character; it must be plain text")


def _own_text(row: Row, number: int) -> OwnText:
    text = row.text("text").strip()
    document = row.text_or("document", "").strip() or None
    split = _one_of(row, "split", "learn", get_args(Split))
    return OwnText(row.text_or("document_id", str(number)), text, document, split)


def _one_of(row: Row, column: str, default: str, known: Sequence[str]) -> Any:
    value = row.text_or(column, default)
    if value not in known:
        raise InputError(f"{row.place}: {column} is {value!r}; it must be {' or '.join(known)}")
    return value
