"""The card of a data set: valid YAML, a text that nothing hostile breaks, and fields that may not contradict the files."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt
from markdown_it.token import Token

from prose_data.config import Config, parse_config
from prose_data.errors import InputError
from prose_data.hub.card import Card, Facts, make_card, size_category
from prose_data.hub.folder import build_folder
from prose_data.hub.language import is_english
from prose_data.hub.licences import KNOWN, Licence, licence_of
from prose_data.hub.parquet import HubConfig, Written
from prose_data.hub.readme import Told, escaped, text_of
from prose_data.runs import MANIFEST, Run, read_json, write_json
from prose_data.stages import run_all
from prose_data.values import Document
from tests.croissant import Dataset

ENGLISH = "The bus was late, and it is not the first time that this has been so for me in a month."
GERMAN = (
    "Der Bus war wieder zu spät, und das ist nicht das erste Mal, dass mir so etwas in diesem Monat passiert."
)
HOSTILE = (
    "a | b | c",
    "`code` ```\nfence",
    "---\nlicense: mit\n---",
    "<script>alert(1)</script> <!-- ",
    "[click](http://example.com) ![x](http://example.com/x.png)",
    "# title\n\n## Results\n\n| a |\n| --- |",
    "\\| \\` *bold* _it_ ~~gone~~ $$x$$ &lt;b&gt; https://example.com",
    "\u202egnp.exe\x07\x1b[31m",
)


def _config(**splits: int) -> HubConfig:
    files = {
        split: (Written(f"samples/{split}", rows, 9 * rows, 5 * rows, "0"),) for split, rows in splits.items()
    }
    schema = pa.schema([("text", pa.string())])
    return HubConfig("samples", "What users wrote.", schema, {"text": "The text."}, files)


def _labels() -> HubConfig:
    file = Written("labels/train", 3, 60, 30, "0")
    columns = {"components": "What a user holds."}
    return HubConfig(
        "labels", "Labels.", pa.schema([("components", pa.list_(pa.string()))]), columns, {"train": (file,)}
    )


def _facts(english: bool = True, licence: str = "mit", rows: int = 2_000) -> Facts:
    configs = [_config(train=rows, test=500), _labels()]
    return Facts(configs, "small", Licence(licence, "Because.", ()), english, ("simulated",))


def _card(said: dict[str, Any] | None = None, **facts: Any) -> Card:
    return make_card(_facts(**facts), said or {})


def test_what_the_files_hold_is_in_the_card() -> None:
    data = DatasetCard(f"---\n{_card().data.to_yaml()}\n---\n\ntext").data
    assert (data["pretty_name"], data["language"], data["license"]) == ("small", ["en"], "mit")
    assert {"synthetic", "prose-data", "simulated"} == set(data["tags"])
    assert data["size_categories"] == ["1K<n<10K"]
    first, second = data["configs"]
    assert first["default"] and [part["split"] for part in first["data_files"]] == ["train", "test"]
    assert "default" not in second
    info = {info["config_name"]: info for info in data["dataset_info"]}
    assert info["samples"]["splits"] == [
        {"name": "train", "num_bytes": 18_000, "num_examples": 2_000},
        {"name": "test", "num_bytes": 4_500, "num_examples": 500},
    ]
    assert (info["samples"]["download_size"], info["samples"]["dataset_size"]) == (12_500, 22_500)
    assert info["labels"]["features"] == [{"name": "components", "list": "string"}]


def test_what_the_publisher_says_is_in_the_card() -> None:
    said = {
        "pretty_name": "Mine",
        "language": ["de", "en"],
        "license": "other",
        "license_name": "house-licence",
        "license_link": "https://example.com/licence",
        "tags": ["synthetic", "prose-data", "mine"],
        "task_categories": "text-classification",
        "repo": "me/mine",
    }
    card = _card(said)
    data = yaml.safe_load(card.data.to_yaml())
    assert {
        key: data[key] for key in ("pretty_name", "language", "license", "license_name", "license_link")
    } == {key: said[key] for key in ("pretty_name", "language", "license", "license_name", "license_link")}
    assert data["tags"] == ["synthetic", "prose-data", "mine", "simulated"]
    assert data["task_categories"] == ["text-classification"]
    assert card.repo == "me/mine"


def test_what_follows_from_the_files_may_be_said_as_it_is() -> None:
    true = _card().data
    for field in ("size_categories", "configs", "dataset_info"):
        assert _card({field: true[field]}).data[field] == true[field]
    assert _card({"size_categories": "1K<n<10K"}).data["size_categories"] == ["1K<n<10K"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"size_categories": ["1M<n<10M"]}, "size_categories: is not what the files hold: it is 1K<n<10K"),
        ({"configs": [{"config_name": "samples"}]}, "configs: is not what the files hold"),
        ({"dataset_info": []}, "dataset_info: is not what the files hold"),
        ({"language": "de"}, "language: is de, but the texts are English"),
        ({"language": ["english"]}, "language: 'english' is no code"),
        ({"language": []}, "language: must be a word or a list of words"),
        ({"license": "apache"}, "license: 'apache' is no licence that the hub knows"),
        ({"license": ["mit"]}, "license: .* is no licence"),
        ({"license": None}, "license: None is no licence"),
        ({"license_name": "mine"}, "license_name: goes with license: other only"),
        ({"tags": ["mine"]}, "tags: must hold synthetic and prose-data"),
        ({"tags": ["prose-data", ""]}, "tags: must not hold an empty word"),
        ({"tags": {"synthetic": 1}}, "tags: must be a word or a list of words"),
        ({"pretty_name": " \n"}, "pretty_name: must not be empty"),
        ({"pretty_name": 3}, "pretty_name: must be a text"),
        ({"description": "x" * 10_001}, "description: must be a text of at most 10,000 characters"),
        ({"repo": "no owner"}, "repo: 'no owner' must look like OWNER/NAME"),
        ({"licence": "mit"}, "licence: is no field of a card; there are pretty_name,"),
    ],
)
def test_what_contradicts_the_files_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _card(said)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (1_311_622, "1M<n<10M"),
        (10**12, "n>1T"),
        (10**12 - 1, "100B<n<1T"),
    ],
)
def test_sizes_have_the_words_of_the_hub(rows: int, word: str) -> None:
    assert size_category(rows) == word


def test_the_language_is_told_by_the_texts() -> None:
    assert is_english([ENGLISH] * 3)
    assert not is_english([GERMAN] * 3)
    assert not is_english([])
    assert _card(english=False).data["language"] == ["und"]
    assert _card({"language": "de"}, english=False).data["language"] == ["de"]


def _licensed(path: Path, *licences: str) -> Run:
    run = Run(path, Config())
    documents = [
        Document(f"d{n}", "email", "ccby", ENGLISH, f"origin {n % 2}", text)
        for n, text in enumerate(licences)
    ]
    run.write("documents", documents)
    return run


@pytest.mark.parametrize(
    ("licences", "identifier", "reason"),
    [
        (["Apache-2.0", "Apache-2.0"], "apache-2.0", "All documents"),
        (["CC BY 4.0", "cc-by-4.0"], "cc-by-4.0", "All documents"),
        (["MIT", "Apache-2.0"], "other", "several licences"),
        (["MIT", "not stated"], "other", "several licences"),
        (["not stated"], "other", "none that the hub knows"),
        (["other"], "other", "none that the hub knows"),
    ],
)
def test_the_licence_follows_from_the_documents(
    tmp_path: Path, licences: list[str], identifier: str, reason: str
) -> None:
    found = licence_of(_licensed(tmp_path, *licences), simulated=True)
    assert found.identifier == identifier in KNOWN and reason in found.reason
    assert sum(count for _, _, count in found.documents) == len(licences)


def test_texts_on_no_document_are_under_the_licence_of_who_wrote_them(tmp_path: Path) -> None:
    assert licence_of(Run(tmp_path, Config()), simulated=True).identifier == "apache-2.0"
    assert licence_of(Run(tmp_path, Config()), simulated=False).identifier == "other"


def _told(word: str) -> Told:
    """Return what a card is made from, with `word` wherever it could come from somebody else."""
    estimate = {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 4, "failed": 0}
    manifest = {
        "version": "0.1.0",
        "commit": None,
        "models": dict.fromkeys(("human", "writer", "inferrer", "judge"), word),
        "prompts": {"write": "0123456789"},
        "failures": {"infer": {word: 3}},
        "failed_share": 0.01,
    }
    counts = {"wanted": 10, "first": 9, "rewritten": 1, "refused": 0, "rejected": {word: 2}}
    summary = {"users": 4, "methods": {word: {"ppcm": estimate}}, "samples": counts}
    licence = Licence("other", "Because.", ((word, word, 12),))
    config = parse_config({"space": f"{word.replace('/', '')}.yaml"}, "test")
    return Told(config, manifest, summary, None, _facts().configs, licence, ["curve"], True, {"samples": 1})


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


def _outline(text: str) -> list[tuple[str, str]]:
    """Return the structure of a Markdown text: its elements, and where they lead."""
    tokens = _flat(MarkdownIt("commonmark").enable("table").parse(text))
    quiet = ("text", "softbreak", "inline", "text_special")
    return [
        (token.type, str(token.attrs.get("href") or token.attrs.get("src") or ""))
        for token in tokens
        if token.type not in quiet
    ]


@pytest.mark.parametrize("word", HOSTILE)
def test_no_text_becomes_markup(word: str) -> None:
    said = {"pretty_name": word, "description": word}
    text = text_of(_told(word), make_card(_facts(), said))
    calm = text_of(_told("word"), make_card(_facts(), {"pretty_name": "word", "description": "word"}))
    paragraphs = [part for part in word.split("\n\n") if part.strip()]
    more = [("paragraph_open", ""), ("paragraph_close", "")] * (len(paragraphs) - 1)
    outline, wanted = _outline(text), _outline(calm)
    end = wanted.index(("heading_close", "")) + 1
    assert outline == wanted[:end] + more + wanted[end:]
    images = [where for kind, where in outline if kind == "image"]
    assert images == ["figures/curve.png"] and not [kind for kind, _ in outline if kind.startswith("link")]
    assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize("word", HOSTILE)
def test_no_text_breaks_the_yaml(word: str) -> None:
    said = {
        "pretty_name": word,
        "tags": ["synthetic", "prose-data", word],
        "license": "other",
        "license_name": word,
    }
    card = DatasetCard(f"---\n{_card(said).data.to_yaml()}\n---\n\n# text\n")
    assert card.data["license"] == "other" and card.data["license_name"] == card.data["pretty_name"]
    assert len(card.data["tags"]) == 4 and card.text.strip() == "# text"


def test_escaped_text_reads_as_it_was() -> None:
    for word in HOSTILE:
        tokens = MarkdownIt("commonmark").parse(f"x {escaped(word)} x")
        read = "".join(token.content for token in tokens[1].children or [])
        assert (
            read == f"x {' '.join(''.join(c for c in ' '.join(word.split()) if c.isprintable()).split())} x"
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on own documents, with a model that answers elsewhere in its name and hostile words in every column."""
    folder = tmp_path_factory.mktemp("card")
    lines = [
        {
            "document_id": f"d{n} {word}",
            "text": f"{ENGLISH} {word}",
            "origin": word,
            "licence": word,
            "source": word,
        }
        for n, word in enumerate(HOSTILE)
    ]
    (folder / "own.jsonl").write_text("\n".join(map(json.dumps, lines)))
    data = {
        "name": "own",
        "space": "style",
        "documents": {"path": str(folder / "own.jsonl")},
        "users": {"count": 1},
        "seeds": [0],
        "samples": {"per_user": 1},
        "methods": ["no_learning", "icl", "oracle"],
    }
    return asyncio.run(run_all(parse_config(data, "test"), folder / "run"))


def test_the_card_says_first_that_a_model_was_simulated(run: Run) -> None:
    card = DatasetCard.load(build_folder(run) / "README.md")
    first = card.text.strip().splitlines()[0]
    assert first.startswith("**Made with the simulated model sim-strong") and "simulated" in card.data["tags"]
    assert "\n# own\n" in card.text and "own.jsonl" in card.text


def test_the_card_tells_how_the_data_were_made(run: Run) -> None:
    manifest = read_json(run.path / MANIFEST)
    try:
        failed = manifest | {"failures": {"infer": {"unreadable_line": 3}}, "failed_share": 0.125}
        write_json(run.path / MANIFEST, failed)
        text = (build_folder(run) / "README.md").read_text()
    finally:
        write_json(run.path / MANIFEST, manifest)
    assert "| infer | unreadable\\_line | 3 |" in text and "12.50%" in text
    assert all(f"| {role} | sim\\-strong |" in text for role in ("human", "writer", "inferrer", "judge"))
    assert f"write `{manifest['prompts']['write'][:8]}`" in text
    summary = read_json(run.path / "summary.json")
    icl = summary["methods"]["icl"]["ppcm"]["mean"]
    assert f"| icl | {icl:.2f}" in text
    assert "## How to make it again" in text and "prose-data run config.yaml" in text
    assert "`other`: The documents are under several licences" in text


def test_the_card_says_when_samples_repeat_each_other(run: Run) -> None:
    text = (build_folder(run) / "README.md").read_text()
    samples = run.read("samples")["text"]
    assert f"- {samples.is_duplicated().sum()} rows of `samples` have a text" in text
    documents = run.read("documents")["text"]
    assert documents.is_duplicated().all()  # one for each task
    assert f"- {len(documents)} rows of `documents` have a text" in text


@pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated:DeprecationWarning"
)  # of libraries to each other
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_a_card_for_a_repository_names_it_throughout(run: Run) -> None:
    folder = build_folder(run, {"repo": "team/own", "license": "cc-by-4.0"})
    card = DatasetCard.load(folder / "README.md")
    assert 'load_dataset("team/own", "samples", split="train")' in card.text
    assert card.text.count("hf://datasets/team/own/samples/train-*.parquet") == 2
    assert card.data["license"] == "cc-by-4.0"
    described = Dataset(str(folder / "croissant.json"), mapping={"repo": str(folder)})
    assert described.metadata.url == "https://huggingface.co/datasets/team/own"
    rows = list(described.records("samples-train"))
    assert (
        sorted(row["samples-train/sample_id"].decode() for row in rows)
        == run.read("samples")["sample_id"].sort().to_list()
    )
