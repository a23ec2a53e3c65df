"""The data set folder: what other libraries read out of it is what the run holds, the truth apart."""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import DatasetCard

from prose_data.alignx.record import RECORD_SCHEMA
from prose_data.alignx.synthesis import synthesize
from prose_data.config import load_config, parse_config
from prose_data.errors import InputError
from prose_data.hub import records, tables
from prose_data.hub.configs import LABELS
from prose_data.hub.folder import build_folder
from prose_data.hub.loading import HUB
from prose_data.hub.parquet import Layout
from prose_data.llm.meter import Meter
from prose_data.report import make_report
from prose_data.runs import MANIFEST, Run
from prose_data.stages import run_all
from tests.croissant import Dataset

CONFIG = {
    "name": "small",
    "space": "style",
    "users": {"count": 3},
    "seeds": [0],
    "samples": {"per_user": 2, "heldout": 1},
    "methods": ["no_learning", "prose", "oracle"],
    "shards": {"users": 2},
}
# alignx: train and test in one part, and files that begin and end within parts and row groups
ALIGNX = {"name": "records", "space": "alignx", "alignx": {"records": 60, "test": 7}, "shards": {"users": 25}}
Frames = dict[str, dict[str, pl.DataFrame]]


def _prose(folder: Path, **changes: Any) -> Run:
    run = asyncio.run(run_all(parse_config({**CONFIG, **changes}, "test"), folder))
    make_report(run)
    return run


def _alignx(folder: Path, **changes: Any) -> Run:
    config = parse_config({**ALIGNX, **changes}, "test")
    return synthesize(config, folder, lambda done, total: None, Meter(config.budget))


def _files(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _frames(folder: Path) -> Frames:
    """Return all tables of a folder by config and split, as polars reads them."""
    data = DatasetCard.load(folder / "README.md").data
    return {
        config["config_name"]: {
            part["split"]: pl.read_parquet(folder / f"{part['path']}.parquet")
            for part in config["data_files"]
        }
        for config in data["configs"]
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = _prose(tmp_path_factory.mktemp("hub") / "run")
    build_folder(run)
    return run


@pytest.fixture(scope="module")
def alignx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    run = _alignx(tmp_path_factory.mktemp("hub") / "alignx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "LAYOUT", Layout(group=4, file=16))
        build_folder(run)
        yield run


@pytest.fixture(params=["run", "alignx"])
def folder(request: pytest.FixtureRequest) -> Path:
    run: Run = request.getfixturevalue(request.param)
    return run.path / HUB


def test_datasets_loads_every_config_and_split_and_finds_what_the_card_says(
    folder: Path, tmp_path: Path
) -> None:
    data = DatasetCard.load(folder / "README.md").data
    for info in data["dataset_info"]:
        loaded = datasets.load_dataset(str(folder), info["config_name"], cache_dir=str(tmp_path))
        assert list(loaded) == [split["name"] for split in info["splits"]]
        for split in info["splits"]:
            own = loaded[split["name"]]
            assert own.num_rows == split["num_examples"] > 0
            assert own.features == datasets.Features._from_yaml_list(info["features"])
            # a reader may add a bit a value
            assert own.info.splits[split["name"]].num_bytes == pytest.approx(
                split["num_bytes"], rel=0.02, abs=64
            )
        sizes = [path.stat().st_size for path in (folder / info["config_name"]).iterdir()]
        assert info["download_size"] == sum(sizes)
        assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])
    rows = sum(split["num_examples"] for info in data["dataset_info"] for split in info["splits"])
    assert rows < 1_000 and data["size_categories"] == ["n<1K"]


def test_what_is_loaded_without_a_name_is_no_label(folder: Path, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert "text" in loaded["train"].features or "chosen" in loaded["train"].features


def test_duckdb_and_polars_read_the_same(folder: Path) -> None:
    for name, splits in _frames(folder).items():
        for split, frame in splits.items():
            found = duckdb.sql(f"SELECT * FROM '{folder}/{name}/{split}-*.parquet'").pl()
            assert found.equals(frame.cast(dict(found.schema))), (name, split)  # arrays as lists


def test_examples_of_the_card_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    code = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    counts = []
    for example in code:
        names: dict[str, Any] = {}
        exec(example, names)
        counts.append(len(names["rows"]))
    assert len(counts) == 3 and len(set(counts)) == 1 and counts[0] > 0


@pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated:DeprecationWarning"
)  # of libraries to each other
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_croissant_describes_every_split_and_finds_its_records(folder: Path) -> None:
    described = Dataset(str(folder / "croissant.json"))
    assert not described.metadata.ctx.issues.errors
    expected = {
        f"{name}-{split}": frame
        for name, splits in _frames(folder).items()
        for split, frame in splits.items()
    }
    assert {found.id for found in described.metadata.record_sets} == set(expected)
    for name, frame in expected.items():
        found = [_plain(record, name) for record in described.records(name)]
        # split order of files is the reader's
        assert sorted(map(str, found)) == sorted(
            str(_plain(row, name)) for row in frame.iter_rows(named=True)
        ), name


def _plain(record: Any, name: str) -> Any:
    """Return a record of Croissant or of polars with the same keys, texts and numbers."""
    if isinstance(record, dict):
        found = {
            key.rpartition("/")[2].replace(" ", "_"): _plain(value, name) for key, value in record.items()
        }
        return dict(sorted(found.items()))
    if isinstance(record, bytes):
        return record.decode()
    if isinstance(record, float):
        return round(record, 6)
    return (
        [_plain(value, name) for value in record]
        if hasattr(record, "__iter__") and not isinstance(record, str)
        else record
    )


def test_the_tables_are_those_of_the_run(run: Run) -> None:
    found = _frames(run.path / HUB)
    inferences = run.read("inferences").sort("inference_id")
    oracle = pl.col("method") == "oracle"
    assert found["inferences"]["train"].equals(inferences.filter(~oracle))
    assert found["oracle"]["train"].equals(inferences.filter(oracle))
    samples = run.read("samples").sort("sample_id")
    assert found["samples"]["train"].equals(samples.filter(split="learn"))
    assert found["samples"]["test"].equals(samples.filter(split="heldout"))
    assert found["documents"]["train"].equals(run.read("documents"))
    assert found["users"]["train"].equals(run.read("users").drop("components"))
    assert found["labels"]["train"].equals(run.read("users").select("user_id", "components"))


def test_scores_lead_back_to_the_components_by_way_of_the_labels_only(run: Run) -> None:
    found = _frames(run.path / HUB)
    scores, listed = found["scores"]["train"], found["components"]["train"]
    texts = dict(listed.select("component_id", "component").iter_rows()) | {"": ""}
    back = scores.with_columns(component=pl.col("component_id").replace_strict(texts))
    key = ["inference_id", "metric", "component"]
    true = run.read("scores").sort(key)
    assert back.sort(key).select(*key, "value").equals(true.select(*key, "value"))
    kept = scores.filter(metric="ppcm")["verdict"]
    assert kept.null_count() == 0 and kept.n_unique() > 1


def test_no_config_but_the_labels_names_what_a_user_holds(run: Run) -> None:
    held = {text for texts in run.read("users")["components"] for text in texts}
    assert held
    for name, splits in _frames(run.path / HUB).items():
        if name in LABELS or name in ("inferences", "documents"):  # what methods find is no label
            continue
        for frame in splits.values():
            told = " ".join(str(value) for row in frame.iter_rows() for value in row)
            assert not [text for text in held if text in told], name
    assert not {"components", "vector"} & set(_frames(run.path / HUB)["users"]["train"].columns)


def test_truths_and_edits_are_there_where_a_run_has_them(tmp_path: Path) -> None:
    few = {
        "users": {"count": 2},
        "shards": {"users": 1},
        "samples": {"per_user": 2},
        "metrics": ["ppcm", "stale"],
    }
    drift = _prose(tmp_path / "drift", protocol={"drift": {"step": 1}}, **few)
    found = _frames(build_folder(drift))
    assert found["truths"]["train"].equals(drift.read("truths").sort("user_id", "seed", "step"))
    ids = set(found["scores"]["train"]["component_id"]) - {""}
    former = {text for texts in drift.read("truths")["former"] for text in texts}
    assert former and former <= set(found["components"]["train"]["component"])
    assert ids <= set(found["components"]["train"]["component_id"])
    edited = load_config(Path("prelude"), ["seeds=[0]", "methods=[cipher_1, oracle]", "tasks=[email]"])
    prelude = asyncio.run(run_all(edited, tmp_path / "prelude"))
    found = _frames(build_folder(prelude))
    assert found["edits"]["train"].equals(prelude.read("edits").sort("inference_id"))
    assert "samples" not in found and next(iter(found)) == "edits"


def test_records_are_published_as_they_were_made(alignx: Run) -> None:
    made = pl.concat([pl.read_parquet(path) for path in alignx.parts("records")])
    found = _frames(alignx.path / HUB)["alignx"]
    assert found["train"].equals(made.head(53)) and found["test"].equals(made.tail(7))
    files = sorted((alignx.path / HUB / "alignx").iterdir())
    assert [path.name for path in files] == [
        "test-00000-of-00001.parquet",
        *(f"train-{n:05d}-of-00004.parquet" for n in range(4)),
    ]
    for path in files:
        assert pq.read_schema(path).equals(RECORD_SCHEMA)


def test_row_n_of_the_records_is_of_user_n(alignx: Run) -> None:
    found = _frames(alignx.path / HUB)
    for split in ("train", "test"):
        users, labels, rows = (found[name][split] for name in ("users", "labels", "alignx"))
        assert users["user_id"].equals(labels["user_id"]) and users.height == rows.height
        assert users.columns == ["user_id", "seed", "split"]
        for vector, direction in zip(labels["vector"], rows["Preference Direction"], strict=True):
            assert all(
                held == 0.5 or shown in (0.5, held) for held, shown in zip(vector, direction, strict=True)
            )


def test_shards_and_repetition_leave_no_trace(run: Run, alignx: Run, tmp_path: Path) -> None:
    first = _files(run.path / HUB)
    assert _files(build_folder(run)) == first
    other = _files(build_folder(_prose(tmp_path / "prose", shards={"users": 3})))
    assert {name for name in first if other[name] != first[name]} <= {"config.yaml", MANIFEST}
    first = _files(alignx.path / HUB)
    other = _files(build_folder(_alignx(tmp_path / "alignx", shards={"users": 60})))
    assert {name for name in first if other[name] != first[name]} <= {"config.yaml", MANIFEST}


def test_a_changed_row_changes_its_file_alone(alignx: Run, tmp_path: Path) -> None:
    changed = _alignx(tmp_path / "run")
    part = changed.parts("records")[1]
    rows = pl.read_parquet(part)
    rows[3, "prompt"] = "Another post altogether."  # row 28 of all: of the second file
    rows.write_parquet(part)
    old, new = _files(alignx.path / HUB), _files(build_folder(changed))
    differing = [name for name in old if name.startswith("alignx") and old[name] != new[name]]
    assert differing == ["alignx/train-00001-of-00004.parquet"]


def test_files_have_pages_that_can_be_found_and_groups_of_one_size(alignx: Run) -> None:
    for path in (alignx.path / HUB / "alignx").glob("train-*"):
        metadata = pq.read_metadata(path)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        assert all(group.num_rows == 4 for group in groups[:-1])
        columns = [group.column(number) for group in groups for number in range(group.num_columns)]
        assert all(column.has_offset_index and column.compression == "ZSTD" for column in columns)


def test_more_rows_than_are_sorted_at_once_come_out_sorted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_AT_ONCE", 7)
    monkeypatch.setattr(tables, "LAYOUT", Layout(group=5, file=20))
    wanted = _frames(run.path / HUB)
    copy = Run(tmp_path / "run", run.config)
    copy.path.symlink_to(run.path)
    try:
        assert all(
            frame.equals(wanted[name][split])
            for name, splits in _frames(build_folder(copy)).items()
            for split, frame in splits.items()
        )
        assert len(list((run.path / HUB / "scores").iterdir())) > 2
    finally:
        monkeypatch.undo()
        build_folder(run)


def test_configuration_and_manifest_say_nothing_of_this_machine(tmp_path: Path) -> None:
    space = tmp_path / "own.yaml"
    space.write_bytes((Path(__file__).parents[1] / "data/spaces/style.yaml").read_bytes())
    few = {
        "users": {"count": 1},
        "samples": {"per_user": 1},
        "methods": ["icl"],
        "store": str(tmp_path / "s.sqlite"),
    }
    models = {"default": {"backend": "simulated", "base_url": "http://intern.example:8000/v1"}}
    run = _prose(tmp_path / "run", space=str(space), models=models, **few)
    folder = build_folder(run)
    told = {name: data for name, data in _files(folder).items() if not name.endswith((".parquet", ".png"))}
    assert set(told) == {"README.md", "config.yaml", "croissant.json", MANIFEST}
    for name, data in told.items():
        assert str(tmp_path).encode() not in data and b"intern.example" not in data, name
    config = parse_config(yaml.safe_load(told["config.yaml"]), "the folder")
    assert (
        config.space == "own.yaml"
        and config.model_copy(update={"space": str(space)}).users == run.config.users
    )
    manifest = json.loads(told[MANIFEST])
    assert not {"written", "requests"} & set(manifest) and manifest["prompts"]


def test_a_report_that_is_older_than_the_run_is_made_anew(run: Run) -> None:
    (run.path / "summary.json").write_text('{"name": "stale"}')
    manifest = (run.path / MANIFEST).stat().st_mtime
    os.utime(run.path / "summary.json", (manifest - 10, manifest - 10))
    before = _files(run.path / HUB)
    assert _files(build_folder(run)) == before


def test_what_is_no_finished_run_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run folder, it has no"):
        build_folder(Run(tmp_path, run.config))
    unfinished = asyncio.run(run_all(parse_config(CONFIG, "test"), tmp_path / "run", stages=("synthesize",)))
    with pytest.raises(InputError, match="is not finished; run prose-data run"):
        build_folder(unfinished)
    assert not (tmp_path / "run" / HUB).exists()


def test_what_fails_leaves_the_folder_as_it_was(run: Run) -> None:
    before = _files(run.path / HUB)
    with pytest.raises(InputError, match="license"):
        build_folder(run, {"license": "mine"})
    assert _files(run.path / HUB) == before
    assert not list(run.path.glob(f".{HUB}*"))


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    run = _alignx(tmp_path / "run", alignx={"records": 30, "test": 3})
    part = run.parts("records")[0]
    part.write_bytes(part.read_bytes()[:-50])
    with pytest.raises(InputError, match=re.escape(str(part.parent))):
        build_folder(run)
