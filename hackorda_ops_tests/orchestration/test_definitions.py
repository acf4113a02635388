"""What Dagster loads: with no secret set, and no database to be reached."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import AssetKey

from hackorda_ops.config.models import Config, Policy, Retention, Schedule, Source
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


def _automations(databases: int) -> tuple[set[str], set[str], set[str]]:
    """The names of sensors, schedules and jobs of so many databases, each on Neon and with all there is."""
    policy = Policy(scratch={"neon": {}}, retention=Retention())
    assert policy.keeps_history
    assert policy.deletes
    config = Config(
        databases={
            f"db{number}": policy.model_copy(update={"source": Source(url_env=f"URL_{number}")})
            for number in range(databases)
        }
    )
    repository = build_defs(config).get_repository_def()
    return (
        {sensor.name for sensor in repository.sensor_defs},
        {schedule.name for schedule in repository.schedule_defs},
        {job for job in repository.job_names if not job.startswith("__")},
    )


JOBS_OF_ONE = ("night", "proof", "week", "quarter", "year", "retention", "blast_radius", "receipts")


def test_there_is_one_sensor_of_a_kind_however_many_databases_there_are() -> None:
    sensors, schedules, jobs = _automations(1)
    sensors_of_ten, schedules_of_ten, jobs_of_ten = _automations(10)

    assert sensors == {
        "raise_alarms",
        "start_missed_work",
        "drill_changed_schemas",
        "prove_nights",
        "sweep_left_behind",
        "show_command_line_work",
        "assess_readiness_after_drills",
    }
    assert sensors_of_ten == sensors
    of_one = {
        "dump_every_night",
        "copy_every_week",
        "drill_every_quarter",
        "exercise_every_year",
        "prune_every_week",
        "measure_blast_radius_every_week",
        "check_receipts_every_week",
    }
    shared = {"check_histories_every_week", "assess_readiness_every_day", "delete_old_runs_every_week"}
    assert schedules == {f"db0_{each}" for each in of_one} | shared
    assert schedules_of_ten == {f"db{n}_{each}" for n in range(10) for each in of_one} | shared
    assert (len(sensors | schedules), len(sensors_of_ten | schedules_of_ten)) == (17, 80)
    assert jobs - {f"db0_{each}" for each in JOBS_OF_ONE} == {
        "sweep",
        "history",
        "all_readiness",
        "housekeeping",
    }
    assert (len(jobs), len(jobs_of_ten)) == (12, 84)


def test_what_belongs_to_a_database_can_be_filtered_by_its_label() -> None:
    repository = build_defs(TWO).get_repository_def()
    graph = build_defs(TWO).resolve_asset_graph()

    for schedule in repository.schedule_defs:
        if schedule.name.startswith("shop_"):
            assert schedule.tags["hackorda_ops/database"] == "shop"
    for job in ("shop_night", "shop_week", "shop_quarter", "shop_retention"):
        assert repository.get_job(job).tags["hackorda_ops/database"] == "shop"
    for asset, kind in (("nightly_dump", "night"), ("offsite_copy", "week"), ("restore_drill", "quarter")):
        tags = graph.get(AssetKey(["shop", asset])).tags
        assert (tags["hackorda_ops/database"], tags["hackorda_ops/kind"]) == ("shop", kind)


def test_whom_a_database_belongs_to_is_shown_beside_its_assets() -> None:
    owned = TWO.databases["shop"].model_copy(update={"owners": ("team:shop", "ops@example.com")})
    graph = build_defs(Config(databases={**TWO.databases, "shop": owned})).resolve_asset_graph()

    for key in graph.get_all_asset_keys():
        expected = ["team:shop", "ops@example.com"] if key.path[0] == "shop" else []
        assert list(graph.get(key).owners) == expected, key
        assert key.path[0] == "readiness" or graph.get(key).tags["hackorda_ops/database"] == key.path[0]


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
