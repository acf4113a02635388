from collections.abc import Iterator
from pathlib import Path

import pytest

from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.client import NeonClient, open_client


@pytest.fixture(scope="package")
def neon(postgres_server: PostgresServer, server_folder: Path) -> Iterator[LocalNeon]:
    with running_local_neon(postgres_server, server_folder / "neon-clones") as neon:
        yield neon


@pytest.fixture
def client(neon: LocalNeon) -> Iterator[NeonClient]:
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        yield client
