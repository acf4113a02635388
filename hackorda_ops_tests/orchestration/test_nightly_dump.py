"""`nightly_dump`, materialized for real: a Postgres, a folder, and an instance of Dagster."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster import AssetKey, DagsterInstance, FloatMetadataValue, IntMetadataValue, TableMetadataValue

from hackorda_ops.config.models import Config, Policy
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks, log_lines

pytestmark = pytest.mark.server

NIGHTLY_DUMP = AssetKey(["shop", "nightly_dump"])
SOURCE = AssetKey(["shop", "source"])


def test_a_night_is_an_artifact_with_numbers_and_proofs(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    result = protected.run("shop_night", protected.tonight, instance)

    assert result.success
    [materialization] = result.asset_materializations_for_node("shop__nightly_dump")
    metadata = materialization.metadata
    assert metadata["rows"] == metadata["dagster/row_count"] == IntMetadataValue(800)
    assert metadata["dagster/uri"].value == Path(str(metadata["location"].value)).as_uri()
    assert isinstance(metadata["bytes"], IntMetadataValue)
    assert isinstance(metadata["seconds: dump"], FloatMetadataValue)
    table = metadata["row counts"]
    assert isinstance(table, TableMetadataValue)
    assert [(record.data["table"], record.data["rows"]) for record in table.records] == [
        ("public.users", 500),
        ("public.orders", 300),
    ]
    assert [metadata["artifact"].value] == protected.artifacts()
    assert {name: found.passed for name, found in checks(result).items()} == {
        "files_read_back": True,
        "rows_equal_snapshot": True,
        "no_collapse": True,
    }
    assert {found.partition for found in checks(result).values()} == {protected.tonight.isoformat()}
    assert any(line.startswith("read back: ") for line in log_lines(instance, result))


def test_a_night_observes_its_source(protected: CodeLocation, instance: DagsterInstance) -> None:
    protected.run("shop_night", protected.tonight, instance)

    [record] = instance.fetch_observations(SOURCE, limit=5).records
    observation = record.asset_observation
    assert observation is not None
    assert str(observation.metadata["server version"].value).startswith("17.")
    assert observation.metadata["tables"] == IntMetadataValue(2)
    assert isinstance(observation.metadata["size in bytes"], IntMetadataValue)


def test_a_collapsed_table_keeps_the_artifact_and_fails_the_partition(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    protected.run("shop_night", protected.tonight, instance)
    protected.execute("DELETE FROM users WHERE id > 10")
    earlier = protected.artifacts()

    result = protected.run("shop_night", protected.tonight, instance)

    assert not result.success
    assert not result.asset_materializations_for_node("shop__nightly_dump")
    found = checks(result)
    assert not found["no_collapse"].passed
    assert found["rows_equal_snapshot"].passed
    [new] = set(protected.artifacts()) - set(earlier)
    [failure] = result.get_step_failure_events()
    message = failure.step_failure_data.user_failure_data
    assert message is not None
    assert "public.users" in str(message.metadata["what"].value)
    assert new in str(message.metadata["next step"].value)
    assert f"compares with {new}" in str(message.description)

    assert protected.run("shop_night", protected.tonight, instance).success


def test_a_backfill_of_many_nights_is_refused_once_and_says_which_one_can_be_taken(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    first = protected.tonight - timedelta(days=29)
    shop = protected.config.databases["shop"]
    longer = shop.schedule.model_copy(update={"since": first})
    # Nobody keeps a history that past nights could be read from.
    settings = {**dict(shop), "schedule": longer, "scratch": {"server": {}}}
    since_then = replace(protected, config=Config(databases={"shop": Policy.model_validate(settings)}))
    of_all = {
        "dagster/asset_partition_range_start": str(first),
        "dagster/asset_partition_range_end": str(protected.tonight),
    }

    policy = since_then.definitions().resolve_asset_graph().get(NIGHTLY_DUMP).backfill_policy
    result = since_then.run("shop_night", None, instance, tags=of_all)

    # One run for all of them: so that's one failure, and one alarm.
    assert policy == dg.BackfillPolicy.single_run()
    assert not result.success
    [failure] = result.get_step_failure_events()
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert data.metadata["in short"].value == "30 nights can't be backfilled"
    asked = f"30 nights of shop were asked for at once, {first} to {protected.tonight}."
    assert str(data.metadata["what"].value).startswith(asked)
    assert data.metadata["next step"].value == f"Materialize tonight's partition alone: {protected.tonight}."
    assert protected.artifacts() == []
    assert protected.run("shop_night", protected.tonight, instance).success


def test_a_past_night_fails_for_good_and_leaves_no_artifact(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    result = protected.run("shop_night", protected.tonight - timedelta(days=3), instance)

    assert not result.success
    # Not tried again: an attempt that is has a STEP_UP_FOR_RETRY event, and this test would wait for it.
    [failure] = result.get_step_failure_events()
    message = failure.step_failure_data.user_failure_data
    assert message is not None
    assert "nothing is ever backdated" in str(message.metadata["next step"].value)
    assert not protected.artifacts()
    assert checks(result) == {}


def test_a_wrong_password_is_in_no_event(protected: CodeLocation, instance: DagsterInstance) -> None:
    secret = "hunter2-is-a-secret"
    password = psycopg.conninfo.conninfo_to_dict(protected.url)["password"]
    wrong = protected.url.replace(str(password), secret)

    result = protected.run("shop_night", protected.tonight, instance, SHOP_URL=wrong)

    assert not result.success
    assert len(result.get_step_failure_events()) == 1
    assert secret not in "".join(map(str, instance.all_logs(result.run_id)))
    assert not protected.artifacts()


def test_missing_variables_are_told_at_run_time_all_at_once(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    result = protected.run("shop_night", protected.tonight, instance, SHOP_URL="")

    [failure] = result.get_step_failure_events()
    message = failure.step_failure_data.user_failure_data
    assert message is not None
    assert "set SHOP_URL" in str(message.metadata["what"].value)
