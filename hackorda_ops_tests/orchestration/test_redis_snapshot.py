"""A team's Redis beside its Postgres, in Dagster: its own asset of nights, in the group of the other's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance

from hackorda_ops.calendar.partitions import night_of, week_of
from hackorda_ops.config.models import Config
from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.engines import examples
from hackorda_ops_tests.engines.examples import Example
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks


@pytest.fixture
def cache(tmp_path: Path, s3_server: S3Server, new_bucket: str) -> Iterator[Example]:
    with examples.of_redis(tmp_path, s3_server, new_bucket) as made:
        yield made


def test_its_night_copy_and_drill_are_materialized_beside_the_other_database(
    cache: Example, protected: CodeLocation, instance: DagsterInstance
) -> None:
    policy = cache.protected.policy.model_copy(update={"beside": "shop"})
    config = Config(databases={"shop": protected.config.databases["shop"], "cache": policy})
    both = replace(protected, config=config, environ={**protected.environ, **cache.protected.environ})
    night = night_of(datetime.now(UTC), policy.schedule)

    graph = both.definitions().resolve_asset_graph()
    snapshot = AssetKey(["cache", "redis_snapshot"])
    assert (
        graph.get(snapshot).group_name == graph.get(AssetKey(["shop", "nightly_dump"])).group_name == "shop"
    )
    assert snapshot in graph.get(AssetKey(["cache", "offsite_copy"])).parent_keys

    taken = both.run("cache_night", night, instance)
    assert taken.success
    assert {name: each.passed for name, each in checks(taken).items()} == {
        "files_read_back": True,
        "rows_equal_snapshot": True,
        "no_collapse": True,
    }
    assert both.run("cache_week", week_of(night), instance).success
    drilled = both.run("cache_quarter", night.replace(month=(night.month - 1) // 3 * 3 + 1, day=1), instance)
    assert drilled.success
    assert all(each.passed for each in checks(drilled).values())
