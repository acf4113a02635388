import subprocess
from pathlib import Path

import psycopg
import pytest
from pydantic import TypeAdapter

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.catalogs.inventory import Inventory, Sequence, Table, TableName
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server
ODD = TableName("Odd Schema", 'He said "hi" & left')


def tables_of(inventory: Inventory) -> dict[str, Table]:
    return {str(table.name): table for table in inventory.tables}


def read(each_url: str) -> Inventory:
    with awkward.session(each_url) as connection:
        return read_catalog(connection)


def test_names_are_quoted_whole_and_sort_by_schema() -> None:
    assert ODD.quoted == '"Odd Schema"."He said ""hi"" & left"'
    assert str(TableName("public", "users")) == "public.users"
    assert sorted([TableName("b", "a"), TableName("a", "b")]) == [TableName("a", "b"), TableName("b", "a")]


def test_every_kind_of_table_is_listed_once_with_what_copy_moves(awkward_url: str) -> None:
    inventory = read(awkward_url)
    tables = tables_of(inventory)
    kinds = {name: table.kind for name, table in tables.items()}
    assert kinds == {
        str(ODD): "table",
        "drizzle.__drizzle_migrations": "table",
        "public._prisma_migrations": "table",
        "public.cache": "table",
        "public.child": "table",
        "public.events": "partitioned",
        "public.events_new": "partitioned",
        "public.events_new_rest": "partition",
        "public.events_old": "partition",
        "public.far_away": "foreign table",
        "public.fresh": "materialized view",
        "public.goose_db_version": "table",
        "public.moods": "partitioned",
        "public.moods_0": "partition",
        "public.moods_1": "partition",
        "public.no columns": "table",
        "public.owned_by_extension": "table",
        "public.parent": "table",
        "public.serials": "table",
        "public.stale": "materialized view",
        "public.users": "table",
    }
    assert [table.name for table in inventory.tables] == sorted(table.name for table in inventory.tables)
    assert tables["public.users"].columns == ("id", "name", "createdAt")
    assert tables["public.no columns"].columns == ()
    assert tables["public.events_new_rest"].partition_root == TableName("public", "events")
    assert tables["public.events_new"].partition_root == TableName("public", "events")
    assert tables["public.events"].partition_root is None
    assert (tables["public.stale"].populated, tables["public.fresh"].populated) == (False, True)
    assert tables["public.users"].populated is None
    assert [name for name, table in tables.items() if table.unlogged] == ["public.cache"]
    assert tables["public.owned_by_extension"].extension == "plpgsql"
    assert all(table.rows is None for table in inventory.tables)


def test_the_tables_with_data_are_those_of_which_pg_dump_writes_data(
    awkward_url: str, each_server: PostgresServer, tmp_path: Path
) -> None:
    folder = tmp_path / "dump"
    subprocess.run(
        [each_server.bin_dir / "pg_dump", "--format=directory", f"--file={folder}", awkward_url], check=True
    )
    listing = subprocess.run(
        [each_server.bin_dir / "pg_restore", "--list", folder], check=True, capture_output=True, text=True
    ).stdout
    archived = {int(line.split()[2]) for line in listing.splitlines() if " TABLE DATA " in line}

    assert {table.oid for table in read(awkward_url).tables if table.has_data_in_dump} == archived


def test_sequences_are_read_as_stored_called_or_not(awkward_url: str) -> None:
    sequences = {str(sequence.name): sequence for sequence in read(awkward_url).sequences}
    assert sequences["public.never_called"] == Sequence(TableName("public", "never_called"), 42, False)
    assert sequences["public.set_back"] == Sequence(TableName("public", "set_back"), 99, False)
    assert sequences["public.users_id_seq"] == Sequence(TableName("public", "users_id_seq"), 7, True)
    assert sequences["public.serials_id_seq"] == Sequence(TableName("public", "serials_id_seq"), 1, False)


def test_sequences_that_count_downwards_or_start_over_are_known(each_url: str) -> None:
    awkward.execute(
        each_url,
        "CREATE SEQUENCE down INCREMENT -1",
        "CREATE SEQUENCE round MAXVALUE 3 CYCLE",
        "CREATE SEQUENCE plain",
    )
    assert read(each_url).falling_sequences == (TableName("public", "down"), TableName("public", "round"))


def test_hundreds_of_sequences_keep_their_own_values(each_url: str) -> None:
    awkward.execute(
        each_url,
        "DO $$ BEGIN FOR i IN 1..450 LOOP EXECUTE format('CREATE SEQUENCE s%s START %s', i, i); END LOOP; END $$",
    )
    sequences = read(each_url).sequences
    assert len(sequences) == 450
    assert all(sequence.name.name == f"s{sequence.last_value}" for sequence in sequences)
    assert [sequence.name for sequence in sequences] == sorted(sequence.name for sequence in sequences)


def test_an_inventory_survives_its_way_through_json(awkward_url: str) -> None:
    inventory = read(awkward_url)
    adapter = TypeAdapter(Inventory)
    assert adapter.validate_json(adapter.dump_json(inventory)) == inventory


def test_the_source_is_identified(each_url: str, each_server: PostgresServer) -> None:
    source = read(each_url).source
    with psycopg.connect(each_url) as connection:
        row = connection.execute(
            "SELECT current_database(), system_identifier::text FROM pg_control_system()"
        )
        assert (source.database, source.system_identifier) == row.fetchone()
        assert source.server_version_number == connection.info.server_version
    major, _, minor = source.server_version.partition(".")
    assert int(major) * 10_000 + int(minor) == source.server_version_number
    assert (source.host, source.port) == ("127.0.0.1", each_server.port)
    assert source.encoding == "UTF8"
    assert source.neon_timeline is None
    assert source.locale_provider in ("libc", "builtin", "icu")
    assert (source.locale is None) == (source.locale_provider == "libc")
    assert source.collation
    assert source.character_type


def test_what_may_not_be_read_of_the_server_is_left_open(each_url: str) -> None:
    awkward.execute(each_url, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public")
    with awkward.new_role(each_url, "nobody_special") as role_url:
        inventory = read(role_url)
    assert inventory.source.system_identifier is None


def test_the_timeline_of_neon_is_read_where_there_is_one(each_url: str) -> None:
    with awkward.session(each_url) as connection:
        connection.execute("SET neon.timeline_id = 'c0ffee'")
        assert read_catalog(connection).source.neon_timeline == "c0ffee"


def test_settings_roles_extensions_and_large_objects_are_recorded(own_awkward_url: str) -> None:
    with awkward.new_role(own_awkward_url, "App Role"):
        awkward.execute(
            own_awkward_url,
            """DO $$ DECLARE d text := quote_ident(current_database()); BEGIN
            EXECUTE 'ALTER DATABASE ' || d || ' SET work_mem = ''8MB''';
            EXECUTE 'ALTER DATABASE ' || d || ' SET search_path = app, public';
            EXECUTE 'ALTER DATABASE ' || d || ' SET app.jwt_secret = ''hunter2''';
            EXECUTE 'ALTER ROLE "App Role" IN DATABASE ' || d || ' SET lock_timeout = ''1s''';
            END $$""",
        )
        inventory = read(own_awkward_url)
        awkward.execute(
            own_awkward_url,
            "DO $$ BEGIN EXECUTE format('ALTER ROLE \"App Role\" IN DATABASE %I RESET ALL', current_database());"
            " END $$",
        )
    assert inventory.database_settings == (
        "app.jwt_secret=(value hidden)",
        "role App Role: lock_timeout=1s",
        "search_path=app, public",
        "work_mem=8MB",
    )
    assert "hunter2" not in repr(inventory)
    assert "App Role" in inventory.roles
    assert not [role for role in inventory.roles if role.startswith("pg_")]
    assert [extension.name for extension in inventory.extensions] == ["plpgsql"]
    assert inventory.large_objects == 2
    assert inventory.size_bytes > 1_000_000


def test_a_reader_is_warned_of_what_a_restore_will_not_bring_back(own_awkward_url: str) -> None:
    awkward.execute(
        own_awkward_url,
        "CREATE SUBSCRIPTION from_afar CONNECTION 'host=nowhere password=hunter2' PUBLICATION p WITH (connect=false)",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.key = 1', current_database()); END $$",
    )
    try:
        inventory = read(own_awkward_url)
    finally:
        awkward.execute(
            own_awkward_url,
            "ALTER SUBSCRIPTION from_afar SET (slot_name = NONE)",
            "DROP SUBSCRIPTION from_afar",
        )
    assert inventory.subscriptions == ("from_afar",)
    assert "hunter2" not in repr(inventory)
    foreign, unlogged, settings, subscriptions = inventory.warnings
    assert foreign.endswith(": public.far_away")
    assert unlogged.endswith(": public.cache")
    assert settings.endswith(": app.key")
    assert subscriptions.endswith(": from_afar")


def test_each_migration_tool_says_how_far_it_has_come(awkward_url: str) -> None:
    states = {state.tool: (state.applied, state.latest) for state in read(awkward_url).migrations}
    assert states == {
        "drizzle": (2, "1740000000000 bbbbbbbbbbbb"),
        "prisma": (1, "2026_init"),
        "goose": (2, "10"),
    }


def test_a_table_that_only_looks_like_a_migration_tools_is_passed_over(each_url: str) -> None:
    awkward.execute(
        each_url, "CREATE TABLE goose_db_version (note text)", "CREATE TABLE _prisma_migrations ()"
    )
    assert read(each_url).migrations == ()


def test_a_migration_tool_that_has_not_begun_has_applied_nothing(each_url: str) -> None:
    awkward.execute(each_url, "CREATE TABLE __drizzle_migrations (id serial, hash text, created_at bigint)")
    [state] = read(each_url).migrations
    assert (state.table, state.applied, state.latest) == (TableName("public", "__drizzle_migrations"), 0, "")


def test_the_catalog_can_be_read_inside_the_snapshots_transaction_without_any_rights(
    awkward_url: str,
) -> None:
    with awkward.new_role(awkward_url, "looker") as role_url, awkward.session(role_url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        inventory = read_catalog(connection)
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    assert inventory.migrations == ()
    assert inventory.sequences == ()
    assert any("can't read these sequences" in warning for warning in inventory.warnings)
    assert len(inventory.tables) == 21
