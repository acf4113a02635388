"""What Dagster loads: with no secret set, and no database to be reached."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import AssetKey

from hackorda_ops.config.models import Config, Policy, Schedule, Source
from hackorda_ops.orchestration.build import build_defs

ROOT = Path(__file__).parents[2]
TWO = Config(
    databases={
        "shop": Policy(),
        # A word of Python's, because the names of databases become parts of Dagster's names.
        "class": Policy(source=Source(url_env="CLASS_URL"), schedule=Schedule(timezone="Asia/Almaty")),
    }
)


def test_the_repository_of_this_project_loads_with_nothing_in_the_environment(tmp_path: Path) -> None:
    finished = subprocess.run(
        [Path(sys.executable).with_name("dagster"), "definitions", "validate", "-w", ROOT / "workspace.yaml"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "DAGSTER_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert "All code locations passed validation" in finished.stdout + finished.stderr


def test_every_job_can_be_started_with_a_partition_of_its_own() -> None:
    definitions = build_defs(TWO)

    dg.Definitions.validate_loadable(definitions)

    for name in ("shop_night", "shop_week", "class_night", "class_week"):
        assert definitions.resolve_job_def(name).partitions_def is not None


def test_each_database_has_its_own_prefix_group_and_pools() -> None:
    graph = build_defs(TWO).resolve_asset_graph()

    for database in ("shop", "class"):
        own = {key.path[1] for key in graph.get_all_asset_keys() if key.path[0] == database}
        assert own >= {"source", "nightly_dump", "offsite_copy"}
    for key in graph.get_all_asset_keys():
        assert graph.get(key).group_name == key.path[0]
    assert graph.get(AssetKey(["shop", "nightly_dump"])).pools == {"shop_source"}
    assert graph.get(AssetKey(["shop", "offsite_copy"])).pools == {"shop_offsite"}


def test_the_source_is_only_ever_observed() -> None:
    node = build_defs(TWO).resolve_asset_graph().get(AssetKey(["shop", "source"]))

    assert node.is_external
    assert node.is_observable


# Dagster reads its own deprecated property to make the snapshot.
@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")
def test_no_secret_of_the_environment_is_in_what_the_ui_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._core.remote_representation.external_data import RepositorySnap
    from dagster_shared.serdes import serialize_value

    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter2-is-a-secret@db.example/shop")
    monkeypatch.setenv("ALERT_WEBHOOK_URL", "https://hooks.example/hunter2-is-a-secret")

    snapshot = serialize_value(RepositorySnap.from_def(build_defs(TWO).get_repository_def()))

    assert "DATABASE_URL" in snapshot
    assert "hunter2" not in snapshot


def test_dagster_yaml_takes_every_secret_from_the_environment() -> None:
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    storage = settings["storage"]["postgres"]["postgres_db"]

    assert storage["scheme"] == "postgresql+psycopg2"
    assert all(set(value) == {"env"} for name, value in storage.items() if name != "scheme")
