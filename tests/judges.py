"""What the tests of judge calibration have in common."""

from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from prose_data.calibration.asking import Verdict
from prose_data.calibration.gold import Gold
from prose_data.calibration.measuring import Weighed
from prose_data.cli import app
from prose_data.config import Config, parse_config
from prose_data.judging import EXHIBITS

WORDS = {degree: words for words, degree in EXHIBITS.items()}


def call(*arguments: str | Path, typed: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(one) for one in arguments], input=typed)


def refused(result: Result) -> str:
    """Return the one line of an error that ended with exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def config(**changes: Any) -> Config:
    return parse_config(changes, "test")


def item(
    text: str, component: str = "be brief", label: bool | int = True, cluster: str = "", **more: Any
) -> Weighed:
    return Weighed(Gold(text, component, label, **more), 1.0, 1, cluster or text)


def said(gold: Weighed, degree: int | None, repeat: int = 0, judge: str = "j") -> Verdict:
    verdict = None if degree is None else WORDS[degree]
    return Verdict(gold.gold.pair, judge, repeat, verdict, "" if verdict else "unreadable_verdict")


def means(found: dict[str, Any]) -> dict[str, float | None]:
    return {name: None if one is None else round(one.mean, 4) for name, one in found.items()}
