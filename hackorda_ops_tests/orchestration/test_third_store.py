"""Nights in a kind of store that the package doesn't know: one line in the registry, and everything works as ever."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dagster import DagsterInstance

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.orchestration.protected import CodeLocation, checks
from hackorda_ops_tests.stores.sqlite_store import SqliteStore


@pytest.fixture
def kept_in_sqlite(protected: CodeLocation, third_store: None, tmp_path: Path) -> CodeLocation:
    """The shop, with the store of its nights in a SQLite file."""
    shop = {
        **protected.config.databases["shop"].model_dump(exclude={"store"}),
        "store": {"sqlite": str(tmp_path / "nights.sqlite")},
        "dump": {"work_folder": str(tmp_path / "work")},
    }
    return replace(protected, config=Config(databases={"shop": Policy.model_validate(shop)}))


def test_nights_are_kept_compared_shipped_and_brought_back(
    kept_in_sqlite: CodeLocation,
    instance: DagsterInstance,
    tmp_path: Path,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
) -> None:
    store = SqliteStore(tmp_path / "nights.sqlite", tmp_path / "work")
    assert kept_in_sqlite.run("shop_night", kept_in_sqlite.tonight, instance).success
    kept_in_sqlite.execute("INSERT INTO users SELECT n, 'user ' || n FROM generate_series(501, 600) n")
    second = kept_in_sqlite.run("shop_night", kept_in_sqlite.tonight, instance)
    assert second.success
    assert all(each.passed for each in checks(second).values())

    first, newest = catalog.read(store, "shop").artifacts
    assert newest.sound
    assert {str(each.name): each.rows for each in newest.tables} == {
        "public.users": 600,
        "public.orders": 300,
    }
    assert first.artifact_id in str(checks(second)["no_collapse"].description)

    assert kept_in_sqlite.run("shop_week", kept_in_sqlite.this_week, instance).success
    target = database_on(postgres_server)
    back = bring_back(
        restoring(tmp_path / "work", {"PATH": "/usr/bin:/bin"}, jobs=2),
        store,
        newest,
        connection.parse(target, origin="test"),
        source=None,
        on_progress=ignore,
    )
    assert (back.verdict, back.rows) == ("PASS", 900)
    assert [(each.kind, each.outcome) for each in read_log(store, "shop")] == [
        ("night", "success"),
        ("night", "success"),
        ("copy", "success"),
        ("restore", "PASS"),
    ]
