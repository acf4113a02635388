"""Everything the demo needs, on this machine: Postgres with a seeded Hackorda database, S3, a Neon control plane."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.postgres import PostgresServer, create_database, running_postgres
from hackorda_ops.local.s3 import S3Server, create_bucket, running_s3
from hackorda_ops.progress import OnProgress, ignore

OFFSITE_BUCKET = "hackorda-offsite"


@dataclass(frozen=True)
class Stack:
    """What runs, and how to reach it.

    Attributes:
        postgres: the server that everything below is on.
        s3: the server of the off-site bucket.
        hackorda_url: of the seeded database, for the ordinary role that owns it.
        dagster_url: of the empty database for Dagster's own storage, for the role that owns it.
        neon: the control plane whose main branch the server is.
    """

    postgres: PostgresServer
    s3: S3Server
    hackorda_url: str = field(repr=False)
    dagster_url: str = field(repr=False)
    neon: LocalNeon

    def environment(self) -> dict[str, str]:
        """The variables that the example `databases.yaml` names, secrets included."""
        return {
            "DATABASE_URL": self.hackorda_url,
            "NEON_API_URL": self.neon.base_url,
            "NEON_API_KEY": self.neon.api_key,
            "NEON_PROJECT_ID": self.neon.project_id,
            "OFFSITE_BUCKET": OFFSITE_BUCKET,
            "OFFSITE_ENDPOINT_URL": self.s3.endpoint_url,
            "OFFSITE_REGION": self.s3.region,
            "OFFSITE_ACCESS_KEY_ID": self.s3.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": self.s3.secret_access_key,
        }


@contextmanager
def running_stack(folder: Path, *, scale: float = 1.0, on_progress: OnProgress = ignore) -> Iterator[Stack]:
    """Runs the stack for as long as the block lasts; all of it ends with this process, however that happens.

    The databases in `folder` outlive the block, and are seeded only the first time. The bucket does not:
    it is empty at each start.

    Args:
        folder: for the server's files; made if missing.
        scale: of the Hackorda database; 1 is about 200,000 rows.
        on_progress: called with the rows seeded.

    Raises:
        ClientMissing: the `local` extra isn't installed.
        ServerUnreachable: Postgres did not start.
        StoreUnreachable: the S3 server did not start.
    """
    with running_postgres(folder / "postgres") as postgres, running_s3() as s3:
        hackorda_url = _owned_database(postgres, "hackorda")
        dagster_url = _owned_database(postgres, "dagster")
        if not _is_seeded(hackorda_url):
            seed(hackorda_url, scale=scale, on_progress=on_progress)
        create_bucket(s3, OFFSITE_BUCKET)
        # After the seeding, because the branches' history begins here.
        with running_local_neon(postgres, folder / "neon", role_passwords=_passwords(hackorda_url)) as neon:
            yield Stack(
                postgres=postgres, s3=s3, hackorda_url=hackorda_url, dagster_url=dagster_url, neon=neon
            )


def _passwords(url: str) -> dict[str, str]:
    parts = conninfo_to_dict(url)
    return {str(parts["user"]): str(parts["password"])}


def _owned_database(postgres: PostgresServer, name: str) -> str:
    """A database and the role of the same name that owns it; the role has no right beyond that."""
    # A new password at each start: it need not be stored anywhere.
    password = secrets.token_urlsafe(24)
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                sql.SQL("CREATE" if known is None else "ALTER"), sql.Identifier(name), password
            )
        )
    create_database(postgres, name, owner=name)
    return postgres.url(name, user=name, password=password)


def _is_seeded(url: str) -> bool:
    # An interrupted seeding leaves the tables without rows.
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('public.users')").fetchone() == (None,):
            return False
        return connection.execute("SELECT FROM users LIMIT 1").fetchone() is not None
