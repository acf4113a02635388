"""What the command line did shows in Dagster, once, and what Dagster did itself isn't shown again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance, DagsterRun, DagsterRunStatus

from hackorda_ops.calendar.partitions import quarter_of
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.drill.quarter import hold_drill
from hackorda_ops.local.damage import damage_one_row
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.night.night import take_night
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.orchestration.sensors.command_line import Handled
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.week.week import ship_week
from hackorda_ops_tests.orchestration.protected import CodeLocation

NIGHTS, COPIES, DRILLS, REPORTS = (
    AssetKey(["shop", asset]) for asset in ("nightly_dump", "offsite_copy", "restore_drill", "drill_report")
)
FIRST, SECOND, THIRD = (f"2026110{day}T020000Z-0a1b2c" for day in (1, 2, 3))


@pytest.fixture
def shop(protected: CodeLocation, scratch_server: PostgresServer) -> CodeLocation:
    """The database with a place to restore on."""
    settings: dict[str, Any] = {
        **dict(protected.config.databases["shop"]),
        "scratch": {"server": {"superuser": "postgres"}},
        "dump": {"work_folder": str(protected.store.parent / "work")},
    }
    return replace(
        protected,
        config=Config(databases={"shop": Policy.model_validate(settings)}),
        environ={**protected.environ, "PATH": "/usr/bin:/bin", "SCRATCH_ADMIN_URL": scratch_server.url()},
    )


Tick = Callable[[], list[str]]


@pytest.fixture
def tick(shop: CodeLocation, instance: DagsterInstance) -> Tick:
    """Looks once, reports what the sensor reports, and says what was materialized: "nightly_dump 2026-11-08"."""
    cursor: list[str | None] = [None]

    def look() -> list[str]:
        definitions = shop.definitions()
        with dg.build_sensor_context(
            instance=instance, cursor=cursor[0], definitions=definitions, resources={ENVIRON: shop.environ}
        ) as context:
            data = definitions.resolve_sensor_def("show_command_line_work").evaluate_tick(context)
        # As the daemon does.
        for event in data.asset_events:
            instance.report_runless_asset_event(event)
        cursor[0] = data.cursor
        assert not data.run_requests
        return [
            f"{event.asset_key.path[-1]} {event.partition}"
            for event in data.asset_events
            if isinstance(event, AssetMaterialization)
        ]

    return look


def _newest(instance: DagsterInstance, asset: AssetKey) -> dg.EventLogEntry:
    event = instance.get_latest_materialization_event(asset)
    assert event is not None
    return event


def _evaluations(instance: DagsterInstance, *names: str) -> dict[str, bool | None]:
    keys = [dg.AssetCheckKey(REPORTS, name) for name in names]
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return {
        each.name: found[each].evaluation.passed if each in found and found[each].evaluation else None  # type: ignore[union-attr]
        for each in keys
    }


@pytest.mark.server
def test_a_dump_a_copy_and_a_drill_by_the_command_line_show_once_with_their_checks(
    shop: CodeLocation, tick: Tick, instance: DagsterInstance
) -> None:
    assert tick() == []
    night, week, quarter = shop.tonight, shop.this_week, quarter_of(shop.tonight)
    taken = take_night(shop.shop)
    ship_week(shop.shop, week=week)
    held = hold_drill(shop.shop)
    assert held.result.verdict == "PASS", held.result.error

    shown = tick()

    assert shown == [
        f"nightly_dump {night}",
        f"offsite_copy {week}",
        f"drill_report {quarter}",
        f"restore_drill {quarter}",
    ]
    assert tick() == []
    assert instance.get_materialized_partitions(NIGHTS) == {str(night)}
    event = _newest(instance, NIGHTS)
    assert event.run_id == ""
    made = event.asset_materialization
    assert made is not None
    assert made.metadata["artifact"].value == taken.manifest.artifact_id
    assert made.metadata["rows"].value == 800
    assert made.metadata["made by"].value == "hackorda-ops, without a run that Dagster knows"
    assert _evaluations(instance, "verdict", "restored_equals_manifest", "branch_equals_manifest") == {
        "verdict": True,
        "restored_equals_manifest": True,
        # It was not measured: a scratch server has no branch.
        "branch_equals_manifest": None,
    }


@pytest.mark.server
def test_a_drill_that_failed_shows_its_report_and_leaves_the_quarter_open(
    shop: CodeLocation, tick: Tick, instance: DagsterInstance
) -> None:
    shop.execute("ALTER TABLE users ADD city text DEFAULT 'Almaty'")
    manifest = take_night(shop.shop).manifest
    ship_week(shop.shop, week=shop.this_week)
    damage_one_row(shop.shop.offsite, manifest, TableName("public", "users"))
    assert hold_drill(shop.shop).result.verdict == "FAIL"

    assert [line.split()[0] for line in tick()] == ["nightly_dump", "offsite_copy", "drill_report"]

    assert not instance.get_materialized_partitions(DRILLS)
    assert _evaluations(instance, "verdict", "offsite_equals_manifest", "restored_equals_manifest") == {
        "verdict": False,
        "offsite_equals_manifest": False,
        # Its bytes are those of its manifest, so it was restored as well.
        "restored_equals_manifest": False,
    }


@pytest.mark.server
def test_what_dagster_made_itself_is_not_shown_again(
    shop: CodeLocation, tick: Tick, instance: DagsterInstance
) -> None:
    assert shop.run("shop_night", shop.tonight, instance).success
    assert shop.run("shop_week", shop.this_week, instance).success
    assert shop.run("shop_quarter", quarter_of(shop.tonight), instance).success

    # Also to a sensor that has never looked.
    assert tick() == []


@pytest.mark.server
def test_what_a_run_is_about_to_say_itself_is_left_to_it(
    shop: CodeLocation, tick: Tick, instance: DagsterInstance
) -> None:
    take_night(shop.shop)
    run = instance.add_run(DagsterRun("shop_night", status=DagsterRunStatus.STARTED))
    assert tick() == []
    # It was killed, and never said it.
    instance.report_run_failed(run)
    assert tick() == [f"nightly_dump {shop.tonight}"]


@pytest.mark.server
def test_a_night_that_failed_its_checks_stays_open(
    shop: CodeLocation, tick: Tick, instance: DagsterInstance
) -> None:
    assert take_night(shop.shop).manifest.sound
    assert tick() == [f"nightly_dump {shop.tonight}"]
    shop.execute("TRUNCATE orders")
    assert not take_night(shop.shop).manifest.sound
    assert tick() == []


@pytest.mark.server
def test_a_store_that_cannot_be_read_is_read_later(
    shop: CodeLocation, tick: Tick, instance: DagsterInstance
) -> None:
    take_night(shop.shop)
    away = shop.store.with_name("away")
    shop.store.rename(away)
    shop.store.write_text("not a folder", encoding="utf-8")
    assert tick() == []
    shop.store.unlink()
    away.rename(shop.store)
    assert tick() == [f"nightly_dump {shop.tonight}"]


@pytest.mark.server
def test_an_artifact_that_is_still_being_written_is_seen_when_it_is_there(
    shop: CodeLocation, tick: Tick, instance: DagsterInstance
) -> None:
    taken = take_night(shop.shop).manifest
    manifest = shop.store / taken.prefix / "manifest.json"
    manifest.rename(manifest.with_name("later"))
    assert tick() == []
    manifest.with_name("later").rename(manifest)
    assert tick() == [f"nightly_dump {taken.night}"]


def test_what_was_looked_at_is_remembered_in_few_words() -> None:
    ids = (FIRST, SECOND, THIRD)
    assert Handled().lacking(reversed(ids)) == [FIRST, SECOND, THIRD]
    gap = Handled().after([FIRST, THIRD], ids)
    assert gap == Handled(FIRST, (THIRD,))
    assert gap.lacking(ids) == [SECOND]
    assert gap.after([SECOND], ids) == Handled(THIRD, ())
    # What retention deletes needs no memory.
    assert gap.after([], [FIRST]) == Handled(FIRST, ())
