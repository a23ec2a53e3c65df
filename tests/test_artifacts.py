"""The report as an artifact: what the server's page gets to show, whatever the names in it are."""

from flows.artifacts import MOST, report_text
from prose_data.report.summary import summarize
from prose_data.report.text import markdown
from tests.test_report import MANIFEST, config, tables


def test_a_report_is_shown_whole_and_what_could_be_markup_as_text() -> None:
    summary = summarize(config(), tables(), MANIFEST)
    assert report_text(summary) == markdown(summary).rstrip("\n") + "\n"
    hostile = "<img src=x onerror=alert(1)> [here](javascript:alert(1)) | # head"
    shown = report_text({**summary, "name": hostile, "main_metric": "ppcm"})
    assert "<img" not in shown.replace("\\<", "") and "](" not in shown
    assert "onerror" in shown


def test_a_long_report_is_cut_between_paragraphs() -> None:
    summary = summarize(config(), tables(), MANIFEST)
    long = {**summary, "expected": [{**summary["expected"][0], "one": "x" * MOST}]}
    shown = report_text(long)
    assert len(shown) <= MOST + 100 and "paragraphs are in report.md" in shown
    whole = markdown(long)
    assert whole.startswith(shown.rpartition("\n\n")[0])
