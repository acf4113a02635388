"""Our own sessions: opened with retries, under known settings, with errors that say what to do."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from hackorda_ops.errors import LoginRefused
from hackorda_ops.postgres.sessions.answering import Answering
from hackorda_ops.postgres.sessions.connection import CONNECT_TIMEOUT_SECONDS, ConnectionTarget
from hackorda_ops.postgres.sessions.failed_login import sqlstate_of_refusal
from hackorda_ops.postgres.sessions.server_errors import (
    connection_error,
    is_unknown_answer,
    is_unknown_host,
    statement_error,
)
from hackorda_ops.postgres.sessions.settings import COMPARABLE_SETTINGS, client_encoding

_FIRST_PAUSE_SECONDS: Final = 0.25
_LONGEST_PAUSE_SECONDS: Final = 5.0
# A name without an address is far more often a typo than a temporary problem.
_UNKNOWN_HOST_BUDGET_SECONDS: Final = 5.0
# So is an answer in an unknown language whose SQLSTATE can't be determined.
_UNKNOWN_ANSWER_BUDGET_SECONDS: Final = 15.0

# Two minutes until a dead network is noticed, on both ends: ours stops waiting, and the server
# releases the locks and the snapshot of a client that is gone.
_KEEPALIVES: Final = {"keepalives_idle": "60", "keepalives_interval": "15", "keepalives_count": "4"}
SERVER_KEEPALIVES: Final = {f"tcp_{name}": value for name, value in _KEEPALIVES.items()}

# Time limits that only newer servers know, by the server_version_num that introduced them.
_TIME_LIMITS: Final = {"idle_session_timeout": 140000, "transaction_timeout": 170000}

# What libpq would otherwise take from this process's PG* variables, and thus from the shell that started it.
_BLANK: Final = (
    "hostaddr",
    "requirepeer",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "passfile",
)
_LIBPQ_DEFAULTS: Final = dict.fromkeys(_BLANK, "") | {
    default.keyword.decode(): default.compiled.decode()
    for default in pq.Conninfo.get_defaults()
    if default.envvar is not None and default.compiled is not None
}


def connect(
    target: ConnectionTarget,
    *,
    application_name: str,
    settings: Mapping[str, str] = COMPARABLE_SETTINGS,
    retry_budget_seconds: float = 60,
    autocommit: bool = True,
) -> psycopg.Connection[TupleRow]:
    """Opens a session, waiting for a server that is suspended, starting up or restarting.

    Settings and the application's name are given by `SET` once connected, because a proxy in
    between may drop start-up settings.

    Args:
        target: where to; PG* variables of this process lead nowhere else.
        application_name: shown in pg_stat_activity.
        settings: of the session, overriding those of the database and the role.
        retry_budget_seconds: how long to go on trying; no attempt begins after it, and each has
            its own limit (connect_timeout, 30 seconds by default, per address of the host).
        autocommit: of the session that is returned.

    Raises:
        LoginRefused: at once, for a wrong password, an unknown role or database, refused TLS. Where the server
            speaks another language, and not on Linux, after 15 seconds.
        PermanentError: the host's name has had no address for 5 seconds.
        ServerUnreachable: nothing answered within the budget.
    """
    conninfo = conninfo_of(target)
    began = time.monotonic()
    pause_seconds = _FIRST_PAUSE_SECONDS
    while True:
        try:
            # Statements here run once each, and a pooler could confuse prepared ones.
            connection = Answering.connect(conninfo, autocommit=True, prepare_threshold=None)
            break
        except psycopg.Error as error:
            failure = error
        # Handled out here, so that the original error doesn't become the context of ours.
        sqlstate = sqlstate_of_refusal(conninfo) if is_unknown_answer(failure) else None
        unknown = is_unknown_answer(failure) and sqlstate is None
        budget_seconds = retry_budget_seconds
        if is_unknown_host(failure):
            budget_seconds = min(budget_seconds, _UNKNOWN_HOST_BUDGET_SECONDS)
        elif unknown:
            budget_seconds = min(budget_seconds, _UNKNOWN_ANSWER_BUDGET_SECONDS)
        spent = time.monotonic() - began + pause_seconds > budget_seconds
        waited = spent and unknown and budget_seconds == _UNKNOWN_ANSWER_BUDGET_SECONDS
        problem = connection_error(target, failure, sqlstate=sqlstate, waited=waited)
        if spent or isinstance(problem, LoginRefused):
            raise problem
        time.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
    try:
        with translated_errors(target, "Setting up the session"):
            pid = _set(connection, {**SERVER_KEEPALIVES, **settings, "application_name": application_name})
            connection.watch(conninfo, pid, settings)
            connection.autocommit = autocommit
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def letting_go(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Releases, when the block ends, every lock that its statements took.

    Otherwise a transaction keeps its locks until its end, and a count also locks a table's indexes: thousands of
    them fill the server's lock table, and then other sessions fail.

    Args:
        connection: in a transaction or not; what the block changes is undone.

    Raises:
        psycopg.Error: the caller translates.
    """
    with connection.transaction(force_rollback=True):
        yield


def fetch_letting_go(connection: psycopg.Connection[Any], query: sql.Composed) -> list[tuple[Any, ...]]:
    """The rows of one query, whose locks are released afterwards (`letting_go`), in one round trip.

    Raises:
        psycopg.Error: the caller translates.
    """
    if connection.info.transaction_status == pq.TransactionStatus.IDLE:
        return connection.execute(query).fetchall()
    cursor = connection.execute(
        sql.SQL(
            "SAVEPOINT one_query; {}; ROLLBACK TO SAVEPOINT one_query; RELEASE SAVEPOINT one_query"
        ).format(query)
    )
    cursor.nextset()
    return cursor.fetchall()


@contextmanager
def translated_errors(target: ConnectionTarget, doing: str) -> Iterator[None]:
    """Turns every psycopg error of the block into this product's own, without secrets.

    Args:
        target: the database that the block works on.
        doing: what it does, as the start of a sentence ("Counting the rows").

    Raises:
        OpsError: `ConnectionLost`, `RightsMissing`, `DiskFull`, … (`server_errors.statement_error`).
    """
    try:
        yield
    except psycopg.Error as error:
        raise statement_error(target, error, doing) from None


def conninfo_of(target: ConnectionTarget) -> str:
    """How our sessions reach a database, with the password in it: for no log."""
    ours = {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS), **_KEEPALIVES}
    return make_conninfo(
        **{**_LIBPQ_DEFAULTS, **ours, **target.parameters, "password": target.password or ""}
    )


def _set(connection: psycopg.Connection[TupleRow], settings: Mapping[str, str]) -> int:
    """Gives the session its settings, and returns its process on the server."""
    [(pid, _), *_] = connection.execute(setting_statement(connection, settings)).fetchall()
    return int(pid)


def setting_statement(connection: psycopg.Connection[TupleRow], settings: Mapping[str, str]) -> sql.Composed:
    """The statement that gives a session its settings, also one of another program.

    Args:
        connection: a session on the same server.
        settings: as for `connect`.
    """
    version = connection.info.server_version
    limits_off = {name: "0" for name, since in _TIME_LIMITS.items() if version >= since}
    encoding = client_encoding(connection.info.parameter_status("server_encoding") or "")
    # Messages in English, if the role has the right to set that.
    may_ask = (
        "pg_catalog.has_parameter_privilege('lc_messages', 'SET')"
        if version >= 150000
        else "pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on'"
    )
    wanted = {**limits_off, **settings, "client_encoding": encoding, "lc_messages": "C"}
    return sql.SQL(
        "SELECT pg_catalog.pg_backend_pid(), pg_catalog.set_config(name, value, false)"
        # Qualified to the last operator: until now the search_path is whatever the database's owner made it.
        " FROM ROWS FROM (pg_catalog.unnest({}::pg_catalog.text[]), pg_catalog.unnest({}::pg_catalog.text[]))"
        " AS wanted (name, value)"
        " WHERE name OPERATOR(pg_catalog.<>) 'lc_messages' OR {}"
    ).format(sql.Literal(list(wanted)), sql.Literal(list(wanted.values())), sql.SQL(may_ask))
