"""A week that goes to two buckets, in Dagster: a check for each, one alarm where one is down, and its catch-up."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from dagster import AssetKey, DagsterInstance, RunRequest, build_sensor_context

from hackorda_ops.alerts.desk import begun
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.orchestration.labels import ONLY_THERE
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.orchestration.sensors.run_ends import new_ends
from hackorda_ops.readiness.standing import read_standing
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied
from hackorda_ops_tests.week.several import Provider

pytestmark = pytest.mark.server


@dataclass(frozen=True)
class TwoCopies:
    """The code location with two buckets, the second at a provider that may fail."""

    location: CodeLocation
    provider: Provider


def cuts_off(_request: Request, _forward: Forward) -> Reply | None:
    """A server that cuts each connection."""
    return None


@pytest.fixture
def two(protected: CodeLocation, s3_server: S3Server, new_bucket: str) -> Iterator[TwoCopies]:
    provider = Provider()
    create_bucket(s3_server, f"{new_bucket}-b2")
    with proxied(s3_server, provider) as behind:
        policy = protected.shop.policy
        written = {
            "source": policy.source,
            "store": policy.store,
            "schedule": policy.schedule,
            "offsite": [
                {"name": "aws", "bucket": new_bucket, "endpoint_url": s3_server.endpoint_url},
                {"name": "b2", "bucket": f"{new_bucket}-b2", "endpoint_url": behind.endpoint_url},
            ],
        }
        keys = {
            f"OFFSITE_{name}_{key}": protected.environ[f"OFFSITE_{key}"]
            for name in ("AWS", "B2")
            for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "REGION")
        }
        location = replace(
            protected,
            config=Config(databases={"shop": Policy.model_validate(written)}),
            environ={"SHOP_URL": protected.url, **keys},
        )
        yield TwoCopies(location, provider)


def test_the_one_that_is_down_fails_its_own_check_raises_one_alarm_and_is_made_up_for(
    two: TwoCopies, instance: DagsterInstance
) -> None:
    shop, provider = two.location, two.provider
    shop.run("shop_night", shop.tonight, instance)
    [night] = shop.artifacts()
    began = datetime.now(UTC) - timedelta(minutes=1)
    provider.misbehave = cuts_off

    result = shop.run("shop_week", shop.this_week, instance)

    assert result.success
    assert shop.this_week.isoformat() in instance.get_materialized_partitions(
        AssetKey(["shop", "offsite_copy"])
    )
    found = checks(result)
    assert {name: each.passed for name, each in found.items()} == {
        "sound_night_of_the_week": True,
        "offsite_equals_manifest": True,
        "copy_aws": True,
        "copy_b2": False,
    }
    assert "one of the copies is missing" in (found["copy_b2"].description or "").lower()
    ends = [
        each
        for each in new_ends(
            instance, begun(began), database="shop", databases=["shop"], location=None, ui_url=None
        )
        if not each.well
    ]
    [alarm] = ends
    assert [each.partition(":")[0] for each in alarm.failed_checks] == ["copy_b2"]
    standing = read_standing(shop.shop, now=datetime.now(UTC))
    assert not standing.unreadable
    assert not standing.overdue
    assert any("b2" in problem for problem in standing.problems)

    # While it's down nothing is started.
    assert not _asked_for(shop, instance)
    provider.misbehave = None
    [request] = _asked_for(shop, instance)
    assert request.tags[ONLY_THERE] == "b2"

    again = shop.run("shop_week", request.partition_key, instance, tags=request.tags)

    assert again.success
    assert all(each.passed for each in checks(again).values())
    assert f"shop/{night}/manifest.json" in [each.key for each in shop.shop.place("b2").list("shop/")]
    assert not _asked_for(shop, instance)
    assert not read_standing(shop.shop, now=datetime.now(UTC)).problems


def test_a_week_that_nobody_got_fails_with_one_cause(two: TwoCopies, instance: DagsterInstance) -> None:
    shop = two.location
    shop.run("shop_night", shop.tonight, instance)
    two.provider.misbehave = cuts_off

    result = shop.run(
        "shop_week", shop.this_week, instance, OFFSITE_AWS_ACCESS_KEY_ID="", OFFSITE_AWS_SECRET_ACCESS_KEY=""
    )

    assert not result.success
    assert not instance.get_materialized_partitions(AssetKey(["shop", "offsite_copy"]))


def test_a_database_with_one_bucket_has_no_further_checks_and_no_further_sensor(
    protected: CodeLocation,
) -> None:
    definitions = protected.definitions()

    asset = definitions.resolve_assets_def(AssetKey(["shop", "offsite_copy"]))
    assert {each.name for each in asset.check_specs} == {"sound_night_of_the_week", "offsite_equals_manifest"}
    assert "make_up_for_copies" not in {each.name for each in definitions.sensors or ()}


def _asked_for(shop: CodeLocation, instance: DagsterInstance) -> list[RunRequest]:
    """What the sensor would start now."""
    repository = shop.definitions().get_repository_def()
    sensor = repository.get_sensor_def("make_up_for_copies")
    with build_sensor_context(
        instance=instance, repository_def=repository, resources={ENVIRON: shop.environ}
    ) as context:
        return list(sensor.evaluate_tick(context).run_requests or ())
