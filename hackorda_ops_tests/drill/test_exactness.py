"""Whether a branch is the artifact's own moment: asked of a real server's transactions."""

import psycopg
import pytest

from hackorda_ops.drill.exactness import Unseen, committed_unseen, unseen_by


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        ("780:780:", Unseen((), 780)),
        ("780:784:781,782", Unseen((781, 782), 784)),
        ("4294967295:8589934592:4294967296", Unseen((4294967296,), 8589934592)),
    ],
)
def test_a_snapshots_text_names_what_it_could_not_see(text: str, unseen: Unseen) -> None:
    assert unseen_by(text) == unseen


@pytest.mark.parametrize("text", ["", "780", "780:781", "a:b:c", "1:2:3,"])
def test_another_text_is_no_snapshot(text: str) -> None:
    with pytest.raises(ValueError, match="snapshot"):
        unseen_by(text)


def snapshot(connection: psycopg.Connection) -> Unseen:
    [(text,)] = connection.execute("SELECT pg_current_snapshot()::text").fetchall()
    return unseen_by(text)


@pytest.mark.server
def test_commits_after_the_snapshot_count_and_rollbacks_do_not(new_database: str) -> None:
    with (
        psycopg.connect(new_database, autocommit=True) as one,
        psycopg.connect(new_database) as other,
    ):
        one.execute("CREATE TABLE t (n int)")
        other.execute("INSERT INTO t VALUES (1)")  # under way, and older than one that is over
        one.execute("INSERT INTO t VALUES (0)")
        before = snapshot(one)
        assert len(before.in_progress) == 1
        assert committed_unseen(one, before) == 0
        with one.transaction(force_rollback=True):
            one.execute("INSERT INTO t VALUES (2)")
        assert committed_unseen(one, before) == 0
        other.commit()
        assert committed_unseen(one, before) == 1
        one.execute("INSERT INTO t VALUES (3)")
        assert committed_unseen(one, before) == 2
        assert committed_unseen(one, snapshot(one)) == 0


@pytest.mark.server
def test_transactions_that_the_branch_never_heard_of_did_not_commit_there(new_database: str) -> None:
    with psycopg.connect(new_database, autocommit=True) as connection:
        future = snapshot(connection).next_id + 1000
        assert committed_unseen(connection, Unseen((future, future + 1), future + 2)) == 0


@pytest.mark.server
def test_transactions_too_old_to_be_known_are_not_taken_for_exact(new_database: str) -> None:
    with psycopg.connect(new_database, autocommit=True) as connection:
        # Ids below 3 are the server's own: always committed.
        assert committed_unseen(connection, Unseen((1,), snapshot(connection).next_id)) == 1
