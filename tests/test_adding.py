"""docs/adding.md, followed to the letter in a copy of the repository: nothing but what it names is touched."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from prose_data.runs import load_run

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w/]+\.\w+)`:\s*\Z")
REGISTRY = {"prose_data/methods/__init__.py": "METHODS", "prose_data/metrics/__init__.py": "METRICS"}


def _steps() -> list[tuple[str, str]]:
    """Return the page's blocks in order: (path that stands before it, content), or ("", commands)."""
    page = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
    steps = []
    for fence in FENCE.finditer(page):
        named = NAMED.search(page[: fence.start()])
        assert (named is None) == (fence[1] == "sh"), fence[2]
        steps.append((named[1] if named else "", fence[2]))
    return steps


def _registered(source: str, lines: str, table: str) -> str:
    """Return a registry with the lines of the page in it: an import, and an entry at the end of the table."""
    imported, entry = lines.split("\n\n")
    head, start, rest = source.partition(f"{table}: dict")
    assert start and "\n}" in rest
    rest = rest.replace("\n}", f"\n{entry.rstrip()}\n}}", 1)
    return f"{head.rstrip()}\n{imported}\n\n{start}{rest}"


def _run(commands: str, folder: Path) -> None:
    script = commands.replace(".venv/bin/python", sys.executable)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def _follow(copy: Path) -> None:
    """Copy what is needed of the repository, and take every step of the page in order."""
    for name in ("prose_data", "schemas", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for path, content in _steps():
        if not path:
            _run(content, copy)
        elif path in REGISTRY:
            file = copy / path
            file.write_text(_registered(file.read_text(), content, REGISTRY[path]))
        else:
            assert not (copy / path).exists(), f"{path} is there already"
            (copy / path).write_text(content)


@pytest.mark.slow
def test_the_method_and_the_metric_of_the_page_run_and_are_in_the_style_of_the_house(tmp_path: Path) -> None:
    _follow(tmp_path)
    run = load_run(tmp_path / "runs" / "mine")
    samples, inferences, scores = (run.read(table) for table in ("samples", "inferences", "scores"))
    union = inferences.filter(method="union")
    assert union.height == samples.height and union["draft"].str.len_chars().min() > 50
    stated = {step: rows["components"].list.len() for (step,), rows in union.group_by("step")}
    assert stated[0].sum() == 0 and all((stated[step] > 0).all() for step in (3, 4))
    means = scores.filter(metric="ppcm").group_by("method").agg(pl.col("value").mean())
    ppcm = dict(means.iter_rows())
    assert ppcm["no_learning"] < ppcm["union"] < ppcm["oracle"]
    assert "union_infer" in (run.path / "manifest.json").read_text()

    ratios = scores.filter(metric="length_ratio")["value"]
    assert ratios.len() == inferences.height and ratios.min() < 1 < ratios.max()
    assert "length_ratio" in (run.path / "report.md").read_text()

    ours = " ".join(path for path, _ in _steps() if path.endswith(".py") and path not in REGISTRY)
    _run(f".venv/bin/python -m ruff check {ours}\n.venv/bin/python -m ruff format --check {ours}", tmp_path)


def test_a_method_is_about_fifteen_lines_and_touches_four_places() -> None:
    steps = {path: content for path, content in _steps() if path and "metrics" not in path}
    assert [path.rpartition("/")[0] for path in steps] == [
        "prose_data/methods",
        "prose_data/methods",
        "prose_data/prompts",
        "tests",
    ]
    module = steps["prose_data/methods/union.py"]
    code = [line for line in module.splitlines() if line and not line.startswith(("from ", '"""'))]
    assert len(code) <= 15
