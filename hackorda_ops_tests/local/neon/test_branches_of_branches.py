"""Branches of a branch, each a real clone as of a time or position in the branch's own history."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hackorda_ops.errors import NeonRefused
from hackorda_ops.history.labels import Label
from hackorda_ops.history.points import AtHead, AtLsn, AtTime, HistoryPoint
from hackorda_ops.neon.branches import ScratchBranch, connection, create_branch, delete_branch
from hackorda_ops.neon.client import NeonClient

pytestmark = pytest.mark.server


@contextmanager
def _branch(
    client: NeonClient, point: HistoryPoint, *, parent_id: str | None = None, expires: bool = False
) -> Iterator[ScratchBranch]:
    branch = create_branch(
        client,
        label=Label("ledger", "a1b2", "run", "test"),
        point=point,
        expires_at=datetime.now(UTC) + timedelta(hours=1) if expires else None,
        parent_id=parent_id,
    )
    try:
        yield branch
    finally:
        delete_branch(client, branch.branch_id)


@contextmanager
def _session(client: NeonClient, branch: ScratchBranch, url: str) -> Iterator[psycopg.Connection]:
    target = connection(client, branch, database=str(conninfo_to_dict(url)["dbname"]), role="postgres")
    conninfo = make_conninfo("", password=target.password, **target.parameters)
    with psycopg.connect(conninfo, autocommit=True) as session:
        yield session


def _numbers(client: NeonClient, branch: ScratchBranch, url: str) -> list[int]:
    with _session(client, branch, url) as session:
        return [row[0] for row in session.execute("SELECT number FROM ledger ORDER BY number")]


@pytest.fixture
def ledger(new_database: str) -> str:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute("CREATE TABLE ledger AS SELECT generate_series(1, 3) AS number")
    return new_database


def test_a_branch_of_a_branch_is_what_that_branch_was_at_that_time_or_position(
    client: NeonClient, ledger: str
) -> None:
    with _branch(client, AtHead()) as first:
        with _session(client, first, ledger) as session:
            session.execute("INSERT INTO ledger VALUES (4)")
            moment = session.execute("SELECT clock_timestamp(), pg_current_wal_insert_lsn()::text").fetchone()
            assert moment is not None
            session.execute("DROP TABLE ledger")
        with psycopg.connect(ledger, autocommit=True) as main:
            main.execute("INSERT INTO ledger VALUES (100)")

        for point in (AtTime(moment[0]), AtLsn(moment[1])):
            with _branch(client, point, parent_id=first.branch_id, expires=True) as second:
                assert _numbers(client, second, ledger) == [1, 2, 3, 4]
                assert second.parent_id == first.branch_id


def test_a_branch_of_a_branch_can_be_branched_too(client: NeonClient, ledger: str) -> None:
    with _branch(client, AtHead()) as first:
        with _session(client, first, ledger) as session:
            session.execute("INSERT INTO ledger VALUES (4)")
        with _branch(client, AtHead(), parent_id=first.branch_id) as second:
            with _session(client, second, ledger) as session:
                session.execute("INSERT INTO ledger VALUES (5)")
            with _branch(client, AtHead(), parent_id=second.branch_id) as third:
                assert _numbers(client, third, ledger) == [1, 2, 3, 4, 5]
            assert _numbers(client, first, ledger) == [1, 2, 3, 4]


def test_a_branch_that_expires_has_no_children_and_one_with_children_stays(
    client: NeonClient, ledger: str
) -> None:
    with (
        _branch(client, AtHead(), expires=True) as expiring,
        pytest.raises(NeonRefused, match="can't have children"),
        _branch(client, AtHead(), parent_id=expiring.branch_id),
    ):
        pass
    with _branch(client, AtHead()) as parent, _branch(client, AtHead(), parent_id=parent.branch_id):
        with pytest.raises(NeonRefused, match="has children"):
            delete_branch(client, parent.branch_id)
        assert client.branch(parent.branch_id) is not None
