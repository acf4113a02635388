"""A code location for tests: the configuration of one database, its environment, and what Dagster makes of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster import AssetCheckEvaluation, DagsterInstance, ExecuteInProcessResult

from hackorda_ops.calendar.partitions import night_of, week_of
from hackorda_ops.config.models import Config, Policy, Schedule, Source
from hackorda_ops.config.places import Folder
from hackorda_ops.environment import Protected
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.orchestration.build import build_defs
from hackorda_ops.orchestration.resources import ENVIRON


def fill(connection: psycopg.Connection[Any]) -> None:
    """Two tables with rows enough to collapse."""
    connection.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
    connection.execute("CREATE TABLE orders (id int PRIMARY KEY, total numeric)")
    connection.execute("INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 500) n")
    connection.execute("INSERT INTO orders SELECT n, n * 1.5 FROM generate_series(1, 300) n")


@dataclass(frozen=True)
class CodeLocation:
    """Of the database "shop" alone.

    Attributes:
        config: with that one database.
        environ: what its configuration names.
        url: of the database itself.
        store: the folder of its store.
    """

    config: Config
    environ: Mapping[str, str]
    url: str
    store: Path

    @property
    def shop(self) -> Protected:
        """The database, as assets are given it."""
        return Protected("shop", self.config.databases["shop"], self.environ)

    @cached_property
    def tonight(self) -> date:
        """The night's date in the database's time zone: of the first time somebody asks, whatever midnight passes."""
        return night_of(datetime.now(UTC), self.shop.policy.schedule)

    @property
    def this_week(self) -> date:
        """The Monday of tonight."""
        return week_of(self.tonight)

    def definitions(self, **environ: str) -> dg.Definitions:
        """Real definitions over this environment, with the changes given."""
        return build_defs(self.config, resource_overrides={ENVIRON: {**self.environ, **environ}})

    def run(
        self,
        job: str,
        partition: date | str | None,
        instance: DagsterInstance,
        *,
        tags: Mapping[str, str] | None = None,
        **environ: str,
    ) -> ExecuteInProcessResult:
        """Runs one of the jobs in this process."""
        return (
            self.definitions(**environ)
            .resolve_job_def(job)
            .execute_in_process(
                instance=instance,
                partition_key=None if partition is None else str(partition),
                tags=tags,
                raise_on_error=False,
            )
        )

    def execute(self, statement: str) -> None:
        """Changes the database."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode())

    def artifacts(self) -> list[str]:
        """What anybody would call a backup: the folders that have a manifest."""
        return sorted(path.parent.name for path in self.store.glob("shop/*/manifest.json"))


def protected_shop(url: str, s3_server: S3Server, bucket: str, store: Path) -> CodeLocation:
    """A database behind a configuration with a store in a folder, and a bucket."""
    config = Config(
        databases={
            "shop": Policy(
                source=Source(url_env="SHOP_URL", tls="disable"),
                store=Folder(folder=store),
                schedule=Schedule(timezone="Asia/Almaty"),
            )
        }
    )
    environ = {
        "SHOP_URL": url,
        "OFFSITE_BUCKET": bucket,
        "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
        "OFFSITE_REGION": s3_server.region,
        "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
    }
    return CodeLocation(config=config, environ=environ, url=url, store=store)


def checks(result: ExecuteInProcessResult) -> dict[str, AssetCheckEvaluation]:
    """The check evaluations of a run, by name."""
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def log_lines(instance: DagsterInstance, result: ExecuteInProcessResult) -> Iterator[str]:
    """What a run's own log says."""
    return (entry.user_message for entry in instance.all_logs(result.run_id))
