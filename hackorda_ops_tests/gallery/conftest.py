"""One gallery for all tests of it."""

import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops_tests.drill.fixtures import Shipments
from hackorda_ops_tests.gallery.gallery import Gallery


@pytest.fixture(scope="session")
def gallery(
    postgres_server: PostgresServer,
    scratch_server: PostgresServer,
    s3_server: S3Server,
    shipments: Shipments,
    tmp_path_factory: pytest.TempPathFactory,
) -> Gallery:
    """The gallery, whose rooms are made as they are entered."""
    return Gallery(postgres_server, scratch_server, s3_server, shipments, tmp_path_factory.mktemp("gallery"))
