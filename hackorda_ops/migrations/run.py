"""Runs the team's own migration command on a restored database, and checks the result."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from hackorda_ops.config.expectations import Migrate
from hackorda_ops.findings import Finding
from hackorda_ops.hooks.command import passed_on, run_command
from hackorda_ops.hooks.parts import parts_of
from hackorda_ops.hooks.urls import url_of
from hackorda_ops.migrations.files import migration_folders
from hackorda_ops.migrations.measure import (
    applied,
    marked_findings,
    not_measured,
    pending,
    position_words,
    skipped_findings,
    undone_findings,
)
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolState, read_tool_states
from hackorda_ops.postgres.definitions.schema_digest import schema_digest
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, redact
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.words import named

_SHOWN_CHARACTERS: Final = 1000


@dataclass(frozen=True)
class Migrated:
    """What the migration command did, and the findings about it."""

    result: MigrationResult
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Position:
    """The database's migration state: by the tools' tables, and by its schema."""

    states: tuple[ToolState, ...]
    unread: tuple[str, ...]
    schema_sha256: str


def migrate_copy(
    migrate: Migrate,
    target: ConnectionTarget,
    connection: psycopg.Connection[Any],
    *,
    environ: Mapping[str, str],
) -> Migrated:
    """Migrates a restored database with the configured command, and checks whether it is migrated afterwards.

    The command finds the database in its own variables (`url_env`, `variables`), and of this process's environment
    only what `pass_env` names: no credentials of production, of the bucket or of Neon.

    Args:
        migrate: as configured. The files below its working directory show what is pending.
        target: the restored database, by its direct endpoint.
        connection: a session on it.
        environ: the environment.

    Raises:
        Stalled: it did not finish in time and was stopped.
        ToolFailed: it could not be started.
        OpsError: the connection failed.
    """
    before = _position(migrate, connection, target)
    finished = run_command(
        shlex.split(migrate.command),
        environment={
            **passed_on(environ, migrate.pass_env),
            migrate.url_env: url_of(target),
            **parts_of(migrate.variables, target, encrypted=connection.pgconn.ssl_in_use),
        },
        working_directory=migrate.working_directory,
        redact=lambda text: redact(text, target),
        deadline_seconds=migrate.timeout_minutes * 60,
    )
    after = _position(migrate, connection, target)
    folders, unlisted = migration_folders(migrate)
    result = MigrationResult(
        command=redact(migrate.command),
        returncode=finished.returncode,
        seconds=finished.seconds,
        before=position_words(before.states, folders),
        after=position_words(after.states, folders),
        applied=applied(before.states, after.states, folders),
        output_tail=finished.output_tail,
        pending_before=pending(before.states, folders),
        pending_after=pending(after.states, folders),
        half_applied=tuple(name for state in after.states for name in state.half_applied),
        not_measured=(*after.unread, *unlisted, *not_measured(after.states, folders)),
        schema_changed=before.schema_sha256 != after.schema_sha256,
    )
    return Migrated(
        result,
        (
            *outcome_findings(result),
            *undone_findings(before.states, after.states, folders),
            *marked_findings(after.states),
            *skipped_findings(after.states, folders),
        ),
    )


def outcome_findings(result: MigrationResult) -> Iterator[Finding]:
    """Signs that a migration failed: its exit code, and its tool's own table, which outlives it. Pure."""
    if result.returncode != 0:
        yield Finding(
            "migrations failed",
            result.command,
            "return code 0",
            f"return code {result.returncode}: {result.output_tail[-_SHOWN_CHARACTERS:] or 'no output'}",
            "Run the command on a copy of this backup by hand; fix the migration before it is deployed.",
        )
    for name in result.half_applied:
        yield Finding(
            "migration half applied",
            name,
            "started and finished",
            "started, but neither finished nor rolled back",
            "Check which of its statements took effect, and fix the migration before it is deployed (Prisma: prisma "
            "migrate resolve; golang-migrate: migrate force; Flyway: flyway repair).",
        )
    if result.returncode == 0 and result.pending_after:
        yield Finding(
            "migrations pending",
            result.command,
            "nothing left to apply",
            f"{len(result.pending_after)} left: {named(result.pending_after)}",
            "Find out why the command did not apply them: it may use another folder, or another database.",
        )


def row_losses(before: Mapping[TableName, int], after: Mapping[TableName, int]) -> Iterator[Finding]:
    """What the migration removed, which may be its purpose. Pure.

    Args:
        before: rows of whole tables before it (`postgres.catalogs.whole_tables`).
        after: rows of whole tables after it.
    """
    for name, rows in before.items():
        now = after.get(name)
        if now is None:
            yield Finding(
                "table lost in migration",
                str(name),
                f"{rows:,} rows as before",
                "no such table",
                "If it was meant to be dropped or renamed, nothing is wrong.",
            )
        elif now < rows:
            yield Finding(
                "rows lost in migration",
                str(name),
                f"{rows:,} rows as before",
                f"{now:,} rows",
                "If it was meant to delete them, nothing is wrong.",
            )


def _position(migrate: Migrate, connection: psycopg.Connection[Any], target: ConnectionTarget) -> _Position:
    with translated_errors(target, "Reading the state of the migrations"):
        tables = source_catalog.read_catalog(connection).tables
        read = read_tool_states(connection, tables, migrate.table)
        return _Position(read.states, read.unread, schema_digest(connection))
