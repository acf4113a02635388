"""A bucket that keeps versions, with artifacts in it, on a server that enforces locks and on one that doesn't."""

from pathlib import Path

import pytest

from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops_tests.retention.places import Places, artifact, open_places, put_artifact
from hackorda_ops_tests.stores.examples import store_on


@pytest.fixture(params=["s3_server", "seaweed_server"])
def versioned(tmp_path: Path, request: pytest.FixtureRequest) -> Places:
    """Places whose bucket keeps versions, with eight nights in it, of which seven are kept."""
    server: S3Server = request.getfixturevalue(request.param)
    bucket = "".join(c if c.isalnum() else "-" for c in request.node.name)[-60:].strip("-")
    create_bucket(server, bucket)
    server.client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = open_places(tmp_path, store_on(server, bucket, prefix="off-site"))
    for age in range(8):
        put_artifact(made.offsite, artifact(age))
    return made
