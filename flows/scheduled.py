"""The flow `scheduled`: one run of a schedule in its own dated folder, what changed since the last one, and the hub.

Its parameters are JSON, so that a schedule (`flows.serve`), a deployment of prefect.yaml and a person who asks for a run
with other parameters all call the same. Called again for the same time, it goes on in the same folder.
"""

import sys
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

from prefect import Flow, State, flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import FlowRun
from prefect.runtime.flow_run import get_scheduled_start_time
from prefect.states import Completed

from flows.pipeline import pipeline
from flows.shards import FLOW
from prose_data.alarm import sentence_of, tell
from prose_data.alignx import synthesis
from prose_data.config import Config, dump_config, load_config
from prose_data.dated import config_at, folder_at, write_comparison
from prose_data.errors import InputError, ProseDataError
from prose_data.llm.meter import Meter
from prose_data.runs import Run, failed_share, load_run


def tell_of_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:
    """Say on stderr that a run failed, and hand the run's name, time, folder, state and error to `prose_data.alarm.tell`."""
    given = flow_run.parameters
    runs, due = Path(given.get("runs", "runs")), flow_run.expected_start_time
    error = state.message if state.is_crashed() else state.result(raise_on_failure=False)
    news = {
        "run": flow_run.name,
        "due": "",
        "folder": str(runs),
        "state": state.name or "",
        "error": sentence_of(error),
    }
    if due is not None:
        news["due"] = due.isoformat(timespec="seconds")
        try:
            name = load_config(Path(given.get("config") or "quickstart"), given.get("sets") or ()).name
            news["folder"] = str(folder_at(runs, name, due))
        except InputError:
            pass  # what failed may be the configuration itself
    print(f"{news['folder']}: {news['state']}: {news['error']}", file=sys.stderr, flush=True)
    try:
        tell(news)
    except (OSError, SubprocessError, InputError) as problem:  # whose own words may hold a webhook's URL
        print(f"{news['folder']}: --on-failure: {type(problem).__name__}", file=sys.stderr, flush=True)


@flow(name="scheduled", on_failure=[tell_of_failure], on_crashed=[tell_of_failure], **FLOW)
def scheduled(
    config: str = "quickstart",
    sets: list[str] | None = None,
    runs: str = "runs",
    publish: str | None = None,
    private: bool = False,
    fresh: bool = False,
) -> State:
    """Make the run that is due, compare it with the last finished one, and publish it if anything is new.

    `config` is the name of a bundled configuration or a file, read anew for each run (if empty, the quickstart), and
    `sets` are `key=value` overrides. The folder is RUNS/NAME/TIME (`prose_data.dated`, also for `fresh`). `publish` is
    OWNER/NAME, s3://… or file://… (if empty, nowhere); `private` is for a data set that does not exist yet. Fails if more
    failed than `budget.max_failures` allows; then nothing is published.
    """
    wanted = load_config(Path(config or "quickstart"), sets or ())
    folder = folder_at(Path(runs), wanted.name, get_scheduled_start_time())
    print(f"{folder}: started", flush=True)
    run = make(config_at(folder, wanted, fresh), folder)
    outcome = f"{folder}: done"
    if run.config.space != "alignx":
        create_markdown_artifact(write_comparison(run), key="comparison", description=wanted.name)
    if publish:
        outcome += f"; {published(run, publish, private)}"
    print(outcome, flush=True)
    return Completed(message=outcome)


def make(config: Config, folder: Path) -> Run:
    """Make what is missing of the run of `config` in `folder` and return it, finished.

    Raises ProseDataError where more failed than `budget.max_failures` allows, or a check of a data set found a problem.
    """
    if config.space == "alignx":
        run = synthesis.synthesize(config, folder, lambda done, total: None, Meter(config.budget))
        share = synthesis.failed_share(run)
        if problems := synthesis.checks_of(run)["problems"]:
            raise ProseDataError(
                f"{folder}: the checks of the data set found {len(problems)} problems: {problems[0]}"
            )
    else:
        pipeline(dump_config(config), str(folder))
        run = load_run(folder)
        share = failed_share(run)
    limit = config.budget.max_failures
    if share > limit:
        raise ProseDataError(
            f"{folder}: {share:.1%} failed, more than budget.max_failures ({limit:.1%}) allows"
        )
    return run


def published(run: Run, target: str, private: bool) -> str:
    """Publish a finished run and return what came of it."""
    from prose_data.hub.publishing import publish

    return (
        f"published to {target}"
        if publish(run, target, private=private).changed
        else f"nothing new for {target}"
    )
