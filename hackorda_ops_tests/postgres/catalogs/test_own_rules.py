"""Whether rows keep to their database's own rules, which a restore will look at anew."""

import psycopg
import pytest

from hackorda_ops.postgres.catalogs.own_rules import Kept, constraints, generated_columns, look
from hackorda_ops_tests.postgres.awkward import execute, new_role, session

pytestmark = pytest.mark.server

ORPHANS = """
CREATE EXTENSION citext;
CREATE TABLE users (id int PRIMARY KEY, name citext UNIQUE, region int, number bigint, UNIQUE (region, number));
INSERT INTO users SELECT n, 'User ' || n, n % 3, n FROM generate_series(1, 20) n;
CREATE TABLE kept (id int, author bigint CONSTRAINT kept_key REFERENCES users,
    called citext CONSTRAINT kept_citext REFERENCES users (name),
    r int, n int, boss int, CONSTRAINT kept_pair FOREIGN KEY (r, n) REFERENCES users (region, number) MATCH FULL,
    CONSTRAINT kept_loose FOREIGN KEY (r, n) REFERENCES users (region, number));
INSERT INTO kept VALUES (1, 1, 'USER 1', 1, 1), (2, NULL, NULL, NULL, NULL);
CREATE TABLE posts (id int PRIMARY KEY, author int CONSTRAINT posts_key REFERENCES users,
    parent int CONSTRAINT posts_parent REFERENCES posts,
    r int, n int, CONSTRAINT posts_full FOREIGN KEY (r, n) REFERENCES users (region, number) MATCH FULL,
    CONSTRAINT posts_simple FOREIGN KEY (r, n) REFERENCES users (region, number));
CREATE TABLE parts (id int, author int CONSTRAINT parts_key REFERENCES users) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts DEFAULT;
CREATE TABLE targets (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE target PARTITION OF targets DEFAULT;
INSERT INTO targets VALUES (1);
CREATE TABLE aimed (id int CONSTRAINT aimed_key REFERENCES targets);
INSERT INTO aimed VALUES (1);
CREATE TABLE loose (author int); INSERT INTO loose VALUES (999);
ALTER TABLE loose ADD CONSTRAINT loose_key FOREIGN KEY (author) REFERENCES users NOT VALID;
SET session_replication_role = replica;
INSERT INTO posts VALUES (99, 4242, 98, 5, NULL); INSERT INTO parts VALUES (1, 77);
"""
CHANGED = """
CREATE FUNCTION allowed(n int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT n < 10';
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE TABLE t (n int CONSTRAINT small CHECK (allowed(n)), m int CONSTRAINT positive CHECK (m > 0),
    fits int CONSTRAINT fits CHECK (twice(fits) < 9),
    p point GENERATED ALWAYS AS (point(n, 0)) STORED,
    v varchar(3) GENERATED ALWAYS AS (left(n::text, 3)) STORED,
    d numeric(5, 1) GENERATED ALWAYS AS (n * 1.07) STORED,
    g int GENERATED ALWAYS AS (twice(n)) STORED, b bigint GENERATED ALWAYS AS (n + 1) STORED);
INSERT INTO t (n, m, fits) VALUES (5, 1, 1), (NULL, NULL, NULL), (-9, 3, 4);
CREATE OR REPLACE FUNCTION allowed(n int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT n < 5';
CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + n / 5';
CREATE TABLE fails (n int, e int GENERATED ALWAYS AS (100 / (n + 0 * twice(n))) STORED);
INSERT INTO fails (n) VALUES (1);
CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE
    AS 'SELECT CASE WHEN n = 1 THEN n / 0 ELSE n + n / 5 END';
"""


def looked(url: str, limit_seconds: float | None = 30) -> Kept:
    with session(url) as connection:
        rules = [*constraints(connection), *generated_columns(connection)]
        return look(connection, rules, limit_seconds=limit_seconds)


def test_rows_that_a_foreign_key_does_not_allow_are_found_on_every_kind_of_table(each_url: str) -> None:
    execute(each_url, ORPHANS)

    found = looked(each_url)

    assert found.broken == (
        "foreign key parts_key on public.parts",
        "foreign key posts_full on public.posts",
        "foreign key posts_key on public.posts",
        "foreign key posts_parent on public.posts",
    )
    assert found.kept == (
        "foreign key aimed_key on public.aimed",
        "foreign key kept_citext on public.kept",
        "foreign key kept_key on public.kept",
        "foreign key kept_loose on public.kept",
        "foreign key kept_pair on public.kept",
        "foreign key posts_simple on public.posts",
    )
    assert found.unchecked == ()


def test_checks_and_generated_columns_over_a_function_that_was_changed_are_found(each_url: str) -> None:
    execute(each_url, CHANGED)

    found = looked(each_url)

    assert found.broken == ("check small on public.t", "generated column public.t.g")
    # The server's own functions don't change, so a check over them needs no look.
    assert found.kept == (
        "generated column public.t.b",
        "generated column public.t.d",
        "generated column public.t.p",
        "generated column public.t.v",
    )
    # These raise errors for some row, whose words may hold values: they are neither kept nor broken.
    assert found.unchecked == ("check fits on public.t", "generated column public.fails.e")


def test_on_a_source_nobody_elses_code_runs(new_database: str) -> None:
    with new_role(new_database, "other owner") as url:
        execute(new_database, 'GRANT CREATE ON SCHEMA public TO "other owner"')
        execute(
            url,
            "CREATE FUNCTION trap(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE ''ran''; END'",
            "CREATE TABLE theirs (n int CHECK (trap(n) > 0), g int GENERATED ALWAYS AS (n + 1) STORED)",
        )
        execute(new_database, "CREATE TABLE ours (n int, g int GENERATED ALWAYS AS (trap(n)) STORED)")

        found = looked(new_database)

        assert (found.kept, found.broken) == ((), ())
        assert found.unchecked == (
            "check theirs_n_check on public.theirs",
            "generated column public.ours.g",
            "generated column public.theirs.g",
        )
        # A restored copy is ours, and the restore has run all of it.
        assert len(looked(new_database, limit_seconds=None).kept) == 3
        execute(new_database, "DROP TABLE ours")


def test_whatever_is_locked_or_comes_too_late_is_left_unchecked_and_nothing_stays_locked(
    new_database: str,
) -> None:
    execute(
        new_database,
        "CREATE TABLE a (n int, g int GENERATED ALWAYS AS (n + 1) STORED)",
        "CREATE TABLE b (n int, g int GENERATED ALWAYS AS (n + 1) STORED)",
    )
    assert looked(new_database, limit_seconds=0).unchecked == (
        "generated column public.a.g",
        "generated column public.b.g",
    )
    with psycopg.connect(new_database) as locking, session(new_database) as connection:
        rules = list(generated_columns(connection))
        locking.execute("LOCK TABLE a")
        with connection.transaction():
            found = look(connection, rules, limit_seconds=30)
            [(locks,)] = connection.execute(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'public.b'::regclass"
            ).fetchall()

    assert (found.kept, found.unchecked, locks) == (
        ("generated column public.b.g",),
        ("generated column public.a.g",),
        0,
    )
