"""Looks at a live Postgres database: sizes, rows, connections, slow queries. Read-only, without any row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg

from hackorda_ops.engines.contents import LiveView
from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.redaction.query_text import without_values

_SETTINGS: Final = {**SHORT_SETTINGS, "default_transaction_read_only": "on", "statement_timeout": "15s"}
# An operator is waiting: long enough for a suspended compute, not for a restarting server.
_RETRY_BUDGET_SECONDS: Final = 10.0

_OWN: Final = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_ROWS: Final = """
SELECT s.schemaname || '.' || s.relname, s.n_live_tup, s.n_dead_tup, s.n_mod_since_analyze,
       greatest(s.last_vacuum, s.last_autovacuum), greatest(s.last_analyze, s.last_autoanalyze)
  FROM pg_catalog.pg_stat_user_tables s ORDER BY 2 DESC, 1 LIMIT %(rows)s
"""
# Sizes come from the file system and take a lock for a moment; one that is being altered is waited for only briefly.
_SIZES: Final = f"""
SELECT n.nspname || '.' || c.relname, pg_catalog.pg_total_relation_size(c.oid), pg_catalog.pg_table_size(c.oid),
       pg_catalog.pg_indexes_size(c.oid)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND {_OWN} AND c.relpersistence <> 't' ORDER BY 2 DESC, 1 LIMIT %(rows)s
"""
_CONNECTIONS: Final = """
SELECT coalesce(a.datname, '(none)'), coalesce(a.usename, '(none)'),
       coalesce(nullif(a.application_name, ''), '(none)'), coalesce(a.state, '(unknown)'), count(*),
       round(extract(epoch FROM max(pg_catalog.now() - a.state_change)))::bigint,
       round(extract(epoch FROM max(pg_catalog.now() - a.xact_start)))::bigint
  FROM pg_catalog.pg_stat_activity a WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
 GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4 LIMIT %(rows)s
"""
_LIMIT: Final = """
SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'),
       pg_catalog.current_setting('max_connections')::int
"""
_WAITING: Final = """
SELECT a.pid, coalesce(a.usename, '(none)'), coalesce(nullif(a.application_name, ''), '(none)'),
       round(extract(epoch FROM pg_catalog.now() - a.state_change))::bigint,
       pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(a.pid), ', ')
  FROM pg_catalog.pg_stat_activity a WHERE pg_catalog.cardinality(pg_catalog.pg_blocking_pids(a.pid)) > 0
 ORDER BY 4 DESC NULLS LAST, 1 LIMIT %(rows)s
"""
_SLOW: Final = """
SELECT s.query, s.calls, s.mean_exec_time, s.total_exec_time, s.rows
  FROM {schema}.pg_stat_statements s
 WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
 ORDER BY s.mean_exec_time DESC LIMIT %(rows)s
"""
_WHERE_STATEMENTS: Final = """
SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'
"""


@dataclass(frozen=True)
class _View:
    shows: str
    read: Callable[[psycopg.Connection[Any], int], LiveView]


def _queried(
    columns: Sequence[str], query: str, *notes: str
) -> Callable[[psycopg.Connection[Any], int], LiveView]:
    def read(connection: psycopg.Connection[Any], rows: int) -> LiveView:
        return LiveView(columns, connection.execute(query.encode(), {"rows": rows}).fetchall(), notes)

    return read


_connections = _queried(
    (
        "database",
        "role",
        "application",
        "state",
        "connections#",
        "longest in state, s#",
        "longest transaction, s#",
    ),
    _CONNECTIONS,
)


def _read_connections(connection: psycopg.Connection[Any], rows: int) -> LiveView:
    [(used, limit)] = connection.execute(_LIMIT.encode()).fetchall()
    return replace(
        _connections(connection, rows),
        notes=(f"{used} of {limit} connections (max_connections) are in use.",),
    )


def _read_slow(connection: psycopg.Connection[Any], rows: int) -> LiveView:
    columns = ("query", "calls#", "mean, ms#", "total, ms#", "rows#")
    found = connection.execute(_WHERE_STATEMENTS.encode()).fetchall()
    if not found:
        return LiveView(
            columns,
            (),
            (
                "The extension pg_stat_statements isn't installed in this database. Its administrator adds it to "
                "shared_preload_libraries (on Neon it's there) and runs CREATE EXTENSION pg_stat_statements.",
            ),
        )
    [(schema,)] = found
    try:
        seen = connection.execute(_SLOW.format(schema=schema).encode(), {"rows": rows}).fetchall()
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return LiveView(
            columns, (), ("pg_stat_statements isn't in shared_preload_libraries, so it has seen nothing.",)
        )
    return LiveView(
        columns,
        [
            (without_values(query), calls, round(mean, 2), round(total, 1), touched)
            for query, calls, mean, total, touched in seen
        ],
        ("Numbers and comments are removed from the text; what may hold another value isn't shown.",),
    )


_VIEWS: Final[Mapping[str, _View]] = {
    "rows": _View(
        "rows of each table, by the server's own estimate, and when it was last vacuumed and analyzed",
        _queried(
            ("table", "rows#", "dead rows#", "changed since analyze#", "last vacuum", "last analyze"),
            _ROWS,
            "Rows are the server's estimates; `hackorda-ops show` has the exact numbers of a night.",
        ),
    ),
    "sizes": _View(
        "how large each table is on disk, with and without its indexes",
        _queried(("table", "total_bytes#", "table_bytes#", "indexes_bytes#"), _SIZES),
    ),
    "connections": _View(
        "who is connected, in which state, and how many connections there may be", _read_connections
    ),
    "waiting": _View(
        "which sessions wait for a lock, and for whom",
        _queried(("process", "role", "application", "waits, s#", "for processes"), _WAITING),
    ),
    "slow-queries": _View("the slowest queries, from pg_stat_statements, without values", _read_slow),
}
VIEWS: Final[Mapping[str, str]] = {name: each.shows for name, each in _VIEWS.items()}


def look_at(protected: Protected, name: str, *, private_folder: Path, rows: int) -> LiveView:
    """Takes one look at the source.

    Args:
        protected: the database.
        name: one of `VIEWS`.
        private_folder: for files that must not be read by others.
        rows: how many are shown.

    Raises:
        UsageError: there's no such view.
        OpsError: the source can't be reached or read.
    """
    view = _VIEWS.get(name)
    if view is None:
        raise UsageError(
            f"There's no view {name!r}.",
            meaning="Nothing was read.",
            next_step=f"Name one of: {', '.join(_VIEWS)}.",
        )
    target = protected.source(private_folder=private_folder)
    with (
        connect(
            target,
            application_name="hackorda_ops look",
            settings=_SETTINGS,
            retry_budget_seconds=_RETRY_BUDGET_SECONDS,
        ) as connection,
        translated_errors(target, f"Looking at {name}"),
    ):
        return view.read(connection, rows)
