"""`restore_drill`, materialized for real: a bucket, a scratch server, and an instance of Dagster."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import httpx
import psycopg
import pytest
from dagster import (
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    ExecuteInProcessResult,
    FloatMetadataValue,
    IntMetadataValue,
    MarkdownMetadataValue,
    MetadataValue,
    PathMetadataValue,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from hackorda_ops.artifacts import catalog
from hackorda_ops.calendar.partitions import quarter_of
from hackorda_ops.config.models import Config, Policy, Schedule
from hackorda_ops.drill.quarter import hold_drill
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.damage import damage_one_row
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.html_page import HtmlPage
from hackorda_ops_tests.migrations.commands import running
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks, log_lines

pytestmark = pytest.mark.server

RESTORE_DRILL = AssetKey(["shop", "restore_drill"])
DRILL_REPORT = AssetKey(["shop", "drill_report"])

# What a scratch server, a migrate command and key tables make possible; there's no branch to compare with.
CHECKS = {
    "verdict",
    "offsite_equals_manifest",
    "restored_equals_manifest",
    "comparison_self_test",
    "key_tables_near_production",
    "newest_row_recent",
    "migrations_apply",
    "within_recovery_time_objective",
    "scratch_gone",
}


@pytest.fixture
def shipped(
    protected: CodeLocation, scratch_server: PostgresServer, instance: DagsterInstance
) -> CodeLocation:
    """The database, with a night and this week's copy, and a scratch server for its drills."""
    protected.execute(
        "ALTER TABLE users ADD city text DEFAULT 'Almaty', ADD created_at timestamptz DEFAULT now()"
    )
    shop = protected.config.databases["shop"]
    settings: dict[str, Any] = {
        "scratch": {"server": {"superuser": "postgres"}},
        "key_tables": ["users"],
        "migrate": {"command": running("CREATE TABLE migrated ()")},
        "dump": {"work_folder": str(protected.store.parent / "work")},
    }
    drilled = replace(
        protected,
        config=Config(databases={"shop": Policy.model_validate({**dict(shop), **settings})}),
        environ={**protected.environ, "PATH": "/usr/bin:/bin", "SCRATCH_ADMIN_URL": scratch_server.url()},
    )
    assert drilled.run("shop_night", drilled.tonight, instance).success
    assert drilled.run("shop_week", drilled.this_week, instance).success
    return drilled


def _this_quarter(protected: CodeLocation) -> date:
    return quarter_of(protected.tonight)


def _damage(protected: CodeLocation) -> None:
    offsite = protected.shop.offsite
    manifest = choose(read_judged({"offsite": offsite}, "shop"), None).candidates[0].manifest
    damage_one_row(offsite, manifest, TableName("public", "users"))


def _told(result: ExecuteInProcessResult) -> dict[str, str]:
    """What the one failure of a run says; an attempt that is tried again leaves another event."""
    assert not [
        event for event in result.all_events if event.event_type == DagsterEventType.STEP_UP_FOR_RETRY
    ]
    [failure] = result.get_step_failure_events()
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    return {label: str(value.value) for label, value in data.metadata.items()}


def _only(instance: DagsterInstance, asset: AssetKey, quarter: date) -> Mapping[str, MetadataValue[Any]]:
    """The metadata of an asset's one materialization, which is of that quarter."""
    [record] = instance.fetch_materializations(asset, limit=5).records
    materialization = record.asset_materialization
    assert materialization is not None
    assert materialization.partition == str(quarter)
    return materialization.metadata


def _labels(instance: DagsterInstance, result: dg.ExecuteInProcessResult) -> dict[str, str]:
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    prefix = "hackorda_ops/"
    return {tag.removeprefix(prefix): text for tag, text in run.tags.items() if tag.startswith(prefix)}


def _databases(server: PostgresServer) -> set[str]:
    with psycopg.connect(server.url()) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_sound_copy_materializes_the_quarter_and_its_report_with_numbers(
    shipped: CodeLocation, instance: DagsterInstance
) -> None:
    quarter = _this_quarter(shipped)

    result = shipped.run("shop_quarter", quarter, instance)

    assert result.success
    assert {name: found.passed for name, found in checks(result).items()} == dict.fromkeys(CHECKS, True)
    assert {found.partition for found in checks(result).values()} == {str(quarter)}
    assert {found.asset_key for found in checks(result).values()} == {DRILL_REPORT}
    report = _only(instance, DRILL_REPORT, quarter)
    [manifest] = catalog.read(FolderStore(shipped.store), "shop").artifacts
    for metadata in (_only(instance, RESTORE_DRILL, quarter), report):
        assert metadata["verdict"].value == "PASS"
        assert metadata["schema digest"].value == manifest.schema_sha256
        assert metadata["rows"] == metadata["dagster/row_count"] == IntMetadataValue(800)
        assert str(metadata["dagster/uri"].value).startswith("s3://")
        assert metadata["tables that differ"] == IntMetadataValue(0)
        for number in ("recovery seconds", "data loss seconds", "seconds: restore"):
            assert isinstance(metadata[number], FloatMetadataValue)
    assert isinstance(report["report"], MarkdownMetadataValue)
    assert any(line.startswith("restore: ") for line in log_lines(instance, result))
    assert _labels(instance, result) == {"database": "shop", "kind": "quarter", "verdict": "PASS"}


def test_one_changed_row_off_site_fails_the_quarter_and_still_gives_its_report(
    shipped: CodeLocation, instance: DagsterInstance, scratch_server: PostgresServer
) -> None:
    quarter, before = _this_quarter(shipped), _databases(scratch_server)
    _damage(shipped)

    result = shipped.run("shop_quarter", quarter, instance)

    assert not result.success
    assert _labels(instance, result)["verdict"] == "FAIL"
    found = checks(result)
    # The verdict and what failed come first.
    failed = ["verdict", "offsite_equals_manifest", "restored_equals_manifest"]
    assert list(found)[:3] == failed
    assert [name for name, each in found.items() if _refutes(each)] == failed
    assert {each.partition for each in found.values()} == {str(quarter)}
    said = str(found["verdict"].description)
    assert said.startswith("FAIL: Do not rely on this backup: the copy is damaged")
    assert "Next step: If the store still has the artifact, " in said
    outcomes = str(found["verdict"].metadata["checks"].value)
    assert all(name.replace("_", r"\_") in outcomes for name in CHECKS - {"verdict"})
    told = _told(result)
    assert (told["verdict"], told["in short"]) == ("FAIL", "the copy is damaged")
    assert "offsite_equals_manifest" in told["failed checks"]
    assert "public.users" in told["what"]
    assert "Do not rely on this backup" in told["meaning"]
    report = _only(instance, DRILL_REPORT, quarter)
    assert report["verdict"].value == "FAIL"
    assert isinstance(report["report in the store"], PathMetadataValue)
    assert str(report["report in the store"].value) in told["what"]
    assert told["report in the store"] == report["report in the store"].value
    assert str(report["report off-site"].value).startswith(f"s3://{shipped.environ['OFFSITE_BUCKET']}/shop/")
    assert told["run"] == str(found["verdict"].metadata["run"].value) == result.run_id
    _opens(told["open the report"], shipped)
    assert str(found["verdict"].metadata["report"].value).startswith("# FAIL: restore drill")
    assert not instance.get_materialized_partitions(RESTORE_DRILL)
    assert _databases(scratch_server) == before

    # The quarter stayed open: a sound copy makes it good.
    assert shipped.run("shop_night", shipped.tonight, instance).success
    assert shipped.run("shop_week", shipped.this_week, instance).success
    assert shipped.run("shop_quarter", quarter, instance).success
    assert instance.get_materialized_partitions(RESTORE_DRILL) == {str(quarter)}


def _opens(link: str, shipped: CodeLocation) -> None:
    """What a browser gets that follows a link from Dagster: a page, from the bucket, without any credentials."""
    answer = httpx.get(link)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "FAIL" in HtmlPage(answer.text).texts("title")[0]
    assert shipped.environ["OFFSITE_SECRET_ACCESS_KEY"] not in link


def _refutes(evaluation: Any) -> bool:
    return not evaluation.passed and evaluation.severity == AssetCheckSeverity.ERROR


def _unjudged(result: ExecuteInProcessResult) -> str:
    """The one check of a drill that could not judge: a warning, which says what to do."""
    [(name, found)] = checks(result).items()
    assert not found.passed
    assert found.severity == AssetCheckSeverity.WARN
    assert str(found.description).startswith("ERROR: The drill could not judge")
    assert "Next step: " in str(found.description)
    return name


def _stands(instance: DagsterInstance, name: str) -> AssetCheckExecutionRecordStatus | None:
    """What Dagster's UI shows of a check of the report."""
    key = AssetCheckKey(DRILL_REPORT, name)
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).get(key)
    return record.status if record else None


def test_the_reports_checks_read_the_last_report_of_the_quarter_again(
    shipped: CodeLocation, instance: DagsterInstance
) -> None:
    """As somebody has them executed from the UI; a drill by the command line is read as well."""
    quarter = _this_quarter(shipped)
    _damage(shipped)
    hold_drill(shipped.shop, quarter=quarter)
    of_report = dg.define_asset_job("again", selection=dg.AssetSelection.checks_for_assets(DRILL_REPORT))
    definitions = dg.Definitions.merge(shipped.definitions(), dg.Definitions(jobs=[of_report]))

    result = definitions.resolve_job_def("again").execute_in_process(
        instance=instance, tags={"dagster/partition": str(quarter)}
    )

    assert result.success
    assert list(checks(result))[:3] == ["verdict", "offsite_equals_manifest", "restored_equals_manifest"]
    assert _stands(instance, "verdict") == AssetCheckExecutionRecordStatus.FAILED
    assert not instance.get_materialized_partitions(DRILL_REPORT)


def test_a_scratch_that_refuses_the_login_is_no_word_against_the_backup(
    shipped: CodeLocation, instance: DagsterInstance, scratch_server: PostgresServer
) -> None:
    quarter, secret = _this_quarter(shipped), "hunter2-is-a-secret"
    refused = scratch_server.url(password=secret)

    result = shipped.run("shop_quarter", quarter, instance, SCRATCH_ADMIN_URL=refused)

    assert not result.success
    assert _unjudged(result) == "verdict"
    assert "could not judge" in _told(result)["what"]
    assert _told(result)["verdict"] == "ERROR"
    assert "password authentication failed" in _told(result)["what"]
    assert _only(instance, DRILL_REPORT, quarter)["verdict"].value == "ERROR"
    assert not instance.get_materialized_partitions(RESTORE_DRILL)
    assert secret not in "".join(map(str, instance.all_logs(result.run_id)))


def test_a_past_quarter_whose_artifacts_are_gone_says_so_and_stays_open(
    shipped: CodeLocation, instance: DagsterInstance
) -> None:
    past = quarter_of(_this_quarter(shipped) - timedelta(days=1))
    shop = shipped.config.databases["shop"]
    longer = shop.model_copy(update={"schedule": Schedule(timezone="Asia/Almaty", since=past)})
    since_then = replace(shipped, config=Config(databases={"shop": longer}))

    result = since_then.run("shop_quarter", past, instance)

    assert not result.success
    told = _told(result)
    assert "No sound artifact is off-site from" in told["what"]
    assert "can't be drilled" in told["next step"]
    assert _unjudged(result) == "verdict"
    assert not instance.get_materialized_partitions(RESTORE_DRILL)


def test_missing_variables_end_before_anything_is_judged(
    shipped: CodeLocation, instance: DagsterInstance
) -> None:
    result = shipped.run("shop_quarter", _this_quarter(shipped), instance, SCRATCH_ADMIN_URL="")

    assert "set SCRATCH_ADMIN_URL" in _told(result)["what"]
    assert checks(result) == {}
    assert not instance.get_materialized_partitions(DRILL_REPORT)
