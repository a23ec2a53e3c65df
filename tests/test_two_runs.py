"""Two runs beside each other: pairs where user, seed and document agree, and only there."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from prose_data.errors import InputError
from prose_data.report.comparison import compare, comparison_table, print_comparison
from prose_data.runs import Run, open_run
from tests.test_cli import call, refused
from tests.test_report import LEVEL, USERS, Tables, config, rows, tables


def _written(path: Path, made: Tables, **changes: Any) -> Run:
    with open_run(path, config(**changes)) as run:
        for name in ("users", "samples", "inferences", "scores"):
            run.write(name, rows(getattr(made, name)))
        return run


@pytest.fixture
def two(tmp_path: Path) -> tuple[Run, Run]:
    """A run, and one of users of whom three are the same, in which cipher_1 is better by a half and icl is missing."""
    level = {**LEVEL, "cipher_1": LEVEL["cipher_1"] + 0.5}
    del level["icl"]
    methods = [method for method in config().methods if method != "icl"]
    users = [*USERS[3:], "u7", "u8"]
    return (
        _written(tmp_path / "before", tables()),
        _written(tmp_path / "after", tables(level, users), methods=methods),
    )


def _row(found: dict[str, Any], method: str, metric: str) -> dict[str, Any]:
    (row,) = [row for row in found["rows"] if (row["method"], row["metric"]) == (method, metric)]
    return dict(row)


def test_a_difference_is_over_what_both_runs_have(two: tuple[Run, Run]) -> None:
    found = compare(*two)
    better = _row(found, "cipher_1", "ppcm")
    assert better["difference"]["mean"] == pytest.approx(0.5)
    assert better["difference"]["n"] == 3 * 2 * 2
    assert better["other"]["n"] == 5 * 2 * 2 and better["one"]["n"] == 6 * 2 * 2
    same = _row(found, "prose", "ppcm")
    assert same["difference"]["mean"] == pytest.approx(0) and same["other"]["mean"] > same["one"]["mean"]
    assert "icl" not in {row["method"] for row in found["rows"]}
    assert _row(found, "cipher_1", "calls")["difference"]["mean"] == 0


def test_turning_the_runs_around_turns_the_signs_around(two: tuple[Run, Run]) -> None:
    there, back = compare(*two), compare(*reversed(two))
    for row in there["rows"]:
        turned = _row(back, row["method"], row["metric"])
        assert turned["difference"]["mean"] == pytest.approx(-row["difference"]["mean"])
        assert (turned["one"], turned["p"]) == (row["other"], row["p"])


def test_runs_of_other_users_have_means_and_no_difference(tmp_path: Path) -> None:
    runs = (
        _written(tmp_path / "a", tables(users=["u0", "u1"])),
        _written(tmp_path / "b", tables(users=["u2", "u3"])),
    )
    found = compare(*runs)
    row = _row(found, "prose", "ppcm")
    assert (row["difference"], row["p"], row["p_holm"]) == (None, None, None)
    assert row["one"]["mean"] < row["other"]["mean"]
    assert comparison_table([row])[1][0][-2:] == ["–", "–"]


def test_runs_without_a_method_in_common_are_refused(tmp_path: Path) -> None:
    runs = (
        _written(tmp_path / "a", tables({"icl": 1.0}), methods=["icl"]),
        _written(tmp_path / "b", tables({"prose": 1.0}), methods=["prose"]),
    )
    with pytest.raises(InputError, match="no method with a metric in common"):
        compare(*runs)


def test_the_table_says_what_each_run_is(two: tuple[Run, Run]) -> None:
    console = Console(file=io.StringIO(), width=200)
    print_comparison(console, compare(*two))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert shown.count("an instrument for testing the pipeline") == 2
    assert str(two[0].path) in shown and "+0.50 [+0.50, +0.50]" in shown


def test_the_command_compares_two_runs(two: tuple[Run, Run], tmp_path: Path) -> None:
    result = call("report", two[0].path, two[1].path)
    assert result.exit_code == 0 and "+0.50 [+0.50, +0.50]" in result.output
    assert not (two[0].path / "report").exists()
    assert "so --out and --set do not go" in refused(
        call("report", *(r.path for r in two), "--set", "seeds=[0]")
    )
    assert "has no scores yet" in refused(call("report", two[0].path, tmp_path / "nowhere"))
