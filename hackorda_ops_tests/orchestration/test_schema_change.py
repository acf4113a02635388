"""When a change of the schema asks for a drill."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import dagster as dg
import pytest
from dagster import AssetKey, DagsterInstance, DagsterRun, DagsterRunStatus, MetadataValue
from dagster._core.test_utils import freeze_time

from hackorda_ops.config.models import Config, Database, Schedule
from hackorda_ops.orchestration import clock, drill_metadata
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.schema_change import Artifact, Night, has_to_wait, what_is_missing
from hackorda_ops_tests.drill import results

# A Wednesday; the week's copy is due on Sunday, the quarter's drill was due on 4 October.
NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
OLD, NEW = "20261108T020000Z-aaaaaa", "20261111T020000Z-bbbbbb"
DATABASE = Database(schedule=Schedule(), scratch={"server": {}})


def test_a_schema_that_was_drilled_asks_for_nothing() -> None:
    night = Night(NEW, "one", date(2026, 11, 11))
    assert what_is_missing(night, Artifact(OLD, "one"), Artifact(OLD, "one")) is None


def test_another_schema_asks_for_its_copy_and_then_for_the_drill() -> None:
    night, old, new = Night(NEW, "two", date(2026, 11, 11)), Artifact(OLD, "one"), Artifact(NEW, "two")
    assert what_is_missing(night, old, old) == "week"
    assert what_is_missing(night, None, old) == "week"
    assert what_is_missing(night, new, old) == "quarter"
    assert what_is_missing(night, new, new) is None


def test_a_schema_that_was_changed_and_changed_back_asks_for_nothing() -> None:
    night = Night("20261112T020000Z-cccccc", "one", date(2026, 11, 12))
    assert what_is_missing(night, Artifact(NEW, "two"), Artifact(OLD, "one")) is None


def test_where_nothing_was_drilled_the_quarters_own_drill_is_waited_for() -> None:
    night, old = Night(NEW, "two", date(2026, 11, 11)), Artifact(OLD, "one")
    assert what_is_missing(night, old, None) is None
    assert what_is_missing(None, old, old) is None


@pytest.mark.parametrize(
    ("kind", "now", "busy", "drilled_today", "why"),
    [
        ("week", NOW, False, False, None),
        ("quarter", NOW, False, False, None),
        ("week", NOW, True, False, "still runs"),
        ("quarter", NOW, False, True, "one a day is enough"),
        # A copy may go off-site while a drill of the day before is fresh.
        ("week", NOW, False, True, None),
        ("week", datetime(2026, 11, 14, 12, tzinfo=UTC), False, False, "due within 24 hours"),
        ("quarter", datetime(2027, 1, 2, 12, tzinfo=UTC), False, False, "due within 24 hours"),
    ],
)
def test_it_waits_for_what_runs_and_for_what_is_due_anyway(
    kind: str, now: datetime, busy: bool, drilled_today: bool, why: str | None
) -> None:
    assert kind in ("week", "quarter")
    reason = has_to_wait(kind, DATABASE.schedule, now=now, busy=busy, drilled_today=drilled_today)
    assert reason is None if why is None else why in str(reason)


def _materialize(instance: DagsterInstance, asset: str, partition: str, **metadata: str) -> None:
    shown: Mapping[str, MetadataValue] = {
        label.replace("_", " "): MetadataValue.text(text) for label, text in metadata.items()
    }
    instance.report_runless_asset_event(
        dg.AssetMaterialization(AssetKey(["shop", asset]), partition=partition, metadata=shown)
    )


def _look(instance: DagsterInstance, now: datetime = NOW) -> list[str]:
    definitions = build_defs(Config(databases={"shop": DATABASE}))
    context = dg.build_sensor_context(instance=instance, repository_def=definitions.get_repository_def())
    with mock.patch.object(clock, "now", return_value=now):
        data = definitions.resolve_sensor_def("shop_schema_change").evaluate_tick(context)
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


def test_the_drill_of_a_copy_that_was_made_by_hand_counts(instance: DagsterInstance) -> None:
    drilled = results.sound()
    assert drilled.artifact is not None
    metadata = drill_metadata.of_drill(
        replace(drilled, artifact=replace(drilled.artifact, artifact_id=OLD, schema_sha256="one"))
    )
    instance.report_runless_asset_event(
        dg.AssetMaterialization(AssetKey(["shop", "drill_report"]), partition="2026-10-01", metadata=metadata)
    )
    assert _look(instance) == []

    _materialize(instance, "nightly_dump", "2026-11-11", artifact=NEW, schema_digest="two")

    assert _look(instance) == [f"shop_week 2026-11-09, week of {NEW}"]


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
