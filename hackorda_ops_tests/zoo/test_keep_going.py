"""A restore that keeps going, on every version of Postgres: with orphans and duplicates, and with owners and grants."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.drill.fixtures import PROGRAMS
from hackorda_ops_tests.postgres.access.examples import drop_roles
from hackorda_ops_tests.zoo.animals import MAJORS
from hackorda_ops_tests.zoo.conftest import Servers, make

pytestmark = pytest.mark.server

ROLES = ("keep_going_owner", "keep_going_reader")
# The unique index goes by a function that says something else today than when the rows came.
BROKEN = """
CREATE ROLE keep_going_owner; CREATE ROLE keep_going_reader;
CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users SELECT g, 'secret ' || g FROM generate_series(1, 20) g;
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users);
INSERT INTO posts SELECT g, g FROM generate_series(1, 20) g;
CREATE INDEX by_author ON posts (author);
CREATE FUNCTION folded(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT t';
CREATE UNIQUE INDEX one_name ON users (folded(name)); CREATE INDEX by_name ON users (name);
COMMENT ON INDEX one_name IS 'one each';
INSERT INTO users VALUES (21, 'Secret 20');
CREATE OR REPLACE FUNCTION folded(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)';
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watched BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION watch();
ALTER TABLE posts DISABLE TRIGGER watched;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS posts FROM posts;
ALTER TABLE users OWNER TO keep_going_owner; ALTER FUNCTION folded(text) OWNER TO keep_going_owner;
GRANT SELECT ON posts, totals TO keep_going_reader;
SET session_replication_role = replica; INSERT INTO posts VALUES (99, 424242);
"""
MISSING = {
    "FK CONSTRAINT public.posts posts_author_fkey": (
        "FOREIGN KEY (author) REFERENCES public.users(id)",
        "23503",
    ),
    "INDEX public.one_name": ("CREATE UNIQUE INDEX one_name ON public.users", "23505"),
}


@pytest.fixture
def databases(servers: Servers, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A source with broken rules, and an empty database on a server that has none of its roles."""
    name = f"keep going {request.node.originalname}"[:60]
    source, empty = make(servers.source, name), make(servers.scratch, name)
    with psycopg.connect(source, autocommit=True) as session:
        session.execute(BROKEN.encode())
    yield source, empty
    for server in (servers.source, servers.scratch):
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            drop_roles(admin, *ROLES)


def brought_back(
    servers: Servers, databases: tuple[str, str], folder: Path, *, with_access: bool
) -> BroughtBack:
    source, empty = databases
    tools = servers.source.bin_dir
    database = Policy.model_validate(
        {"store": str(folder / "store"), "source": {"client_folders": [str(tools)]}}
    )
    taken = take_night(Protected("broken", database, {**PROGRAMS, "DATABASE_URL": source}))
    return bring_back(
        restoring(folder / "work", PROGRAMS, jobs=2, client_folders=(tools,)),
        FolderStore(folder / "store"),
        taken.manifest,
        connection.parse(empty, origin="test"),
        source=connection.parse(source, origin="test"),
        on_progress=ignore,
        with_access=with_access,
        keep_going=True,
    )


def assert_only_what_the_source_broke_is_missing(result: BroughtBack, empty: str) -> None:
    assert result.verdict == "FAIL"
    refused = {each.subject: each for each in result.findings if each.code == "restore failed"}
    assert refused.keys() == {*MISSING, "COMMENT public.INDEX one_name"}
    for subject, (statement, sqlstate) in MISSING.items():
        assert statement in refused[subject].expected
        assert sqlstate in refused[subject].observed
        assert "no other artifact is better" in refused[subject].next_step
    others = [each for each in result.findings if each.code != "restore failed"]
    assert [(each.code, each.subject) for each in others] == [
        ("schema object missing", "index public.one_name"),
        ("schema object missing", "table constraint posts_author_fkey on public.posts"),
    ]
    following = [refused["COMMENT public.INDEX one_name"], *others]
    assert all(each.next_step.startswith("It follows from what") for each in following)
    said = f"{result}".lower()
    assert "secret" not in said
    assert "424242" not in said
    with psycopg.connect(empty) as session:
        for table, rows in (("users", 21), ("posts", 21), ("totals", 1)):
            assert session.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (rows,)
        indexes = {
            name
            for (name,) in session.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
        }
        assert indexes == {"users_pkey", "posts_pkey", "by_author", "by_name"}


@pytest.mark.parametrize("servers", MAJORS, indirect=True)
def test_orphans_and_duplicates_are_named_and_all_else_comes_back(
    servers: Servers, databases: tuple[str, str], tmp_path: Path
) -> None:
    result = brought_back(servers, databases, tmp_path, with_access=False)
    assert_only_what_the_source_broke_is_missing(result, databases[1])


@pytest.mark.parametrize("servers", MAJORS, indirect=True)
def test_owners_and_grants_come_back_although_something_is_missing(
    servers: Servers, databases: tuple[str, str], tmp_path: Path
) -> None:
    result = brought_back(servers, databases, tmp_path, with_access=True)
    assert_only_what_the_source_broke_is_missing(result, databases[1])
    with psycopg.connect(databases[1]) as session:
        owners = dict(
            session.execute(
                "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
        )
        assert owners["users"] == "keep_going_owner"
        assert session.execute(
            "SELECT has_table_privilege('keep_going_reader', 'posts', 'SELECT'),"
            " has_table_privilege('keep_going_reader', 'totals', 'SELECT'),"
            " has_table_privilege('keep_going_reader', 'users', 'SELECT')"
        ).fetchone() == (True, True, False)
