"""Sequence values as the archive has them."""

from pathlib import Path

import psycopg

from hackorda_ops.postgres.archives.contents import list_entries
from hackorda_ops.postgres.archives.sequences import archived_sequences, parse_setvals
from hackorda_ops.postgres.catalogs.inventory import Sequence, TableName
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.postgres.tools import clients, dump
from hackorda_ops.progress import ignore


def test_names_are_read_with_their_quotes_and_values_with_their_signs() -> None:
    script = '''
SELECT pg_catalog.setval('public.users_id_seq', 12, true);
SELECT pg_catalog.setval('"My Schema"."it''s ""odd"""', -5, false);
SELECT pg_catalog.setval('public."Caps.and.dots"', 9223372036854775807, true);
'''
    assert parse_setvals(script) == (
        Sequence(TableName("My Schema", 'it\'s "odd"'), -5, is_called=False),
        Sequence(TableName("public", "Caps.and.dots"), 9223372036854775807, is_called=True),
        Sequence(TableName("public", "users_id_seq"), 12, is_called=True),
    )


def dumped(url: str, folder: Path) -> tuple[Sequence, ...]:
    tools = clients.find(17, environ={"PATH": "/usr/bin:/bin"})
    dump.dump(
        connection.parse(url, origin="test"),
        clients=tools,
        snapshot=None,
        folder=folder,
        on_progress=ignore,
        poll=lambda: None,
        deadline_seconds=60,
    )
    return archived_sequences(tools, folder, list_entries(tools, folder))


def test_every_sequence_of_a_real_archive_is_read(new_database: str, tmp_path: Path) -> None:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute('''
            CREATE TABLE a (id serial, other bigint GENERATED ALWAYS AS IDENTITY);
            INSERT INTO a DEFAULT VALUES; INSERT INTO a DEFAULT VALUES;
            CREATE SEQUENCE "Odd 'one' ""two""" START 5 INCREMENT -1 MINVALUE -100 MAXVALUE 100;
            CREATE SEQUENCE never;
        ''')
    assert dumped(new_database, tmp_path / "dump") == (
        Sequence(TableName("public", "Odd 'one' \"two\""), 5, is_called=False),
        Sequence(TableName("public", "a_id_seq"), 2, is_called=True),
        Sequence(TableName("public", "a_other_seq"), 2, is_called=True),
        Sequence(TableName("public", "never"), 1, is_called=False),
    )


def test_an_archive_without_sequences_has_none(new_database: str, tmp_path: Path) -> None:
    assert dumped(new_database, tmp_path / "dump") == ()
