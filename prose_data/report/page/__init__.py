"""The static page of a run, `index.html`: tables, figures and the explorer in one file that loads nothing.

A content security policy lets nothing run but the page's own script, by its hash. Texts of models and users are data:
escaped where they stand in the page, JSON put into place as text where the explorer shows them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from prose_data.calibration.flags import flags
from prose_data.calibration.results import read_judge
from prose_data.config import Config
from prose_data.report import PAGE
from prose_data.report.basis import Summary
from prose_data.report.page import sections
from prose_data.report.page.charts import recovered
from prose_data.report.page.drawing import figures
from prose_data.report.page.explorer import explored
from prose_data.report.page.html import Html, embedded, hashed, joined, text
from prose_data.runs import Run, land

LIMIT = 5_000_000  # bytes
_FOLDER = Path(__file__).parent
_MOST_EXPLORED = 3_500_000  # bytes of the explorer's data
_SPARE = 50_000
_PRIVATE = (
    "base_url",
    "store",
    "path",
)  # keys of a configuration that say where things are, and nothing of the result


def write_page(run: Run, summary: Summary, drawn: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
    """Write `report/index.html` of a run, and its own figures below `figures/`; `drawn` are the SVGs of those there are.

    Raises InputError for a damaged `judge.json`.
    """
    page = page_of(run, summary, drawn, manifest)
    land(run.path / PAGE, lambda file: file.write(page.encode(errors="replace")))


def page_of(run: Run, summary: Summary, drawn: Mapping[str, str], manifest: Mapping[str, Any]) -> str:
    """Return the page's HTML, at most `LIMIT` bytes as UTF-8: what is left of them is the explorer's."""
    named = run.scan("scores").filter(pl.col("metric") == "recovered").select("method", "component", "value")
    shares = recovered(named.collect(), run.config.methods)
    shown = figures(summary, shares, drawn, run.path)
    configuration = yaml.safe_dump(_public(run.config), sort_keys=False, allow_unicode=True)
    here = run.path.resolve()
    calibrated = here.with_name(f"{here.name}-judge")  # where prose-data judge calibrate RUN leaves it
    body = [
        sections.scores(summary, flags(run.config)),
        sections.compared(summary, shown),
        sections.learning(summary, shown),
        sections.cost(summary, shown),
        sections.recovery(shares, shown),
        sections.special(summary, shown),
        sections.failures(summary),
        sections.judged(read_judge(calibrated)),
        sections.made(summary, configuration, manifest.get("libraries", {})),
    ]
    fields = {
        "title": text(summary["name"]),
        "head": sections.head(summary),
        "body": joined([part for part in body if part]),
    }
    taken = sum(len(part.encode(errors="replace")) for part in fields.values())
    index, chunks = explored(run, min(_MOST_EXPLORED, LIMIT - taken - _SPARE))
    fields["data"] = Html(embedded(index))
    fields["chunks"] = Html(
        "\n".join(
            f'<script type="text/plain" id="chunk-{number}">{chunk}</script>'
            for number, chunk in enumerate(chunks)
        )
    )
    return _filled(fields)


def _filled(fields: Mapping[str, Html]) -> str:
    """Return the template with its fields filled in one pass: what stands in a field is never taken for another."""
    script, style, page = (
        (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.js", "page.css", "page.html")
    )
    policy = f"default-src 'none'; script-src {hashed(script)}; style-src {hashed(style)}; base-uri 'none'; form-action 'none'"
    every = {**fields, "policy": policy, "style": style, "script": script}
    first, *rest = page.split("{{")
    return first + "".join(every[name] + after for name, _, after in (part.partition("}}") for part in rest))


def _public(config: Config) -> Any:
    """Return the configuration without what says where this machine keeps or asks for things."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: kept(inner) for key, inner in value.items() if key not in _PRIVATE}
        return [kept(inner) for inner in value] if isinstance(value, list) else value

    return kept(config.model_dump(mode="json"))
