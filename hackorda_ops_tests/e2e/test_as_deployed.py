"""The commands of deploy/ as processes of this machine: the code location alone has the databases' secrets."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hackorda_ops.config.file import CONFIG_VARIABLE
from hackorda_ops.local.dagster import storage_variables
from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops.local.example import example_file
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.processes import child
from hackorda_ops_tests.alerts.sink import free_port
from hackorda_ops_tests.e2e.nights import tonight
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, until
from hackorda_ops_tests.e2e.shop import Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]

DEPLOY = Path(__file__).parents[2] / "deploy"
HOME_IN_THE_IMAGE = "/opt/dagster/home"
# In the Dockerfile a health check has a CMD of its own, on an indented line.
HEALTH_CHECK = "  CMD"


@dataclass(frozen=True)
class Deployed:
    """The services, on free ports.

    Attributes:
        dagster: the web server.
        home: $DAGSTER_HOME.
        ports: of the code location and the web server, in the image and here.
        environment: what every service is given.
    """

    dagster: RunningDagster
    home: Path
    ports: Mapping[str, str]
    environment: Mapping[str, str]

    def passes(self, check: list[str]) -> bool:
        """Whether a health check of deploy/ passes."""
        command = _here(check, self.home, self.ports)
        return child.run(command, environment=self.environment, deadline_seconds=60).returncode == 0


@pytest.fixture(scope="module")
def deployed(
    shop: Shop, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    home = tmp_path_factory.mktemp("deployed")
    ports = {"4000": str(free_port()), "3000": str(free_port())}
    workspace = (DEPLOY / "workspace.yaml").read_text()
    (home / "workspace.yaml").write_text(
        workspace.replace("host: code", "host: 127.0.0.1").replace("4000", ports["4000"])
    )
    (home / "dagster.yaml").write_text(example_file("dagster.yaml").read_text())
    environment = {
        **ENVIRONMENT,
        **storage_variables(create_database(postgres_server, "storage as deployed")),
        "DAGSTER_HOME": str(home),
    }
    with_secrets = {**environment, **shop.environ, CONFIG_VARIABLE: str(shop.config_file)}
    services = _compose()["services"]
    with (
        ExitStack() as stack,
        httpx.Client(base_url=f"http://127.0.0.1:{ports['3000']}", timeout=30) as client,
    ):
        deployed = Deployed(RunningDagster(int(ports["3000"]), client), home, ports, environment)

        def start(command: list[str], given: Mapping[str, str]) -> None:
            process = child.start(_here(command, home, ports), environment=given, working_directory=home)
            stack.callback(process.stop)

        start(_of_the_image("CMD"), with_secrets)
        # As Compose has it: the others wait for the code location.
        until(
            lambda: deployed.passes(_of_the_image(HEALTH_CHECK)),
            "the code location is healthy",
        )
        start(services["webserver"]["command"], environment)
        start(services["daemon"]["command"], environment)
        until(deployed.dagster.loaded, "the web server has the code location")
        yield deployed


def _compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def _of_the_image(instruction: str) -> list[str]:
    """A command in the Dockerfile."""
    [found] = re.findall(rf"^{instruction} (\[.*\])$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    return [str(word) for word in json.loads(found)]


def _here(command: list[str], home: Path, ports: Mapping[str, str]) -> list[str]:
    """A container's command for this machine: with our Python, our folder and free ports, on the loopback interface."""
    program, *arguments = command
    words = [word.replace(HOME_IN_THE_IMAGE, str(home)).replace("0.0.0.0", "127.0.0.1") for word in arguments]
    for theirs, ours in ports.items():
        words = [re.sub(rf"\b{theirs}\b", ours, word) for word in words]
    return [str(Path(sys.executable).with_name(program)), *words]


def test_a_night_runs_although_neither_web_server_nor_daemon_has_a_databases_secret(
    deployed: Deployed, shop: Shop
) -> None:
    before = len(shop.artifacts)

    run = deployed.dagster.materialize("shop/nightly_dump", tonight())

    assert deployed.dagster.end_of(run) == "SUCCESS", deployed.dagster.messages(run)
    assert len(shop.artifacts) == before + 1


def test_an_alarm_is_raised_by_the_code_location(deployed: Deployed, shop: Shop) -> None:
    run = deployed.dagster.materialize("shop/offsite_copy", _a_week_without_nights())

    assert deployed.dagster.end_of(run) == "FAILURE"
    until(lambda: any(run in text for text in shop.alarms.texts), "somebody is told")


def _a_week_without_nights() -> str:
    now = datetime.now(UTC)
    return (now - timedelta(days=28 + now.weekday())).date().isoformat()


def test_the_health_checks_pass_while_all_is_well(deployed: Deployed) -> None:
    services = _compose()["services"]

    assert deployed.passes(_of_the_image(HEALTH_CHECK))
    for name in ("webserver", "daemon"):
        check = services[name]["healthcheck"]["test"][1:]
        until(lambda check=check: deployed.passes(check), f"{name} is healthy")
