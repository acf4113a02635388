"""Whether a branch is the artifact's own moment: asked of a real server's transactions."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from hackorda_ops.engines.postgres.drill.comparisons.exactness import (
    Unseen,
    apart,
    committed_unseen,
    unseen_by,
)
from hackorda_ops.postgres.catalogs.inventory import Extension
from hackorda_ops_tests.builders import inventory, manifest


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


def test_branches_that_left_their_parent_at_one_position_hold_the_same_moment() -> None:
    dumped = manifest(dumped_from="branch", lsn="0/1A2B3C8")

    assert apart(dumped, "0/1A2B3C8") == ""
    assert "at 0/1A2B3D0" in apart(dumped, "0/1A2B3D0")
    assert "at None" in apart(dumped, None)


@pytest.mark.parametrize(
    "acting",
    [{"extensions": (Extension("pg_cron", "1.6", "cron"),)}, {"subscriptions": ("from elsewhere",)}],
)
def test_a_branch_that_may_have_written_to_itself_before_its_dump_is_not_exact(
    acting: dict[str, Any],
) -> None:
    dumped = manifest(dumped_from="branch", inventory=replace(inventory(), **acting))
    assert "may have written to it" in apart(dumped, dumped.lsn)


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
