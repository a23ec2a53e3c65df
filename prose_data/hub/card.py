"""The YAML part of a card: what the files hold, and on top of that what the publisher says, as far as it does not
contradict them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets import DatasetInfo, Features, SplitInfo
from datasets.info import DatasetInfosDict
from datasets.splits import SplitDict
from huggingface_hub import DatasetCardData

from prose_data.errors import InputError, printable
from prose_data.hub.licences import OTHER, Licence, known_or_error
from prose_data.hub.parquet import HubConfig

FIELDS = (
    *("pretty_name", "description", "repo", "language", "license", "license_name", "license_link"),
    *("tags", "task_categories", "size_categories", "configs", "dataset_info"),
)
TAGS = ("synthetic", "prose-data")
_TASKS = ("text-generation",)
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_LONGEST = 10_000  # characters of a description


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of the files: configs in order, the first one loaded by default; the run's name; licence; whether the
    texts are English; tags beyond those of every data set."""

    configs: Sequence[HubConfig]
    name: str
    licence: Licence
    english: bool
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """The card's data, its description ("" for none) and the repository it is for ("" where that is not known)."""

    data: DatasetCardData
    title: str
    description: str
    repo: str


def make_card(facts: Facts, said: Mapping[str, Any]) -> Card:
    """Return the card of `facts` with the fields that the publisher set, `said`.

    Raises InputError naming the first field that is unknown, is of another form, or contradicts `facts`.
    """
    for field in said:
        if field not in FIELDS:
            raise InputError(f"{printable(str(field))}: is no field of a card; there are {', '.join(FIELDS)}")
    title = _line(said, "pretty_name", facts.name)
    data = DatasetCardData(
        pretty_name=title,
        language=_language(said, facts.english),
        license=known_or_error(said.get("license", facts.licence.identifier)),
        tags=_tags(said, facts.tags),
        task_categories=_words(said, "task_categories", _TASKS),
        size_categories=[size_category(sum(config.rows for config in facts.configs))],
        configs=_data_files(facts.configs),
    )
    for field, value in _own_licence(said, facts.licence).items():
        data[field] = value
    infos(facts.configs).to_dataset_card_data(data)
    for field in ("size_categories", "configs", "dataset_info"):
        _same_or_error(field, said, data[field])
    return Card(data, title, _text(said, "description", ""), _repo(said))


def infos(configs: Sequence[HubConfig]) -> DatasetInfosDict:
    """Return what `datasets` is to expect of each config: features, rows, bytes in memory and on disk."""
    return DatasetInfosDict({config.name: _info(config) for config in configs})


def _info(config: HubConfig) -> DatasetInfo:
    splits = SplitDict()
    for name, of_split in config.splits.items():
        splits.add(
            SplitInfo(name, sum(file.memory for file in of_split), sum(file.rows for file in of_split))
        )
    files = [file for of_split in config.splits.values() for file in of_split]
    return DatasetInfo(
        features=Features.from_arrow_schema(config.schema),
        splits=splits,
        download_size=sum(file.size for file in files),
        dataset_size=sum(file.memory for file in files),
    )


def _data_files(configs: Sequence[HubConfig]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = [
        {
            "config_name": config.name,
            "data_files": [{"split": split, "path": f"{config.name}/{split}-*"} for split in config.splits],
        }
        for config in configs
    ]
    listed[0]["default"] = True
    return listed


def size_category(rows: int) -> str:
    """Return the hub's word for a number of rows."""
    bounds = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    for place, bound in enumerate(bounds):
        if rows < 1_000 * 10**place:
            return f"{bounds[place - 1]}<n<{bound}" if place else "n<1K"
    return "n>1T"


def _language(said: Mapping[str, Any], english: bool) -> list[str]:
    languages = _words(said, "language", ("en",) if english else ("und",))
    for language in languages:
        if not _LANGUAGE.fullmatch(language):
            raise InputError(f"language: {printable(language)!r} is no code of a language such as en")
    if english and "en" not in languages:
        raise InputError(f"language: is {', '.join(languages)}, but the texts are English; add en")
    return languages


def _tags(said: Mapping[str, Any], also: Sequence[str]) -> list[str]:
    tags = _words(said, "tags", TAGS)
    if missing := [tag for tag in TAGS if tag not in tags]:
        raise InputError(f"tags: must hold {' and '.join(missing)}, as the texts were made by prose-data")
    return list(dict.fromkeys([*tags, *also]))


def _own_licence(said: Mapping[str, Any], licence: Licence) -> dict[str, str]:
    """Return name and link of a licence that the hub does not know."""
    found = {field: _line(said, field, "") for field in ("license_name", "license_link") if field in said}
    if found and said.get("license", licence.identifier) != OTHER:
        raise InputError(f"{next(iter(found))}: goes with license: {OTHER} only")
    return found


def _repo(said: Mapping[str, Any]) -> str:
    repo = _line(said, "repo", "")
    if repo and not _REPO.fullmatch(repo):
        raise InputError(f"repo: {repo!r} must look like OWNER/NAME")
    return repo


def _same_or_error(field: str, said: Mapping[str, Any], true: Any) -> None:
    value = said.get(field, true)
    if value not in (true, true[0] if len(true) == 1 else true):
        shown = f": it is {true[0]}" if field == "size_categories" else ""
        raise InputError(f"{field}: is not what the files hold{shown}; leave it out, as it follows from them")


def _words(said: Mapping[str, Any], field: str, default: Sequence[str]) -> list[str]:
    value = said.get(field, list(default))
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not words or not all(isinstance(word, str) for word in words):
        raise InputError(f"{field}: must be a word or a list of words")
    lines = [printable(word) for word in words]
    if not all(lines):
        raise InputError(f"{field}: must not hold an empty word")
    return lines


def _text(said: Mapping[str, Any], field: str, default: str) -> str:
    value = said.get(field, default)
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise InputError(f"{field}: must be a text of at most {_LONGEST:,} characters")
    return value


def _line(said: Mapping[str, Any], field: str, default: str) -> str:
    line = printable(_text(said, field, default))
    if field in said and not line:
        raise InputError(f"{field}: must not be empty")
    return line
