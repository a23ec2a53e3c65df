"""deploy/: the compose file read strictly, and the commands of its services run as the processes they would be."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.server import free_port
from tests.serving import at, ended, until

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KEYS = {
    *("image", "build", "command", "environment", "ports", "volumes", "networks", "profiles", "depends_on"),
    *("healthcheck", "restart", "stop_grace_period", "ipc", "deploy"),
}


def _example() -> dict[str, str]:
    lines = (DEPLOY / "env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_services_say_what_compose_knows() -> None:
    assert set(COMPOSE) == {"name", "x-ours", "services", "volumes"}
    for name, service in SERVICES.items():
        assert set(service) <= KEYS, name
        assert re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"]), f"{name} has no pinned image"
        assert not service["image"].endswith(":latest")
        health = service.get("healthcheck", {"test": ["CMD"]})
        assert (
            set(health) <= {"test", "interval", "timeout", "retries", "start_period"}
            and health["test"][0] == "CMD"
        )


def test_what_a_service_refers_to_is_there() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"} and "healthcheck" in SERVICES[other], (name, other)
        for source in (volume.partition(":")[0] for volume in service.get("volumes", [])):
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_dir(), (name, source)
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    models = [service for service in SERVICES.values() if "profiles" in service]
    assert sorted(service["profiles"][0] for service in models) == ["fake", "gpu"]
    assert all(service["networks"] == {"default": {"aliases": ["model"]}} for service in models)


def test_every_variable_is_in_the_example_and_no_secret_is_committed() -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT))
    example = _example()
    assert used | {"COMPOSE_PROFILES"} == set(example)
    assert all(not value for name, value in example.items() if re.search("PASSWORD|KEY|TOKEN", name))
    assert ".env" in (DEPLOY / ".gitignore").read_text().split()
    assert all(f"`{name}`" in (DEPLOY / "README.md").read_text() for name in SERVICES)


def test_the_image_holds_what_its_commands_need() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert lines[1].startswith("FROM python:3.11.")
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    kept = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line[0] == "!"}
    assert all((ROOT / name).exists() for name in copied) and set(copied) == kept


@pytest.mark.parametrize("profile", ["fake", "gpu"])
def test_the_configuration_of_a_profile_asks_its_model(profile: str) -> None:
    from prose_data.config import load_config
    from prose_data.simulator.skills import SKILLS

    model = load_config(DEPLOY / f"{profile}.yaml").model_of("writer")
    assert model.base_url == "http://model:8000/v1" and model.api_key_env == "MODEL_API_KEY"
    served = SERVICES["vllm"]["command"]
    assert model.model in SKILLS if profile == "fake" else model.model == served[served.index("--model") + 1]
    (service,) = [one for one in SERVICES.values() if one.get("profiles") == [profile]]
    assert service["command"][service["command"].index("--port") + 1] == "8000"


class Team:
    """The services of the compose file as processes, each port of theirs replaced by a free one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {port: str(free_port(0)) for port in ("4200", "8080", "8000")}
        for name in ("prefect.yaml", "deploy"):
            (folder / name).symlink_to(ROOT / name)

    def _words(self, words: list[str]) -> list[str]:
        bin_ = Path(sys.executable).parent
        words = [re.sub(r"\b(4200|8080|8000)\b", lambda found: self.ports[found[0]], word) for word in words]
        words = ["127.0.0.1" if word == "0.0.0.0" else word for word in words]
        return [str(bin_ / words[0]), *words[1:]]

    def _environment(self, service: str) -> dict[str, str]:
        given = SERVICES[service].get("environment", {})
        values = {**_example(), "MODEL_API_KEY": "no-secret-at-all"}
        filled = {
            name: re.sub(r"\$\{(\w+)(?:[:?-][^}]*)?\}", lambda found: values[found[1]], value)
            for name, value in given.items()
            if name not in ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_UI_STATIC_DIRECTORY")
        }
        if "PREFECT_API_URL" in filled:
            filled["PREFECT_API_URL"] = self.url
        if "PREFECT_WORKER_WEBSERVER_PORT" in filled:
            filled["PREFECT_WORKER_WEBSERVER_PORT"] = self.ports["8080"]
        return {**os.environ, "PREFECT_HOME": str(self.folder / service), **filled}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['4200']}/api"

    @contextmanager
    def up(self, service: str) -> Iterator[None]:
        """Run a service and wait until its own health check says that it is well."""
        environment = self._environment(service)
        with (self.folder / f"{service}.log").open("ab") as log:
            process = subprocess.Popen(
                self._words(SERVICES[service]["command"]),
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        check = self._words(SERVICES[service]["healthcheck"]["test"][1:])

        def well() -> bool | None:
            assert process.poll() is None, (self.folder / f"{service}.log").read_text()
            return subprocess.run(check, env=environment, capture_output=True).returncode == 0 or None

        try:
            until(well, f"a healthy {service}")
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def once(self, service: str) -> None:
        """Run a service that ends by itself."""
        done = subprocess.run(
            self._words(SERVICES[service]["command"]),
            cwd=self.folder,
            env=self._environment(service),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_services_as_processes_make_a_run(tmp_path: Path) -> None:
    team = Team(tmp_path)
    with ExitStack() as stack:
        for service in ("fake", "server", "worker"):
            stack.enter_context(team.up(service))
        team.once("deployments")
        sets = [
            f"models.default.base_url=http://127.0.0.1:{team.ports['8000']}/v1",
            *(
                "seeds=[0]",
                "users.count=2",
                "samples.per_user=2",
                "methods=[no_learning,oracle]",
                "metrics=[ppcm]",
            ),
        ]
        with at(team.url) as client:
            made = client.read_deployments()
            assert {one.name for one in made} == {"nightly", "weekly", "on-demand"}
            assert all(one.concurrency_options.collision_strategy == "CANCEL_NEW" for one in made)
            weekly = client.read_deployment_by_name("scheduled/weekly")
            assert weekly.parameters["config"] == "deploy/fake.yaml" and not weekly.parameters["publish"]
            deployed = client.read_deployment_by_name("scheduled/on-demand").id
            run = client.create_flow_run_from_deployment(deployed, parameters={"sets": sets})
            state = ended(client, run.id)
        assert state.is_completed(), state.message
    (manifest,) = tmp_path.glob("runs/on-demand/team/*/manifest.json")
    assert '"endpoint"' in manifest.read_text()  # the replies came over HTTP
