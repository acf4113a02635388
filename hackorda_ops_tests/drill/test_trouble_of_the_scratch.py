"""What the scratch lacks is not the backup's fault: ERROR with the remedy, and never FAIL."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops_tests.drill.fixtures import Shipped, check, night_of

pytestmark = pytest.mark.server

_AT_INDEX = "pg_restore: from TOC entry 3391; 1259 17000 INDEX notes_idx postgres\n"


@dataclass(frozen=True)
class Said:
    """What a pg_restore says before it ends with return code 1, and what has to be said of it."""

    name: str
    lines: str
    remedy: str


SAID = (
    Said("killed", "", "when memory ran out"),
    Said(
        "locks",
        "pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry 66856; 1259 7011345 TABLE p_2031 postgres\n"
        "pg_restore: error: could not execute query: ERROR:  out of shared memory\n"
        'HINT:  You might need to increase "max_locks_per_transaction".\n'
        "Command was: CREATE TABLE public.p_2031 (\n    id integer\n);\n",
        "Raise max_locks_per_transaction",
    ),
    Said(
        "a Neon project's size",
        "pg_restore: from TOC entry 3400; 0 16399 TABLE DATA t neondb_owner\n"
        'pg_restore: error: COPY failed for table "t": ERROR:  could not extend file because project size limit '
        "(512 MB) has been exceeded\nHINT:  This limit is defined externally by the project size limit, and "
        "internally by neon.max_cluster_size GUC\nCONTEXT:  COPY t, line 41\n",
        "choose a larger plan",
    ),
    Said(
        "memory of the server",
        f"{_AT_INDEX}pg_restore: error: could not execute query: ERROR:  out of memory\n"
        'DETAIL:  Failed on request of size 4194304 in memory context "Caller tuples".\n',
        "maintenance_work_mem",
    ),
    Said(
        "shared memory of a container",
        f"{_AT_INDEX}pg_restore: error: could not execute query: ERROR:  could not resize shared memory segment "
        '"/PostgreSQL.1153325950" to 268435456 bytes: No space left on device\n',
        "--shm-size",
    ),
    Said(
        "connections of the server",
        'pg_restore: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  remaining connection '
        "slots are reserved for roles with the SUPERUSER attribute\n"
        "pg_restore: error: a worker process died unexpectedly\n",
        "max_connections",
    ),
    Said(
        "connections of the role",
        'pg_restore: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  too many connections '
        'for role "neondb_owner"\npg_restore: error: a worker process died unexpectedly\n',
        "CONNECTION LIMIT",
    ),
    Said(
        "an extension bound to one database",
        "pg_restore: from TOC entry 2; 3079 16384 EXTENSION pg_cron \n"
        "pg_restore: error: could not execute query: ERROR:  can only create extension in database postgres\n",
        "set up for it",
    ),
    Said(
        "something that nobody knows",
        f"{_AT_INDEX}pg_restore: error: could not execute query: FEHLER:  der Server mag heute nicht\n",
        "log",
    ),
)


@pytest.mark.parametrize("said", SAID, ids=lambda said: said.name)
def test_what_the_scratch_lacks_is_an_error_with_its_remedy(
    said: Said, protected: Shipped, scratch_server: PostgresServer, tmp_path: Path
) -> None:
    (tmp_path / "said").write_text(said.lines)
    tools = _instead(
        scratch_server, tmp_path, f'case "$*" in *--use-list*) cat "{tmp_path}/said" >&2; exit 1;; esac'
    )

    result = protected.changed(source={"client_folders": [str(tools)]}).drill()

    assert result.verdict == "ERROR"
    assert result.error is not None
    assert said.remedy in f"{result.error.meaning} {result.error.next_step}"
    assert result.findings == ()
    assert check(result, "restored_equals_manifest").outcome == "not reached"


@pytest.fixture
def admin(scratch_server: PostgresServer) -> Iterator[Callable[[str], str]]:
    """Makes a role of the scratch server with the settings given, and returns its URL; dropped after the test."""

    def make(settings: str) -> str:
        with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE limited LOGIN SUPERUSER PASSWORD 'pw'; {settings}".encode())
        return make_conninfo(scratch_server.url(), user="limited", password="pw")

    yield make
    with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
        connection.execute("DROP ROLE limited")


def test_a_role_that_may_not_connect_often_enough_is_an_error_with_its_remedy(
    protected: Shipped, admin: Callable[[str], str], scratch_server: PostgresServer
) -> None:
    # A superuser is not bound by its limit.
    url = admin("ALTER ROLE limited NOSUPERUSER CREATEDB CONNECTION LIMIT 3")

    result = protected.changed(
        scratch={"server": {"restore_as_admin": True}}, environ={"SCRATCH_ADMIN_URL": url}
    ).drill()

    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "CONNECTION LIMIT" in f"{result.error.meaning} {result.error.next_step}"


def test_settings_of_the_scratchs_role_do_not_matter(protected: Shipped, admin: Callable[[str], str]) -> None:
    settings = (
        "array_nulls = off",
        "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_deferrable = on",
        "transform_null_equals = on",
        "xmloption = document",
        "search_path = 'elsewhere'",
        "statement_timeout = '1s'",
        "bytea_output = 'escape'",
        "DateStyle = 'German'",
        "row_security = on",
        "default_tablespace = 'nowhere'",
        "standard_conforming_strings = off",
        "check_function_bodies = on",
        "quote_all_identifiers = on",
    )
    url = admin(";".join(f"ALTER ROLE limited SET {setting}" for setting in settings))

    as_admin = {"server": {"superuser": "limited", "restore_as_admin": True}}
    result = protected.changed(scratch=as_admin, environ={"SCRATCH_ADMIN_URL": url}).drill()

    assert (result.error, result.verdict, result.findings) == (None, "PASS", ())


def test_an_error_in_words_nobody_knows_is_judged_by_its_sqlstate(
    postgres_server: PostgresServer, ship: Callable[..., Shipped], tmp_path: Path
) -> None:
    # The data breaks the constraint that comes after it, as the source's own triggers were off.
    url = create_database(postgres_server, f"orphans {tmp_path.name}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES "
            "users);"
            "SET session_replication_role = replica; INSERT INTO posts VALUES (99, 4242)"
        )
    protected = ship(night_of(url, tmp_path / "store"))
    # As from a server that speaks another language.
    tools = _instead(
        postgres_server,
        tmp_path,
        'case "$*" in *--exit-on-error*) "$real/pg_restore" "$@" 2> "$0.said"; code=$?; '
        'sed "s/ERROR:  .*/FEHLER:  so nicht/" "$0.said" >&2; exit $code;; esac',
    )

    result = protected.changed(source={"client_folders": [str(tools)]}).drill()

    assert result.verdict == "FAIL"
    assert "SQLSTATE 23503" in result.findings[0].observed
    assert "4242" not in repr(result)


def _instead(server: PostgresServer, folder: Path, script: str) -> Path:
    """A folder of client tools whose pg_restore first does what the script says."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("pg_dump", "psql"):
        (tools / name).symlink_to(server.bin_dir / name)
    restore = tools / "pg_restore"
    restore.write_text(
        f'#!/bin/sh\nreal={shlex.quote(str(server.bin_dir))}\n{script}\nexec "$real/pg_restore" "$@"\n'
    )
    restore.chmod(0o755)
    return tools
