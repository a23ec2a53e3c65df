"""What `make bench` leaves behind: results.json for machines, RESULTS.md for people."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.rows import ROWS
from bench.values import Figure

PACKAGES = ("prose-data", "aiohttp", "openai", "orjson", "pydantic", "polars")
_SIGNS = {">=": "≥", "<=": "≤", "<": "<"}
_HEAD = "| benchmark | measured | goal | unit | reached | absolute figures | on |\n| --- | ---: | ---: | --- | --- | --- | --- |"


def result(name: str, value: float) -> dict[str, object]:
    """Return the row of results.json."""
    row = ROWS[name]
    return {
        "name": name,
        "value": round(value, 4),
        "goal": row.goal,
        "unit": row.unit,
        "ok": row.reached(value),
    }


def write(folder: Path, figures: Mapping[str, Figure], yardstick: str) -> None:
    """Write both files; rows that are not among `figures` stay as they were."""
    results = folder / "results.json"
    kept = {row["name"]: row for row in json.loads(results.read_text())} if results.exists() else {}
    kept |= {name: result(name, figure.value) for name, figure in figures.items()}
    ordered = [kept[name] for name in ROWS if name in kept]
    results.write_text("[\n" + ",\n".join(json.dumps(row) for row in ordered) + "\n]\n", encoding="utf-8")

    table = folder / "RESULTS.md"
    lines = _lines(table) | {name: line(name, figure) for name, figure in figures.items()}
    body = "\n".join(lines[name] for name in ROWS if name in lines)
    table.write_text(
        f"# Benchmarks as last measured\n\n{machine()} Yardstick: {yardstick}.\n"
        f"How each row is measured, and how to repeat it: [README.md](README.md).\n\n{_HEAD}\n{body}\n",
        encoding="utf-8",
    )


def line(name: str, figure: Figure) -> str:
    """Return the row of RESULTS.md."""
    row = ROWS[name]
    reached = "yes" if row.reached(figure.value) else "**no**"
    day = datetime.now(UTC).date().isoformat()
    return (
        f"| {name} | {shown(figure.value)} | {_SIGNS[row.sign]} {shown(row.goal)} | {row.unit} | {reached} | "
        f"{figure.absolute} | {day} |"
    )


def shown(value: float) -> str:
    """Return a figure with as many digits as are worth reading."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine() -> str:
    """Return the machine's description in one sentence or two."""
    cpu = platform.processor() or platform.machine()
    for text in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if text.startswith("model name"):
            cpu = text.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.1f} GB; {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {packages}."
    )


def _lines(table: Path) -> dict[str, str]:
    """Return the rows of the table that is there, by name."""
    if not table.exists():
        return {}
    rows = (text for text in table.read_text(encoding="utf-8").splitlines() if text.startswith("| "))
    return {text.split("|")[1].strip(): text for text in rows}
