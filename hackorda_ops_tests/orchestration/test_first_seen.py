"""Since when a database is protected: remembered in Dagster's own storage, and never later than it was."""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance

from hackorda_ops.config.models import Config, Policy
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.first_seen import seen_earlier, since_first_seen

NOON = datetime(2026, 11, 8, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Dagster that has never loaded anything, at noon of 8 November."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.setattr(clock, "now", lambda: NOON)
    return folder


def _config(tmp_path: Path, **schedule: str) -> Config:
    settings = {"store": str(tmp_path / "backups"), "schedule": schedule}
    return Config(databases={"shop": Policy.model_validate(settings)})


def _since(config: Config) -> date | None:
    return since_first_seen(config).databases["shop"].schedule.since


def test_it_is_the_day_on_which_dagster_loads_it_first_and_stays_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _since(_config(tmp_path)) == date(2026, 11, 8)
    monkeypatch.setattr(clock, "now", lambda: datetime(2027, 3, 1, tzinfo=UTC))
    assert _since(_config(tmp_path)) == date(2026, 11, 8)


def test_on_the_first_day_one_night_one_week_and_one_quarter_are_missing_and_not_hundreds(
    tmp_path: Path,
) -> None:
    graph = build_defs(since_first_seen(_config(tmp_path))).resolve_asset_graph()

    def keys(asset: str) -> list[str]:
        partitions = graph.get(dg.AssetKey(["shop", asset])).partitions_def
        assert partitions is not None
        return list(partitions.get_partition_keys(current_time=NOON))

    assert keys("nightly_dump") == ["2026-11-08"]
    assert keys("offsite_copy") == ["2026-11-02"]
    assert keys("restore_drill") == keys("drill_report") == ["2026-10-01"]


def test_the_day_is_that_of_the_databases_own_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 8, 20, tzinfo=UTC))
    assert _since(_config(tmp_path, timezone="Asia/Almaty")) == date(2026, 11, 9)


def test_what_the_configuration_says_stays(tmp_path: Path) -> None:
    config = _config(tmp_path, since="2026-05-20")
    assert since_first_seen(config) is config


def test_what_the_command_line_took_before_there_was_a_dagster_counts(tmp_path: Path) -> None:
    for artifact in ("20261020T020000Z-0a1b2c", "20261101T020000Z-0a1b2c", "20270101T020000Z-0a1b2c"):
        (tmp_path / "backups" / "shop" / artifact).mkdir(parents=True)
    assert _since(_config(tmp_path)) == date(2026, 10, 20)


def test_what_an_earlier_release_materialized_counts(tmp_path: Path) -> None:
    with DagsterInstance.get() as instance:
        for night in ("2026-09-30", "2026-10-01"):
            instance.report_runless_asset_event(
                dg.AssetMaterialization(["shop", "nightly_dump"], partition=night)
            )
    assert _since(_config(tmp_path)) == date(2026, 9, 30)


def test_something_older_that_is_found_later_moves_it_back_and_nothing_moves_it_forward(
    tmp_path: Path,
) -> None:
    config = _config(tmp_path)
    with DagsterInstance.get() as instance:
        assert not seen_earlier(instance, "shop", date(2026, 10, 1))
        assert _since(config) == date(2026, 11, 8)
        assert seen_earlier(instance, "shop", date(2026, 10, 1))
        assert not seen_earlier(instance, "shop", date(2026, 10, 1))
        assert not seen_earlier(instance, "shop", date(2026, 10, 2))
    assert _since(config) == date(2026, 10, 1)


def test_a_dagster_that_remembers_nothing_begins_today(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME")
    assert _since(_config(tmp_path)) == date(2026, 11, 8)


def test_definitions_load_without_dagsters_storage_and_miss_nothing_that_they_had(
    tmp_path: Path, home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE", "postgresql://dagster:hunter2-is-a-secret@127.0.0.1:1/dagster")
    (home / "dagster.yaml").write_text("storage: {postgres: {postgres_url: {env: STORAGE}}}\n")

    config = since_first_seen(_config(tmp_path))

    assert config.databases["shop"].schedule.since is None
    partitions = (
        build_defs(config).resolve_asset_graph().get(dg.AssetKey(["shop", "nightly_dump"])).partitions_def
    )
    assert partitions is not None
    assert partitions.get_first_partition_key() == "2026-01-01"
    assert "Dagster's storage could not be asked" in caplog.text
    assert "hunter2" not in caplog.text
