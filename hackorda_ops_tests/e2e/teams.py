"""The four teams of docs/teams on servers of their kind: their examples as they are, in one code location.

Three are on Neon (one control plane stands for their three projects), one has a Postgres 18 of its own. Their migration
tools are stand-ins that keep the tools' own tables: the real ones have tests beside the readers of their tables.
"""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg
import psycopg
import yaml
from dagster import DagsterInstance, ExecuteInProcessResult
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Config
from hackorda_ops.environment import Protected
from hackorda_ops.local.neon import running_local_neon
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.redis.target import parse
from hackorda_ops.redis.wire import connected
from hackorda_ops_tests.drill.fixtures import databases_on
from hackorda_ops_tests.e2e.redis import running_redis
from hackorda_ops_tests.engines.examples import fill
from hackorda_ops_tests.zoo.servers import programs_of

TEAMS: Final = Path(__file__).parents[2] / "docs" / "teams"
EXAMPLES: Final = tuple(sorted(TEAMS.glob("*.yaml")))

_QUICK: Final = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
_DRIZZLE: Final = """
import json, os, sys
from pathlib import Path
from hackorda_ops.local.migrate import migrate, read_migrations
applied = migrate(os.environ.get("PG_URL") or os.environ["DATABASE_URL"], read_migrations(Path("drizzle")))
print("applied", *applied)
"""
_PRISMA: Final = """
import json
import os
from pathlib import Path
import psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    for folder in sorted(Path("prisma/migrations").iterdir()):
        query = "SELECT 1 FROM _prisma_migrations WHERE migration_name = %s"
        if not connection.execute(query, [folder.name]).fetchone():
            connection.execute((folder / "migration.sql").read_bytes())
            values = "(gen_random_uuid(), '', %s, now(), now(), 1)"
            columns = "(id, checksum, migration_name, started_at, finished_at, applied_steps_count)"
            connection.execute(f"INSERT INTO _prisma_migrations {columns} VALUES {values}", [folder.name])
            print("applied", folder.name)
"""
_GOOSE: Final = """
import json
import os
from pathlib import Path
import psycopg
keys = {"host": "DB_HOST", "port": "DB_PORT", "user": "POSTGRES_USER", "dbname": "POSTGRES_DB",
        "password": "POSTGRES_PASSWORD", "sslmode": "DB_SSLMODE"}
with psycopg.connect(**{key: os.environ[variable] for key, variable in keys.items()}) as connection:
    assert connection.info.dbname == psycopg.conninfo.conninfo_to_dict(os.environ["GOOSE_DBSTRING"])["dbname"]
    for path in sorted(Path("migrations").glob("*.sql")):
        version = int(path.name.partition("_")[0])
        if not connection.execute("SELECT 1 FROM goose_db_version WHERE version_id = %s", [version]).fetchone():
            connection.execute(path.read_text().partition("-- +goose Up")[2].partition("-- +goose Down")[0].encode())
            connection.execute("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%s, true)", [version])
            print("OK", path.name)
"""
_NPX: Final = f"""
import sys
if "prisma" in sys.argv:
    exec({_PRISMA!r})
elif "wrangler" not in sys.argv:
    exec({_DRIZZLE!r})
"""
# The hooks of recoveries: what each finds is left in a file, and verify looks into the branch.
_HOOK: Final = """
import json, os, sys
import psycopg
from pathlib import Path
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    [(database,)] = connection.execute("SELECT current_database()").fetchall()
found = {name: os.environ.get(name) for name in ("DB_HOST", "DB_PORT", "POSTGRES_DB", "HACKORDA_OPS_STAGE")}
Path(Path(sys.argv[0]).stem + ".json").write_text(json.dumps({**found, "database": database}))
"""
_HOOKS: Final = (
    "961tech/ops/rebind-hyperdrive.sh",
    "961tech/ops/smoke.sh",
    "honeydue-api/deploy-k3s/scripts/rebind.sh",
    "honeydue-api/deploy-k3s/scripts/smoke.sh",
)
_PROGRAMS: Final = {
    "npm": _DRIZZLE,
    "npx": _NPX,
    "goose": _GOOSE,
    "ssh": "",
}
_MIGRATIONS: Final = {
    "hackorda-mvp/drizzle": (
        "CREATE TABLE users (id int PRIMARY KEY, created_at timestamptz DEFAULT now());"
        "CREATE TABLE test_cycles (id int PRIMARY KEY, created_at timestamptz DEFAULT now());"
        "CREATE TABLE issues (id int PRIMARY KEY, title text, created_at timestamptz DEFAULT now());"
        "CREATE TABLE issue_payouts (id int PRIMARY KEY, created_at timestamptz DEFAULT now())",
        "ALTER TABLE issues ADD COLUMN severity text",
    ),
    "amanat/backend/drizzle": (
        "CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), created_at timestamptz DEFAULT now());"
        "CREATE TABLE chats (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), messages jsonb,"
        " created_at timestamptz DEFAULT now());"
        "CREATE TABLE payments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), amount numeric(18, 6),"
        " created_at timestamptz DEFAULT now())",
        "ALTER TABLE payments ADD COLUMN currency text",
    ),
}
_TECH961: Final = """
CREATE TABLE "Listing" (id int PRIMARY KEY, "createdAt" timestamptz DEFAULT now());
CREATE TABLE "Click" (id int PRIMARY KEY, "createdAt" timestamptz DEFAULT now());
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);
INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
VALUES (gen_random_uuid(), '', '01_init', now());
INSERT INTO "Listing" (id) SELECT generate_series(1, 300);
INSERT INTO "Click" (id) SELECT generate_series(1, 500)
"""
_HONEYDUE: Final = """
CREATE TABLE auth_user (id int PRIMARY KEY, date_joined timestamptz DEFAULT now());
CREATE TABLE task_task (id int PRIMARY KEY, created_at timestamptz DEFAULT now());
CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL,
  tstamp timestamp DEFAULT now());
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true);
INSERT INTO auth_user (id) SELECT generate_series(1, 100);
INSERT INTO task_task (id) SELECT generate_series(1, 400)
"""
_FILL_HACKORDA: Final = (
    "INSERT INTO users (id) SELECT generate_series(1, 50); INSERT INTO test_cycles (id) SELECT generate_series(1, 5);"
    "INSERT INTO issues (id, title) SELECT n, 'issue ' || n FROM generate_series(1, 600) n;"
    "INSERT INTO issue_payouts (id) SELECT generate_series(1, 60)"
)
_FILL_AMANAT: Final = (
    "INSERT INTO users SELECT FROM generate_series(1, 80);"
    "INSERT INTO chats (messages) SELECT jsonb_build_array(n) FROM generate_series(1, 200) n;"
    "INSERT INTO payments (amount) SELECT n / 7.0 FROM generate_series(1, 90) n"
)


@dataclass(frozen=True)
class Teams:
    """All four, protected from one code location.

    Attributes:
        folder: where their databases.yaml and their checkouts are.
        config: what the four examples say, in one.
        environ: what they name.
        definitions: the code location.
        instance: its Dagster.
        scratch_urls: a server of the right version for each, to restore on.
        urls: of the databases themselves.
    """

    folder: Path
    config: Config
    environ: Mapping[str, str]
    definitions: dg.Definitions
    instance: DagsterInstance
    scratch_urls: Mapping[str, PostgresServer]
    urls: Mapping[str, str]

    def protected(self, name: str) -> Protected:
        """One of the databases."""
        return Protected(name, self.config.databases[name], self.environ)

    def type(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one of the commands."""
        return subprocess.run(
            [Path(sys.executable).with_name("hackorda-ops"), *arguments],
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def run(self, job: str, partition: str) -> ExecuteInProcessResult:
        """Runs one of the jobs in this process."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition, raise_on_error=False
        )


def in_one_file(folder: Path) -> Path:
    """The four examples as one databases.yaml."""
    databases: dict[str, Any] = {}
    for example in EXAMPLES:
        written = yaml.safe_load(example.read_text(encoding="utf-8"))
        assert written.keys() == {"databases"}
        databases |= written["databases"]
    path = folder / "databases.yaml"
    path.write_text(yaml.safe_dump({"databases": databases}, sort_keys=False), encoding="utf-8")
    return path


@contextmanager
def running_teams(
    folder: Path, servers: Path, postgres: PostgresServer, scratch: PostgresServer, s3: S3Server
) -> Iterator[Teams]:
    """Makes the databases, buckets and checkouts, and starts what the shared servers lack.

    Args:
        folder: for files.
        servers: for servers: their user can reach it.
        postgres: of the three on Neon.
        scratch: another one of its version.
        s3: of all buckets.
    """
    own = [servers / f"teams-18-{role}" for role in ("source", "scratch")]
    with ExitStack() as running:
        running.callback(drop_all_but, scratch, databases_on(scratch))
        eighteen, eighteen_scratch = (
            running.enter_context(running_postgres(each, bin_dir=programs_of(18), settings=_QUICK))
            for each in own
        )
        urls = {
            "hackorda": create_database(postgres, "hackorda"),
            "tech961": create_database(postgres, "tech961"),
            "honeydue": create_database(postgres, "honeyDue"),
            "amanat": create_database(eighteen, "amanat"),
        }
        _fill(folder, urls)
        plane = running.enter_context(running_local_neon(postgres, servers / "neon-teams"))
        projects = {
            f"{team}_NEON_{name}": value
            for team in ("HACKORDA", "TECH961", "HONEYDUE")
            for name, value in (
                ("PROJECT_ID", plane.project_id),
                ("API_KEY", plane.api_key),
                ("API_URL", plane.base_url),
            )
        }
        (folder / "redis").mkdir()
        redis = running.enter_context(running_redis(folder / "redis"))
        with connected(parse(redis, origin="test")) as client:
            fill(client)
        environ = {
            **projects,
            **_buckets(s3),
            **_of_honeydue(urls["honeydue"]),
            "PATH": f"{_programs(folder)}{os.pathsep}{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", "/"),
            "DATABASE_URL": urls["hackorda"],
            "TECH961_DATABASE_URL": urls["tech961"],
            "PG_URL": urls["amanat"],
            "AMANAT_SCRATCH_URL": eighteen_scratch.url(),
            "AMANAT_REDIS_URL": redis,
            "MANAGED_DATABASE_URL": create_database(scratch, "hackorda managed"),
        }
        config = config_file.load(in_one_file(folder))
        instance = running.enter_context(DagsterInstance.ephemeral())
        yield Teams(
            folder=folder,
            config=config,
            environ=environ,
            definitions=build_defs(config, resource_overrides={ENVIRON: environ}),
            instance=instance,
            scratch_urls={
                **dict.fromkeys(("hackorda", "tech961", "honeydue"), scratch),
                "amanat": eighteen_scratch,
            },
            urls=urls,
        )
    for each in own:
        delete_server(each)


def drop_all_but(server: PostgresServer, kept: set[str]) -> None:
    """Leaves a server to other tests with the databases that it had."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for name in databases_on(server) - kept:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _buckets(s3: S3Server) -> dict[str, str]:
    names = {
        "OFFSITE": ("OFFSITE_ACCESS_KEY_ID", "OFFSITE_SECRET_ACCESS_KEY"),
        "R2": ("R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"),
        "B2": ("B2_KEY_ID", "B2_APPLICATION_KEY"),
    }
    environ = {}
    for place, (key_id, secret) in names.items():
        bucket = f"teams-{place.lower()}"
        create_bucket(s3, bucket)
        environ |= {
            f"{place}_BUCKET": bucket,
            f"{place}_ENDPOINT_URL": s3.endpoint_url,
            f"{place}_REGION": s3.region,
            key_id: s3.access_key_id,
            secret: s3.secret_access_key,
        }
    return environ


def _of_honeydue(url: str) -> dict[str, str]:
    parts = conninfo_to_dict(url)
    return {
        "DB_HOST": str(parts["host"]),
        "DB_PORT": str(parts["port"]),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_DB": str(parts["dbname"]),
        "POSTGRES_PASSWORD": str(parts["password"]),
        "DB_SSLMODE": "disable",  # it's on this machine
    }


def _fill(folder: Path, urls: Mapping[str, str]) -> None:
    """The databases as they are in production: a migration behind what is checked out for the next deploy."""
    from hackorda_ops.local.migrate import migrate, read_migrations

    for place, statements in _MIGRATIONS.items():
        drizzle = folder / "checkouts" / place
        (drizzle / "meta").mkdir(parents=True)
        entries = [{"when": 1000 * n, "tag": f"{n:04}_step"} for n, _ in enumerate(statements, start=1)]
        (drizzle / "meta" / "_journal.json").write_text(json.dumps({"entries": entries}))
        for entry, statement in zip(entries, statements, strict=True):
            (drizzle / f"{entry['tag']}.sql").write_text(statement)
        team = "hackorda" if place.startswith("hackorda") else "amanat"
        migrate(urls[team], read_migrations(drizzle)[:1])
    prisma, goose = (
        folder / "checkouts" / each for each in ("961tech/prisma/migrations", "honeydue-api/migrations")
    )
    for name in ("01_init", "02_seller"):
        (prisma / name).mkdir(parents=True)
        (prisma / name / "migration.sql").write_text('ALTER TABLE "Listing" ADD COLUMN seller text')
    goose.mkdir(parents=True)
    (goose / "000001_init.sql").write_text("-- +goose Up\nSELECT 1;\n")
    (goose / "000002_due.sql").write_text(
        "-- +goose Up\nALTER TABLE task_task ADD COLUMN due date;\n-- +goose Down\nSELECT 1;\n"
    )
    fills = {
        "hackorda": _FILL_HACKORDA,
        "tech961": _TECH961,
        "honeydue": _HONEYDUE,
        "amanat": _FILL_AMANAT,
    }
    for team, statements in fills.items():
        with psycopg.connect(urls[team]) as connection:
            connection.execute(statements.encode())


def _programs(folder: Path) -> Path:
    programs = folder / "bin"
    programs.mkdir()
    written = {programs / name: source for name, source in _PROGRAMS.items()}
    written |= {folder / "checkouts" / hook: _HOOK for hook in _HOOKS}
    for program, source in written.items():
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!{sys.executable}\n{source}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return programs
