"""The server of one's own that the tests of this folder share."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.postgres import create_database, delete_server, running_postgres
from hackorda_ops_tests.drill.fixtures import night_of
from hackorda_ops_tests.histories import barman
from hackorda_ops_tests.histories.own import Own


@pytest.fixture(scope="package")
def own(server_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """A server of the scratch's major version, which no provider keeps a history of."""
    folder = server_folder / "own"
    with running_postgres(folder) as source:
        url = create_database(source, f"own {secrets.token_hex(3)}")
        seed(url, scale=0.005)
        with barman.keeping(source, server_folder / "barman") as kept:
            night = night_of(url, tmp_path_factory.mktemp("own") / "store")
            kept.received()
            yield Own(kept, night)
    delete_server(folder)
