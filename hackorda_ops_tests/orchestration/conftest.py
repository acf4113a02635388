"""A small database of our own behind real definitions, materialized on instances that keep nothing."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from dagster import DagsterInstance

from hackorda_ops.config import Config, Database, Folder, Schedule, Source
from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.orchestration.protected import Protected, fill


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """Dagster without a home."""
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def protected(new_database: str, s3_server: S3Server, new_bucket: str, tmp_path: Path) -> Protected:
    """A database with a few rows, a store in a folder, a bucket, and the definitions over them."""
    with psycopg.connect(new_database) as connection:
        fill(connection)
    config = Config(
        databases={
            "shop": Database(
                source=Source(url_env="SHOP_URL", tls="disable"),
                store=Folder(folder=tmp_path / "backups"),
                schedule=Schedule(timezone="Asia/Almaty"),
            )
        }
    )
    environ = {
        "SHOP_URL": new_database,
        "OFFSITE_BUCKET": new_bucket,
        "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
        "OFFSITE_REGION": s3_server.region,
        "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
    }
    return Protected(config=config, environ=environ, url=new_database, store=tmp_path / "backups")
