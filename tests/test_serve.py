"""A schedule on a real Prefect server: deployed, triggered, due within a minute, overlapping, killed and started again."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from prose_data.errors import InputError
from tests.serving import Serving, at, ended, until
from tests.test_cli import call, refused

EVERY_MINUTE = ("--cron", "* * * * *", "--timezone", "Europe/Berlin")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("schedule")


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[Serving]:
    options = (
        *EVERY_MINUTE,
        "--now",
        "--publish",
        (folder / "hub").as_uri(),
        "--on-failure",
        "tee alarm.json",
    )
    process = Serving(folder, *options)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end()


@pytest.fixture(scope="module")
def url(serving: Serving) -> str:
    return serving.said(r"Prefect at (\S+);").group(1)


def _run(client: Any, **parameters: Any) -> Any:
    """Ask for a run until no other one is in the way, and return it and its final state."""
    deployed = client.read_deployment_by_name("scheduled/tiny").id
    while True:
        run = client.create_flow_run_from_deployment(deployed, parameters=parameters)
        state = ended(client, run.id)
        if not state.is_cancelled():
            return run, state


@pytest.mark.slow
def test_the_deployment_says_when_and_one_at_a_time(url: str, folder: Path) -> None:
    with at(url) as client:
        made = client.read_deployment_by_name("scheduled/tiny")
    (when,) = made.schedules
    assert (when.schedule.cron, when.schedule.timezone, when.active) == ("* * * * *", "Europe/Berlin", True)
    assert made.global_concurrency_limit.limit == 1
    assert made.concurrency_options.collision_strategy == "CANCEL_NEW"
    assert made.parameters["config"] == str(folder / "tiny.yaml")
    assert "alarm" not in json.dumps(made.parameters)


@pytest.mark.slow
def test_a_run_at_once_is_made_and_published(serving: Serving, url: str, folder: Path) -> None:
    done = serving.said(r"^(\S+): done; (.*)$")
    run = Path(done.group(1))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ", run.name) and run.parent == folder / "runs/tiny"
    assert (run / "manifest.json").exists() and not (run / "comparison.json").exists()
    assert done.group(2) == f"published to {(folder / 'hub').as_uri()}"


@pytest.mark.slow
def test_a_run_that_fails_is_told_of_without_a_text(serving: Serving, url: str, folder: Path) -> None:
    with at(url) as client:
        run, state = _run(client, sets=["users.count=few"])
    assert state.is_failed()
    assert serving.said(r"Failed: .*users\.count is 'few'", "err.txt")
    alarm = folder / "alarm.json"
    until(lambda: True if alarm.exists() and alarm.read_text().endswith("}") else None, "the command")
    news = json.loads(alarm.read_text())
    assert news["run"] == run.name and news["state"] == "Failed" and news["folder"] == str(folder / "runs")
    assert news["error"].endswith("users.count is 'few': must be a whole number")


@pytest.mark.slow
def test_the_schedule_outlives_its_server_and_finds_nothing_new(
    serving: Serving, url: str, folder: Path
) -> None:
    (server,) = serving.children()
    os.kill(server, signal.SIGKILL)
    serving.said("the server ended; starting it again", "err.txt")
    until(lambda: next((pid for pid in serving.children() if pid != server), None), "another server")
    done = serving.said(r"^(\S+T\d\d-\d\d-00Z): done; (.*)$")
    assert done.group(2) == f"nothing new for {(folder / 'hub').as_uri()}"
    found = json.loads((Path(done.group(1)) / "comparison.json").read_text())
    assert all(row["difference"]["mean"] == 0 for row in found["rows"])
    assert found["other"]["path"] == done.group(1) != found["one"]["path"]
    with at(url) as client:
        shown = [artifact.data for artifact in client.read_artifacts() if artifact.key == "comparison"]
    assert (Path(done.group(1)) / "comparison.md").read_text().strip() in [page.strip() for page in shown]


@pytest.mark.slow
def test_of_two_at_once_one_is_cancelled(url: str) -> None:
    with at(url) as client:
        deployed = client.read_deployment_by_name("scheduled/tiny").id
        client.pause_deployment(deployed)  # from here on nothing else is in the way
        until(lambda: None if _going_on(client) else True, "the end of what was due")
        two = [client.create_flow_run_from_deployment(deployed) for _ in range(2)]
        states = [ended(client, run.id) for run in two]
    (done,) = [state for state in states if state.is_completed()]
    (cancelled,) = [state for state in states if state is not done]
    assert cancelled.is_cancelled() and "concurrency limit" in cancelled.message


@pytest.mark.slow
def test_killed_and_started_again_it_goes_on_where_it_was(serving: Serving, url: str, folder: Path) -> None:
    with at(url) as client:
        deployed = client.read_deployment_by_name("scheduled/tiny").id
        run = client.create_flow_run_from_deployment(deployed, parameters={"sets": ["users.count=40"]})
    started = folder / "runs/tiny" / run.expected_start_time.strftime("%Y-%m-%dT%H-%M-%SZ")
    until(lambda: next(started.glob("samples/part-*"), None), "a shard")
    (server,) = serving.children()
    serving.end(signal.SIGKILL)
    again = Serving(folder, "--cron", "0 6 1 1 *")
    try:
        again_url = again.said(r"Prefect at (\S+);").group(1)
        assert not Path(f"/proc/{server}").exists()
        assert again.said(r"^(\S+): done;").group(1) == str(started)
        with at(again_url) as client:
            made = client.read_deployment_by_name("scheduled/tiny")
            assert made.id == deployed and [one.schedule.cron for one in made.schedules] == ["0 6 1 1 *"]
            assert ended(client, run.id).is_completed()
        assert len(list((started / "samples").iterdir())) == 40
    finally:
        code = again.end()
    assert code == 130
    assert again.errors().endswith("interrupted; run the same command again to go on where it stopped\n")


def _going_on(client: Any) -> bool:
    return any(run.state.is_running() or run.state.is_pending() for run in client.read_flow_runs())


def test_a_server_that_is_long_away_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows import serve

    firsts: list[bool] = []

    async def watch(plan: serve.Plan, ours: None, first: bool) -> None:
        firsts.append(first)
        raise [ExceptionGroup("runner", [RuntimeError("over")]), KeyboardInterrupt()][len(firsts) - 1]

    monkeypatch.setattr(serve, "_watch", watch)
    monkeypatch.setattr(serve, "_server", lambda home: nullcontext())
    monkeypatch.setattr(serve, "_AGAIN_SECONDS", 0)
    plan = serve.Plan("tiny", serve.schedule_of("0 6 * * 1", "UTC"), {"runs": str(tmp_path)}, True)
    with pytest.raises(KeyboardInterrupt):
        serve.serve(plan)
    assert firsts == [True, False]
    assert "does not answer; trying again" in capsys.readouterr().err


def test_only_one_process_serves_a_folder(tmp_path: Path) -> None:
    from flows import serve

    plan = serve.Plan("tiny", serve.schedule_of("0 6 * * 1", "UTC"), {"runs": str(tmp_path)}, False)
    with serve._held(plan.folder), pytest.raises(InputError, match="another process serves it"):
        serve.serve(plan)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--cron", "every monday"], "--cron 'every monday': must have five fields"),
        (["--cron", "99 * * * *"], "--cron '99 * * * *': is no cron expression"),
        (["--cron", "0 6 * * 1", "--timezone", "Mars/Base"], "--timezone 'Mars/Base': is not known"),
        (["--cron", "0 6 * * 1", "--set", "users.count=few"], "users.count is 'few'"),
        (["--cron", "0 6 * * 1", "--set", "methods=[magic]"], "magic"),
        (["--cron", "0 6 * * 1", "--publish", "nowhere"], "nowhere: must be OWNER/NAME"),
        (["--cron", "0 6 * * 1", "--publish", "a/b"], "HF_TOKEN is not set"),
        (["--cron", "0 6 * * 1", "--on-failure", "no-such-command"], "there is no command 'no-such-command'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(
    options: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert error in refused(call("serve", *options, "--runs", tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()
