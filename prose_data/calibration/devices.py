"""Gold without people: texts in which a measure decides beyond doubt whether they show a component.

The texts come from the simulated writer, once with and once without each component that has a measure, or from the
samples of a run. Texts that a measure finds in between are left out, so a judge's errors on clear cases are what is
found: on others it will make more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prose_data.calibration.gold import Gold
from prose_data.config import Config
from prose_data.documents import load_documents
from prose_data.errors import InputError
from prose_data.features import features
from prose_data.llm.door import open_door
from prose_data.llm.pool import each
from prose_data.measures import MEASURES
from prose_data.runs import Run
from prose_data.spaces import Space, load_space
from prose_data.streams import stream
from prose_data.values import Document, Sample
from prose_data.writing import write

PRESENT, ABSENT = 0.6, 0.1  # a measure from here on, and up to here, decides


@dataclass(frozen=True, slots=True)
class Text:
    """A text that may become gold: what it is about, and how it came about."""

    text: str
    document: str
    origin: str


async def written_gold(config: Config, count: int) -> list[Gold]:
    """Return for each component with a measure up to `count` texts with and `count` without it, by the simulated writer.

    It is the same writer for whatever judge, and costs nothing. Texts written for other components count as without,
    where the measure says so. Raises InputError for a space without measures.
    """
    space = load_space(config.space)
    checks = _checks(space, config.tasks)
    documents = load_documents(config, space)
    plan: list[tuple[Document, str | None]] = []
    for component in checks:
        kinds = [kind for kind, held in space.sets.items() if component in held and kind in documents.by_kind]
        pool = [document for kind in kinds for document in documents.by_kind[kind]] or list(documents.rows)
        rng = stream(config.seeds[0], "calibration", "documents", component)
        drawn = rng.sample(pool, min(count, len(pool)))
        plan += [(document, wanted) for document in drawn for wanted in (component, None)]
    async with open_door(Config(), None) as door:  # the default models are simulated ones

        async def one(task: tuple[Document, str | None]) -> Text | None:
            document, component = task
            view = door.view("synthesize", config.seeds[0])
            text = await write(view, document, [component] if component else [], role="human")
            origin = f"written with {component}" if component else "written plainly"
            return None if text is None else Text(text, document.document_id, origin)

        texts = await each(list(dict.fromkeys(plan)), one, 1)
    return decided((text for text in texts if text is not None), checks, count, config.seeds[0])


def sampled_gold(run: Run, count: int) -> list[Gold]:
    """Return for each component with a measure up to `count` of a run's samples with and `count` without it."""
    space = load_space(run.config.space)
    checks = _checks(space, run.config.tasks)
    if not run.count("samples"):
        raise InputError(
            f"{run.path}: has no samples to make gold of; name a file of labelled texts with --gold"
        )
    shards = range(len(run.parts("samples")))
    samples = (sample for shard in shards for sample in run.values(Sample, shard))
    texts = [Text(sample.text, sample.document_id, f"sample {sample.sample_id}") for sample in samples]
    return decided(texts, checks, count, run.config.seeds[0])


def decided(texts: Iterable[Text], checks: Mapping[str, str], count: int, seed: int) -> list[Gold]:
    """Return for each component up to `count` of `texts` that plainly show it and as many that plainly do not.

    A component without either is left out. Raises InputError if that leaves none.
    """
    known = {text.text: text for text in texts}
    measured = [(text, features(text.text)) for text in known.values()]
    items: list[Gold] = []
    for component, measure in checks.items():
        found = [(text, MEASURES[measure](seen)) for text, seen in measured]
        sides = {
            True: [text for text, strength in found if strength >= PRESENT],
            False: [text for text, strength in found if strength <= ABSENT],
        }
        many = min(count, *map(len, sides.values()))
        for label, side in sides.items():
            rng = stream(seed, "calibration", component, str(label))
            drawn = rng.sample(side, many)
            items += [Gold(text.text, component, label, text.document, text.origin) for text in drawn]
    if not items:
        raise InputError(
            "the texts show none of the components that can be measured; name a file of labelled texts with --gold"
        )
    return sorted(items, key=lambda item: (item.component, item.text))


def _checks(space: Space, tasks: Sequence[str]) -> dict[str, str]:
    """Return the space's components of the configured tasks that a measure decides on."""
    held = {
        component for (task, _), components in space.sets.items() if task in tasks for component in components
    }
    checks = {
        component: measure
        for component, measure in space.checks.items()
        if space.kind == "drawn" or component in held
    }
    if not checks:
        raise InputError(
            f"space: no component of {space.name} can be measured without a model; name a file of labelled texts with "
            "--gold, or choose another space with --set space=style"
        )
    return checks
