"""A missed night, backfilled in Dagster from the provider's history while production is written to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import zstandard
from dagster import DagsterInstance

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, from_bytes
from hackorda_ops.calendar import partitions
from hackorda_ops.config.models import Config, Policy, Schedule, Source
from hackorda_ops.config.places import Folder
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.branches import list_own_branches
from hackorda_ops.neon.client import open_client
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.orchestration.protected import CodeLocation

pytestmark = pytest.mark.server

_WRITERS = 3


@pytest.fixture(scope="module")
def plane(postgres_server: PostgresServer, server_folder: Path) -> Iterator[LocalNeon]:
    with running_local_neon(postgres_server, server_folder / "neon-past") as made:
        yield made


@pytest.fixture
def branching(protected: CodeLocation, plane: LocalNeon) -> CodeLocation:
    """The shop, on Neon. A night is over as soon as its date is."""
    database = Policy(
        source=Source(url_env="SHOP_URL", tls="disable"),
        store=Folder(folder=protected.store),
        schedule=Schedule(timezone="Asia/Almaty", night="0 0 * * *"),
    )
    return CodeLocation(
        config=Config(databases={"shop": database}),
        environ={
            **protected.environ,
            "NEON_PROJECT_ID": plane.project_id,
            "NEON_API_KEY": plane.api_key,
            "NEON_API_URL": plane.base_url,
        },
        url=protected.url,
        store=protected.store,
    )


class Book:
    """What writers have committed, kept beside the database: the record that a backup is held against."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {}
        self.between_commits = threading.Lock()
        self.writers: list[threading.Thread] = []

    def mark(self, connection: psycopg.Connection) -> tuple[datetime, dict[int, str]]:
        """A time of the server's clock, and all rows that there were at that time."""
        with self.between_commits:
            [(now,)] = connection.execute("SELECT clock_timestamp()").fetchall()
            return now, dict(self.rows)


@contextmanager
def written_to(url: str) -> Iterator[Book]:
    """Rows come, change and go for as long as the block lasts."""
    book, stop = Book(), threading.Event()

    def write(first: int) -> None:
        number = first
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                number += _WRITERS
                with book.between_commits:
                    connection.execute("INSERT INTO ledger VALUES (%s, 'new')", (number,))
                    book.rows[number] = "new"
                with book.between_commits:
                    if number % 5 == 0:
                        connection.execute("DELETE FROM ledger WHERE id = %s", (number,))
                        del book.rows[number]
                    else:
                        connection.execute("UPDATE ledger SET state = 'changed' WHERE id = %s", (number,))
                        book.rows[number] = "changed"

    book.writers = [threading.Thread(target=write, args=(first,)) for first in range(_WRITERS)]
    for writer in book.writers:
        writer.start()
    try:
        yield book
    finally:
        stop.set()
        for writer in book.writers:
            writer.join(60)


def until_more_than(book: Book, rows: int) -> None:
    while len(book.rows) <= rows:
        assert all(writer.is_alive() for writer in book.writers)


def ledger_of(store: Path, manifest: Manifest) -> dict[int, str]:
    """The table's rows, read from the artifact's own file."""
    [entry] = [table for table in manifest.tables if table.name.name == "ledger"]
    with FolderStore(store).open(f"{manifest.prefix}/{entry.file}") as stream:
        text = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True).read().decode()
    rows = (line.split("\t") for line in text.removesuffix("\\.\n\n\n").splitlines())
    return {int(number): state for number, state in rows}


def newest(protected: CodeLocation) -> Manifest:
    path = protected.store / "shop" / protected.artifacts()[-1] / MANIFEST_NAME
    return from_bytes(path.read_bytes(), origin="the test")


def test_a_missed_night_holds_exactly_the_rows_of_its_scheduled_time(
    branching: CodeLocation, plane: LocalNeon, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    branching.execute("CREATE TABLE ledger (id int PRIMARY KEY, state text)")
    with written_to(branching.url) as book, psycopg.connect(branching.url, autocommit=True) as connection:
        until_more_than(book, 50)
        scheduled, recorded = book.mark(connection)
        until_more_than(book, len(recorded) + 50)
        # The control plane's history begins with this test, so the night's scheduled time is moved into it.
        monkeypatch.setattr(partitions, "scheduled_at", lambda night, schedule: scheduled)
        yesterday = branching.tonight - timedelta(days=1)

        result = branching.run("shop_night", yesterday, instance)
        until_more_than(book, len(recorded) + 100)

    assert result.success
    [materialization] = result.asset_materializations_for_node("shop__nightly_dump")
    assert materialization.partition == yesterday.isoformat()
    manifest = newest(branching)
    assert ledger_of(branching.store, manifest) == recorded
    assert (manifest.night, manifest.as_of, manifest.captured_at) == (yesterday, scheduled, scheduled)
    assert (manifest.dumped_from, manifest.late) == ("branch", False)
    with open_client(plane.project_id, plane.api_key, base_url=plane.base_url) as client:
        assert list_own_branches(client) == ()


def test_a_backfilled_night_is_compared_with_the_one_before_it_and_not_with_a_later_one(
    branching: CodeLocation, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(branching.url) as connection:
        [(scheduled,)] = connection.execute("SELECT clock_timestamp()").fetchall()
    branching.execute("CREATE TABLE made_later (id int)")
    assert branching.run("shop_night", branching.tonight, instance).success
    monkeypatch.setattr(partitions, "scheduled_at", lambda night, schedule: scheduled)

    result = branching.run("shop_night", branching.tonight - timedelta(days=1), instance)

    assert result.success
    [materialization] = result.asset_materializations_for_node("shop__nightly_dump")
    assert materialization.metadata["compared with"].value == "nothing: this is the first artifact"


@pytest.mark.parametrize("days", [1, 30])
def test_a_night_beyond_the_history_fails_for_good_and_says_since_when(
    branching: CodeLocation, instance: DagsterInstance, days: int
) -> None:
    result = branching.run("shop_night", branching.tonight - timedelta(days=days), instance)

    assert not result.success
    # Not tried again: an attempt that is has a STEP_UP_FOR_RETRY event, and this test would wait for it.
    [failure] = result.get_step_failure_events()
    told = failure.step_failure_data.user_failure_data
    assert told is not None
    since = "out of reach since 20" if days == 30 else "the history of main begins at 20"
    assert since in str(told.metadata["what"].value)
    assert not branching.artifacts()
