"""Teams' use of each migration tool: three migrations in a folder, and its table as the tool itself makes it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A team's use of a tool: three migrations in a folder, of which a database has none, two or all.

    Attributes:
        tool: its name in the registry.
        files: what lies in the team's folder.
        names: of the three migrations.
        table: makes the tool's own table, still empty.
        steps: a statement for each migration, as the tool records that it was applied.
        another: files of another application's folder, whose migrations share nothing with these.
    """

    tool: str
    files: Mapping[str, str]
    names: tuple[str, str, str]
    table: str
    steps: tuple[str, str, str]
    another: Mapping[str, str]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _journal(*tags: str, first: int) -> str:
    entries = [{"when": first + number, "tag": tag} for number, tag in enumerate(tags)]
    return json.dumps({"dialect": "postgresql", "entries": entries})


_STEPS = ("0000_users", "0001_issues", "0002_labels")
_TIMED = ("20260101000000_users", "20260201000000_issues", "20260301000000_labels")
EXAMPLES = {
    "drizzle with a journal": Example(
        "drizzle",
        {
            "drizzle/meta/_journal.json": _journal(*_STEPS, first=100),
            **{f"drizzle/{name}.sql": f"-- {name}" for name in _STEPS},
        },
        _STEPS,
        "CREATE TABLE __drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('{_sha256(f'-- {name}')}', {100 + number})"
            for number, name in enumerate(_STEPS)
        ),
        {
            "blog/drizzle/meta/_journal.json": _journal("0000_posts", "0001_tags", "0002_more", first=9_000),
        },
    ),
    "drizzle from its release 1 on": Example(
        "drizzle",
        {f"drizzle/{name}/migration.sql": f"-- {name}" for name in _TIMED}
        | {f"drizzle/{name}/snapshot.json": '{"dialect": "postgres"}' for name in _TIMED},
        _TIMED,
        "CREATE TABLE __drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint, name text)",
        tuple(  # type: ignore[arg-type]
            "INSERT INTO __drizzle_migrations (hash, created_at, name)"
            f" VALUES ('{_sha256(f'-- {name}')}', {1_767_225_600_000 + number}, '{name}')"
            for number, name in enumerate(_TIMED)
        ),
        {
            "blog/drizzle/20250101000000_posts/migration.sql": "-- posts",
            "blog/drizzle/20250101000000_posts/snapshot.json": '{"dialect": "postgres"}',
        },
    ),
    "prisma": Example(
        "prisma",
        {"prisma/migrations/migration_lock.toml": ""}
        | {f"prisma/migrations/{name}/migration.sql": "SELECT 1;" for name in _TIMED},
        _TIMED,
        "CREATE TABLE _prisma_migrations (id text, checksum text, migration_name text, finished_at timestamptz,"
        " rolled_back_at timestamptz)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO _prisma_migrations VALUES ('{name}', 'c', '{name}', clock_timestamp(), NULL)"
            for name in _TIMED
        ),
        {
            "blog/prisma/migrations/migration_lock.toml": "",
            "blog/prisma/migrations/20250101000000_posts/migration.sql": "",
        },
    ),
    "goose": Example(
        "goose",
        {f"migrations/0000{number}_step.sql": "-- +goose Up\nSELECT 1;" for number in (1, 2, 3)},
        ("00001_step.sql", "00002_step.sql", "00003_step.sql"),
        "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied boolean, tstamp timestamp)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO goose_db_version (version_id, is_applied) VALUES ({number}, true)"
            for number in (1, 2, 3)
        ),
        {"blog/migrations/20250101000000_posts.sql": "-- +goose Up\nSELECT 1;"},
    ),
    "alembic": Example(
        "alembic",
        {"db/env.py": ""}
        | {
            f"db/versions/{now}_step.py": f'revision: str = "{now}"\ndown_revision: str | None = {before!r}\n'
            for before, now in ((None, "9a1c"), ("9a1c", "5b2d"), ("5b2d", "7c3e"))
        },
        ("9a1c_step", "5b2d_step", "7c3e_step"),
        # As alembic.runtime.migration has it: the newest revision alone.
        "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))",
        (
            "INSERT INTO alembic_version VALUES ('9a1c')",
            "UPDATE alembic_version SET version_num = '5b2d' WHERE version_num = '9a1c'",
            "UPDATE alembic_version SET version_num = '7c3e' WHERE version_num = '5b2d'",
        ),
        {"blog/db/env.py": "", "blog/db/versions/1f_posts.py": 'revision = "1f"\ndown_revision = None\n'},
    ),
    "dbmate": Example(
        "dbmate",
        {f"db/migrations/{name}.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n" for name in _TIMED},
        tuple(f"{name}.sql" for name in _TIMED),  # type: ignore[arg-type]
        "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO schema_migrations VALUES ('{name[:14]}')" for name in _TIMED
        ),
        {"blog/db/migrations/20250101000000_posts.sql": "-- migrate:up\n"},
    ),
    "django": Example(
        "django",
        {"manage.py": "", "shop/users/migrations/__init__.py": ""}
        | {
            f"shop/users/migrations/{name}.py": "class Migration(migrations.Migration):\n    dependencies = []\n"
            for name in ("0001_initial", "0002_issues", "0003_labels")
        },
        ("users.0001_initial", "users.0002_issues", "users.0003_labels"),
        "CREATE TABLE django_migrations (id bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, app varchar(255)"
        " NOT NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO django_migrations (app, name, applied) VALUES ('users', '{name}', clock_timestamp())"
            for name in ("0001_initial", "0002_issues", "0003_labels")
        ),
        {
            "blog/manage.py": "",
            "blog/posts/migrations/0001_initial.py": "class Migration(migrations.Migration):\n",
        },
    ),
    "flyway": Example(
        "flyway",
        {f"sql/V{number}__step.sql": "SELECT 1;" for number in (1, 2, 10)},
        ("V1__step.sql", "V2__step.sql", "V10__step.sql"),
        # As flyway-core's PostgreSQLDatabase makes it.
        "CREATE TABLE flyway_schema_history (installed_rank int NOT NULL PRIMARY KEY, version varchar(50), description"
        " varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by"
        " varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL,"
        " success boolean NOT NULL)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO flyway_schema_history VALUES ({number}, '{number}', 'step', 'SQL', 'V{number}__step.sql', 7,"
            " 'app', now(), 3, true)"
            for number in (1, 2, 10)
        ),
        {"blog/sql/V2025__posts.sql": "SELECT 1;"},
    ),
    "golang-migrate": Example(
        "golang-migrate",
        {f"migrations/00000{number}_step.{way}.sql": "" for number in (1, 2, 3) for way in ("up", "down")},
        ("000001_step.up.sql", "000002_step.up.sql", "000003_step.up.sql"),
        # As database/postgres/postgres.go makes it: one row.
        "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
        tuple(  # type: ignore[arg-type]
            f"WITH gone AS (DELETE FROM schema_migrations) INSERT INTO schema_migrations VALUES ({number}, false)"
            for number in (1, 2, 3)
        ),
        {"blog/migrations/20250101_posts.up.sql": ""},
    ),
    "liquibase": Example(
        "liquibase",
        {
            "db/changelog-master.yaml": "databaseChangeLog:\n  - includeAll:\n      path: changes/\n"
            "      relativeToChangelogFile: true\n",
            **{
                f"db/changes/{number}.sql": f"--liquibase formatted sql\n\n--changeset ann:{number}\nSELECT 1;\n"
                for number in (1, 2, 3)
            },
        },
        ("1.sql::1::ann", "2.sql::2::ann", "3.sql::3::ann"),
        # As liquibase.statement.core.CreateDatabaseChangeLogTableStatement makes it on Postgres.
        "CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255)"
        " NOT NULL, dateexecuted timestamp NOT NULL, orderexecuted int NOT NULL, exectype varchar(10) NOT NULL, md5sum"
        " varchar(35), description varchar(255), comments varchar(255), tag varchar(255), liquibase varchar(20),"
        " contexts varchar(255), labels varchar(255), deployment_id varchar(10))",
        tuple(  # type: ignore[arg-type]
            "INSERT INTO databasechangelog (id, author, filename, dateexecuted, orderexecuted, exectype) VALUES"
            f" ('{number}', 'ann', 'classpath:db/changes/{number}.sql', now(), {number}, 'EXECUTED')"
            for number in (1, 2, 3)
        ),
        {"blog/db/changelog.sql": "-- liquibase formatted sql\n-- changeset ann:posts\nSELECT 1;\n"},
    ),
    "node-pg-migrate": Example(
        "node-pg-migrate",
        {f"migrations/{name}.js": "exports.up = (pgm) => {};" for name in _TIMED},
        tuple(f"{name}.js" for name in _TIMED),  # type: ignore[arg-type]
        "CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO pgmigrations (name, run_on) VALUES ('{name}', now())" for name in _TIMED
        ),
        {"blog/migrations/20250101000000_posts.sql": "-- Up Migration\n"},
    ),
    "rails": Example(
        "rails",
        {f"db/migrate/{name}.rb": "class Step < ActiveRecord::Migration[7.1]\nend\n" for name in _TIMED},
        tuple(f"{name}.rb" for name in _TIMED),  # type: ignore[arg-type]
        # As ActiveRecord::SchemaMigration and ActiveRecord::InternalMetadata make them.
        "CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, created_at timestamp(6) NOT NULL,"
        " updated_at timestamp(6) NOT NULL); CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO schema_migrations VALUES ('{name[:14]}')" for name in _TIMED
        ),
        {"blog/db/migrate/20250101000000_posts.rb": "class Posts < ActiveRecord::Migration[7.1]\nend\n"},
    ),
    "sqitch": Example(
        "sqitch",
        {
            "sqitch.plan": "%syntax-version=1.0.0\n%project=shop\n\n"
            "users 2026-01-01T00:00:00Z Ann <ann@shop.example> # the first\n"
            "issues [users] 2026-02-01T00:00:00Z Ann <ann@shop.example> # -\n"
            "@v1 2026-02-02T00:00:00Z Ann <ann@shop.example> # out it goes\n\n"
            "users [users@v1] 2026-03-01T00:00:00Z Ann <ann@shop.example> # again\n"
        },
        ("users", "issues", "users (2)"),
        "CREATE TABLE changes (change_id text PRIMARY KEY, script_hash text, change text NOT NULL, project text NOT"
        " NULL, note text NOT NULL DEFAULT '', committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
        " committer_name text, committer_email text, planned_at timestamptz, planner_name text, planner_email text)",
        tuple(  # type: ignore[arg-type]
            f"INSERT INTO changes (change_id, change, project) VALUES ('{number}', '{name}', 'shop')"
            for number, name in enumerate(("users", "issues", "users"))
        ),
        {"blog/sqitch.plan": "%project=blog\nposts 2025-01-01T00:00:00Z Ann <ann@shop.example>\n"},
    ),
    "the ledger, from outside": Example(
        "ledger",
        {f"sql/entry-{number}.sql": "SELECT 1;" for number in (1, 2, 10)},
        ("entry-1.sql", "entry-2.sql", "entry-10.sql"),
        "CREATE TABLE ledger_entries (entry int, done boolean)",
        tuple(f"INSERT INTO ledger_entries VALUES ({number}, true)" for number in (1, 2, 10)),  # type: ignore[arg-type]
        {"blog/sql/entry-2025.sql": "SELECT 1;"},
    ),
}
