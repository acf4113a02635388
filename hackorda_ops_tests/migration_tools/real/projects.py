"""A team's project for each tool: two migrations that apply, a third that is broken, and the third as it should be."""

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

USERS = "CREATE TABLE users (id int PRIMARY KEY, name text);"
ISSUES = "CREATE TABLE issues (id int PRIMARY KEY, title text);"
LABELS = "ALTER TABLE issues ADD COLUMN label text;"
BROKEN = "ALTER TABLE issues_of_nobody ADD COLUMN label text;"


@dataclass(frozen=True)
class Project:
    """A team's folder.

    Attributes:
        tool: its name in the registry.
        files: of the folder, with the first two migrations.
        third: gives the files that the third migration adds or changes, given its SQL.
        names: what the product calls the three migrations.
        command: the team's, given where npm's packages are.
        counted: how many migrations are in force after the first two; the tool may bring its own.
    """

    tool: str
    files: Mapping[str, str]
    third: Callable[[str], Mapping[str, str]]
    names: tuple[str, str, str]
    command: Callable[[Path], str]
    counted: int = 2

    def write(self, folder: Path, node_modules: Path) -> None:
        """Writes the folder with the first two migrations."""
        if not (folder / "node_modules").is_symlink():
            (folder / "node_modules").symlink_to(node_modules)
        write(folder, self.files)


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


_MADE_AT = 1_767_225_600_000


def _journal(*tags: str) -> str:
    entries = ",".join(
        f'{{"idx": {number}, "version": "7", "when": {_MADE_AT + number}, "tag": "{tag}", "breakpoints": true}}'
        for number, tag in enumerate(tags)
    )
    return f'{{"version": "7", "dialect": "postgresql", "entries": [{entries}]}}'


def drizzle(migrations: Mapping[str, str], *, url_env: str = "DATABASE_URL") -> dict[str, str]:
    """The files of a project of drizzle-kit: its configuration, and the SQL of each migration by its tag."""
    return {
        "drizzle.config.ts": "export default { dialect: 'postgresql', out: './drizzle',"
        f" dbCredentials: {{ url: process.env.{url_env} }} }};\n",
        "drizzle/meta/_journal.json": _journal(*migrations),
        **{f"drizzle/{tag}.sql": sql for tag, sql in migrations.items()},
    }


_DRIZZLE = Project(
    "drizzle",
    drizzle({"0000_users": USERS, "0001_issues": ISSUES}),
    lambda sql: drizzle({"0000_users": USERS, "0001_issues": ISSUES, "0002_labels": sql}),
    ("0000_users", "0001_issues", "0002_labels"),
    lambda packages: f"{packages}/.bin/drizzle-kit migrate",
)

_PRISMA_CONFIG = """
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";

// The adapter knows neither "char" nor name, which the engine reads from the catalogs: both are text.
pg.types.builtins.BIT = 18;
pg.types.builtins.XML = 19;

// The engine leaves a timer of ten seconds behind, which is its limit for the lock: nothing waits for that.
const later = globalThis.setTimeout;
globalThis.setTimeout = (run, delay, ...rest) => {
  const timer = later(run, delay, ...rest);
  if (delay >= 10_000) timer.unref();
  return timer;
};

export default {
  schema: "prisma/schema.prisma",
  engine: "js",
  experimental: { adapter: true },
  migrations: { path: "prisma/migrations" },
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL, idleTimeoutMillis: 10 }),
};
"""
# Prisma's engine is the one in its package: without these it would download two others.
PRISMA_ENVIRONMENT = {
    "PRISMA_QUERY_ENGINE_LIBRARY": "no-engine",
    "PRISMA_SCHEMA_ENGINE_BINARY": "/bin/false",
    "CHECKPOINT_DISABLE": "1",
    "PRISMA_HIDE_UPDATE_MESSAGE": "1",
}


def prisma(migrations: Mapping[str, str]) -> dict[str, str]:
    """The files of a project of Prisma: its configuration, and the SQL of each migration by its folder's name."""
    return {
        "prisma.config.mjs": _PRISMA_CONFIG,
        "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n  url      = env("DATABASE_URL")\n}\n',
        "no-engine": "",
        "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
        **{f"prisma/migrations/{name}/migration.sql": sql for name, sql in migrations.items()},
    }


_PRISMA = Project(
    "prisma",
    prisma({"20260101000000_users": USERS, "20260201000000_issues": ISSUES}),
    lambda sql: {"prisma/migrations/20260301000000_labels/migration.sql": sql},
    ("20260101000000_users", "20260201000000_issues", "20260301000000_labels"),
    lambda packages: (
        f"env {' '.join(f'{name}={value}' for name, value in PRISMA_ENVIRONMENT.items())} "
        f"{packages}/.bin/prisma migrate deploy"
    ),
)


def _dbmate(sql: str) -> str:
    return f"-- migrate:up\n{sql}\n\n-- migrate:down\n"


_DBMATE = Project(
    "dbmate",
    {
        "db/migrations/20260101000000_users.sql": _dbmate(USERS),
        "db/migrations/20260201000000_issues.sql": _dbmate(ISSUES),
    },
    lambda sql: {"db/migrations/20260301000000_labels.sql": _dbmate(sql)},
    ("20260101000000_users.sql", "20260201000000_issues.sql", "20260301000000_labels.sql"),
    lambda packages: (
        f"""sh -c '{packages}/.bin/dbmate --no-dump-schema --url "$DATABASE_URL?sslmode=disable" migrate'"""
    ),
)

_NODE_PG_MIGRATE = Project(
    "node-pg-migrate",
    {
        "migrations/1767225600000_users.sql": f"-- Up Migration\n{USERS}\n-- Down Migration\n",
        "migrations/1769904000000_issues.mjs": f'export const up = (pgm) => {{ pgm.sql("{ISSUES}"); }};\n',
    },
    lambda sql: {"migrations/1772323200000_labels.sql": f"-- Up Migration\n{sql}\n-- Down Migration\n"},
    ("1767225600000_users.sql", "1769904000000_issues.mjs", "1772323200000_labels.sql"),
    lambda packages: f"{packages}/.bin/node-pg-migrate up",
)


def _alembic(before: str | None, now: str, sql: str) -> str:
    return f"""from alembic import op

revision: str = {now!r}
down_revision: str | None = {before!r}


def upgrade() -> None:
    op.execute("{sql}")
"""


_ALEMBIC = Project(
    "alembic",
    {
        "alembic.ini": "[alembic]\nscript_location = db\n",
        "db/env.py": """import os

from alembic import context
from sqlalchemy import create_engine

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
with create_engine(url).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
""",
        "db/versions/9a1c_users.py": _alembic(None, "9a1c", USERS),
        "db/versions/5b2d_issues.py": _alembic("9a1c", "5b2d", ISSUES),
    },
    lambda sql: {"db/versions/7c3e_labels.py": _alembic("5b2d", "7c3e", sql)},
    ("9a1c_users", "5b2d_issues", "7c3e_labels"),
    lambda packages: f"{shlex.quote(sys.executable)} -m alembic upgrade head",
)


def _django(before: str | None, sql: str) -> str:
    dependencies = [] if before is None else [("users", before)]
    return f"""from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependencies!r}
    operations = [migrations.RunSQL("{sql}")]
"""


_DJANGO = Project(
    "django",
    {
        "manage.py": """import os
import sys
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.management import execute_from_command_line

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "shop.users"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": url.hostname,
            "PORT": url.port,
            "USER": url.username,
            "PASSWORD": unquote(url.password or ""),
            "NAME": unquote(url.path[1:]),
        }
    },
)
execute_from_command_line(sys.argv)
""",
        "shop/__init__.py": "",
        "shop/users/__init__.py": "",
        "shop/users/migrations/__init__.py": "",
        "shop/users/migrations/0001_initial.py": _django(None, USERS),
        "shop/users/migrations/0002_issues.py": _django("0001_initial", ISSUES),
    },
    lambda sql: {"shop/users/migrations/0003_labels.py": _django("0002_issues", sql)},
    ("users.0001_initial", "users.0002_issues", "users.0003_labels"),
    lambda packages: f"{shlex.quote(sys.executable)} manage.py migrate",
    counted=4,  # two of Django's own app
)

_BY_ANN = "Ann <ann@shop.example>"
_PLAN = (
    "%syntax-version=1.0.0\n%project=shop\n\n"
    f"users 2026-01-01T00:00:00Z {_BY_ANN} # users\nissues [users] 2026-02-01T00:00:00Z {_BY_ANN} # issues\n"
)

_SQITCH = Project(
    "sqitch",
    {
        "sqitch.conf": "[core]\n\tengine = pg\n",
        "sqitch.plan": _PLAN,
        "deploy/users.sql": USERS,
        "deploy/issues.sql": ISSUES,
        "revert/users.sql": "DROP TABLE users;",
        "revert/issues.sql": "DROP TABLE issues;",
    },
    lambda sql: {
        "sqitch.plan": f"{_PLAN}labels [issues] 2026-03-01T00:00:00Z {_BY_ANN} # labels\n",
        "deploy/labels.sql": f"\\set ON_ERROR_STOP on\n{sql}",
        "revert/labels.sql": "ALTER TABLE issues DROP COLUMN label;",
    },
    ("users", "issues", "labels"),
    lambda packages: """sh -c 'sqitch deploy --mode change "db:pg${DATABASE_URL#postgresql}"'""",
)

PROJECTS = {
    project.tool: project
    for project in (_DRIZZLE, _PRISMA, _DBMATE, _NODE_PG_MIGRATE, _ALEMBIC, _DJANGO, _SQITCH)
}
