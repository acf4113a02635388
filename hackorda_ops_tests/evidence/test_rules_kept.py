"""What a night says of rows that break a rule of their own database, and what a restored copy is held to."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.evidence.rules_kept import generated_findings, stale_notes
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.catalogs.own_rules import Kept
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.postgres.awkward import execute, session

pytestmark = pytest.mark.server

ORPHANS = """
CREATE TABLE users (id int PRIMARY KEY);
INSERT INTO users SELECT generate_series(1, 20);
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users);
INSERT INTO posts SELECT g, g FROM generate_series(1, 20) g;
SET session_replication_role = replica;
INSERT INTO posts VALUES (99, 4242);
"""
PEOPLE = """
CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 2';
CREATE TABLE people (id int PRIMARY KEY, n int, g int GENERATED ALWAYS AS (twice(n)) STORED);
INSERT INTO people (id, n) SELECT i, i FROM generate_series(1, 10) i;
"""
STALE = "CREATE OR REPLACE FUNCTION twice(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 3'"
NEVER_THE_SAME = """
CREATE FUNCTION written() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT clock_timestamp()::text';
CREATE TABLE notes (id int, at text GENERATED ALWAYS AS (written()) STORED); INSERT INTO notes VALUES (1);
"""
COLUMN = "generated column public.people.g"


def test_a_night_names_the_constraint_that_rows_of_the_source_break(
    postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path
) -> None:
    url = database_on(postgres_server)
    execute(url, ORPHANS, PEOPLE, STALE)
    database = Policy.model_validate({"store": str(tmp_path)})

    taken = take_night(Protected("zoo", database, {**PROGRAMS, "DATABASE_URL": url})).manifest

    assert taken.rules == Kept((), ("foreign key posts_author_fkey on public.posts", COLUMN), ())
    assert taken.sound
    said = "\n".join(taken.warnings)
    assert "rows on the source violate foreign key posts_author_fkey on public.posts" in said
    assert f"recomputes them: {COLUMN}" in said
    assert "4242" not in said
    assert COLUMN in "".join(stale_notes(taken))


@pytest.mark.parametrize(
    ("statements", "rules", "expected"),
    [
        ((PEOPLE,), None, []),
        ((PEOPLE, STALE), Kept(kept=(COLUMN,)), [("generated values differ", "fatal")]),
        # Whether the source looked or not: what a restore computes follows from the rows.
        ((PEOPLE, STALE), None, [("generated values differ", "fatal")]),
        # The source's own were not what the expression gives, so they can't be expected of the copy.
        ((PEOPLE, STALE), Kept(broken=(COLUMN,)), [("generated values not settled", "warning")]),
        ((NEVER_THE_SAME,), None, [("generated values not settled", "warning")]),
    ],
)
def test_stored_values_of_a_copy_are_held_against_their_expressions(
    new_database: str, statements: tuple[str, ...], rules: Kept | None, expected: list[tuple[str, str]]
) -> None:
    execute(new_database, *statements)

    with session(new_database) as connection:
        found = list(generated_findings(connection, replace(manifest(), rules=rules)))

    assert [(each.code, each.severity) for each in found] == expected
