"""How far back a project's history reaches, and what a branch near its far end holds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.errors import ConfigError, NeonRefused
from hackorda_ops.exercise.history_check import (
    HistoryCheck,
    check_history,
    farthest,
    judge_window,
    tables_to_compare,
)
from hackorda_ops.histories.neon.history import TRAITS
from hackorda_ops.history.base import Reach
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault, ProjectPlan
from hackorda_ops.postgres.catalogs.inventory import Extension
from hackorda_ops_tests.drill.branched_sources import subscribed
from hackorda_ops_tests.drill.fixtures import Night, Shipped, on_neon, own_branches

pytestmark = pytest.mark.server

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _checked(protected: Shipped) -> HistoryCheck:
    return check_history(protected)


def test_a_branch_at_an_artifacts_position_holds_the_rows_of_its_manifest(branching: Shipped) -> None:
    checked = _checked(branching.changed(key_tables=["users"]))

    assert checked.long_enough.outcome == "passed"
    assert checked.holds_the_past.outcome == "passed"
    assert "public.users (" in checked.holds_the_past.summary
    assert checked.reach_seconds is not None


def test_a_window_shorter_than_the_policy_fails_and_the_past_is_looked_at_all_the_same(
    branching: Shipped,
) -> None:
    checked = _checked(branching.changed(objectives={"history_days": 30}))

    assert checked.long_enough.outcome == "failed"
    assert "7 d" in checked.long_enough.summary
    assert "30 d" in checked.long_enough.summary
    assert checked.holds_the_past.outcome == "passed"


def test_artifacts_from_before_the_project_measure_nothing(
    night: Night, neon: LocalNeon, ship: Callable[[Night], Shipped]
) -> None:
    checked = _checked(on_neon(ship(night), neon))

    assert checked.holds_the_past.outcome == "not measured"
    assert checked.reach_seconds is None
    assert own_branches(neon) == []


def test_a_branch_that_lacks_a_row_of_that_time_fails(branching: Shipped, tmp_path: Path) -> None:
    users = next(each for each in branching.manifest.tables if each.name.name == "users")
    tables = tuple(
        replace(each, rows=each.rows + 1) if each == users else each for each in branching.manifest.tables
    )
    branching.put_manifest(tables=tables)

    checked = _checked(branching.changed(key_tables=["users"], store=str(tmp_path / "none")))

    assert checked.holds_the_past.outcome == "failed"
    assert f"expected {users.rows + 1:,} rows, observed {users.rows:,} rows" in checked.holds_the_past.summary


def test_an_artifact_whose_snapshot_did_not_see_all_of_its_position_measures_nothing(
    branching: Shipped, tmp_path: Path
) -> None:
    alone = branching.changed(key_tables=["users"], store=str(tmp_path / "none"))
    # As if every transaction had come after it.
    branching.put_manifest(snapshot="3:3:")
    from_the_source = _checked(alone)
    # A snapshot of a branch says nothing of its parent, whose position the branch was made at.
    branching.put_manifest(snapshot="3:3:", dumped_from="branch")
    from_a_branch = _checked(alone)

    assert from_the_source.holds_the_past.outcome == "not measured"
    assert "could not see" in from_the_source.holds_the_past.summary
    assert from_a_branch.holds_the_past.outcome == "passed"


def test_an_artifact_from_a_branch_that_something_may_have_written_to_measures_nothing(
    branching: Shipped, tmp_path: Path
) -> None:
    inventory = branching.manifest.inventory
    cron = Extension("pg_cron", "1.6", "pg_catalog")
    branching.put_manifest(
        dumped_from="branch",
        inventory=replace(inventory, extensions=(*inventory.extensions, cron)),
        evidence={},
    )

    checked = _checked(branching.changed(store=str(tmp_path / "none")))

    assert checked.holds_the_past.outcome == "not measured"
    assert "carried pg_cron jobs" in checked.holds_the_past.summary


def test_a_source_whose_branch_would_act_by_itself_is_branched_only_where_somebody_asked_for_it(
    branching: Shipped,
) -> None:
    with subscribed(branching.environ["DATABASE_URL"]):
        unasked = _checked(branching).holds_the_past
        asked_for = _checked(branching.changed(dump_from="branch")).holds_the_past

    assert (unasked.outcome, asked_for.outcome) == ("not measured", "passed")
    assert "the source's subscriptions may connect to their publishers from it" in unasked.summary
    assert "dump_from: branch" in unasked.summary


def test_a_branch_without_an_expiry_is_told(branching: Shipped, neon: LocalNeon) -> None:
    neon.change_plan(ProjectPlan(takes_expiry=False))

    checked = _checked(branching)

    assert checked.holds_the_past.outcome == "passed"
    assert "Neon accepted no expiry for the branch" in checked.holds_the_past.summary


def test_a_position_that_the_history_no_longer_has_fails(branching: Shipped, tmp_path: Path) -> None:
    branching.put_manifest(lsn="0/100")

    checked = _checked(branching.changed(store=str(tmp_path / "none")))

    assert checked.holds_the_past.outcome == "failed"
    assert "GC cutoff" in checked.holds_the_past.summary


def test_a_branch_limit_is_an_error_and_no_word_against_the_history(
    branching: Shipped, neon: LocalNeon
) -> None:
    neon.misbehave(Fault("createProjectBranch", 422, code="BRANCHES_LIMIT_EXCEEDED"))

    with pytest.raises(NeonRefused, match="BRANCHES_LIMIT_EXCEEDED"):
        _checked(branching)


def test_a_scratch_server_has_no_history(protected: Shipped) -> None:
    with pytest.raises(ConfigError, match="this needs a history"):
        _checked(protected)


@pytest.mark.parametrize(("days", "outcome"), [(7, "passed"), (6.9, "passed"), (7.1, "failed")])
def test_a_window_is_held_against_the_policy(days: float, outcome: str) -> None:
    assert judge_window(_reach(None), days, TRAITS).outcome == outcome


def _reach(since: datetime | None) -> Reach:
    return Reach(window_seconds=7 * 24 * 3600, since=since)


def test_the_farthest_artifact_is_the_oldest_one_inside_the_window(recent: Night) -> None:
    of_days = [replace(recent.manifest, captured_at=NOW - days * DAY) for days in (1, 6, 6.999, 8)]

    found = farthest(of_days, _reach(NOW - 300 * DAY), now=NOW)

    # 6.999 days: it may be gone before the branch is made.
    assert found == of_days[1]


def test_young_artifacts_of_an_old_project_measure_nothing(recent: Night) -> None:
    found = farthest([replace(recent.manifest, captured_at=NOW - DAY)], _reach(NOW - 300 * DAY), now=NOW)

    assert found == ("the oldest artifact is only 24 h old, but the history reaches back 6 d 23 h")


def test_of_a_project_younger_than_its_window_the_history_begins_with_it(recent: Night) -> None:
    of_days = [replace(recent.manifest, captured_at=NOW - days * DAY) for days in (1, 2, 4)]

    assert farthest(of_days, _reach(NOW - 3 * DAY), now=NOW) == of_days[1]
    assert farthest(of_days[:1], _reach(NOW - 3 * DAY), now=NOW) == (
        "the oldest artifact is only 24 h old, but the history reaches back 3 d"
    )
    assert farthest(of_days[2:], _reach(NOW - 3 * DAY), now=NOW) == (
        "no artifact was taken within the history window of 7 d"
    )


def test_key_tables_with_rows_are_compared_or_else_the_smallest(recent: Night) -> None:
    by_key = tables_to_compare(recent.manifest, [KeyTable(table="users"), KeyTable(table="no_such")])
    smallest = tables_to_compare(recent.manifest, [])

    assert [str(table.name) for table in by_key] == ["public.users"]
    assert len(smallest) == 3
    assert all(table.rows > 0 for table in smallest)
