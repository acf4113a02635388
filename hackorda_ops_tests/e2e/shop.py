"""The database "shop": protected by a real Dagster, over a line that tests can brake."""

import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, to_bytes
from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.alerts.sink import MailSink, Sink, running_mail_sink, running_sink
from hackorda_ops_tests.e2e.brake import Brake, braked

NAME = "shop"
BUCKET = "shop-offsite"
# What has come back when pg_dump is in the middle of its data, whether or not the values that are read from the source
# beside it (as much again) came first.
MID_DUMP_BYTES = 12_000_000
# About 10 MB that no compression makes small, so that a dump has a middle.
_FILL = """
CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 500) n;
CREATE TABLE pictures (id int PRIMARY KEY, content text);
INSERT INTO pictures
SELECT n, (SELECT string_agg(md5(n::text || m::text), '') FROM generate_series(1, 160) m)
  FROM generate_series(1, 2000) n
"""


@dataclass(frozen=True)
class Shop:
    """What protects the shop, and what it is protected from.

    Attributes:
        config_file: its databases.yaml.
        environ: what that names.
        url: of the database, past the line.
        line: which the dump goes over.
        alarms: the webhook.
        mails: the mail server.
        store: the folder of its store.
        work: the folder that drills fetch artifacts into.
        migrations_wait: while this file exists, a drill's migrate command does not end.
        migrating: that command makes this file when it begins.
    """

    config_file: Path
    environ: Mapping[str, str]
    url: str
    line: Brake
    alarms: Sink
    mails: MailSink
    store: Path
    work: Path
    migrations_wait: Path
    migrating: Path

    def past_the_line(self) -> "Shop":
        """The same shop, reached at its server itself."""
        return replace(self, environ={**self.environ, "SHOP_URL": self.url})

    @property
    def artifacts(self) -> tuple[Manifest, ...]:
        """What anybody would call a backup."""
        found = catalog.read(FolderStore(self.store), NAME)
        assert not found.damaged
        return found.artifacts

    def alarms_of(self, run: str) -> tuple[list[str], list[str]]:
        """What was told of a run: the messages at the webhook, and the mails."""
        mails = [f"{mail['Subject']}\n{mail.get_content()}" for mail in self.mails.mails]
        texts, written = ([text for text in told if run in text] for told in (self.alarms.texts, mails))
        return texts, written

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may see."""
        password = str(conninfo_to_dict(self.url)["password"])
        scratch = str(conninfo_to_dict(self.environ["SCRATCH_ADMIN_URL"])["password"])
        return (
            password,
            scratch,
            self.environ["OFFSITE_SECRET_ACCESS_KEY"],
            self.environ["ALERT_WEBHOOK_URL"],
            self.environ["ALERT_URLS"],
        )

    def older(self, *, days: int, store: Path) -> Manifest:
        """Leaves in a store what a night would have left there so many days ago: today's data, dated back."""
        newest = self.artifacts[-1]
        taken = newest.captured_at - timedelta(days=days)
        older = replace(
            newest,
            artifact_id=f"{taken:%Y%m%dT%H%M%SZ}-abcdef",
            captured_at=taken,
            night=newest.night - timedelta(days=days),
        )
        shutil.copytree(self.store / newest.prefix, store / older.prefix)
        (store / older.prefix / MANIFEST_NAME).write_bytes(to_bytes(older))
        return older

    def unfinished(self) -> list[Path]:
        """What lies in the store's staging folder."""
        return [path for path in (self.store / ".staging" / NAME).glob("*") if path.exists()]

    @property
    def offsite(self) -> S3Store:
        """The bucket of its weekly copies."""
        return self.protected.offsite

    @property
    def protected(self) -> Protected:
        """It as a value."""
        return Protected(NAME, self.policy, self.environ)

    @property
    def policy(self) -> Policy:
        """Its configuration."""
        return config_file.load(self.config_file).databases[NAME]

    def fetched(self) -> list[Path]:
        """What drills have fetched and not removed."""
        # Receipts wait there until they are in their places.
        return [
            path
            for path in self.work.rglob("*")
            if path.is_file() and self.work / "receipts" not in path.parents
        ]

    def scratch(self) -> set[str]:
        """The databases on the scratch server, beside those that every server has."""
        with psycopg.connect(self.environ["SCRATCH_ADMIN_URL"]) as connection:
            found = connection.execute(
                "SELECT datname FROM pg_database WHERE datname <> 'postgres'"
            ).fetchall()
        return {name for (name,) in found} - {"template0", "template1"}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Asks the database."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


@contextmanager
def protected_shop(
    folder: Path, postgres: PostgresServer, scratch: PostgresServer, s3: S3Server
) -> Iterator[Shop]:
    """Makes the database, its configuration and a bucket, and runs the line and the webhook."""
    url = create_database(postgres, NAME)
    with psycopg.connect(url) as connection:
        connection.execute(_FILL.encode())
    create_bucket(s3, BUCKET)
    # Dagster's daemon runs beside the tests, and starts what is scheduled: nothing is, for half a day.
    now = datetime.now(UTC)
    far = (now.hour + 12) % 24
    waiting, migrating = folder / "migrations wait", folder / "migrating"
    migrate = f"touch '{migrating}'; while [ -e '{waiting}' ]; do sleep 0.05; done; rm '{migrating}'"
    settings = {
        "source": {"url_env": "SHOP_URL", "tls": "disable"},
        "store": "backups",
        "offsite": {"bucket": BUCKET, "endpoint_url": s3.endpoint_url, "region": s3.region},
        "scratch": {"server": {"superuser": "postgres"}},
        "migrate": {"command": shlex.join(["sh", "-c", migrate])},
        "dump": {"work_folder": str(folder / "work")},
        # What a proof has in the work folder would be taken for what a night or a drill left.
        "proof": {"every": "off"},
        "schedule": {
            **dict.fromkeys(("night", "week", "quarter"), f"0 {far} * * *"),
            # So that there are missed quarters on every day of the year.
            "since": now.date() - timedelta(days=400),
        },
    }
    configuration = folder / "databases.yaml"
    configuration.write_text(yaml.safe_dump({"databases": {NAME: settings}}))
    with running_sink() as alarms, running_mail_sink() as mails, braked(postgres.port) as line:
        yield Shop(
            config_file=configuration,
            environ={
                "SHOP_URL": url.replace(f":{postgres.port}/", f":{line.port}/"),
                "OFFSITE_ACCESS_KEY_ID": s3.access_key_id,
                "OFFSITE_SECRET_ACCESS_KEY": s3.secret_access_key,
                "SCRATCH_ADMIN_URL": scratch.url(),
                "ALERT_WEBHOOK_URL": alarms.url,
                "ALERT_URLS": mails.url,
            },
            url=url,
            line=line,
            alarms=alarms,
            mails=mails,
            store=folder / "backups",
            work=folder / "work",
            migrations_wait=waiting,
            migrating=migrating,
        )
