"""Past drills, read from the reports in a store."""

import hashlib
import logging
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from hackorda_ops.drill.report import json_form
from hackorda_ops.drill.report.history import DrillHistory, read_history, read_past
from hackorda_ops.drill.report.report import store_report
from hackorda_ops.drilling.result import RESULT_VERSION
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import Store
from hackorda_ops_tests.drill import results


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store."""
    made = FolderStore(tmp_path / "backups")
    made.check()
    return made


def put(store: Store, key: str, data: bytes) -> None:
    """Stores bytes under a key."""
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def test_a_store_without_drills_has_no_past(store: FolderStore) -> None:
    assert read_past(store, "hackorda") == ()


def test_drills_come_back_oldest_first_and_only_those_of_the_database(store: FolderStore) -> None:
    drills = results.history(3)
    for drill in reversed(drills):
        store_report([store], drill, ())
    store_report([store], results.sound(database="hackorda2"), ())

    assert read_past(store, "hackorda") == drills


def test_a_drill_that_is_dated_in_the_future_is_no_part_of_the_trend(
    store: FolderStore, caplog: pytest.LogCaptureFixture
) -> None:
    past = results.sound()
    to_come = past.started_at.replace(year=past.started_at.year + 1000)
    ahead = replace(
        past,
        drill_id="30261122T040007Z-4c5d6e",
        started_at=to_come,
        finished_at=to_come + timedelta(minutes=1),
    )
    for each in (past, ahead):
        store_report([store], each, ())

    assert read_past(store, "hackorda") == (past,)
    assert "30261122T040007Z-4c5d6e of hackorda is dated in the future" in caplog.text
    assert read_history(store, "hackorda").until(to_come) == (past, ahead)


def test_the_report_of_a_release_with_another_check_is_part_of_the_past(store: FolderStore) -> None:
    later = results.with_unknown_check("failed")
    store_report([store], later, ())

    assert read_history(store, "hackorda") == DrillHistory(drills=(later,), unread=())


def test_a_report_whose_json_never_came_is_none(store: FolderStore) -> None:
    put(store, "hackorda/drills/20261122T040007Z-4c5d6e/report.html", b"<html>")

    assert read_past(store, "hackorda") == ()


def test_what_cannot_be_read_is_skipped_and_told(
    store: FolderStore, caplog: pytest.LogCaptureFixture
) -> None:
    sound = json_form.to_bytes(results.sound())
    store_report([store], results.sound(), ())
    put(store, "hackorda/drills/20260101T000000Z-aaaaaa/report.json", b"{")
    later = sound.replace(
        b'"result_version": %d' % RESULT_VERSION, b'"result_version": %d' % (RESULT_VERSION + 1)
    )
    put(store, "hackorda/drills/20260102T000000Z-bbbbbb/report.json", later)
    # A copy under another name would count one drill twice.
    put(store, "hackorda/drills/20260103T000000Z-cccccc/report.json", sound)

    with caplog.at_level(logging.WARNING):
        assert read_past(store, "hackorda") == (results.sound(),)

    assert len(caplog.messages) == 3
    assert [unread.drill_id[-6:] for unread in read_history(store, "hackorda").unread] == [
        "aaaaaa",
        "bbbbbb",
        "cccccc",
    ]
