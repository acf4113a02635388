"""`offsite_copy`, materialized for real: a folder, a real S3 API, and an instance of Dagster."""

from datetime import timedelta

import pytest
from dagster import AssetKey, DagsterInstance, IntMetadataValue

from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks

pytestmark = pytest.mark.server


def _keys(server: S3Server, bucket: str) -> list[str]:
    return [entry["Key"] for entry in server.client().list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.quick
def test_a_week_ships_its_newest_sound_night(
    protected: CodeLocation, instance: DagsterInstance, s3_server: S3Server, new_bucket: str
) -> None:
    protected.run("shop_night", protected.tonight, instance)
    [sound] = protected.artifacts()
    protected.execute("TRUNCATE orders")
    assert not protected.run("shop_night", protected.tonight, instance).success

    result = protected.run("shop_week", protected.this_week, instance)

    assert result.success
    [materialization] = result.asset_materializations_for_node("shop__offsite_copy")
    assert materialization.metadata["artifact"].value == sound
    assert isinstance(materialization.metadata["bytes read back"], IntMetadataValue)
    assert f"shop/{sound}/manifest.json" in _keys(s3_server, new_bucket)
    assert {name: found.passed for name, found in checks(result).items()} == {
        "sound_night_of_the_week": True,
        "offsite_equals_manifest": True,
    }
    assert {found.partition for found in checks(result).values()} == {protected.this_week.isoformat()}


def test_a_week_without_a_night_fails_and_copies_nothing(
    protected: CodeLocation, instance: DagsterInstance, s3_server: S3Server, new_bucket: str
) -> None:
    protected.run("shop_night", protected.tonight, instance)

    result = protected.run("shop_week", protected.this_week - timedelta(weeks=1), instance)

    assert not result.success
    assert {name: found.passed for name, found in checks(result).items()} == {
        "sound_night_of_the_week": False
    }
    assert not instance.get_materialized_partitions(AssetKey(["shop", "offsite_copy"]))
    assert not [
        key for key in _keys(s3_server, new_bucket) if "/operations" not in key and "/receipts/" not in key
    ]
    event = read_log(FolderStore(protected.store), "shop")[-1]
    assert (event.kind, event.outcome) == ("copy", "failure")
    assert event.subject == f"week of {protected.this_week - timedelta(weeks=1)}"


def test_a_night_damaged_in_the_store_is_never_copied_as_a_backup(
    protected: CodeLocation, instance: DagsterInstance, s3_server: S3Server, new_bucket: str
) -> None:
    protected.run("shop_night", protected.tonight, instance)
    data = max(protected.store.glob("shop/*/dump/*.dat*"), key=lambda path: path.stat().st_size)
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)

    result = protected.run("shop_week", protected.this_week, instance)

    assert not result.success
    assert {name: found.passed for name, found in checks(result).items()} == {
        "offsite_equals_manifest": False
    }
    assert not [key for key in _keys(s3_server, new_bucket) if key.endswith("manifest.json")]
