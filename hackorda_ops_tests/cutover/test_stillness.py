"""Whether nobody writes: what counts, and what doesn't."""

import secrets
from dataclasses import replace

import psycopg
import pytest

from hackorda_ops.config.cutover import CutoverPlan
from hackorda_ops.config.models import Policy
from hackorda_ops.cutover.sheets import NewServer, variable_lines
from hackorda_ops.cutover.stillness import WriteCounters, judge, read_counters
from hackorda_ops.postgres.sessions import connection

IDLE = WriteCounters({"public.users": 10}, 1000, (), 0, {"shop": 2})


def test_the_wal_alone_does_not_decide_and_is_explained() -> None:
    found = judge(IDLE, replace(IDLE, wal_bytes=51_000), 15)

    assert found.against == ()
    assert "the WAL moved by 50.0 kB, which the server's own records" in found.seen
    assert "Still connected, without writing: shop 2" in found.seen


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (replace(IDLE, rows={"public.users": 12}), "public.users (+2)"),
        (replace(IDLE, rows={}), "public.users (-10)"),
        (replace(IDLE, rows={**IDLE.rows, "public.new": 1}), "public.new (+1)"),
        (replace(IDLE, writers=("process 7 of shop",)), "process 7 of shop"),
        (replace(IDLE, prepared=1), "1 prepared transaction may still be committed"),
    ],
)
def test_whatever_may_have_written_is_named(after: WriteCounters, sentence: str) -> None:
    [against] = judge(IDLE, after, 15).against

    assert sentence in against


def test_transactions_whose_rows_may_not_be_reported_yet_take_a_longer_interval() -> None:
    later = replace(IDLE, next_xid=IDLE.next_xid + 3)

    early, late = judge(IDLE, later, 1), judge(IDLE, later, 15)

    assert early.too_early
    assert "3 transactions with an id ended on the server within 1 s" in early.against[0]
    assert late.against == ()


@pytest.mark.server
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users VALUES (2)",
        "TRUNCATE users",
        "ALTER TABLE users ADD extra int",
        "SELECT lo_from_bytea(0, 'a photo')",
    ],
)
def test_rows_definitions_and_large_objects_are_counted(new_database: str, statement: str) -> None:
    with (
        psycopg.connect(new_database, autocommit=True) as writer,
        psycopg.connect(new_database, autocommit=True) as reader,
    ):
        writer.execute("CREATE TABLE users (id int)")
        writer.execute("INSERT INTO users VALUES (1)")
        writer.execute("SELECT pg_stat_force_next_flush()")
        before = read_counters(reader)
        assert judge(before, read_counters(reader), 1).against == ()

        writer.execute(statement.encode())
        writer.execute("SELECT pg_stat_force_next_flush()")
        writer.execute("SELECT 1")

        assert judge(before, read_counters(reader), 1).against != ()


@pytest.mark.server
def test_a_role_without_rights_sees_who_writes(new_database: str) -> None:
    role = f"looker_{secrets.token_hex(3)}"
    with (
        psycopg.connect(new_database, autocommit=True, application_name="admin") as admin,
        psycopg.connect(new_database, application_name="shop worker") as writer,
    ):
        admin.execute(f"CREATE ROLE {role}")
        admin.execute("CREATE TABLE users (id int)")
        writer.execute("INSERT INTO users VALUES (1)")
        admin.execute(f"SET ROLE {role}")

        found, pid = read_counters(admin), writer.info.backend_pid

        admin.execute("RESET ROLE")
        admin.execute(f"DROP ROLE {role}")
    assert found.writers == (f"process {pid} of postgres (shop worker)",)


def lines(**server: object) -> str:
    plan = CutoverPlan.model_validate({"target": {"pooled_url_env": "POOLED"}})
    direct = connection.parse("postgresql://app:secret@ep-a.neon.tech/neondb?sslmode=require", origin="x")
    given = {"direct": direct, "pooled": None, "connections": 97, "has_ca_bundle": False} | server
    return "\n".join(variable_lines(Policy(), plan, NewServer(**given)))  # type: ignore[arg-type]


def test_the_variables_to_set_have_names_and_shapes_and_no_secret() -> None:
    text = lines()

    assert (
        "DATABASE_URL=postgresql://app:<the password in $MANAGED_DATABASE_URL>@ep-a.neon.tech/neondb" in text
    )
    assert "DB_SSL_MODE=verify" in text
    assert "at most 87" in text
    assert "secret" not in text


def test_behind_a_pooler_migrations_stay_direct_and_the_time_limit_moves_into_the_database() -> None:
    pooled = connection.parse("postgresql://app:secret@ep-a-pooler.neon.tech/neondb", origin="x")

    text = lines(pooled=pooled, has_ca_bundle=True)

    assert "DATABASE_URL=postgresql://app:<the password in $POOLED>@ep-a-pooler.neon.tech/neondb" in text
    assert (
        "DIRECT_DATABASE_URL=postgresql://app:<the password in $MANAGED_DATABASE_URL>@ep-a.neon.tech" in text
    )
    assert "ALTER DATABASE \"neondb\" SET statement_timeout = '15s';" in text
    assert "DB_CA_CERT=<the PEM text in $MANAGED_CA_CERT>" in text
