"""prefect.yaml: what Prefect would deploy, read strictly; that it is deployed and run for real is in test_deploy.py."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text())
DEPLOYMENTS: list[dict[str, Any]] = FILE["deployments"]


def test_there_is_one_for_every_occasion() -> None:
    assert [one["name"] for one in DEPLOYMENTS] == ["nightly", "weekly", "on-demand"]
    assert FILE["pull"] == []  # workers have the package installed; anything else would fetch code


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one["name"])
def test_a_deployment_is_what_prefect_and_the_flow_take(deployment: dict[str, Any]) -> None:
    from prefect.cli.deploy._models import DeploymentConfig
    from prefect.flows import load_flow_from_entrypoint

    from flows.serve import schedule_of

    assert set(deployment) <= set(DeploymentConfig.model_fields)
    DeploymentConfig.model_validate(deployment, strict=True)
    flow = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)
    flow.validate_parameters(deployment["parameters"])
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert deployment["work_pool"]["job_variables"] == {"working_dir": "."}
    for when in deployment.get("schedules", []):
        schedule_of(when["cron"], when["timezone"])


def test_runs_of_two_deployments_share_no_folder() -> None:
    folders = [one["parameters"]["runs"] for one in DEPLOYMENTS]
    assert len(set(folders)) == len(folders)
