import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.catalogs.counting import count_rows
from hackorda_ops.postgres.catalogs.rights import missing_rights
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.progress import ignore
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def url(each_server: PostgresServer) -> Iterator[str]:
    with awkward.shared_database(each_server, "Awkward rights") as made:
        with psycopg.connect(made, autocommit=True) as connection:
            connection.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
            # As an extension's own script does it with pg_extension_config_dump().
            connection.execute("CREATE TABLE configuration ()")
            connection.execute("ALTER EXTENSION plpgsql ADD TABLE configuration")
            connection.execute(
                "UPDATE pg_extension SET extconfig = ARRAY['configuration'::regclass::oid],"
                " extcondition = ARRAY[''] WHERE extname = 'plpgsql'"
            )
        yield made


def missing(url: str) -> tuple[str, ...]:
    with awkward.session(url) as connection:
        return missing_rights(connection, read_catalog(connection))


def test_a_superuser_lacks_nothing(url: str) -> None:
    assert missing(url) == ()


def test_every_gap_of_a_bare_role_is_named_and_the_statements_mend_them_all(
    url: str, each_server: PostgresServer, tmp_path: Path
) -> None:
    with awkward.new_role(url, 'Backup "role" \'x') as role_url:
        statements = missing(role_url)
        role = '"Backup ""role"" \'x"'
        assert f'GRANT USAGE ON SCHEMA "Odd Schema" TO {role};' in statements
        assert f'GRANT SELECT ON TABLE "Odd Schema"."He said ""hi"" & left" TO {role};' in statements
        assert f'GRANT SELECT ON TABLE "public"."events" TO {role};' in statements
        assert f'GRANT SELECT ON SEQUENCE "public"."never_called" TO {role};' in statements
        assert f"ALTER ROLE {role} BYPASSRLS;" in statements
        assert f'GRANT SELECT ON TABLE "public"."configuration" TO {role};' in statements
        assert statements[-1].startswith("DO ")
        assert not [line for line in statements if "owned_by_extension" in line or "far_away" in line]

        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        assert missing(role_url) == ()
        with awkward.session(role_url) as connection:
            inventory = read_catalog(connection)
            assert inventory.with_rows(count_rows(connection, inventory.tables, ignore)).sequences
            connection.execute("SELECT lo_get(oid) FROM pg_largeobject_metadata")
        subprocess.run(
            [each_server.bin_dir / "pg_dump", "--format=directory", f"--file={tmp_path / 'dump'}", role_url],
            check=True,
        )


def test_a_role_that_may_read_all_data_still_needs_policies_and_large_objects(url: str) -> None:
    with awkward.new_role(url, "reader") as role_url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("GRANT pg_read_all_data TO reader")
        statements = missing(role_url)
        assert [statement.split()[0] for statement in statements] == ["ALTER", "DO"]


def test_a_table_dropped_since_the_snapshot_is_no_gap_in_the_rights(each_url: str) -> None:
    awkward.execute(each_url, "CREATE TABLE short_lived (id serial)")
    with awkward.session(each_url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        inventory = read_catalog(connection)
        awkward.execute(each_url, "DROP TABLE short_lived")

        assert missing_rights(connection, inventory) == ()
