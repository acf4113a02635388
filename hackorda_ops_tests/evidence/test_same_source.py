"""A night of another database under the same name is kept, and isn't sound until somebody confirms it."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.evidence.same_source import another_source, other_identity
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night import night as nightly
from hackorda_ops.night.night import Night
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import inventory, manifest
from hackorda_ops_tests.drill.fixtures import PROGRAMS

SOURCE = replace(inventory().source, system_identifier="7001", neon_timeline=None, database="shop")


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({}, []),
        ({"host": "replica", "port": 6432, "server_version": "17.11", "server_version_number": 170011}, []),
        ({"system_identifier": None}, []),
        ({"neon_timeline": "abc"}, []),
        ({"system_identifier": "7002"}, ["system identifier"]),
        ({"database": "shop_staging"}, ["database"]),
        ({"server_version_number": 180001}, ["major version"]),
    ],
)
def test_a_move_or_an_update_is_the_same_source_and_another_server_is_not(
    changes: dict[str, object], differs: list[str]
) -> None:
    before = replace(SOURCE, server_version="17.10", server_version_number=170010)
    assert [what for what, _, _ in other_identity(before, replace(before, **changes))] == differs  # type: ignore[arg-type]


def test_another_branch_of_the_same_neon_project_is_another_source() -> None:
    production, staging = replace(SOURCE, neon_timeline="a"), replace(SOURCE, neon_timeline="b")
    before = manifest(inventory=replace(inventory(), source=production))
    found = another_source(before, staging)
    assert found is not None
    assert "--new-source" in found.next_step


@pytest.mark.server
def test_the_first_night_of_another_source_is_not_sound_and_neither_is_the_second_until_it_is_confirmed(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    production, staging = (
        create_database(postgres_server, f"{name} {tmp_path.name}") for name in ("production", "staging")
    )
    for url in (production, staging):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE t AS SELECT generate_series(1, 10) AS id")
    database = Policy.model_validate({"store": str(tmp_path / "store")})

    def night(url: str, *, new_source: bool = False) -> Night:
        environ = {**PROGRAMS, "DATABASE_URL": url}
        return nightly.take_night(Protected("shop", database, environ), new_source=new_source)

    first = night(production)
    for _ in range(2):
        other = night(staging)
        assert [each.code for each in other.manifest.findings] == ["another source"]
        assert other.compared_with == first.manifest.artifact_id
    newest = catalog.read_newest(FolderStore(tmp_path / "store"), "shop")
    assert newest is not None
    assert newest.artifact_id == first.manifest.artifact_id

    confirmed, after = night(staging, new_source=True), night(staging)
    assert (confirmed.manifest.sound, confirmed.manifest.new_source) == (True, True)
    assert any("the source differs" in warning for warning in confirmed.manifest.warnings)
    assert (after.manifest.sound, after.manifest.new_source) == (True, False)
    assert [each.code for each in night(production).manifest.findings] == ["another source"]
