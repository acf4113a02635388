"""The database "shop": protected by a real Dagster, over a line that tests can brake."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.backup import catalog
from hackorda_ops.backup.folder_store import FolderStore
from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops_tests.alerts.sink import Sink, running_sink
from hackorda_ops_tests.e2e.brake import Brake, braked

NAME = "shop"
BUCKET = "shop-offsite"
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
        store: the folder of its store.
    """

    config_file: Path
    environ: Mapping[str, str]
    url: str
    line: Brake
    alarms: Sink
    store: Path

    @property
    def artifacts(self) -> tuple[Manifest, ...]:
        """What anybody would call a backup."""
        found = catalog.read(FolderStore(self.store), NAME)
        assert not found.damaged
        return found.artifacts

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may see."""
        password = str(conninfo_to_dict(self.url)["password"])
        return (password, self.environ["OFFSITE_SECRET_ACCESS_KEY"], self.environ["ALERT_WEBHOOK_URL"])

    def unfinished(self) -> list[Path]:
        """What lies in the store's staging folder."""
        return [path for path in (self.store / ".staging" / NAME).glob("*") if path.exists()]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Asks the database."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


@contextmanager
def protected_shop(folder: Path, postgres: PostgresServer, s3: S3Server) -> Iterator[Shop]:
    """Makes the database, its configuration and a bucket, and runs the line and the webhook."""
    url = create_database(postgres, NAME)
    with psycopg.connect(url) as connection:
        connection.execute(_FILL.encode())
    create_bucket(s3, BUCKET)
    # Dagster's daemon runs beside the tests, and starts what is scheduled: nothing is, for half a day.
    far = (datetime.now(UTC).hour + 12) % 24
    settings = {
        "source": {"url_env": "SHOP_URL", "tls": "disable"},
        "store": "backups",
        "offsite": {"bucket": BUCKET, "endpoint_url": s3.endpoint_url, "region": s3.region},
        "schedule": {"night": f"0 {far} * * *", "week": f"0 {far} * * *"},
    }
    config_file = folder / "databases.yaml"
    config_file.write_text(yaml.safe_dump({"databases": {NAME: settings}}))
    with running_sink() as alarms, braked(postgres.port) as line:
        yield Shop(
            config_file=config_file,
            environ={
                "SHOP_URL": url.replace(f":{postgres.port}/", f":{line.port}/"),
                "OFFSITE_ACCESS_KEY_ID": s3.access_key_id,
                "OFFSITE_SECRET_ACCESS_KEY": s3.secret_access_key,
                "ALERT_WEBHOOK_URL": alarms.url,
            },
            url=url,
            line=line,
            alarms=alarms,
            store=folder / "backups",
        )
