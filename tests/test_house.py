"""The house rules that a program can check: who imports whom, and that importing anything is free of side effects."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path for package in ("prose_data", "flows", "schemas") for path in (ROOT / package).glob("**/*.py")
)
OURS = ("prose_data", "flows", "schemas")


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_module(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the modules that an import statement may load: `from a import b` gives a and a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imports(module: str) -> set[str]:
    return {name for node in ast.walk(MODULES[module]) for name in _names(node)}


def _eager_imports(module: str) -> set[str]:
    """Return what is loaded with the module itself: not inside functions."""
    inside = {
        node
        for function in ast.walk(MODULES[module])
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    return {name for node in ast.walk(MODULES[module]) if node not in inside for name in _names(node)}


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _importers(package: str) -> set[str]:
    """Return the modules outside `package` that import anything of it."""
    return {
        module
        for module in MODULES
        if not _within(module, package) and any(_within(name, package) for name in _imports(module))
    }


def test_the_rules_look_at_everything() -> None:
    assert {"prose_data.cli", "prose_data.methods.prose", "flows.pipeline", "schemas.users"} <= set(MODULES)
    assert "prose_data.stages" in _importers("prose_data.methods")


@pytest.mark.parametrize("package", ["prefect", "prefect_dask", "prefect_ray", "dask", "distributed", "ray"])
def test_only_flows_import_engines(package: str) -> None:
    assert all(_within(module, "flows") for module in _importers(package))


def test_only_the_command_line_imports_flows_and_only_when_asked() -> None:
    assert all(
        module == "prose_data.cli" or _within(module, "prose_data.commands") for module in _importers("flows")
    )
    for module in MODULES:
        if not _within(module, "flows"):
            assert not any(_within(name, "flows") for name in _eager_imports(module)), module


def test_the_command_line_starts_without_heavy_libraries() -> None:
    heavy = ("polars", "pyarrow", "openai", "datasets", "numpy", "dataframely", "asyncio", "prefect")
    for module in MODULES:
        if module == "prose_data.cli" or _within(module, "prose_data.commands"):
            eager = _eager_imports(module)
            assert not [name for name in eager for package in heavy if _within(name, package)], module


def test_only_the_door_and_the_command_line_know_the_simulator() -> None:
    """The report knows the names of its models, to say where a run was made with one."""
    package = "prose_data.simulator"
    for module in _importers(package) - {"prose_data.llm.door", "prose_data.commands.fake"}:
        known = {name for name in _imports(module) if _within(name, package)}
        assert module == "prose_data.report.summary" and all(
            _within(name, f"{package}.skills") for name in known
        ), module


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("prose_data.methods", ("metrics", "judging", "users", "spaces", "samples", "runs", "stages")),
        ("prose_data.metrics", ("methods", "users", "spaces", "samples", "runs", "stages")),
        (
            "prose_data.llm",
            ("methods", "metrics", "runs", "stages", "users", "spaces", "samples", "documents"),
        ),
        ("prose_data.episode", ("metrics", "users", "spaces", "samples", "runs", "stages")),
        (
            "prose_data.simulator",
            ("llm.door", "llm.ask", "methods", "metrics", "runs", "stages", "users", "spaces", "samples"),
        ),
    ],
)
def test_a_package_does_not_look_up(package: str, forbidden: tuple[str, ...]) -> None:
    for module in MODULES:
        if _within(module, package):
            for name in _imports(module):
                assert not any(_within(name, f"prose_data.{other}") for other in forbidden), (module, name)


def test_schemas_stand_alone() -> None:
    for module in MODULES:
        if _within(module, "schemas"):
            assert not any(
                _within(name, package) for name in _imports(module) for package in ("prose_data", "flows")
            )


def test_methods_take_no_user() -> None:
    """The type that holds the true components is not even named where methods live."""
    for module in MODULES:
        if _within(module, "prose_data.methods") or module == "prose_data.episode":
            assert "prose_data.values.User" not in _imports(module), module


def test_concurrency_lives_behind_the_door() -> None:
    makers = {
        "create_task",
        "ensure_future",
        "gather",
        "TaskGroup",
        "Thread",
        "ThreadPoolExecutor",
        "Process",
        "ProcessPoolExecutor",
        "Pool",
    }
    for module, tree in MODULES.items():
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & makers
        watching = module == "prose_data.progress" and used == {"Thread"}  # beside the event loop
        beside = module == "prose_data.workers"  # processes, where no model is asked
        assert not used or watching or beside or _within(module, "prose_data.llm"), (module, used)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_public_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(MODULES[module]), "a module says what it makes"
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    bodies = [
        MODULES[module].body,
        *(node.body for node in MODULES[module].body if isinstance(node, ast.ClassDef)),
    ]
    for node in (node for body in bodies for node in body if isinstance(node, kinds)):
        assert node.name.startswith("_") or ast.get_docstring(node), f"{node.name} has no docstring"


def test_importing_everything_needs_no_network_no_key_and_no_home(tmp_path: Path) -> None:
    script = """if True:
        import socket, sys
        def refuse(*_):
            raise OSError("no network while importing")
        socket.socket.connect = socket.getaddrinfo = refuse
        import importlib
        for module in sys.argv[1:]:
            importlib.import_module(module)
    """
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    # other libraries may warn while they are imported; ours may not
    own = [option for package in OURS for option in ("-W", f"error:::{package}")]
    done = subprocess.run(
        [sys.executable, *own, "-c", script, *MODULES],
        cwd=ROOT,
        env=environment,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
