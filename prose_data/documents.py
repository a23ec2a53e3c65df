"""Documents: the bundled corpus, somebody's own files, or data sets from Hugging Face; and which a user writes about."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from prose_data.config import Config, HubDocuments, OwnDocuments
from prose_data.embedding import encode
from prose_data.errors import InputError
from prose_data.hub_documents import load_preset, stream_rows
from prose_data.paths import DATA
from prose_data.rows import Row, read_rows
from prose_data.spaces import Kind, Space
from prose_data.streams import stream
from prose_data.users import round_of
from prose_data.values import Document, Task, User

_LOOK = 500  # documents of a kind among which those about one topic are looked for

Counts = Mapping[str, Mapping[str, int]]  # where from -> step -> rows left after it, in order


@dataclass(frozen=True)
class Documents:
    """All documents of a run, sorted by id, and the row counts before and after each filter, for the manifest."""

    rows: tuple[Document, ...]
    counts: Counts

    @cached_property
    def by_kind(self) -> Mapping[Kind, tuple[Document, ...]]:
        """The documents of each (task, source), sorted by id."""
        kinds: dict[Kind, list[Document]] = {}
        for document in self.rows:
            kinds.setdefault((document.task, document.source), []).append(document)
        return {kind: tuple(documents) for kind, documents in kinds.items()}

    @cached_property
    def by_task(self) -> Mapping[Task, tuple[Document, ...]]:
        """The documents of each task, sorted by id."""
        tasks: dict[Task, list[Document]] = {}
        for document in self.rows:
            tasks.setdefault(document.task, []).append(document)
        return {task: tuple(documents) for task, documents in tasks.items()}

    def of(self, user: User) -> tuple[Document, ...]:
        """Return the documents of the user's kind; own documents that lack this source: all of the user's task."""
        return self.by_kind.get((user.task, user.source)) or self.by_task.get(user.task, ())


def load_documents(config: Config, space: Space) -> Documents:
    """Return the documents that `config.documents` names, of the configured tasks.

    Raises InputError in one sentence that names file, line and field, or the data set, and what would be right.
    """
    where = config.documents
    if where == "bundled":
        documents, counts = _bundled(config.tasks)
    elif isinstance(where, OwnDocuments):
        path = Path(where.path)
        documents, counts = _own(read_rows(path, where.limit), where.column, config.tasks, path.name)
    elif where.dataset == "plume":
        documents, counts = load_preset(where, config.tasks, space.name)
    else:
        rows = stream_rows(where.dataset, where.config, where.split, where.revision)
        documents, counts = _own(_not_empty(rows, where), where.column, config.tasks, where.dataset)
    if not documents:
        raise InputError(f"documents: there is none for tasks {', '.join(config.tasks)}")
    loaded = Documents(tuple(sorted(documents, key=lambda document: document.document_id)), counts)
    return loaded if config.protocol.parts == 1 else _joined(loaded, config.protocol.parts)


def _joined(documents: Documents, parts: int) -> Documents:
    """Return long documents, each made of the next `parts` of a kind in order of ids; a rest that is too short is left out.

    A long document's id is its first part's and the number of the others; `origin` names all parts.
    """
    rows = []
    for kind in documents.by_kind.values():
        for start in range(0, len(kind) - parts + 1, parts):
            joined = kind[start : start + parts]
            origins, licences = (
                "; ".join(dict.fromkeys(words))
                for words in zip(*((part.origin, part.licence) for part in joined), strict=True)
            )
            names = ", ".join(part.document_id for part in joined)
            rows.append(
                replace(
                    joined[0],
                    document_id=f"{joined[0].document_id}+{parts - 1}",
                    text="\n\n".join(part.text for part in joined),
                    origin=f"{origins}: {names}",
                    licence=licences,
                )
            )
    if not rows:
        raise InputError(f"protocol.parts is {parts}, but no source has that many documents")
    counts = {**documents.counts, f"joined by {parts}": {"read": len(documents.rows), "joined": len(rows)}}
    return Documents(tuple(sorted(rows, key=lambda document: document.document_id)), counts)


def pool_of(config: Config, documents: Documents, user: User) -> tuple[Document, ...]:
    """Return what the user's documents to learn from are taken from: their own kind, or their whole task where the
    protocol says so."""
    if config.protocol.documents == "task":
        return documents.by_task.get(user.task, ())
    return documents.of(user)


def draw_documents(
    config: Config, space: Space, documents: Documents, user: User, seed: int, n: int
) -> list[Document]:
    """Return the `n` documents that `user` writes about under `seed`, in order.

    Fixed spaces follow the published rule: shuffle the source's documents with `default_rng(seed)`, keep the first n
    (the next user of the same source takes the next n, wrapping round); PRELUDE's frameworks shuffle all sources of the
    task in turn with one generator, and then the order in which they come (`prelude_turns`). Drawn spaces draw by
    (seed, user), and so do all where the protocol wants other documents than those of the source. Raises InputError
    if there are fewer than `n`.
    """
    wanted = config.protocol.documents
    pool = pool_of(config, documents, user)
    if wanted == "topic":
        return _about_one_topic(config, documents, user, seed)
    _enough(config, user, n, pool, user.task if wanted == "task" else f"{user.task}/{user.source}")
    if space.kind == "drawn" or wanted == "task":
        return stream(seed, "documents", user.user_id).sample(pool, n)
    first = round_of(space, user) * n
    if config.framework == "plume":
        order = list(range(len(pool)))
        np.random.default_rng(seed).shuffle(order)
        numbers = list(range(n))
    else:
        orders, rounds = _prelude_draw(space, documents, user.task, seed, n)
        order = orders[user.source]
        numbers = [number for source, number in rounds if source == user.source]
    return [pool[order[(first + number) % len(order)]] for number in numbers]


def _about_one_topic(config: Config, documents: Documents, user: User, seed: int) -> list[Document]:
    """Return documents about one topic to learn from, in chance order, and behind them heldout ones of other sources.

    The topic is that of one document of the user's kind, by chance: it and those that are most like it in wording, of the
    first 500 of the kind.
    """
    learned, heldout = config.samples.per_user, config.samples.heldout
    own = documents.of(user)
    _enough(config, user, learned, own, f"{user.task}/{user.source}")
    sources = {document.source for document in own}
    others = [document for document in documents.by_task[user.task] if document.source not in sources]
    _enough(config, user, heldout, others, f"{user.task} that are not of its source")
    rng = stream(seed, "topic", user.user_id)
    own = own[: max(learned, _LOOK)]
    alike = _likeness(tuple(document.text for document in own))[rng.randrange(len(own))]
    nearest = sorted(range(len(own)), key=lambda place: -alike[place])[:learned]
    rng.shuffle(nearest)
    return [*(own[place] for place in nearest), *rng.sample(others, heldout)]


@lru_cache(maxsize=32)  # users of a kind share it
def _likeness(texts: tuple[str, ...]) -> NDArray[np.float64]:
    """Return how alike each two texts are in wording, shape (n, n), to six decimals: beyond is a processor's rounding."""
    rows = encode(texts, "hashing").astype(np.float64)
    return (rows @ rows.T).round(6)


def _enough(config: Config, user: User, wanted: int, pool: Sequence[Document], which: str) -> None:
    """Raise InputError if `pool`, which holds the documents of `which`, has fewer than the user needs."""
    if len(pool) < wanted:
        raise InputError(
            f"documents: user {user.user_id} needs {wanted} documents of {which} (samples.per_user "
            f"{config.samples.per_user} and samples.heldout {config.samples.heldout}), but there are {len(pool)}"
        )


def prelude_turns(space: Space, documents: Documents, task: Task, seed: int, n: int) -> list[str]:
    """Return the sources of a fixed space's task in the order in which their documents come, `n` of each.

    PRELUDE's draw (arXiv 2404.15269, code): one `default_rng(seed)` shuffles the documents of each source in turn, and
    then what is left of all sources, the first n of each. It is a function of the seed alone.
    """
    return [source for source, _ in _prelude_draw(space, documents, task, seed, n)[1]]


def _prelude_draw(
    space: Space, documents: Documents, task: Task, seed: int, n: int
) -> tuple[dict[str, list[int]], list[tuple[str, int]]]:
    """Return the shuffled document numbers of each of the task's sources, and the rounds in order: the source of each,
    and the place of its document among the source's shuffled ones."""
    rng = np.random.default_rng(seed)
    orders: dict[str, list[int]] = {}
    for kind in (kind for kind in space.sets if kind[0] == task):
        pool = documents.by_kind.get(kind) or documents.by_task.get(task, ())
        orders[kind[1]] = list(range(len(pool)))
        rng.shuffle(orders[kind[1]])
    rounds = [(source, number) for source in orders for number in range(n)]
    turns = list(range(len(rounds)))
    rng.shuffle(turns)
    return orders, [rounds[turn] for turn in turns]


def _bundled(tasks: Sequence[Task]) -> tuple[list[Document], Counts]:
    documents: list[Document] = []
    counts: dict[str, dict[str, int]] = {}
    for task in tasks:
        for path in sorted((DATA / "documents" / task).glob("*.jsonl")):
            rows = list(read_rows(path))
            counts[f"{task}/{path.stem}"] = {"read": len(rows)}
            for number, row in enumerate(rows, 1):
                name = f"{task}-{path.stem}-{number:02d}"
                documents.append(
                    Document(name, task, path.stem, row.text("text"), "prose_data", "Apache-2.0")
                )
    return documents, counts


def _own(
    rows: Iterable[Row], column: str, tasks: Sequence[Task], origin: str
) -> tuple[list[Document], Counts]:
    """Return one document per row and task: the row's own task, else every configured one (which its id then names)."""
    documents = []
    seen: dict[str, str] = {}
    read = used = 0
    for number, row in enumerate(rows, 1):
        read += 1
        own_task = row.text_or("task", "")
        if own_task not in ("", *get_args(Task)):
            raise InputError(f"{row.place}: task is {own_task!r}; it must be {' or '.join(get_args(Task))}")
        text = row.text(column)
        source = row.text_or("source", "own")
        name = row.text_or("document_id", f"{source}-{number:05d}")
        used += own_task in ("", *tasks)
        for task in tasks:
            if own_task not in ("", task):
                continue
            document_id = name if own_task else f"{task}-{name}"
            if document_id in seen:
                raise InputError(
                    f"{row.place}: document_id {name!r} is also that of {seen[document_id]}; it must be unique"
                )
            seen[document_id] = row.place
            documents.append(
                Document(
                    document_id,
                    task,
                    source,
                    text.strip(),
                    row.text_or("origin", origin),
                    row.text_or("licence", "not stated"),
                )
            )
    return documents, {origin: {"read": read, "of the configured tasks": used}}


def _not_empty(rows: Iterable[Mapping[str, object]], where: HubDocuments) -> Iterator[Row]:
    """Yield up to `limit` texts of a data set; empty ones are left out, as nobody can mend them there.

    Its other columns are not ours: a `task` or `source` there means something else.
    """
    kept = 0
    for number, fields in enumerate(rows, 1):
        place = f"documents.dataset {where.dataset}, row {number}"
        if where.column not in fields:
            raise InputError(
                f"{place}: there is no field {where.column!r}; set documents.column to one of {', '.join(fields)}"
            )
        text = fields[where.column]
        if text is None or (isinstance(text, str) and not text.strip()):
            continue
        yield Row(place, {where.column: text, "document_id": f"own-{number:06d}"})
        kept += 1
        if kept == where.limit:
            return
