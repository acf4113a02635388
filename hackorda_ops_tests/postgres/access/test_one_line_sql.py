"""Names and texts as SQL on one line: the server reads back what was written."""

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.access.one_line_sql import (
    block,
    identifier,
    identity,
    in_this_database,
    list_of_names,
    literal,
)

ODD = (
    "plain",
    'q"u""oted',
    "it's",
    "back\\slash",
    "line\nbreak\r\u2028and\x85",
    "100%",
    "$hackorda$",
    "Жұмыс",
)


@pytest.mark.parametrize("text", ODD)
def test_a_name_and_a_text_are_read_back_as_they_were(postgres_server: PostgresServer, text: str) -> None:
    statement = f"SELECT {literal(text)} AS {identifier(text)}"
    assert len(statement.splitlines()) == 1
    with psycopg.connect(postgres_server.url()) as session:
        cursor = session.execute(statement.encode())
        assert cursor.description is not None
        assert (cursor.fetchall(), cursor.description[0].name) == ([(text,)], text)


@pytest.mark.parametrize("text", ODD)
def test_a_block_runs_whatever_is_in_it(postgres_server: PostgresServer, text: str) -> None:
    statement = block(f"PERFORM set_config('my.text', {literal(text)}, false);")
    assert len(statement.splitlines()) == 1
    with psycopg.connect(postgres_server.url()) as session:
        session.execute(statement.encode())
        assert session.execute("SELECT current_setting('my.text')").fetchone() == (text,)


@pytest.mark.parametrize("text", ODD)
def test_a_setting_of_this_database_is_set_whatever_its_value(new_database: str, text: str) -> None:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute(in_this_database("ALTER DATABASE", f'SET "my"."text" TO {literal(text)}').encode())
    with psycopg.connect(new_database) as session:
        assert session.execute("SELECT current_setting('my.text')").fetchone() == (text,)


@pytest.mark.parametrize(
    "path", ['"$user", public', "public", '""', '"a, b", "q""u", "line\nbreak"', "pg_catalog,public"]
)
def test_a_stored_list_of_names_is_set_as_that_list(postgres_server: PostgresServer, path: str) -> None:
    with psycopg.connect(postgres_server.url()) as session:
        session.execute("SELECT set_config('search_path', %s, false)", (path,))
        before = session.execute("SELECT current_schemas(true)").fetchone()
        session.execute(f"SET search_path TO {list_of_names(path)}".encode())
        stored = session.execute("SHOW search_path").fetchone()
        assert session.execute("SELECT current_schemas(true)").fetchone() == before
        assert stored is not None
        assert stored[0].replace(" ", "") == path.replace(" ", "")


def test_only_the_quoted_names_of_an_identity_are_escaped() -> None:
    assert identity('public."a b"(integer)') == 'public."a b"(integer)'
    assert identity('"a\n""b"."c d"(text)') == 'U&"a\\000A""b"."c d"(text)'
