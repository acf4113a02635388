import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hackorda_ops.history.labels import Label
from hackorda_ops.history.points import AtHead, AtLsn, AtTime, HistoryPoint
from hackorda_ops.local.neon import running_local_neon
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.branches import ScratchBranch, connection, create_branch, delete_branch
from hackorda_ops.neon.client import NeonClient, open_client

pytestmark = pytest.mark.server


@contextmanager
def _branch(client: NeonClient, point: HistoryPoint) -> Iterator[ScratchBranch]:
    branch = create_branch(
        client,
        label=Label("ledger", "a1b2", "run", "test"),
        point=point,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    try:
        yield branch
    finally:
        delete_branch(client, branch.branch_id)


def _rows(client: NeonClient, branch: ScratchBranch, database_url: str) -> list[int]:
    database = str(conninfo_to_dict(database_url)["dbname"])
    target = connection(client, branch, database=database, role="postgres")
    with psycopg.connect(make_conninfo("", password=target.password, **target.parameters)) as session:
        return [row[0] for row in session.execute("SELECT number FROM ledger ORDER BY number")]


def _write(session: psycopg.Connection, *numbers: int) -> None:
    for number in numbers:
        session.execute("INSERT INTO ledger VALUES (%s)", [number])


@pytest.fixture
def ledger(new_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute("CREATE TABLE ledger (number int)")
        yield session


def test_a_branch_at_a_position_has_exactly_what_was_committed_before_it(
    client: NeonClient, ledger: psycopg.Connection, new_database: str
) -> None:
    _write(ledger, 1, 2, 3)
    position = ledger.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert position is not None
    _write(ledger, 4)

    with _branch(client, AtLsn(position[0])) as branch:
        assert _rows(client, branch, new_database) == [1, 2, 3]
        assert branch.parent_lsn == position[0]


def test_a_transaction_that_is_open_at_the_position_is_not_on_the_branch(
    client: NeonClient, ledger: psycopg.Connection, new_database: str
) -> None:
    with psycopg.connect(new_database) as open_session:
        _write(open_session, 1)
        _write(ledger, 2)
        position = ledger.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        assert position is not None
        open_session.commit()

        with _branch(client, AtLsn(position[0])) as branch:
            assert _rows(client, branch, new_database) == [2]


def test_a_branch_at_a_time_has_what_was_committed_until_then(
    client: NeonClient, ledger: psycopg.Connection, new_database: str
) -> None:
    _write(ledger, 1, 2)
    moment = ledger.execute("SELECT clock_timestamp()").fetchone()
    assert moment is not None
    _write(ledger, 3)

    with _branch(client, AtTime(moment[0])) as branch:
        assert _rows(client, branch, new_database) == [1, 2]
        assert branch.parent_timestamp == moment[0]
        assert branch.parent_lsn is not None


def test_a_branch_at_head_has_everything_and_is_independent(
    client: NeonClient, ledger: psycopg.Connection, new_database: str
) -> None:
    _write(ledger, 1, 2)

    with _branch(client, AtHead()) as branch:
        _write(ledger, 3)
        assert _rows(client, branch, new_database) == [1, 2]


def _count_and_position(session: psycopg.Connection, *, at_least: int) -> tuple[int, str]:
    """How many rows there are at which position; exact, because the lock waits for the writer's commit to be seen."""
    while True:
        with session.transaction():
            session.execute("LOCK TABLE ledger IN SHARE MODE")
            row = session.execute("SELECT count(*), pg_current_wal_insert_lsn()::text FROM ledger").fetchone()
        assert row is not None
        if row[0] >= at_least:
            return row[0], row[1]
        time.sleep(0.01)


def test_branches_of_several_moments_stand_side_by_side_under_constant_writes(
    client: NeonClient, ledger: psycopg.Connection, new_database: str
) -> None:
    enough = threading.Event()

    def write_on() -> None:
        with psycopg.connect(new_database, autocommit=True) as session:
            for number in range(1_000_000):
                if enough.is_set():
                    return
                _write(session, number)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        moments = [_count_and_position(ledger, at_least=least) for least in (20, 60)]
        with (
            _branch(client, AtLsn(moments[0][1])) as first,
            _branch(client, AtLsn(moments[1][1])) as second,
        ):
            found = [len(_rows(client, branch, new_database)) for branch in (first, second)]
    finally:
        enough.set()
        writer.join()

    assert found == [moments[0][0], moments[1][0]]


def test_a_segment_boundary_is_no_obstacle(
    client: NeonClient, ledger: psycopg.Connection, new_database: str
) -> None:
    _write(ledger, 1)
    ledger.execute("SELECT pg_switch_wal()")
    position = ledger.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert position is not None
    _write(ledger, 2)
    ledger.execute("SELECT pg_switch_wal()")

    with _branch(client, AtLsn(position[0])) as branch:
        assert _rows(client, branch, new_database) == [1]


def test_another_major_version_is_cloned_too(
    debian_postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    server_folder: Path,
) -> None:
    url = database_on(debian_postgres_server)
    with running_local_neon(debian_postgres_server, server_folder / "neon-debian") as neon:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("CREATE TABLE ledger (number int)")
            _write(session, 7)
        with (
            open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client,
            _branch(client, AtHead()) as branch,
        ):
            assert _rows(client, branch, url) == [7]


def test_nothing_of_a_plane_is_left_after_its_block(
    postgres_server: PostgresServer, server_folder: Path
) -> None:
    folder = server_folder / "neon-short"
    with (
        running_local_neon(postgres_server, folder) as neon,
        open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client,
    ):
        # Not waited for: the block ends while the clone is being made.
        client.create_branch({"branch": {"name": "x"}, "endpoints": [{"type": "read_write"}]}, name="x")

    assert not folder.exists()
    assert _processes_that_mention(folder) == []


_PROGRAM = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from hackorda_ops.local.neon import running_local_neon
from hackorda_ops.local.postgres import running_postgres
from hackorda_ops.neon.branches import create_branch
from hackorda_ops.neon.client import open_client
from hackorda_ops.history.points import AtHead
from hackorda_ops.history.labels import Label

folder = Path(sys.argv[1])
with running_postgres(folder / "parent", settings={"fsync": "off"}) as parent:
    with running_local_neon(parent, folder / "neon") as neon:
        with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
            create_branch(client, label=Label("d", "a1b2", "r", "p"), point=AtHead(),
                          expires_at=datetime.now(UTC) + timedelta(hours=1))
            print("up", flush=True)
            sys.stdin.read()
"""


def test_a_killed_owner_leaves_no_server_running(server_folder: Path) -> None:
    folder = server_folder / "killed"
    folder.mkdir()
    folder.chmod(0o711)
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        before = _processes_that_mention(folder)
        os.kill(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while _processes_that_mention(folder) and time.monotonic() < deadline:
        time.sleep(0.05)

    # The owner itself, parent, clone and WAL receiver.
    assert len(before) >= 4
    assert _processes_that_mention(folder) == []


def _processes_that_mention(folder: Path) -> list[str]:
    listed = subprocess.run(["ps", "-ewwo", "pid=,args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(folder) in line]
