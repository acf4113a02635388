"""Whatever a row holds, no error, finding, report or line of a log holds any of it."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from hackorda_ops.config.expectations import Migrate
from hackorda_ops.drill.quarter import hold_drill
from hackorda_ops.engines.postgres.drill.comparisons.materialized_views import refresh_findings
from hackorda_ops.errors import OpsError
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.migrations.run import migrate_copy
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops_tests.drill.fixtures import PROGRAMS, Shipped, night_of
from hackorda_ops_tests.postgres.awkward import execute, session, target_of

pytestmark = pytest.mark.server

_MARKER = "qzxwvk7"
# Around a mark that nothing else holds: whatever could end a quotation, a line or a field early.
_AWKWARD = "ab \n\t\"'\xab\xbb\u201e\u201c:=(){}[]\\,;\xe9\u4f60"
_ANY = st.characters(exclude_characters="\0", exclude_categories=("Cs",))
_AROUND = st.text(st.sampled_from(_AWKWARD) | _ANY, max_size=20)
VALUES = st.builds(lambda before, after: f"{before}{_MARKER}{after}", _AROUND, _AROUND)

TABLES = """
CREATE TABLE kept (v text PRIMARY KEY);
CREATE TABLE child (v text REFERENCES kept, n int NOT NULL DEFAULT 0, CONSTRAINT short CHECK (length(v) < 1));
CREATE DOMAIN brief AS text CHECK (length(VALUE) < 1);
CREATE TYPE mood AS ENUM ('sad');
CREATE FUNCTION complain(v text, state text) RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'no good: %', v USING ERRCODE = state, DETAIL = v, HINT = v; END $$;
CREATE FUNCTION run(v text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SELECT ''' || v; END $$
"""
_TYPES = ("int", "jsonb", "timestamptz", "uuid", "inet", "int[]", "int4range", "interval", "xml", "bytea")
_STATES = ("P0001", "22000", "23505", "42501", "53100", "57014", "XX000")
STATEMENTS = (
    "INSERT INTO public.kept VALUES ({v}), ({v})",
    "INSERT INTO public.child VALUES ({v})",
    "ALTER TABLE public.child DROP CONSTRAINT short; INSERT INTO public.child VALUES ({v})",
    "INSERT INTO public.child VALUES ({v}, NULL)",
    "SELECT {v}::public.brief",
    "SELECT {v}::public.mood",
    *(f"SELECT {{v}}::{name}" for name in _TYPES),
    "SELECT {v}::varchar(3)::int",
    "SET TIME ZONE {v}",
    *(f"SELECT public.complain({{v}}, '{state}')" for state in _STATES),
    "SELECT public.run({v})",
    "SELECT to_tsquery({v} || '!(')",
    "SELECT 'x' ~ ({v} || '(')",
)  # fmt: skip


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    url = create_database(postgres_server, "no row is shown")
    execute(url, TABLES)
    return url


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
@example(value=f'x" {_MARKER} "y')
@example(value=f"x\n{_MARKER}")
@example(value=f'relation "{_MARKER}')
def test_no_error_of_a_statement_holds_a_value(url: str, value: str) -> None:
    target = target_of(url)
    with session(url) as connection:
        for statement in STATEMENTS:
            said = refusal(target, connection, sql.SQL(statement).format(v=sql.Literal(value)))  # type: ignore[arg-type]
            # Much passes for XML content, bytes, a time zone or a pattern.
            assert said or statement.endswith(("xml", "bytea", "ZONE {v}", "(')")), statement
            assert _MARKER not in said, statement


def refusal(target: ConnectionTarget, connection: psycopg.Connection[object], statement: sql.Composed) -> str:
    """All that the error of a statement says; "" where it has none."""
    try:
        with translated_errors(target, "Counting"), connection.transaction(force_rollback=True):
            connection.execute(statement)
    except OpsError as error:
        return f"{error}{error!r}{error.__cause__!r}"
    return ""


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_no_finding_of_a_view_and_no_output_of_a_migration_holds_a_value(
    url: str, value: str, tmp_path: Path
) -> None:
    program = tmp_path / "migrate.py"
    (tmp_path / "value").write_bytes(value.encode())
    program.write_text(
        "import os, sys, psycopg\n"
        f"value = open({str(tmp_path / 'value')!r}, 'rb').read().decode()\n"
        "with psycopg.connect(os.environ['DATABASE_URL'], autocommit=True) as connection:\n"
        "    for statement in ('INSERT INTO public.kept VALUES (%s), (%s)', 'SELECT %s || %s = 1::text::int::text'):\n"
        "        try:\n"
        f"            connection.execute(statement, [value] * 2)\n"
        "        except psycopg.Error as error:\n"
        "            print('ERROR:  ' + str(error.diag.message_primary))\n"
        "            print('DETAIL:  ' + str(error.diag.message_detail))\n"
        "            print('CONTEXT:  ' + str(error.diag.context))\n"
        f"    connection.execute('SELECT public.complain(%s, %s)', [value, '22000'])\n"
    )
    migrate = Migrate.model_validate(
        {"command": shlex.join([sys.executable, str(program)]), "working_directory": str(tmp_path)}
    )
    with session(url) as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE public.held (v text)")
        connection.execute("INSERT INTO public.held VALUES (%s)", [value])
        connection.execute(
            "CREATE MATERIALIZED VIEW public.cast_ AS SELECT v::int FROM public.held WITH NO DATA"
        )
        connection.execute(
            "CREATE MATERIALIZED VIEW public.raised AS SELECT public.complain(v, 'P0001') FROM public.held "
            "WITH NO DATA"
        )
        found = list(refresh_findings(connection, source_catalog.read_catalog(connection).tables))
        assert len(found) == 2
        assert _MARKER not in repr(found)
    with session(url) as connection:
        migrated = migrate_copy(migrate, target_of(url), connection, environ=PROGRAMS)
    assert migrated.result.returncode != 0
    assert _MARKER not in migrated.result.output_tail
    assert _MARKER not in f"{migrated.result!r}{migrated.findings!r}"


@pytest.mark.parametrize("state", ["P0001", "23514"])
def test_no_report_or_log_of_a_restore_that_fails_at_a_row_holds_it(
    postgres_server: PostgresServer, ship: Callable[..., Shipped], tmp_path: Path, state: str
) -> None:
    value = f'first "line"\n{_MARKER}\nout of range: {_MARKER}'
    url = create_database(postgres_server, f"refused rows {tmp_path.name}")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION fits(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN true; END $$"
        )
        connection.execute("CREATE TABLE notes (v text CHECK (public.fits(v)))")
        connection.execute("INSERT INTO notes VALUES (%s)", [value])
        connection.execute(
            "CREATE OR REPLACE FUNCTION fits(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN "
            f"RAISE EXCEPTION 'value too long: %', v USING ERRCODE = '{state}', DETAIL = v; END $$".encode()
        )
    protected = ship(night_of(url, tmp_path / "store"))

    quarter = hold_drill(protected)

    assert quarter.result.verdict == "FAIL"
    assert _MARKER not in repr(quarter)
    kept = [path for path in (tmp_path / "store").rglob("*") if path.is_file() and "dump" not in path.parts]
    assert any("operations" in path.parts for path in kept)
    assert not [path for path in kept if _MARKER.encode() in path.read_bytes()]
    for file in protected.offsite.list(""):
        if "/dump/" not in file.key:
            with protected.offsite.open(file.key) as stream:
                assert _MARKER.encode() not in stream.read(), file.key
