"""The sensor that has a changed schema copied and drilled."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import dagster as dg
import pytest
from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus, MetadataValue
from dagster._core.test_utils import freeze_time

from hackorda_ops.config.models import Config, Policy, Schedule, Source
from hackorda_ops.errors import PermanentError
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.drill_metadata import of_drill
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.orchestration.sensors import schema_change
from hackorda_ops_tests.drill import results

# A Wednesday; the week's copy is due on Sunday, the quarter's drill was due on 4 October.
NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
OLD, NEW = "20261108T020000Z-aaaaaa", "20261111T020000Z-bbbbbb"
DATABASE = Policy(schedule=Schedule(), scratch={"server": {}})


def _materialize(instance: DagsterInstance, asset: str, partition: str, **metadata: str) -> None:
    shown: Mapping[str, MetadataValue] = {
        label.replace("_", " "): MetadataValue.text(text) for label, text in metadata.items()
    }
    instance.report_runless_asset_event(
        dg.AssetMaterialization(AssetKey(["shop", asset]), partition=partition, metadata=shown)
    )


def _look(
    instance: DagsterInstance, now: datetime = NOW, databases: Mapping[str, Policy] | None = None
) -> list[str]:
    definitions = build_defs(Config(databases=databases or {"shop": DATABASE}))
    context = dg.build_sensor_context(
        instance=instance, repository_def=definitions.get_repository_def(), resources={ENVIRON: {}}
    )
    with mock.patch.object(clock, "now", return_value=now):
        data = definitions.resolve_sensor_def("drill_changed_schemas").evaluate_tick(context)
    return [
        f"{request.job_name} {request.partition_key}, {request.run_key}"
        for request in data.run_requests or []
    ]


def test_a_changed_schema_is_copied_off_site_and_drilled_once(instance: DagsterInstance) -> None:
    _materialize(instance, "nightly_dump", "2026-11-08", artifact=OLD, schema_digest="one")
    _materialize(instance, "offsite_copy", "2026-11-02", artifact=OLD, schema_digest="one")
    _materialize(instance, "drill_report", "2026-10-01", artifact=OLD, schema_digest="one")
    assert _look(instance) == []

    _materialize(instance, "nightly_dump", "2026-11-11", artifact=NEW, schema_digest="two")
    # A past night that is made up for later is not the newest.
    _materialize(
        instance, "nightly_dump", "2026-11-07", artifact="20261107T020000Z-cccccc", schema_digest="one"
    )
    assert _look(instance) == [f"shop_week 2026-11-09, week of {NEW}"]

    _materialize(instance, "offsite_copy", "2026-11-09", artifact=NEW, schema_digest="two")
    assert _look(instance) == [f"shop_quarter 2026-10-01, quarter of {NEW}"]

    _materialize(instance, "drill_report", "2026-10-01", artifact=NEW, schema_digest="two")
    assert _look(instance) == []


def test_a_night_that_is_dated_after_now_is_not_the_newest(instance: DagsterInstance) -> None:
    ahead = "20271111T020000Z-dddddd"
    for schema, artifact in (("two", NEW), ("one", ahead)):
        _materialize(instance, "nightly_dump", "2026-11-11", artifact=artifact, schema_digest=schema)
        _materialize(instance, "offsite_copy", "2026-11-09", artifact=artifact, schema_digest=schema)
    _materialize(instance, "drill_report", "2026-10-01", artifact=OLD, schema_digest="one")

    assert _look(instance) == [f"shop_quarter 2026-10-01, quarter of {NEW}"]

    _materialize(instance, "drill_report", "2026-10-01", artifact=ahead, schema_digest="two")
    assert _look(instance) == [f"shop_quarter 2026-10-01, quarter of {NEW}"]


def test_the_drill_of_a_copy_that_was_made_by_hand_counts(instance: DagsterInstance) -> None:
    drilled = results.sound()
    assert drilled.artifact is not None
    metadata = of_drill(
        replace(drilled, artifact=replace(drilled.artifact, artifact_id=OLD, schema_sha256="one"))
    )
    instance.report_runless_asset_event(
        dg.AssetMaterialization(AssetKey(["shop", "drill_report"]), partition="2026-10-01", metadata=metadata)
    )
    assert _look(instance) == []

    _materialize(instance, "nightly_dump", "2026-11-11", artifact=NEW, schema_digest="two")

    assert _look(instance) == [f"shop_week 2026-11-09, week of {NEW}"]


def test_what_an_earlier_release_has_started_for_an_artifact_is_not_started_again(
    instance: DagsterInstance,
) -> None:
    _materialize(instance, "offsite_copy", "2026-11-02", artifact=OLD, schema_digest="one")
    _materialize(instance, "drill_report", "2026-10-01", artifact=OLD, schema_digest="one")
    _materialize(instance, "nightly_dump", "2026-11-11", artifact=NEW, schema_digest="two")
    # By the sensor of that database, as it was called then; it failed, and waits for a person.
    tags = {"dagster/run_key": f"week of {NEW}", "dagster/sensor_name": "shop_schema_change"}
    with freeze_time(NOW - timedelta(days=2)):
        run = instance.add_run(DagsterRun("shop_week", tags=tags))
        instance.report_run_failed(run)

    assert _look(instance) == []


def test_a_database_that_cannot_be_looked_at_hides_no_other(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    _materialize(instance, "offsite_copy", "2026-11-02", artifact=OLD, schema_digest="one")
    _materialize(instance, "drill_report", "2026-10-01", artifact=OLD, schema_digest="one")
    _materialize(instance, "nightly_dump", "2026-11-11", artifact=NEW, schema_digest="two")
    night_key = schema_change.night_key

    def broken(name: str, policy: Policy) -> AssetKey:
        if name == "broken":
            raise ValueError("a secret")
        return night_key(name, policy)

    monkeypatch.setattr(schema_change, "night_key", broken)
    two = {"broken": DATABASE.model_copy(update={"source": Source(url_env="BROKEN_URL")}), "shop": DATABASE}

    assert _look(instance, databases=two) == [f"shop_week 2026-11-09, week of {NEW}"]
    with pytest.raises(PermanentError, match=r"ValueError at test_schema_change\.py") as caught:
        _look(instance, databases={"broken": two["broken"]})
    assert "a secret" not in str(caught.value)


def test_no_drill_is_started_beside_another_or_on_the_day_of_another(instance: DagsterInstance) -> None:
    _materialize(instance, "offsite_copy", "2026-11-02", artifact=OLD, schema_digest="one")
    _materialize(instance, "drill_report", "2026-10-01", artifact=OLD, schema_digest="one")
    _materialize(instance, "nightly_dump", "2026-11-11", artifact=NEW, schema_digest="two")
    _materialize(instance, "offsite_copy", "2026-11-09", artifact=NEW, schema_digest="two")
    with freeze_time(NOW):
        instance.add_run(DagsterRun("shop_quarter", run_id="a drill", status=DagsterRunStatus.STARTED))

    # Nor while it runs, however long.
    assert _look(instance, NOW + timedelta(hours=30)) == []
    [run] = instance.get_runs()
    instance.report_run_failed(run)
    assert _look(instance, NOW + timedelta(hours=23)) == []
    assert _look(instance, NOW + timedelta(hours=25)) == [f"shop_quarter 2026-10-01, quarter of {NEW}"]
