"""Runs the team's own migration command on a restored database."""

import shlex
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import psycopg

from hackorda_ops.config import Migrate
from hackorda_ops.drill.result import MigrationResult
from hackorda_ops.postgres import child, source_catalog
from hackorda_ops.postgres.connection import ConnectionTarget, redact
from hackorda_ops.postgres.inventory import MigrationState
from hackorda_ops.postgres.session import translated_errors

_KEPT_LINES: Final = 40
# What a program needs to start and to find its files; everything else is asked for by name.
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
# What drivers outside of libpq understand as well.
_URL_PARAMETERS: Final = ("sslmode", "sslrootcert", "channel_binding", "options")


def migrate_copy(
    migrate: Migrate,
    target: ConnectionTarget,
    connection: psycopg.Connection[Any],
    *,
    environ: Mapping[str, str],
) -> MigrationResult:
    """Migrates a restored database with the configured command.

    The command finds the database in its own variable (`url_env`), and of this process's environment
    only what `pass_env` names: no credentials of production, of the bucket or of Neon.

    Args:
        migrate: as configured.
        target: the restored database, by its direct endpoint.
        connection: a session on it.
        environ: the environment.

    Raises:
        Stalled: it did not end in time and was ended.
        ToolFailed: it could not be started.
        OpsError: the connection failed.
    """
    before = _state(connection, target)
    said: deque[str] = deque(maxlen=_KEPT_LINES)
    finished = child.run(
        shlex.split(migrate.command),
        environment={
            **{name: environ[name] for name in (*_KEPT_VARIABLES, *migrate.pass_env) if name in environ},
            migrate.url_env: url_of(target),
        },
        working_directory=migrate.working_directory,
        on_stdout_line=said.append,
        on_stderr_line=said.append,
        redact=lambda text: redact(text, target),
        deadline_seconds=migrate.timeout_minutes * 60,
    )
    after = _state(connection, target)
    return MigrationResult(
        command=redact(migrate.command),
        returncode=finished.returncode,
        seconds=finished.seconds,
        before=_words(before),
        after=_words(after),
        applied=applied(before, after),
        output_tail="\n".join(said),
    )


def url_of(target: ConnectionTarget) -> str:
    """A target as the URL that application drivers read, password included."""
    host, port = target.host, f":{target.port}"
    query = {name: target.parameters[name] for name in _URL_PARAMETERS if name in target.parameters}
    # "system" is libpq's own word for the system's certificates; other drivers look for a file of that name.
    if query.get("sslrootcert") == "system":
        del query["sslrootcert"]
    if host.startswith("/"):
        query["host"] = host
        host = ""
    elif ":" in host:
        host = f"[{host}]"
    secret = f":{quote(target.password, safe='')}" if target.password is not None else ""
    tail = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"postgresql://{quote(target.user, safe='')}{secret}@{host}{port}/{quote(target.database, safe='')}{tail}"


def applied(before: Sequence[MigrationState], after: Sequence[MigrationState]) -> int | None:
    """How many migrations came into force; None where no known tool keeps its state there."""
    if not before and not after:
        return None
    return sum(state.applied for state in after) - sum(state.applied for state in before)


def _state(connection: psycopg.Connection[Any], target: ConnectionTarget) -> tuple[MigrationState, ...]:
    with translated_errors(target, "Reading the state of the migrations"):
        return source_catalog.read_catalog(connection).migrations


def _words(states: Sequence[MigrationState]) -> str | None:
    return (
        "; ".join(f"{state.tool}: {state.applied}, newest {state.latest or 'none'}" for state in states)
        or None
    )
