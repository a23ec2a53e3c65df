"""What a finished run leaves on the Prefect server to look at: the headline as a table, the report as Markdown."""

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from prose_data.report.basis import Summary
from prose_data.report.text import markdown

MOST = 100_000  # characters of a report


def show(summary: Summary) -> None:
    """Create the artifacts `headline` and `report` of the flow run that this is called in."""
    rows = [
        {"method": method} | {metric: estimate["mean"] for metric, estimate in metrics.items()}
        for method, metrics in summary["methods"].items()
    ]
    create_table_artifact(rows, key="headline", description=summary["notice"])
    create_markdown_artifact(report_text(summary), key="report", description=summary["notice"])


def report_text(summary: Summary) -> str:
    """Return `report.md` as the server's page can show it: at most `MOST` characters, in whole paragraphs, without the
    figures, which are files of the run folder, and without links, which only a name could have brought in."""
    paragraphs = [part.replace("](", "]\\(") for part in markdown(summary).split("\n\n") if part[:2] != "!["]
    kept: list[str] = []
    room = MOST
    for number, part in enumerate(paragraphs):
        room -= len(part) + 2
        if room < 0:
            left = len(paragraphs) - number
            return "\n\n".join([*kept, f"The last {left:,} paragraphs are in report.md of the run folder."])
        kept.append(part)
    return "\n\n".join(kept)
