"""A sound dump of data that breaks its own rules: everything that can be brought back is, and the rest is named."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.recovery.not_restored import with_rest
from hackorda_ops.environment import Protected
from hackorda_ops.errors import RestoreRefused
from hackorda_ops.findings import Finding
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.restoring.rest import NotRestored
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.postgres.access.examples import drop_roles

pytestmark = pytest.mark.server

ORPHANS = """
CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users SELECT generate_series(1, 20);
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users);
INSERT INTO posts SELECT g, g FROM generate_series(1, 20) g;
SET session_replication_role = replica; INSERT INTO posts VALUES (99, 424242)
"""
# The function that the index goes by says something else today than when the rows came.
DUPLICATES = """
CREATE FUNCTION folded(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT t';
CREATE TABLE users (name text); INSERT INTO users VALUES ('secret-ann'), ('Secret-Ann');
CREATE UNIQUE INDEX one_name ON users (folded(name)); CREATE INDEX by_name ON users (name);
CREATE OR REPLACE FUNCTION folded(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)'
"""
# It finds its table by the search_path, which a restore has empty.
BY_SEARCH_PATH = """
CREATE TABLE words (w text); INSERT INTO words VALUES ('hello');
CREATE FUNCTION known(t text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN RETURN EXISTS (SELECT FROM words WHERE w = t); END $$;
CREATE TABLE notes (body text); CREATE INDEX by_known ON notes (known(body)); INSERT INTO notes VALUES ('secret-note')
"""


@dataclass(frozen=True)
class Case:
    """What makes a source whose rows break a rule of its own, and what has to be said of it.

    Attributes:
        statements: make it.
        name: of the object that can't be made.
        statement: a part of what would make it.
        reason: the server's SQLSTATE.
        value: of a row, which nothing may show.
    """

    statements: str
    name: str
    statement: str
    reason: str
    value: str


def taken(url: str, folder: Path, statements: str) -> FolderStore:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statements.encode())
    take_night(
        Protected("app", Policy.model_validate({"store": str(folder)}), {**PROGRAMS, "DATABASE_URL": url})
    )
    return FolderStore(folder)


def restored(
    store: FolderStore, url: str, folder: Path, *, keep_going: bool, with_access: bool = False
) -> BroughtBack:
    [manifest] = catalog.read(store, "app").artifacts
    return bring_back(
        restoring(folder / "work", PROGRAMS, jobs=2),
        store,
        manifest,
        connection.parse(url, origin="test"),
        source=None,
        on_progress=ignore,
        keep_going=keep_going,
        with_access=with_access,
    )


@pytest.mark.parametrize(
    "case",
    [
        Case(
            ORPHANS,
            "FK CONSTRAINT public.posts posts_author_fkey",
            "FOREIGN KEY (author) REFERENCES public.users(id)",
            "23503",
            "424242",
        ),
        Case(
            DUPLICATES,
            "INDEX public.one_name",
            "CREATE UNIQUE INDEX one_name ON public.users",
            "23505",
            "secret-ann",
        ),
        Case(
            BY_SEARCH_PATH,
            "INDEX public.by_known",
            "CREATE INDEX by_known ON public.notes",
            "42P01",
            "secret-note",
        ),
    ],
    ids=["orphans", "duplicates", "search_path"],
)
def test_everything_that_can_be_comes_back_and_each_missing_object_is_named_with_its_statement(
    case: Case,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    store = taken(database_on(postgres_server), tmp_path / "store", case.statements)

    with pytest.raises(RestoreRefused) as stopped:
        restored(store, database_on(postgres_server), tmp_path, keep_going=False)
    whole = database_on(postgres_server)
    result = restored(store, whole, tmp_path, keep_going=True)

    assert "--keep-going" in stopped.value.next_step
    assert result.verdict == "FAIL"
    missing = result.findings[0]
    assert (missing.code, missing.subject) == ("restore failed", case.name)
    assert case.statement in missing.expected
    assert case.reason in missing.observed
    assert all("Do not rely on this artifact" not in each.next_step for each in result.findings)
    assert case.value not in f"{stopped.value}{result}".lower()
    # Nothing but that object is missing.
    assert {each.code for each in result.findings} <= {"restore failed", "schema object missing"}
    with psycopg.connect(whole) as session:
        [(tables,)] = session.execute(
            "SELECT count(*) FROM pg_stat_user_tables t WHERE pg_relation_size(t.relid) > 0"
        ).fetchall()
    assert tables == len([each for each in result.manifest.tables if each.rows])


def test_a_sound_artifact_passes_with_keep_going_as_well(
    postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path
) -> None:
    store = taken(database_on(postgres_server), tmp_path / "store", "CREATE TABLE t AS SELECT 1 AS id")
    result = restored(store, database_on(postgres_server), tmp_path, keep_going=True)
    assert (result.verdict, result.findings) == ("PASS", ())


def test_the_night_warns_of_rows_that_break_a_foreign_key(
    postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path
) -> None:
    store = taken(database_on(postgres_server), tmp_path / "store", ORPHANS)
    [manifest] = catalog.read(store, "app").artifacts
    [warning] = [each for each in manifest.warnings if "posts_author_fkey" in each]
    assert "424242" not in warning
    assert manifest.sound


# Postgres 17 has moved that column to another view.
OF_ANOTHER_RELEASE = """
CREATE ROLE keep_going_reader;
CREATE TABLE orders AS SELECT generate_series(1, 20) AS id;
CREATE VIEW load AS SELECT buffers_checkpoint FROM pg_stat_bgwriter; COMMENT ON VIEW load IS 'for the dashboard';
GRANT SELECT ON orders, load TO keep_going_reader
"""


def test_what_a_newer_release_no_longer_takes_keeps_nothing_else_from_coming_back_with_its_grants(
    debian_postgres_server: PostgresServer,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    source, target = database_on(debian_postgres_server), database_on(postgres_server)

    def without_roles() -> None:
        for url in (source, target):
            with psycopg.connect(url, autocommit=True) as admin:
                drop_roles(admin, "keep_going_reader")

    request.addfinalizer(without_roles)
    store = taken(source, tmp_path / "store", OF_ANOTHER_RELEASE)
    result = restored(store, target, tmp_path, keep_going=True, with_access=True)

    assert result.verdict == "FAIL"
    first, *following = result.findings
    assert (first.code, first.subject) == ("restore failed", "VIEW public.load")
    assert "undefined column" in first.observed
    assert "no other artifact is better" in first.next_step
    assert [(each.code, each.subject) for each in following] == [
        ("restore failed", "COMMENT public.VIEW load"),
        ("schema object missing", "view public.load"),
        ("access missing", 'ALTER VIEW public.load OWNER TO "postgres";'),
        ("access missing", 'GRANT SELECT ON TABLE public.load TO "keep_going_reader";'),
    ]
    assert all(each.next_step.startswith("It follows from what") for each in following)
    with psycopg.connect(target) as session:
        assert session.execute(
            "SELECT count(*), bool_and(has_table_privilege('keep_going_reader', 'orders', 'SELECT')) FROM orders"
        ).fetchone() == (20, True)


def test_only_access_to_what_is_missing_follows_from_it() -> None:
    missing = NotRestored(
        "VIEW public.load", "CREATE VIEW …", "undefined column (SQLSTATE 42703)", breaks_rule=False
    )
    access = [
        Finding("access missing", f"GRANT SELECT ON TABLE public.{name} TO reader;", "", "", "Run it.")
        for name in ("load", "loads", "orders")
    ]
    _, *steps = [each.next_step for each in with_rest([missing], access)]
    assert steps[0].startswith("It follows from what")
    assert steps[1:] == ["Run it.", "Run it."]
