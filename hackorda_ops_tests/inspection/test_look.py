"""Looks at a live database: what is asked for is shown, and no value of a row or of a query is."""

import json
import os
import threading
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.inspection.views import VIEWS
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import create_database, delete_server, running_postgres
from hackorda_ops.redaction.query_text import NOT_SHOWN, without_values
from hackorda_ops_tests.e2e.redis import running_redis
from hackorda_ops_tests.inspection.conftest import SECRET, Run


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT * FROM users WHERE id = $1", "SELECT * FROM users WHERE id = $1"),
        ("SELECT *, 2.5e3, 0xff, t1.c2 FROM t1 LIMIT 42", "SELECT *, …, …, t1.c2 FROM t1 LIMIT …"),
        (f"SELECT a /* {SECRET} */ FROM b -- {SECRET}", "SELECT a FROM b"),
        (f"SELECT a /* unfinished {SECRET}", "SELECT a"),
        (f"SELECT * FROM users WHERE mail = '{SECRET}'", NOT_SHOWN),
        (f"SELECT 'a\\' AND mail = '{SECRET}'", NOT_SHOWN),
        (f"SELECT $tag$ {SECRET} $tag$", NOT_SHOWN),
        (f"SELECT $$ {SECRET} $$", NOT_SHOWN),
        ('INSERT INTO "Order 66" ("2fa") VALUES (7)', 'INSERT INTO "Order 66" ("2fa") VALUES (…)'),
        ("  with x as (select 1) select * from x", "with x as (select …) select * from x"),
        ("CREATE ROLE app PASSWORD 'x'", NOT_SHOWN),
        ("/* a comment */ ALTER ROLE app PASSWORD 'x'", NOT_SHOWN),
        ("<insufficient privilege>", NOT_SHOWN),
        ("", NOT_SHOWN),
    ],
)
def test_a_querys_text_is_shown_without_values(query: str, shown: str) -> None:
    assert without_values(query) == shown


def test_every_view_is_named_and_can_be_read(run: Run) -> None:
    assert json.loads(run("look", "--json").stdout) == dict(VIEWS)
    assert "slow-queries" in run("look").stdout
    for view in VIEWS:
        done = run("look", view)
        assert done.returncode == 0, done.stderr


def test_sizes_and_rows_are_of_the_databases_own_tables(run: Run) -> None:
    found = json.loads(run("look", "sizes", "--json").stdout)["rows"]
    assert {"public.users", "public.orders", "public.quiet"} <= {each["table"] for each in found}
    assert all(each["total_bytes"] >= each["table_bytes"] for each in found)
    assert len(json.loads(run("look", "rows", "--rows", "2", "--json").stdout)["rows"]) == 2


def test_connections_are_counted_against_how_many_there_may_be(run: Run, source: str) -> None:
    with psycopg.connect(source, application_name="a shop"):
        seen = json.loads(run("look", "connections", "--json").stdout)
    assert any(each["application"] == "a shop" and each["connections"] == 1 for each in seen["rows"])
    assert "of 60 connections (max_connections) are in use" in seen["notes"][0]


def test_who_waits_for_whom_is_shown_without_their_queries(run: Run, source: str) -> None:
    with psycopg.connect(source) as holder, psycopg.connect(source) as waiter:
        holder.execute("LOCK TABLE quiet")

        def wait() -> None:
            waiter.execute(f"SELECT FROM quiet WHERE mail = '{SECRET}'")

        waiting = threading.Thread(target=wait)
        waiting.start()
        with psycopg.connect(source, autocommit=True) as watcher:
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
            while watcher.execute(blocked).fetchone() == (0,):
                pass
        [seen] = json.loads(run("look", "waiting", "--json").stdout)["rows"]
        assert (seen["process"], seen["for processes"]) == (
            waiter.info.backend_pid,
            str(holder.info.backend_pid),
        )
        holder.rollback()
        waiting.join()


def test_slow_queries_without_the_extension_say_what_is_missing(run: Run) -> None:
    seen = json.loads(run("look", "slow-queries", "--json").stdout)
    assert seen["rows"] == []
    assert "CREATE EXTENSION pg_stat_statements" in seen["notes"][0]


def test_an_unknown_view_is_a_mistake(run: Run) -> None:
    done = run("look", "users")
    assert done.returncode == 2
    assert "Name one of: rows, sizes" in done.stderr


def test_slow_queries_are_shown_without_their_values(server_folder: Path, tmp_path: Path) -> None:
    folder = server_folder / "with statements"
    with running_postgres(folder, settings={"shared_preload_libraries": "pg_stat_statements"}) as server:
        url = create_database(server, "slow")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("CREATE EXTENSION pg_stat_statements; CREATE TABLE users (mail text)")
            session.execute(f"SELECT count(*) FROM users WHERE mail = '{SECRET}' /* {SECRET} */")
            session.execute(f"COMMENT ON TABLE users IS '{SECRET}'")
        protected = Protected("shop", Policy(), {"PATH": os.environ["PATH"], "DATABASE_URL": url})
        seen = engine_of(protected.policy).look_at(
            protected, "slow-queries", private_folder=tmp_path, rows=50
        )
    delete_server(folder)
    queries = [row[0] for row in seen.rows]
    assert "SELECT count(*) FROM users WHERE mail = $1" in queries
    assert NOT_SHOWN in queries
    assert SECRET not in str(seen)


def test_a_redis_server_shows_its_keys_and_counters(tmp_path: Path) -> None:
    policy = Policy.model_validate({"engine": "redis", "source": {"url_env": "REDIS_URL"}})
    with running_redis(tmp_path) as url:
        protected = Protected("cache", policy, {"PATH": os.environ["PATH"], "REDIS_URL": url})
        engine = engine_of(policy)
        looks = {
            view: engine.look_at(protected, view, private_folder=tmp_path, rows=50) for view in engine.views
        }
    assert list(looks["keys"].rows) == []
    assert ("evicted_keys", "0") in looks["counters"].rows
