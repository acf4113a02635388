"""The server of one's own that the tests of this folder share."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.postgres import create_database, delete_server, running_postgres
from hackorda_ops_tests.drill.fixtures import Night, night_of
from hackorda_ops_tests.histories import barman, shelf
from hackorda_ops_tests.histories.own import Own
from hackorda_ops_tests.zoo.servers import programs_of


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


@pytest.fixture(scope="package")
def own_18(server_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """The same on Postgres 18."""
    folder = server_folder / "own-18"
    with running_postgres(folder, bin_dir=programs_of(18)) as source:
        url = create_database(source, f"own {secrets.token_hex(3)}")
        seed(url, scale=0.005)
        with barman.keeping(source, server_folder / "barman-18") as kept:
            night = night_of(url, tmp_path_factory.mktemp("own-18") / "store")
            kept.received()
            yield Own(kept, night)
    delete_server(folder)


@pytest.fixture(scope="package")
def shelved(server_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Night]]:
    """A shelf with one base backup, and a night of exactly its position."""
    folder = server_folder / "shelved"
    with running_postgres(folder) as source:
        url = create_database(source, "shelved")
        seed(url, scale=0.005)
        night = night_of(url, tmp_path_factory.mktemp("shelved") / "store")
        room = server_folder / "shelf"
        (room / "positions").mkdir(parents=True)
        shutil.copy(source.folder / "superuser-password", room)
        shelf.put(source, room / "positions", night.manifest.lsn)
        yield room / "positions", night
    delete_server(folder)
