"""An archive's table of contents, read without pg_restore."""

from pathlib import Path

import pytest

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.contents import list_entries
from hackorda_ops.postgres.archives.toc import digests_by_object, parse_toc, read_toc
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops_tests.postgres.dumping import clients_of, execute, hard_database, take_dump


def test_it_lists_what_pg_restore_lists_whatever_else_the_dump_holds(
    each_server: PostgresServer, each_url: str, tmp_path: Path
) -> None:
    hard_database(each_url)
    tools = clients_of(each_server)
    take_dump(parse(each_url, origin="test"), tools, tmp_path / "dump")

    entries = read_toc(tmp_path / "dump")

    assert entries is not None
    listed = {(each.dump_id, each.catalog_oid, each.object_oid, each.type) for each in entries}
    # The list leaves out what is about the whole archive.
    assert listed >= {
        (each.dump_id, each.catalog_oid, each.object_oid, each.type)
        for each in list_entries(tools, tmp_path / "dump")
    }


def test_whatever_is_cut_off_is_noticed(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, "CREATE TABLE t (id serial PRIMARY KEY)")
    take_dump(parse(new_database, origin="test"), clients_of(postgres_server), tmp_path / "dump")
    data = (tmp_path / "dump" / "toc.dat").read_bytes()

    assert parse_toc(data)
    for end in range(len(data)):
        with pytest.raises(ValueError, match=r"early|start"):
            parse_toc(data[:end])
    with pytest.raises(ValueError, match="more bytes"):
        parse_toc(data + b"\0")
    (tmp_path / "dump" / "toc.dat").write_bytes(data[:100])
    with pytest.raises(ArtifactDamaged, match="ends early"):
        read_toc(tmp_path / "dump")


def test_a_form_that_is_not_known_yet_says_nothing() -> None:
    assert parse_toc(b"PGDMP\x01\x63\x00\x04\x08\x05") is None


def test_a_password_is_in_no_definition_and_no_digest(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    found = []
    for number, password in enumerate(("swordfish", "other one")):
        execute(
            new_database,
            "DROP FOREIGN DATA WRAPPER IF EXISTS w CASCADE",
            "CREATE FOREIGN DATA WRAPPER w",
            "CREATE SERVER s FOREIGN DATA WRAPPER w",
            f"CREATE USER MAPPING FOR public SERVER s OPTIONS (password '{password}')",
        )
        folder = tmp_path / str(number)
        take_dump(parse(new_database, origin="test"), clients_of(postgres_server), folder)
        entries = read_toc(folder)
        assert entries is not None
        [mapping] = [each for each in entries if each.type == "USER MAPPING"]
        assert password not in repr(entries)
        found.append(mapping.definition)
    assert found[0] == found[1]


def test_a_byte_of_a_definition_changes_the_digest_of_its_object_alone(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, "CREATE TABLE t (a int DEFAULT 3)", "CREATE TABLE u (a int DEFAULT 5)")
    take_dump(parse(new_database, origin="test"), clients_of(postgres_server), tmp_path / "dump")
    data = (tmp_path / "dump" / "toc.dat").read_bytes()

    was, becomes = (
        digests_by_object(parse_toc(each) or ()) for each in (data, data.replace(b"DEFAULT 3", b"DEFAULT 4"))
    )

    assert [name for name in was if was[name] != becomes[name]] == ["TABLE public.t"]
