"""A store in a folder and a bucket off-site, both empty."""

from pathlib import Path

import pytest

from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.retention.places import Places, open_places
from hackorda_ops_tests.stores.examples import store_on


@pytest.fixture
def places(s3_server: S3Server, new_bucket: str, tmp_path: Path) -> Places:
    """The places of the database "hackorda"."""
    return open_places(tmp_path, store_on(s3_server, new_bucket, prefix="off-site"))
