"""A small database whose machine is lost, or its keys: the night, the places, and the commands that people type."""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import yaml
from botocore.exceptions import ClientError
from psycopg import sql

from hackorda_ops.config.file import CONFIG_VARIABLE
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, PATIENCE_SECONDS

_FILL = """
CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, note text);
INSERT INTO users (name, note) SELECT 'user ' || n, 'free words ' || n FROM generate_series(1, 400) n;
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, at timestamptz NOT NULL);
INSERT INTO orders SELECT n, 1 + n % 400, timestamptz '2026-01-01' + n * interval '1 h' FROM generate_series(1, 900) n;
CREATE VIEW busy AS SELECT user_id, count(*) FROM orders GROUP BY 1;
"""
_READER = (
    "CREATE ROLE {} LOGIN PASSWORD 'only reads' NOSUPERUSER NOCREATEDB NOCREATEROLE IN ROLE pg_read_all_data"
)

Rows = Mapping[str, list[str]]


def filled_database(server: PostgresServer) -> str:
    """A database with a few rows."""
    url = create_database(server, f"stolen {secrets.token_hex(3)}")
    with psycopg.connect(url) as session:
        session.execute(_FILL)
    return url


def read_only(server: PostgresServer, url: str) -> str:
    """The same database by a role that reads and does nothing else, as security.md asks for."""
    role = f"reader_{secrets.token_hex(3)}"
    with psycopg.connect(server.url(), autocommit=True) as session:
        session.execute(sql.SQL(_READER).format(sql.Identifier(role)))
    return url.replace(url.split("//")[1].split("@", maxsplit=1)[0], f"{role}:only%20reads")


def rows(url: str) -> Rows:
    """Every row of every table."""
    with psycopg.connect(url) as session:
        return {
            table: sorted(row for (row,) in session.execute(f"SELECT t::text FROM {table} t").fetchall())
            for table in ("users", "orders", "busy")
        }


@dataclass(frozen=True)
class Machine:
    """The machine that the daemon runs on: a folder, a configuration, and the variables that this names."""

    folder: Path
    environ: Mapping[str, str]

    def run(
        self, *arguments: str, code: int | None = 0, restore_url: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """A command, as a process of its own.

        Args:
            arguments: what is typed after "hackorda-ops".
            code: the exit code that it must have; None for any.
            restore_url: the empty database of a restore.
        """
        done = subprocess.run(
            [sys.executable, "-m", "hackorda_ops.cli", *arguments],
            cwd=self.folder,
            env={**self.environ, "RESTORE_URL": restore_url},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert code is None or done.returncode == code, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    def says(self, *arguments: str, code: int | None = 0, restore_url: str = "") -> str:
        """What a command says, without its line breaks; see `run`."""
        done = self.run(*arguments, code=code, restore_url=restore_url)
        return " ".join(f"{done.stdout} {done.stderr}".split())

    def without_its_disk(self) -> "Machine":
        """Another machine, with the configuration and the keys of this one, and nothing else."""
        for name in ("backups", "work"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return self


def machine(
    folder: Path, url: str, buckets: Mapping[str, tuple[S3Server, dict[str, Any]]], **policy: Any
) -> Machine:
    """Makes a bucket for each copy, and the configuration.

    Args:
        folder: an empty one.
        url: of the source.
        buckets: the server of each copy, and the keys that it has beside that, by its name.
        policy: the other keys.
    """
    offsite, environ = [], {**ENVIRONMENT, "HOME": str(folder), "SHOP_URL": url}
    for name, (server, more) in buckets.items():
        container = f"stolen-{name}-{secrets.token_hex(3)}"
        create_bucket(server, container, object_lock="lock" in more)
        if more.pop("versions", False):
            server.client().put_bucket_versioning(
                Bucket=container, VersioningConfiguration={"Status": "Enabled"}
            )
        offsite.append(
            {
                "name": name,
                "bucket": container,
                "endpoint_url": server.endpoint_url,
                "region": server.region,
                **more,
            }
        )
        variables = f"OFFSITE_{name.upper()}" if len(buckets) > 1 else "OFFSITE"
        environ |= {
            f"{variables}_ACCESS_KEY_ID": server.access_key_id,
            f"{variables}_SECRET_ACCESS_KEY": server.secret_access_key,
        }
    settings: dict[str, Any] = {
        "source": {"url_env": "SHOP_URL", "tls": "disable"},
        "store": "backups",
        "dump": {"work_folder": "work"},
        "proof": {"every": "off"},
        **policy,
    }
    if len(offsite) > 1:
        settings["offsite"] = offsite
    for bucket in offsite if len(offsite) == 1 else ():
        settings["offsite"] = {key: value for key, value in bucket.items() if key != "name"}
    configuration = folder / "databases.yaml"
    configuration.write_text(yaml.safe_dump({"databases": {"shop": settings}}))
    return Machine(folder, {**environ, CONFIG_VARIABLE: str(configuration)})


def bucket_of(machine: Machine, name: str = "") -> str:
    """The name of a copy's bucket."""
    settings = yaml.safe_load((machine.folder / "databases.yaml").read_text())["databases"]["shop"]["offsite"]
    if isinstance(settings, dict):
        return str(settings["bucket"])
    return next(str(each["bucket"]) for each in settings if each["name"] == name)


def hide(server: S3Server, bucket: str) -> int:
    """Puts a delete marker on every key; how many."""
    client = server.client()
    found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    for entry in found:
        client.delete_object(Bucket=bucket, Key=entry["Key"])
    return len(found)


def destroy(server: S3Server, bucket: str) -> int:
    """Does to a bucket all that its key lets a thief do; how many versions withstood it."""
    client: Any = server.client()
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    with suppress(ClientError):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    for each in client.list_object_versions(Bucket=bucket).get("Versions", []):
        which = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
        for mode in ("GOVERNANCE", "COMPLIANCE"):
            with suppress(ClientError):
                client.put_object_retention(
                    **which,
                    Retention={"Mode": mode, "RetainUntilDate": in_an_hour},
                    BypassGovernanceRetention=True,
                )
        with suppress(ClientError):
            client.put_object_legal_hold(**which, LegalHold={"Status": "OFF"})
    for key in {each["Key"] for each in client.list_object_versions(Bucket=bucket).get("Versions", [])}:
        with suppress(ClientError):
            client.put_object(Bucket=bucket, Key=key, Body=b"pay us")
    hide(server, bucket)
    withstood = 0
    for each in client.list_object_versions(Bucket=bucket).get("Versions", []):
        try:
            client.delete_object(
                Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"], BypassGovernanceRetention=True
            )
        except ClientError:
            withstood += 1
    with suppress(ClientError):
        client.delete_bucket(Bucket=bucket)
    return withstood
