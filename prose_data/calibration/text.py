"""`judge.md` and the terminal's table from a calibration's results.

No text that a model wrote is shown. Components and names may be anybody's, so they are shown as data.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prose_data.calibration.results import Result
from prose_data.errors import printable
from prose_data.judging import EXHIBITS
from prose_data.report.basis import DASH, cell, grid, named, show

if TYPE_CHECKING:
    from rich.console import Console

REPORT = "judge.md"
_COLUMNS = (
    ("agreement", "agreement"),
    ("kappa", "kappa"),
    ("kappa_weighted", "weighted kappa"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
)
_CORRECTED = (
    ("ppcm", "PPCM raw"),
    ("ppcm_labelled", "PPCM by labels"),
    ("exhibits", "share shown raw"),
    ("exhibits_corrected", "corrected by error rates"),
    ("exhibits_labelled", "corrected by labels"),
)


def print_result(console: "Console", result: Result) -> None:
    """Print what is to be known first: the judges' table, what sways them, agreement between them, corrected means."""
    if notice := _notice(result):
        console.print(notice, style="yellow", soft_wrap=True, highlight=False)
    _print_table(console, *agreement_table(result), f"Judges against {_gold(result)}")
    _print_table(console, *sway_table(result), "What sways them")
    for line in (*_flags(result), *_alphas(result)):
        console.print(printable(line), soft_wrap=True, highlight=False, markup=False)
    if result["corrected"]:
        judge = _named(result, result["corrected"]["judge"])
        _print_table(
            console, *correction_table(result), f"Means of the run as judged by {judge}, and corrected"
        )


def markdown(result: Result) -> str:
    """Return the text of `judge.md`."""
    parts = [
        _notice(result),
        f"# Judge calibration: {cell(result['name'])}",
        f"Gold: {cell(_gold(result))}. Each judge was asked {_times(result['repeats'])} about each. In brackets the 95 % "
        f"interval from resampling {'users' if result['gold']['drawn'] else 'documents'}; {DASH} where something is "
        "undefined. A verdict counts as yes from 'somewhat exhibits' on.",
        _caveat(result),
        grid(*agreement_table(result)),
        *map(cell, _flags(result)),
        "## What sways the judge",
        "Same verdict: how often a second, independent reply gives the same of the five verdicts. Longer texts: how much "
        "more often it finds a component in a longer text than in a shorter one with the same label; 0 is best. First "
        "place: how often it picks the first of two users whom a description fits alike; 0.50 is best. Steady: how often "
        "it picks the same user when the two change places and the description fits one of them.",
        grid(*sway_table(result)),
    ]
    if alphas := _alphas(result):
        parts += ["## Agreement between raters", *map(cell, alphas)]
    if result["corrected"]:
        judge = cell(_named(result, result["corrected"]["judge"]))
        parts += [
            "## Means of the run, raw and corrected",
            f"Verdicts by {judge}. By error rates: Rogan and Gladen's estimate with Lang and Reiczigel's interval, which "
            "holds as far as the judge errs here as it does on gold. By labels: prediction-powered inference from the "
            f"texts that people labelled; {DASH} without such.",
            grid(*correction_table(result)),
        ]
    for name, judge in result["judges"].items():
        title = cell(_named(result, name))
        parts += [f"## {title} by component", _counted(result), grid(*_components(judge))]
        if judge["degrees"]:
            parts += [
                f"## {title} by degree",
                "Rows are labels, columns verdicts.",
                grid(*_degrees(judge)),
            ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _notice(result: Result) -> str | None:
    if not result["simulated"]:
        return None
    return (
        f"The simulated model judges as {', '.join(map(printable, result['simulated']))}: an instrument for testing the "
        "pipeline, not evidence about real models."
    )


def _gold(result: Result) -> str:
    gold = result["gold"]
    by = f"labelled by {', '.join(gold['who'])}" if gold["who"] else "labelled by measures"
    return (
        f"{gold['items']:,} labels ({gold['present']:,} yes) on {len(gold['components'])} components in "
        f"{gold['texts']:,} texts, {by}"
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _counted(result: Result) -> str | None:
    if not result["gold"]["drawn"]:
        return None
    return "Counts are of answers; shares weigh each by how many of the run's texts it stands for."


def _caveat(result: Result) -> str | None:
    if not result["gold"]["measured"]:
        return None
    return (
        "Labels by measures are on clear cases of components that can be counted. On tone, figures and half-hearted "
        "texts a judge errs more often: have people label some (prose-data judge label)."
    )


def _named(result: Result, name: str) -> str:
    """Return a judge with its model, and the roles that the same model plays."""
    judge = result["judges"][name]
    also = [f"also {' and '.join(judge['same_as'])}"] if judge["same_as"] else []
    beside = [*([judge["model"]] if judge["model"] != name else []), *also]
    return f"{name} ({'; '.join(beside)})" if beside else name


def agreement_table(result: Result) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: how far each judge agrees with gold, and whom it is the same model as."""
    header = ["judge", *(title for _, title in _COLUMNS), "unreadable"]
    rows = [
        [
            _named(result, name),
            *(show(judge[key], "") for key, _ in _COLUMNS),
            f"{judge['unreadable']:,} of {judge['asked']:,}"
            + (f", {judge['failed']:,} failed" if judge["failed"] else ""),
        ]
        for name, judge in result["judges"].items()
    ]
    return header, rows


def sway_table(result: Result) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: what sways each judge, and how often it says the same again."""
    header = ["judge", "same verdict", "same side", "longer texts", "first place", "steady"]
    rows = []
    for name, judge in result["judges"].items():
        place = judge["position"]
        rows.append(
            [
                _named(result, name),
                show(judge["consistency"]["same"], ""),
                show(judge["consistency"]["same_side"], ""),
                show(judge["length"], "", signed=True),
                show(place and place["torn"]["first"], ""),
                show(place and place["clear"]["steady"], ""),
            ]
        )
    return header, rows


def correction_table(result: Result) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: the run's means by method, raw and corrected; only where `corrected` is there."""
    rows = [
        [named(method), *(show(row[key], "") for key, _ in _CORRECTED)]
        for method, row in result["corrected"]["methods"].items()
    ]
    return ["method", *(title for _, title in _CORRECTED)], rows


def _components(judge: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    counts = ("found", "missed", "invented", "rejected")
    rows = [
        [
            row["component"],
            *(f"{row[key]:,}" for key in counts),
            show(row["sensitivity"], ""),
            show(row["specificity"], ""),
        ]
        for row in judge["components"]
    ]
    return ["component", *counts, "sensitivity", "specificity"], rows


def _degrees(judge: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    words = list(reversed(EXHIBITS))
    rows = [
        [word, *(f"{count:,}" for count in counts)]
        for word, counts in zip(words, judge["degrees"], strict=True)
    ]
    return ["label", *words], rows


def _flags(result: Result) -> list[str]:
    return [f"{name}: {judge['flag']}" for name, judge in result["judges"].items() if judge["flag"]]


def _alphas(result: Result) -> list[str]:
    kinds = (("alpha", "the judges"), ("people", "those who labelled"))
    return [
        f"Krippendorff's alpha between {who}: {show(result[key]['nominal'], '')} nominal, "
        f"{show(result[key]['ordinal'], '')} ordinal."
        for key, who in kinds
        if result[key]
    ]


def _print_table(
    console: "Console", header: Sequence[str], rows: Sequence[Sequence[str]], title: str
) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(title)), title_justify="left")
    for place, column in enumerate(header):
        table.add_column(column, justify="right" if place else "left")
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row))
    console.print(table)
