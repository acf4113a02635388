"""A small database of our own behind real definitions, materialized on instances that keep nothing."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from dagster import DagsterInstance

from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.orchestration.protected import CodeLocation, fill, protected_shop


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """Dagster without a home."""
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def protected(new_database: str, s3_server: S3Server, new_bucket: str, tmp_path: Path) -> CodeLocation:
    """A database with a few rows, a store in a folder, a bucket, and the definitions over them."""
    with psycopg.connect(new_database) as connection:
        fill(connection)
    return protected_shop(new_database, s3_server, new_bucket, tmp_path / "backups")
