"""What the tests of readiness share."""

from pathlib import Path

import pytest

from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.readiness.kept import Kept, kept_on


@pytest.fixture
def kept(s3_server: S3Server, new_bucket: str, tmp_path: Path) -> Kept:
    """A database on a scratch server, with an empty store and an empty bucket."""
    return kept_on(s3_server, new_bucket, tmp_path)


@pytest.fixture
def kept_on_neon(s3_server: S3Server, new_bucket: str, tmp_path: Path) -> Kept:
    """The same on Neon."""
    return kept_on(s3_server, new_bucket, tmp_path, scratch={"neon": {}})
