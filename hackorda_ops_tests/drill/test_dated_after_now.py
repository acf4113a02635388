"""An artifact that a wrong clock has dated in the future, in the store and off-site: it never counts as the newest."""

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.artifacts.elsewhere import night_before
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, digest_of, to_bytes
from hackorda_ops.calendar.partitions import week_of
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.night.night import take_night
from hackorda_ops.week import week as weekly
from hackorda_ops_tests.drill.fixtures import Night, Shipped, night_of

pytestmark = pytest.mark.server


@pytest.fixture
def taken(new_database: str, tmp_path: Path) -> Night:
    """A night in a store of its own."""
    with psycopg.connect(new_database) as connection:
        connection.execute("CREATE TABLE notes AS SELECT n AS id FROM generate_series(1, 10) n")
    return night_of(new_database, tmp_path / "store")


def dated_ahead(night: Night, ahead: timedelta) -> Manifest:
    """Leaves in the store what this night would have left by a clock that was so far ahead.

    Its partition stays: a wrong clock need not lead into another week.
    """
    captured_at = night.manifest.captured_at + ahead
    made = replace(
        night.manifest, artifact_id=f"{captured_at:%Y%m%dT%H%M%SZ}-abcdef", captured_at=captured_at
    )
    shutil.copytree(night.store.root / night.manifest.prefix, night.store.root / made.prefix)
    (night.store.root / made.prefix / MANIFEST_NAME).write_bytes(to_bytes(made))
    return made


def put_damaged(protected: Shipped, artifact_id: str) -> None:
    """Puts a manifest off-site that can't be read."""
    protected.offsite.put(
        f"hackorda/{artifact_id}/{MANIFEST_NAME}", io.BytesIO(b"{"), size_bytes=1, sha256=digest_of(b"{")
    )


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=400)], ids=["2 hours", "400 days"])
def test_the_weekly_copy_the_next_night_and_the_drill_take_the_newest_that_is_not(
    taken: Night, ship: Callable[[Night], Shipped], ahead: timedelta
) -> None:
    made = dated_ahead(taken, ahead)
    protected = ship(taken)
    weekly.ship(protected, made)
    put_damaged(protected, f"{made.captured_at:%Y%m%dT%H%M%SZ}-ffffff")
    true = taken.manifest.artifact_id

    week = weekly.ship_week(protected, week=week_of(taken.manifest.night))
    before, _ = night_before(protected, before=None)
    result = protected.drill()

    assert week.manifest.artifact_id == true
    assert before is not None
    assert before.artifact_id == true
    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert result.artifact is not None
    assert result.artifact.artifact_id == true
    assert any(
        f"{made.artifact_id} off-site is dated in the future" in warning for warning in result.warnings
    )
    assert result.data_loss_seconds is not None
    assert result.data_loss_seconds > 0
    # The next night is held against the true one as well, and is the newest from then on.
    night = take_night(protected)
    assert night.compared_with == true
    assert (
        choose(read_judged({"store": taken.store}, "hackorda"), None).candidates[0].manifest == night.manifest
    )


def test_what_is_within_the_hour_that_clocks_may_differ_by_is_the_newest(
    taken: Night, ship: Callable[[Night], Shipped]
) -> None:
    made = dated_ahead(taken, timedelta(minutes=50))
    protected = ship(taken)

    week = weekly.ship_week(protected, week=week_of(taken.manifest.night))
    result = protected.drill()

    assert week.manifest.artifact_id == made.artifact_id
    assert result.verdict == "PASS"
    assert result.artifact is not None
    assert result.artifact.artifact_id == made.artifact_id


def test_where_only_such_a_one_is_left_a_drill_is_no_pass(
    taken: Night, ship: Callable[[Night], Shipped]
) -> None:
    made = dated_ahead(taken, timedelta(days=3))
    protected = ship(replace(taken, manifest=made))

    result = protected.drill()

    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "No sound artifact is off-site" in result.error.what
    assert any(
        f"{made.artifact_id} off-site is dated in the future" in warning for warning in result.warnings
    )
