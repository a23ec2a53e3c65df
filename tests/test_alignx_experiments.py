"""The three experiments: fewer items tell less, held-out dimensions nothing, and one direction turns one thing."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from prose_data.alignx.dimensions import poles_of, vector_of
from prose_data.alignx.experiments import experiment_markdown, run_experiment
from prose_data.alignx.novel import held_out, touches
from prose_data.alignx.persona import Persona
from prose_data.alignx.profile import parse, to_text
from prose_data.alignx.scoring import Asking, Scores
from prose_data.alignx.targets import Target
from prose_data.cli import app
from prose_data.config import Config, load_config
from prose_data.errors import InputError
from prose_data.llm.door import open_door
from tests.alignx_targets import targets
from tests.fakes import ScriptedLLM


def run(rows: Sequence[Target], answer: Any = None, **experiment: Any) -> tuple[Any, Scores]:
    config = Config.model_validate({"experiment": experiment})

    async def go() -> tuple[Any, Scores]:
        async with open_door(config, None) as door:
            if answer is not None:
                door.view = lambda *_: ScriptedLLM(answer)  # type: ignore[method-assign,assignment,return-value]
            return await run_experiment(rows, Asking(config, door))

    return asyncio.run(go())


def accuracy(part: Any, method: str) -> float:
    return float(part["methods"][method]["selection_accuracy"]["mean"])


def test_fewer_items_of_history_tell_less() -> None:
    summary, scores = run(targets(60, 8, 8), protocol="history", items=[1, 16])
    one, all_of_them = summary["parts"]["1 items"], summary["parts"]["16 items"]
    for method in ("ica", "pba"):
        assert 0.5 < accuracy(one, method) < accuracy(all_of_them, method) - 0.1
    for bound in ("none", "golden"):
        assert accuracy(one, bound) == accuracy(all_of_them, bound), "bounds are asked for once"
    assert {(row.method, row.items) for row in scores.rows} == {
        ("none", -1), ("golden", -1), ("ica", 1), ("ica", 16), ("pba", 1), ("pba", 16),
    }  # fmt: skip
    assert "| 16 items | 60 | golden |" in experiment_markdown(summary)


def test_held_out_dimensions_are_in_no_history_and_tell_nothing_but_to_golden() -> None:
    rows = targets(150, 8, 8)
    seen_by: list[str] = []

    def answer(system: str, user: str, role: str, replicate: int) -> str:
        seen_by.append(user)
        return '{"components": []}' if role == "inferrer" else "Verdict: A"

    few = rows[:20]
    run(few, answer, protocol="novel", held_out=45)
    shown = "".join(seen_by)
    texts = [
        (item.comment, touches(item.direction, held_out(0, 45)))
        for row in few
        for item in row.persona.comments
    ]
    assert {(hidden, text in shown) for text, hidden in texts} == {(True, False), (False, True)}
    summary, _ = run(rows, protocol="novel", held_out=45)
    parts = summary["parts"]
    assert set(parts) == {"seen", "partly", "novel"}
    assert sum(part["targets"] for part in parts.values()) == 150
    for method in ("ica", "pba"):
        assert accuracy(parts["seen"], method) > 0.7
        assert 0.25 < accuracy(parts["novel"], method) < 0.75
    assert all(accuracy(part, "golden") > 0.9 for part in parts.values())


def obedient(rows: Sequence[Target]) -> Any:
    """Return a model that follows directions to the letter: responses are labels, and are read back as they are."""
    shows = {target.chosen: poles_of(target.direction or ()) for target in rows}

    def answer(system: str, user: str, role: str, replicate: int) -> str:
        known = (
            user.split("<preferences>\n")[1].split("\n</preferences>")[0] if "<preferences>" in user else ""
        )
        told = dict(poles_of(parse(known, "told")))
        if role == "judge":
            first = user.split("<first>\n")[1].split("\n</first>")[0]
            second = user.split("<second>\n")[1].split("\n</second>")[0]
            poles = shows.get(first) or shows[second]
            for_chosen = sum(
                1 if told[index] == positive else -1 for index, positive in poles if index in told
            )
            return f"Verdict: {'A' if (for_chosen > 0) == (first in shows) else 'B'}"
        if role == "writer":
            return f"I {known}"
        comment = user.split("<comment>\n")[1].split("\n</comment>")[0]
        labels = [to_text(vector_of([pole])) for pole in poles_of(parse(comment.removeprefix("I "), "read"))]
        return json.dumps({"components": labels})

    return answer


def test_an_obedient_model_is_controlled_and_one_that_does_not_care_is_not() -> None:
    rows = targets(12)
    found = run(rows, obedient(rows), protocol="control")[0]["parts"]["golden"]["methods"]["golden"]
    for metric in ("choice_flips", "choice_keeps", "response_flips", "response_keeps"):
        assert found[metric]["mean"] == 1.0, metric

    def stubborn(system: str, user: str, role: str, replicate: int) -> str:
        return {"judge": "Verdict: A", "writer": "Hello.", "inferrer": '{"components": []}'}[role]

    found = run(rows, stubborn, protocol="control")[0]["parts"]["golden"]["methods"]["golden"]
    assert found["choice_flips"]["mean"] == found["response_flips"]["mean"] == 0.0
    assert found["choice_keeps"]["mean"] == found["response_keeps"]["mean"] == 1.0


def test_the_simulated_model_follows_a_turned_direction_most_of_the_time() -> None:
    found = run(targets(60), protocol="control")[0]["parts"]["golden"]["methods"]["golden"]
    assert found["choice_flips"]["low"] > 0.7 and found["choice_keeps"]["low"] > 0.8
    assert found["response_flips"]["low"] > 0.4 and found["response_keeps"]["low"] > 0.4


def test_what_cannot_be_read_is_a_failure_and_no_value() -> None:
    summary, scores = run(targets(3), lambda *_: "hm", protocol="control")
    assert scores.failures and scores.failed_share > 1
    assert set(summary["parts"]["golden"]["methods"]["golden"]) == {"failures"}


def test_targets_without_directions_are_refused() -> None:
    bare = replace(targets(1)[0], direction=None)
    undirected = replace(targets(1)[0], persona=Persona(directed=False))
    for target in (bare, undirected):
        with pytest.raises(InputError, match="t0000: an experiment needs the directions"):
            run([target])


@pytest.mark.parametrize("name", ["alignx_history", "alignx_novel", "alignx_control"])
def test_the_bundled_protocols_are_valid(name: str) -> None:
    config = load_config(Path(name))
    assert config.name == name == f"alignx_{config.experiment.protocol}" and config.space == "alignx"
    assert max(config.experiment.items) <= 16


def test_the_command_makes_the_records_and_leaves_report_figures_and_rows(tmp_path: Path) -> None:
    arguments = ["experiment", "alignx_history", "--out", str(tmp_path / "run"), "--set", "alignx.records=6"]
    first = CliRunner().invoke(app, [*arguments, "--set", "experiment.items=[1, 16]", "--json"])
    assert first.exit_code == 0, first.output
    figures = json.loads(first.stdout)
    assert figures["notice"] and figures["parts"]["1 items"]["targets"] == 6
    saved = json.loads((tmp_path / "run" / "experiment.json").read_text())
    assert saved["parts"] == figures["parts"]
    assert (tmp_path / "run" / "experiment.md").read_text().startswith("Made with the simulated model")
    rows = pl.read_parquet(tmp_path / "run" / "pair_scores" / "part-00000.parquet")
    assert set(rows["items"]) == {-1, 1, 16}
    again = CliRunner().invoke(app, [*arguments, "--set", "experiment.protocol=control"])
    assert again.exit_code == 0 and "choice_flips" in again.stdout, (
        "the same records serve another experiment"
    )
    wrong = CliRunner().invoke(app, ["experiment", "quickstart"])
    assert wrong.exit_code == 2 and "experiments need space alignx" in wrong.stderr
