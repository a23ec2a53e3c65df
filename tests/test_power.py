"""Power: against the textbook's tables, against simulation, and what a pilot can say."""

import json
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats
from typer.testing import CliRunner, Result

from prose_data.cli import app
from prose_data.runs import open_run
from prose_data.stats import Ratio
from prose_data.stats.power import detectable, pilot, power, users_needed
from tests.test_report import config
from tests.test_statistics import noisy


def of_users(values: "np.typing.ArrayLike", rows: int = 1) -> Ratio:
    each = np.asarray(values, float)
    return Ratio(each * rows, np.full(len(each), float(rows)), rows * len(each))


@pytest.mark.parametrize(("effect", "users"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_users_needed_are_those_of_cohens_tables(effect: float, users: int) -> None:
    """Small, medium and large effects, two-sided at 5 %, power 0.8 (also what G*Power gives)."""
    assert users_needed(effect, 1.0) == users
    assert power(effect, 1.0, users) >= 0.8 > power(effect, 1.0, users - 1)


@pytest.mark.parametrize(("effect", "users"), [(0.0, 12), (0.3, 40), (1.0, 9), (-1.0, 9), (4.0, 3)])
def test_power_is_what_the_non_central_t_says(effect: float, users: int) -> None:
    limit = scipy_stats.t.ppf(0.975, users - 1)
    shifted = scipy_stats.nct(users - 1, effect * sqrt(users))
    assert power(effect, 1.0, users) == pytest.approx(shifted.sf(limit) + shifted.cdf(-limit), abs=1e-6)


def test_so_many_users_find_the_difference_in_four_of_five_runs() -> None:
    sd, difference = 0.7, 0.4
    users = users_needed(difference, sd)
    assert users is not None
    rng = np.random.default_rng(0)
    found = scipy_stats.ttest_1samp(rng.normal(difference, sd, size=(4_000, users)), 0, axis=1).pvalue <= 0.05
    assert found.mean() == pytest.approx(power(difference, sd, users), abs=0.02)


def test_the_detectable_difference_is_found_with_just_that_probability() -> None:
    for users in (2, 9, 1_000):
        smallest = detectable(0.7, users)
        assert power(smallest, 0.7, users) == pytest.approx(0.8, abs=1e-4)
    assert detectable(0.7, 100, 0.9) > detectable(0.7, 100, 0.8) > detectable(0.7, 400, 0.8)


def test_a_difference_that_millions_would_not_find_has_no_number() -> None:
    assert users_needed(1e-6, 1.0) is None
    assert users_needed(100.0, 1.0) == 2 or power(100.0, 1.0, 2) < 0.8


def test_a_pilot_knows_the_spread_of_its_users_and_how_little_it_knows_it() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for values in rng.normal(0.3, 2.0, size=(1_000, 9)):
        found = pilot(of_users(values, rows=5))
        assert found is not None
        assert (found.users, found.mean) == (9, pytest.approx(values.mean()))
        assert found.sd == pytest.approx(values.std(ddof=1))
        held += found.sd_range[0] <= 2.0 <= found.sd_range[1]
    assert 0.93 <= held / 1_000 <= 0.97


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
def test_too_few_users_or_none_that_differ_are_no_pilot(values: list[float]) -> None:
    assert pilot(of_users(values)) is None


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of sixteen users in which prose is better than icl by half a point, more or less."""
    made = noisy()
    with open_run(tmp_path / "run", config()) as opened:
        for table in ("users", "samples", "inferences", "scores"):
            opened.write(table, getattr(made, table))
    return tmp_path / "run"


def call(*words: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["power", *map(str, words)], prog_name="prose-data")


def test_the_command_says_how_many_users_find_what(run: Path) -> None:
    found = json.loads(call(run, "--difference", "0.4", "--json").stdout)
    known = found["pilot"]
    assert (known["users"], known["difference"]["n"]) == (16, 64)
    assert known["difference"]["mean"] == pytest.approx(0.5, abs=0.1)
    assert known["sd_low"] < known["sd"] < known["sd_high"]
    assert [line["users"] for line in found["detectable"]] == [10, 16, 20, 50, 100, 200, 500, 1000]
    for line in found["detectable"]:
        assert power(line["difference"], known["sd"], line["users"]) == pytest.approx(0.8, abs=1e-3)
    assert found["needed"]["users"] == users_needed(0.4, known["sd"])
    assert found["needed"]["low"] < found["needed"]["users"] < found["needed"]["high"]


def test_the_command_says_it_in_words(run: Path) -> None:
    text = call(run, "--difference", "0.4", "--power", "0.9").stdout
    assert text.startswith("Pilot: prose - icl in ppcm is +0.")
    assert "With probability 0.9," in text and "1,000 users find a difference of" in text
    assert "A difference of 0.4 takes" in text
    assert "takes" not in call(run).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--one", "nobody"), "--one nobody: is no method of"),
        (("--other", "prose"), "--one and --other: are both prose"),
        (
            ("--metric", "recovery_f1"),
            "no values of it for both prose and icl; its metrics are ppcm, recovery_f1",
        ),
        (("--difference", "0"), "no number of users finds what is not there"),
        (("--one", "cipher_1"), "not all of whom differ alike, and here are 16"),
    ],
)
def test_what_can_t_be_foreseen_is_said_in_one_sentence(
    run: Path, words: tuple[str, ...], message: str
) -> None:
    result = call(run, *words)
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    assert "is not a run folder" in call(tmp_path).stderr
