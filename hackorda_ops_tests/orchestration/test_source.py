"""`source`, observed for real."""

import pytest
from dagster import DagsterInstance, IntMetadataValue

from hackorda_ops.orchestration.assets import SOURCE
from hackorda_ops.orchestration.names import key
from hackorda_ops_tests.orchestration.protected import CodeLocation

pytestmark = pytest.mark.server


def _observe(protected: CodeLocation, instance: DagsterInstance, **environ: str) -> bool:
    job = protected.definitions(**environ).resolve_job_def("__ASSET_JOB")
    return job.execute_in_process(
        instance=instance, asset_selection=[key("shop", SOURCE)], raise_on_error=False
    ).success


def test_observing_reads_version_size_and_schema_without_a_dump(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    assert _observe(protected, instance)
    protected.execute("ALTER TABLE users ADD COLUMN email text")
    assert _observe(protected, instance)

    after, before = (
        record.asset_observation
        for record in instance.fetch_observations(key("shop", SOURCE), limit=5).records
    )
    assert before is not None
    assert after is not None
    assert str(before.metadata["server version"].value).startswith("17.")
    assert isinstance(before.metadata["size in bytes"], IntMetadataValue)
    assert before.metadata["tables"] == IntMetadataValue(2)
    assert before.metadata["schema digest"] != after.metadata["schema digest"]
    assert not protected.artifacts()


def test_a_source_that_refuses_us_fails_the_observation_and_nothing_else(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    assert not _observe(protected, instance, SHOP_URL="")
    assert not instance.fetch_observations(key("shop", SOURCE), limit=5).records
    assert protected.run("shop_night", protected.tonight, instance).success
