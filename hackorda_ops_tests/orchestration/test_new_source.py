"""A night of another source under the same name: a failure until its run says that the source has changed."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from dagster import DagsterInstance, ExecuteInProcessResult

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks, fill

TAG = "hackorda_ops/new_source"


@pytest.fixture(params=["another database", "another server"])
def moved(request: pytest.FixtureRequest, database_on: Callable[[PostgresServer], str]) -> Iterator[str]:
    """Where SHOP_URL leads from the second night on: the same tables and rows, elsewhere."""
    server = "postgres_server" if request.param == "another database" else "scratch_server"
    url = database_on(request.getfixturevalue(server))
    with psycopg.connect(url) as connection:
        fill(connection)
    yield url


def newest(protected: CodeLocation) -> Manifest:
    """What the store got last."""
    found = catalog.read(FolderStore(protected.store), "shop").newest
    assert found is not None
    return found


def told(result: ExecuteInProcessResult) -> str:
    """What a failed run says."""
    [failure] = result.get_step_failure_events()
    said = failure.step_failure_data.user_failure_data
    assert said is not None
    return str(said.description)


@pytest.mark.server
def test_a_night_of_another_source_fails_until_its_run_has_the_tag_and_later_ones_need_none(
    protected: CodeLocation, moved: str, instance: DagsterInstance
) -> None:
    assert protected.run("shop_night", protected.tonight, instance).success
    first = newest(protected)

    # Nothing but "true" confirms it, and a night that was refused confirms nothing for the next.
    for tags in (None, {TAG: "false"}, None):
        refused = protected.run("shop_night", protected.tonight, instance, tags=tags, SHOP_URL=moved)
        assert not refused.success
        assert not refused.asset_materializations_for_node("shop__nightly_dump")
        assert [each.code for each in newest(protected).findings] == ["another source"]
        assert not newest(protected).sound
        assert f"the source of {first.artifact_id}" in told(refused)
        assert f'{TAG}: "true"' in told(refused)
        assert not all(each.passed for each in checks(refused).values())

    confirmed = protected.run("shop_night", protected.tonight, instance, tags={TAG: "true"}, SHOP_URL=moved)
    assert confirmed.success
    assert all(each.passed for each in checks(confirmed).values())
    assert (newest(protected).sound, newest(protected).new_source) == (True, True)

    later = protected.run("shop_night", protected.tonight, instance, SHOP_URL=moved)
    assert later.success
    assert (newest(protected).sound, newest(protected).new_source) == (True, False)

    back = protected.run("shop_night", protected.tonight, instance)
    assert not back.success
    assert [each.code for each in newest(protected).findings] == ["another source"]


@pytest.mark.server
def test_the_tag_does_no_harm_where_the_source_is_the_same(
    protected: CodeLocation, instance: DagsterInstance
) -> None:
    assert protected.run("shop_night", protected.tonight, instance, tags={TAG: "true"}).success
    protected.execute("TRUNCATE users")

    result = protected.run("shop_night", protected.tonight, instance, tags={TAG: "true"})

    # It's no word on what vanished from the same source.
    assert not result.success
    assert [each.code for each in newest(protected).findings] == ["table emptied"]
    assert not newest(protected).new_source
