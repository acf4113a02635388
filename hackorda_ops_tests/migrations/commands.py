"""Migration commands for tests, and how they are run on a copy."""

import os
import shlex
import sys

from hackorda_ops.config.expectations import Migrate
from hackorda_ops.migrations.run import Migrated, migrate_copy
from hackorda_ops_tests.postgres.awkward import session, target_of

PROGRAMS = {"PATH": os.environ["PATH"]}


def migrated(url: str, **options: object) -> Migrated:
    """Runs a migration command, configured so, on a copy."""
    with session(url) as connection:
        return migrate_copy(Migrate.model_validate(options), target_of(url), connection, environ=PROGRAMS)


def running(*statements: str, exit_code: int = 0) -> str:
    """A migration command that does this, each statement for itself, and ends so."""
    program = (
        "import os, sys, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL'], autocommit=True) as connection:\n"
        f"    for statement in {list(statements)!r}: connection.execute(statement)\n"
        f"sys.exit({exit_code})"
    )
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"


def found_in(run: Migrated) -> list[tuple[str, str]]:
    """What speaks against a migration: codes and severities."""
    return [(each.code, each.severity) for each in run.findings]
