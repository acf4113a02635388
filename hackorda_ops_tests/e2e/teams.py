"""The four teams of docs/teams on servers of their kind: their examples as they are, in one code location.

Three are on Neon (one control plane stands for their three projects), one has a Postgres 18 of its own. drizzle-kit and
Prisma are themselves, run by npm and npx as the teams run them. goose, which no registry here has, is a stand-in that
keeps its table; so are wrangler and ssh, whose other end is elsewhere.
"""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
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
from hackorda_ops_tests.e2e.processes import until
from hackorda_ops_tests.e2e.redis import running_redis
from hackorda_ops_tests.engines.examples import fill
from hackorda_ops_tests.histories.barman import installed
from hackorda_ops_tests.migration_tools.real.projects import PRISMA_ENVIRONMENT, drizzle, prisma, write
from hackorda_ops_tests.zoo.servers import programs_of

TEAMS: Final = Path(__file__).parents[2] / "docs" / "teams"
EXAMPLES: Final = tuple(sorted(TEAMS.glob("*.yaml")))

_QUICK: Final = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
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
# npx as it is, with what keeps Prisma from downloading engines that it then doesn't use.
_NPX: Final = f"""
import os, shutil, sys
paths = os.environ["PATH"].split(os.pathsep)
own = os.path.dirname(os.path.abspath(sys.argv[0]))
npx = shutil.which("npx", path=os.pathsep.join(path for path in paths if path != own))
os.execve(npx, ["npx", *sys.argv[1:]], {{**os.environ, **{PRISMA_ENVIRONMENT!r}}})
"""
# What a hook finds is left in a file that is named by its stage.
_HOOK: Final = """
import json, os, sys
import psycopg
from pathlib import Path
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    [(database,)] = connection.execute("SELECT current_database()").fetchall()
kept = ("DB_HOST", "DB_PORT", "POSTGRES_DB", "HACKORDA_OPS_STAGE", "TARGET")
found = {**{name: os.environ.get(name) for name in kept}, "database": database, "arguments": sys.argv[1:]}
name = f"{Path(sys.argv[0]).stem}-{os.environ['HACKORDA_OPS_STAGE']}.json"
Path(name).write_text(json.dumps(found))
"""
_HOOKS: Final = (
    "961tech/ops/rebind-hyperdrive",
    "961tech/ops/smoke",
    "honeydue-api/deploy-k3s/scripts/rebind.sh",
    "honeydue-api/deploy-k3s/scripts/smoke.sh",
)
# The application stops when it is told to, by way of a file that it looks for.
_SSH: Final = """
import sys
from pathlib import Path
assert sys.argv[1] == "deploy@droplet" and sys.argv[-2:] == ["stop", "app"]
Path("stopped").touch()
"""
_PROGRAMS: Final = {"npx": _NPX, "goose": _GOOSE, "ssh": _SSH}
# What was migrated last in production, and what is checked out for the next deploy.
_HACKORDA_MIGRATIONS: Final = {
    "0000_start": "CREATE TABLE users (id int PRIMARY KEY, created_at timestamptz DEFAULT now());"
    "CREATE TABLE test_cycles (id int PRIMARY KEY, created_at timestamptz DEFAULT now());"
    "CREATE TABLE issues (id serial PRIMARY KEY, title text, created_at timestamptz DEFAULT now());"
    "CREATE TABLE issue_payouts (id int PRIMARY KEY, created_at timestamptz DEFAULT now())",
    "0001_severity": "ALTER TABLE issues ADD COLUMN severity text",
}
_AMANAT_MIGRATIONS: Final = {
    "0000_start": "CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),"
    " created_at timestamptz DEFAULT now());"
    "CREATE TABLE chats (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), messages jsonb,"
    " created_at timestamptz DEFAULT now());"
    "CREATE TABLE payments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), amount numeric(18, 6),"
    " created_at timestamptz DEFAULT now())",
    "0001_currency": "ALTER TABLE payments ADD COLUMN currency text",
}
_TECH961_MIGRATIONS: Final = {
    "20260101000000_start": 'CREATE TABLE "Listing" (id int PRIMARY KEY, "createdAt" timestamptz DEFAULT now());'
    'CREATE TABLE "Click" (id int PRIMARY KEY, "createdAt" timestamptz DEFAULT now());',
    "20260201000000_seller": 'ALTER TABLE "Listing" ADD COLUMN seller text',
}
_FILL_TECH961: Final = (
    'INSERT INTO "Listing" (id) SELECT generate_series(1, 300);'
    'INSERT INTO "Click" (id) SELECT generate_series(1, 500)'
)
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
    "INSERT INTO issues (title) SELECT 'issue ' || n FROM generate_series(1, 600) n;"
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
        droplet: of Hackorda's database where it was before Neon: on a Postgres 15 of its own.
    """

    folder: Path
    config: Config
    environ: Mapping[str, str]
    definitions: dg.Definitions
    instance: DagsterInstance
    scratch_urls: Mapping[str, PostgresServer]
    urls: Mapping[str, str]
    droplet: str

    def protected(self, name: str) -> Protected:
        """One of the databases."""
        return Protected(name, self.config.databases[name], self.environ)

    def type(
        self, *arguments: str, folder: Path | None = None, answers: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs one of the commands.

        Args:
            arguments: what is typed after its name.
            folder: where databases.yaml is, if that is another one.
            answers: what a person at a terminal answers; None where nobody is there.
            variables: that are other than the team's.
        """
        with ExitStack() as stack:
            terminal = subprocess.DEVNULL
            if answers is not None:
                person, terminal = pty.openpty()
                for end in (person, terminal):
                    stack.callback(os.close, end)
                os.write(person, answers.encode())
            return self._typed(arguments, folder or self.folder, {**self.environ, **variables}, terminal)

    def _typed(
        self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], terminal: int
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("hackorda-ops"), *arguments],
            cwd=folder,
            env=dict(environ),
            stdin=terminal,
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
    folder: Path,
    servers: Path,
    *,
    postgres: PostgresServer,
    scratch: PostgresServer,
    before_neon: PostgresServer,
    s3: S3Server,
    node_modules: Path,
) -> Iterator[Teams]:
    """Makes the databases, buckets and checkouts, and starts what the shared servers lack.

    Args:
        folder: for files.
        servers: for servers: their user can reach it.
        postgres: of the three on Neon.
        scratch: another one of its version.
        before_neon: of Hackorda's droplet.
        s3: of all buckets.
        node_modules: where drizzle-kit and Prisma are installed.
    """
    own = [servers / f"teams-18-{role}" for role in ("source", "scratch")]
    with ExitStack() as running:
        for server in (scratch, before_neon, postgres):
            running.callback(drop_all_but, server, databases_on(server))
        eighteen, eighteen_scratch = (
            running.enter_context(
                # A slot may hold no more than this: Amanat's history is received by one.
                running_postgres(
                    each, bin_dir=programs_of(18), settings={**_QUICK, "max_slot_wal_keep_size": "1GB"}
                )
            )
            for each in own
        )
        urls = {
            "hackorda": create_database(postgres, "hackorda"),
            "tech961": create_database(postgres, "tech961"),
            "honeydue": create_database(postgres, "honeyDue"),
            "amanat": create_database(eighteen, "amanat"),
        }
        installed(folder / "bin")
        droplet = create_database(before_neon, "hackorda")
        (folder / "home").mkdir()
        runs = {"PATH": f"{_programs(folder)}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder / "home")}
        _fill(folder, {**urls, "droplet": droplet}, runs, node_modules)
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
            **runs,
            "DATABASE_URL": urls["hackorda"],
            "TECH961_DATABASE_URL": urls["tech961"],
            "PG_URL": urls["amanat"],
            "AMANAT_SCRATCH_URL": eighteen_scratch.url(),
            "AMANAT_REDIS_URL": redis,
            "MANAGED_DATABASE_URL": create_database(postgres, "hackorda managed"),
        }
        config = config_file.load(in_one_file(folder))
        instance = running.enter_context(DagsterInstance.ephemeral())
        running.enter_context(_receiving(folder, environ))
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
            droplet=droplet,
        )
    for each in own:
        delete_server(each)


@contextmanager
def _receiving(folder: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Amanat's history is received, as by its service, and has its first base backup."""
    command = [Path(sys.executable).with_name("hackorda-ops"), "history"]
    log = folder / "receive.log"
    with log.open("w") as written:
        receiving = subprocess.Popen(
            [*command, "receive"], cwd=folder, env=dict(environ), stdout=written, stderr=written
        )
    try:
        until(
            lambda: "starting log streaming" in log.read_text() or receiving.poll() is not None, "reception"
        )
        taken = subprocess.run(
            [*command, "backup", "amanat"],
            cwd=folder,
            env=dict(environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert taken.returncode == 0, taken.stderr + log.read_text()
        yield
    finally:
        receiving.terminate()
        receiving.wait()


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


def _fill(folder: Path, urls: Mapping[str, str], environ: Mapping[str, str], node_modules: Path) -> None:
    """The databases as they are in production: a migration behind what is checked out for the next deploy."""
    checkouts = folder / "checkouts"
    hackorda, amanat, tech961, honeydue = (
        checkouts / each for each in ("hackorda-mvp", "amanat/backend", "961tech", "honeydue-api")
    )
    for checkout in (hackorda, amanat, tech961):
        checkout.mkdir(parents=True, exist_ok=True)
        _install(checkout, node_modules)
    (hackorda / "package.json").write_text(
        json.dumps({"private": True, "scripts": {"migrate": "drizzle-kit migrate"}})
    )
    for team, checkout, made, migrations in (
        ("hackorda", hackorda, drizzle, _HACKORDA_MIGRATIONS),
        ("droplet", hackorda, drizzle, _HACKORDA_MIGRATIONS),
        ("amanat", amanat, partial(drizzle, url_env="PG_URL"), _AMANAT_MIGRATIONS),
        ("tech961", tech961, prisma, _TECH961_MIGRATIONS),
    ):
        first, _ = migrations
        write(checkout, made({first: migrations[first]}))
        command = [
            "npx",
            *(["prisma", "migrate", "deploy"] if made is prisma else ["drizzle-kit", "migrate"]),
        ]
        subprocess.run(
            command,
            cwd=checkout,
            env={**environ, "DATABASE_URL": urls[team], "PG_URL": urls[team]},
            check=True,
            capture_output=True,
            timeout=600,
        )
        write(checkout, made(migrations))
    write(
        honeydue / "migrations",
        {
            "000001_init.sql": "-- +goose Up\nSELECT 1;\n",
            "000002_due.sql": "-- +goose Up\nALTER TABLE task_task ADD COLUMN due date;\n"
            "-- +goose Down\nSELECT 1;\n",
        },
    )
    fills = {
        "hackorda": _FILL_HACKORDA,
        "droplet": _FILL_HACKORDA,
        "tech961": _FILL_TECH961,
        "honeydue": _HONEYDUE,
        "amanat": _FILL_AMANAT,
    }
    for team, statements in fills.items():
        with psycopg.connect(urls[team]) as connection:
            connection.execute(statements.encode())


def _install(checkout: Path, node_modules: Path) -> None:
    """The packages that are there for all tests, as a checkout's own, and wrangler beside them. Nothing is fetched."""
    own = checkout / "node_modules"
    (own / ".bin").mkdir(parents=True)
    for package in node_modules.iterdir():
        if package.name != ".bin":
            (own / package.name).symlink_to(package)
    for program in (node_modules / ".bin").iterdir():
        (own / ".bin" / program.name).symlink_to(program.resolve())
    _write_program(own / ".bin" / "wrangler", _HOOK)
    (checkout / ".npmrc").write_text("offline=true\nupdate-notifier=false\naudit=false\nfund=false\n")


def _programs(folder: Path) -> Path:
    programs = folder / "bin"
    for name, source in _PROGRAMS.items():
        _write_program(programs / name, source)
    for hook in _HOOKS:
        _write_program(folder / "checkouts" / hook, _HOOK)
    tech961 = folder / "checkouts" / "961tech"
    for path, script in shell_scripts(TEAMS / "961tech.md").items():
        _write_script(tech961 / path, script)
    for name in ("rebind-hyperdrive", "smoke"):
        _write_script(
            tech961 / f"ops/{name}.sh",
            f"#!/bin/sh\nset -eu\n. ./ops/stage.sh\nexport TARGET\nexec ./ops/{name}\n",
        )
    return programs


def shell_scripts(page: Path) -> dict[str, str]:
    """The scripts that a page shows, by the path that their first comment gives."""
    shown = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return {re.findall(r"^# (\S+\.sh)$", script, re.MULTILINE)[0]: script for script in shown}


def _write_program(path: Path, source: str) -> None:
    _write_script(path, f"#!{sys.executable}\n{source}")


def _write_script(path: Path, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    path.chmod(0o755)
