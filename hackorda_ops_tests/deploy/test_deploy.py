"""The files of deploy/: what they name is there, and they say the same as the files that the tests run with."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from hackorda_ops.config.choice import Choice
from hackorda_ops.config.file import CONFIG_VARIABLE
from hackorda_ops.config.models import Config

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
# Read by Dagster, Celery and Compose themselves.
READ_BY_OTHERS = {"DAGSTER_HOME", "COMPOSE_PROFILES"}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


COMPOSE = _yaml(DEPLOY / "compose.yaml")
HELM = _yaml(DEPLOY / "helm-values.yaml")
OWN_SETTINGS = _yaml(ROOT / "dagster.yaml")
OF_THE_PRODUCT = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "hackorda-ops"}


def _named_in_settings() -> set[str]:
    """The variables that dagster.yaml and the piece for Celery take from the environment."""
    text = (ROOT / "dagster.yaml").read_text() + (DEPLOY / "celery.yaml").read_text()
    return set(re.findall(r"{env: (\w+)}", text))


def _read_by_default(model: type[BaseModel]) -> Iterator[str]:
    """The variables that a databases.yaml without a key for them names."""
    for name, field in model.model_fields.items():
        if name.endswith("_env") and field.default:
            yield from [field.default] if isinstance(field.default, str) else field.default
        for part in _models(field.annotation):
            yield from _read_by_default(part)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Choice):
        yield annotation.as_written()
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


PRODUCT = {*_read_by_default(Config), CONFIG_VARIABLE, *_named_in_settings(), *READ_BY_OTHERS}


def _set_in_the_example() -> dict[str, str]:
    lines = [line.removeprefix("# ") for line in (DEPLOY / "env.example").read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def test_the_product_reads_the_variables_that_its_documents_name() -> None:
    assert {"DATABASE_URL", "NEON_API_KEY", "OFFSITE_SECRET_ACCESS_KEY", "DAGSTER_PG_PASSWORD"} <= PRODUCT


def test_every_variable_of_the_example_is_read_by_the_product_or_by_compose() -> None:
    interpolated = set(re.findall(r"(?<!\$)\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))

    assert set(_set_in_the_example()) <= PRODUCT | interpolated
    assert interpolated <= set(_set_in_the_example())


def test_every_variable_that_databases_yaml_names_by_default_is_in_the_example() -> None:
    # Tests and scratch servers only; and what a team's own command finds, which nothing here reads.
    elsewhere = {"NEON_API_URL", "SCRATCH_ADMIN_URL", "DATABASE_URL_POOLED"}

    assert set(_read_by_default(Config)) - elsewhere <= set(_set_in_the_example())


def test_the_example_holds_no_secret_and_is_never_committed() -> None:
    secret = re.compile("PASSWORD|SECRET|KEY|URL|CERT")
    for name, value in _set_in_the_example().items():
        assert not (secret.search(name) and value) or "PASSWORD@" in value, name
    checked = subprocess.run(
        ["git", "check-ignore", "deploy/.env"], cwd=ROOT, capture_output=True, check=False
    )
    assert checked.returncode == 0


@pytest.mark.parametrize("service", OF_THE_PRODUCT)
def test_each_service_of_the_product_is_given_what_dagster_yaml_names(service: str) -> None:
    given = set(OF_THE_PRODUCT[service]["environment"])

    assert _named_in_settings() <= given
    assert given <= PRODUCT


def test_only_what_runs_runs_is_given_the_secrets_of_databases() -> None:
    given = {name for name, each in COMPOSE["services"].items() if "env_file" in each}

    assert given == {"code", "worker", "receiver"}


def test_nothing_but_the_login_is_published_and_that_on_this_machine_unless_told() -> None:
    published = {name: each["ports"] for name, each in COMPOSE["services"].items() if "ports" in each}

    assert published == {"proxy": ["${UI_PUBLISH:-127.0.0.1:8443}:8443"]}
    assert all("network_mode" not in each for each in COMPOSE["services"].values())
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert COMPOSE["services"]["webserver"]["networks"] == ["inside"]


@pytest.mark.parametrize("name", ["DAGSTER_PG_PASSWORD", "UI_USER", "UI_PASSWORD_HASH"])
def test_without_a_password_nothing_starts(name: str) -> None:
    uses = re.findall(rf"\${{{name}([^}}]*)}}", (DEPLOY / "compose.yaml").read_text())

    assert uses
    assert all(use.startswith(":?") for use in uses)


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_each_service_restarts_is_watched_and_has_limits(service: str) -> None:
    settings = COMPOSE["services"][service]
    watched_by_the_image = {"code"}

    assert settings["restart"] == "unless-stopped"
    assert "healthcheck" in settings or service in watched_by_the_image
    assert set(settings["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert settings["logging"]["options"]["max-size"]


def test_a_run_has_time_to_end_before_its_container_is_killed() -> None:
    seconds = OWN_SETTINGS["run_monitoring"]["cancel_timeout_seconds"]

    assert COMPOSE["services"]["code"]["stop_grace_period"] == f"{seconds // 60}m"
    assert _launcher()["runK8sConfig"]["podSpecConfig"]["terminationGracePeriodSeconds"] == seconds


def test_every_volume_network_and_file_that_is_mentioned_exists() -> None:
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", ()):
            source, _, target = re.sub(r"\$\{\w+:-([^}]*)}", r"\1", volume).partition(":")
            if source.startswith("."):
                assert (DEPLOY / source).is_file(), f"{name}: {source}"
            elif target:
                assert source in COMPOSE["volumes"], f"{name}: {source}"
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"])
    assert (ROOT / COMPOSE["x-product"]["build"]["dockerfile"]).is_file()


def test_the_image_has_every_file_that_it_copies_and_the_commands_that_services_call() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    let_in = [
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"
    ]

    for path in let_in:
        assert (ROOT / path).exists(), path
    for path in re.findall(r"/src/([\w./-]+)", dockerfile):
        assert path in let_in, path
    for major in range(14, 19):
        assert f"postgresql-client-{major}" in dockerfile
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)
    for service in OF_THE_PRODUCT.values():
        [program, *_] = service.get("command", ["dagster"])
        assert shutil.which(program, path=str(Path(sys.executable).parent)), program


def test_the_containers_load_the_code_location_under_its_one_name() -> None:
    [of_repository] = [next(iter(each.values())) for each in _yaml(ROOT / "workspace.yaml")["load_from"]]
    [of_containers] = [next(iter(each.values())) for each in _yaml(DEPLOY / "workspace.yaml")["load_from"]]

    assert of_containers["location_name"] == of_repository["location_name"]
    assert of_containers["host"] in COMPOSE["services"]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert f'"--module-name", "{of_repository["module_name"]}"' in dockerfile
    assert f'"--port", "{of_containers["port"]}"' in dockerfile


def _launcher() -> Any:
    return HELM["runLauncher"]["config"]["k8sRunLauncher"]


def test_the_chart_is_told_what_dagster_yaml_says() -> None:
    def in_the_charts_words(settings: dict[str, Any]) -> dict[str, Any]:
        return {
            re.sub(r"_(\w)", lambda found: found[1].upper(), name): value for name, value in settings.items()
        }

    assert HELM["additionalInstanceConfig"]["concurrency"] == OWN_SETTINGS["concurrency"]
    assert HELM["additionalInstanceConfig"]["run_queue"] == OWN_SETTINGS["run_queue"]
    monitoring = HELM["dagsterDaemon"]["runMonitoring"]
    assert in_the_charts_words(OWN_SETTINGS["run_monitoring"]).items() <= monitoring.items()
    assert monitoring["maxResumeRunAttempts"] == 0
    assert HELM["dagsterDaemon"]["runRetries"] == OWN_SETTINGS["run_retries"]
    for kind in ("schedule", "sensor"):
        assert HELM["retention"][kind] == in_the_charts_words(OWN_SETTINGS["retention"][kind])
    scheme = OWN_SETTINGS["storage"]["postgres"]["postgres_db"]["scheme"]
    assert HELM["postgresql"]["postgresqlScheme"] == scheme


def test_the_chart_gives_runs_their_secrets_and_configuration_and_holds_none() -> None:
    [location] = HELM["dagster-user-deployments"]["deployments"]

    assert location["includeConfigInLaunchedRuns"] == {"enabled": True}
    assert location["envSecrets"] == [{"name": "hackorda-ops"}]
    assert set(location["env"]) <= PRODUCT
    assert location["env"][CONFIG_VARIABLE] in {mount["mountPath"] for mount in location["volumeMounts"]}
    assert {mount["name"] for mount in location["volumeMounts"]} == {
        each["name"] for each in location["volumes"]
    }
    assert "postgresqlPassword" not in HELM["postgresql"]
    assert HELM["generatePostgresqlPasswordSecret"] is False
