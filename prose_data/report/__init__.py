"""The report of a run: `summary.json` for machines; `report.md`, `report/index.html` and the terminal's table for people."""

from prose_data.errors import InputError
from prose_data.report.basis import Summary
from prose_data.report.protocols import beside
from prose_data.report.summary import COLUMNS, NEEDED, Tables, summarize
from prose_data.report.text import markdown
from prose_data.report.texts import drawn_texts
from prose_data.runs import MANIFEST, Run, land, read_json, write_json

SUMMARY, REPORT, PAGE = "summary.json", "report.md", "report/index.html"


def make_report(run: Run) -> Summary:
    """Write `summary.json`, `report.md`, `report/index.html` and `figures/` of a run and return the summary.

    Raises InputError for a run that is not finished: its numbers would be those of some users only.
    """
    if not (run.path / MANIFEST).exists():
        raise InputError(f"{run.path}: is not finished; run prose-data run {run.path} to go on with it first")
    tables = tables_of(run)
    manifest = read_json(run.path / MANIFEST)
    if missing := [key for key in NEEDED if key not in manifest]:
        raise InputError(
            f"{run.path / MANIFEST}: has no {missing[0]}; delete it and run prose-data run {run.path} again"
        )
    summary = summarize(run.config, tables, manifest)
    from prose_data.report.figures import draw
    from prose_data.report.page import write_page

    write_page(run, summary, draw(summary, run.path), manifest)
    write_json(run.path / SUMMARY, summary)
    text = markdown(summary)
    land(run.path / REPORT, lambda file: file.write(text.encode()))
    return summary


def tables_of(run: Run) -> Tables:
    """Return what the report of a run is made from. Raises InputError for a run that lacks a table."""
    frames = {table: run.scan(table).select(columns).collect() for table, columns in COLUMNS.items()}
    if run.config.framework == "prelude":
        frames["edits"] = run.scan("edits").select("inference_id", "outcome").collect()
    return Tables(**frames, **beside(run), texts=drawn_texts(run))
