"""Applies Drizzle's migrations as Drizzle does: the demo's stand-in for `npm run migrate`.

    DATABASE_URL=postgresql://... python -m hackorda_ops.local.migrate

The table, the hashes and the rule are those of drizzle-orm's migrator, so a database that this has
migrated looks to Drizzle like one of its own: `drizzle.__drizzle_migrations` holds the SHA-256 of each
file and the journal's `when`, and what is newer than the newest `when` there is pending.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).with_name("migrations")

_BREAKPOINT = "--> statement-breakpoint"


@dataclass(frozen=True)
class Migration:
    """One file of the migrations folder.

    Attributes:
        tag: the file's name without `.sql`.
        when_milliseconds: the journal's time of it, since 1970; the order of the migrations.
        statements: what it does, in order.
        digest: SHA-256 of the file, in hexadecimal.
    """

    tag: str
    when_milliseconds: int
    statements: tuple[str, ...]
    digest: str


def read_migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """The migrations that `meta/_journal.json` of a Drizzle folder lists, oldest first."""
    journal = json.loads((folder / "meta" / "_journal.json").read_text())
    return tuple(_read(folder, entry["tag"], entry["when"]) for entry in journal["entries"])


def migrate(url: str, migrations: Sequence[Migration]) -> list[str]:
    """Applies the pending ones of `migrations`, all in one transaction.

    Returns:
        The tags of those that were applied; none when the database was at head.

    Raises:
        psycopg.Error: a statement failed, and nothing was changed.
    """
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS drizzle")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations"
            " (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)"
        )
        row = connection.execute("SELECT max(created_at) FROM drizzle.__drizzle_migrations").fetchone()
        newest = None if row is None else row[0]
        pending = [each for each in migrations if newest is None or each.when_milliseconds > newest]
        for migration in pending:
            for statement in migration.statements:
                connection.execute(statement.encode())
            connection.execute(
                "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES (%s, %s)",
                [migration.digest, migration.when_milliseconds],
            )
    return [migration.tag for migration in pending]


def _read(folder: Path, tag: str, when_milliseconds: int) -> Migration:
    content = (folder / f"{tag}.sql").read_bytes()
    return Migration(
        tag=tag,
        when_milliseconds=when_milliseconds,
        statements=tuple(part.strip() for part in content.decode().split(_BREAKPOINT)),
        digest=hashlib.sha256(content).hexdigest(),
    )


def main() -> int:
    """Migrates the database that DATABASE_URL names to head; the exit code shows whether it worked."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        print("DATABASE_URL is not set.", file=sys.stderr)
        return 2
    try:
        applied = migrate(url, read_migrations())
    except psycopg.Error as problem:
        # The server's message, never the URL, which holds the password.
        print(
            f"Nothing was migrated: {problem.diag.message_primary or type(problem).__name__}", file=sys.stderr
        )
        return 1
    print("\n".join(f"applied {tag}" for tag in applied) or "nothing pending")
    return 0


if __name__ == "__main__":
    sys.exit(main())
