"""Migrations that fail on the restored copy, and those that only look as if they had not."""

from typing import Final

from hackorda_ops_tests.gallery.damages import Damage
from hackorda_ops_tests.gallery.ways import ByMigrations

_PRISMA: Final = """
CREATE TABLE _prisma_migrations (id text PRIMARY KEY, checksum text NOT NULL, finished_at timestamptz,
    migration_name text NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count int NOT NULL DEFAULT 0);
INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'c', '20260101_add_stock');
"""

DAMAGES: Final = (
    Damage(
        "migrations that stop half way",
        "a migration that the copy's rows don't allow",
        ByMigrations("ALTER TABLE orders ADD COLUMN stock int", exit_code=3),
        "migrations failed",
        "migrate.py",
    ),
    Damage(
        "a migration that is half applied, and a command that says all is well",
        "a command in a script that loses the return code",
        ByMigrations(_PRISMA),
        "migration half applied",
        "20260101_add_stock",
    ),
    Damage(
        "migrations that take the database back",
        "a migration command of an older release",
        ByMigrations("DELETE FROM drizzle.__drizzle_migrations WHERE id = 2"),
        "migration undone",
        "drizzle",
    ),
)
