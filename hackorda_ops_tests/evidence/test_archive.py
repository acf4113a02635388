"""What an archive lacks of its source, and a manifest of its archive."""

from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts.manifest import from_bytes, to_bytes
from hackorda_ops.artifacts.recorded import recorded
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence.archive import lacking_definitions, lacking_sequences
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.archives.toc import read_toc
from hackorda_ops.postgres.catalogs.inventory import Sequence, TableName
from hackorda_ops.postgres.definitions.server_text import read_source_definitions
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.postgres.sessions.session import connect, letting_go
from hackorda_ops_tests import builders
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.engines.postgres.drill.comparisons.schema_kinds import SCHEMA
from hackorda_ops_tests.postgres.dumping import clients_of, execute, take_dump

# Those that say nothing of an object of the source, or are held against it by other means.
_NOT_OF_THE_CATALOGS = {
    *("ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE"),
    *("TABLE DATA", "SEQUENCE SET", "MATERIALIZED VIEW DATA", "BLOB", "BLOBS", "BLOB METADATA"),
}
LOST_VALUES = """
CREATE TABLE t (id serial PRIMARY KEY, a int DEFAULT 3, f float8);
INSERT INTO t (a, f) SELECT g, g / 3.0 FROM generate_series(1, 100) g;
COMMENT ON COLUMN t.f IS 'unit: cents';
"""
NAME = TableName("public", "s")


@pytest.mark.server
def test_whatever_entry_the_archive_loses_is_missed(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(new_database, SCHEMA)
    take_dump(parse(new_database, origin="test"), clients_of(postgres_server), tmp_path / "dump")
    toc = read_toc(tmp_path / "dump")
    assert toc is not None
    with connect(parse(new_database, origin="test"), application_name="test") as connection:
        source = read_source_definitions(connection)

    assert lacking_definitions(source, toc) == ()
    unnoticed = [
        str(entry)
        for entry in toc
        if entry.type not in _NOT_OF_THE_CATALOGS
        and not lacking_definitions(source, [each for each in toc if each is not entry])
    ]
    assert unnoticed == []


@pytest.mark.server
def test_reading_the_definitions_leaves_no_lock(new_database: str) -> None:
    execute(new_database, SCHEMA)
    target = parse(new_database, origin="test")
    with connect(target, application_name="test", autocommit=False) as connection:
        with letting_go(connection):
            read_source_definitions(connection)
        [(locks,)] = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
            " AND relation >= 16384"
        ).fetchall()

    assert locks == 0


@pytest.mark.server
@pytest.mark.parametrize(
    ("option", "lacking"),
    [
        (
            "--exclude-table-data=public.t_id_seq",
            "the value of the sequence public.t_id_seq is missing from it",
        ),
        ("--no-comments", "1 of 1 comments are missing from it"),
    ],
)
def test_a_pg_dump_that_loses_something_leaves_no_artifact_that_night(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path, option: str, lacking: str
) -> None:
    execute(new_database, LOST_VALUES)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("pg_restore", "psql"):
        (tools / tool).symlink_to(postgres_server.bin_dir / tool)
    (tools / "pg_dump").write_text(
        f'#!/bin/sh\ncase " $* " in *" --version "*) exec {postgres_server.bin_dir}/pg_dump "$@" ;; esac\n'
        f'exec {postgres_server.bin_dir}/pg_dump "$@" {option}\n'
    )
    (tools / "pg_dump").chmod(0o755)
    database = Policy.model_validate(
        {"store": str(tmp_path / "store"), "source": {"client_folders": [str(tools)]}}
    )

    with pytest.raises(ArtifactDamaged, match=lacking):
        take_night(Protected("shop", database, {**PROGRAMS, "DATABASE_URL": new_database}))

    assert not list((tmp_path / "store").glob("**/manifest.json"))


@pytest.mark.parametrize(
    ("before", "archived", "after", "sound"),
    [
        ((5, True), (5, True), (5, True), True),
        ((5, True), (7, True), (9, True), True),
        ((1, False), (1, True), (1, True), True),
        ((5, True), (4, True), (9, True), False),
        ((5, True), (10, True), (9, True), False),
        ((5, True), (1, False), (5, True), False),
        ((5, True), None, (5, True), False),
        # Set back meanwhile: any value may be true.
        ((5, True), (1, True), (2, True), True),
        ((5, True), (1, True), None, True),
    ],
)
def test_an_archived_value_is_one_that_the_sequence_had_during_the_dump(
    before: tuple[int, bool],
    archived: tuple[int, bool] | None,
    after: tuple[int, bool] | None,
    sound: bool,
) -> None:
    inventory = replace(builders.inventory(), sequences=(Sequence(NAME, *before),))

    lacking = lacking_sequences(
        inventory,
        () if archived is None else (Sequence(NAME, *archived),),
        () if after is None else (Sequence(NAME, *after),),
    )

    assert (lacking == ()) == sound
    falling = replace(inventory, falling_sequences=(NAME,))
    if archived is not None:
        assert lacking_sequences(falling, [Sequence(NAME, *archived)], ()) == ()


def test_a_manifest_that_lost_evidence_contradicts_itself_and_an_older_one_does_not() -> None:
    manifest = replace(builders.manifest(), schema_objects={"TABLE public.a": "0" * 32})
    assert from_bytes(to_bytes(manifest), origin="test") == manifest

    counted = replace(manifest, evidence=recorded(manifest))
    assert from_bytes(to_bytes(counted), origin="test") == counted
    with pytest.raises(ArtifactDamaged, match="it has 0 of 1 entries in schema_objects"):
        from_bytes(to_bytes(replace(counted, schema_objects={})), origin="test")

    newer = replace(counted, evidence={**counted.evidence, "kinds of a later release": 7})
    assert from_bytes(to_bytes(newer), origin="test") == newer
