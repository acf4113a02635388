"""The operations log."""

from pathlib import Path

import pytest

from hackorda_ops.backup.folder_store import FolderStore
from hackorda_ops.drill.history import History, UnreadReport
from hackorda_ops.drill.operations_log import log_text, write_log
from hackorda_ops.drill.report import store_report
from hackorda_ops_tests.drill import results


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store."""
    made = FolderStore(tmp_path / "backups")
    made.check()
    return made


def lines_of(text: str) -> list[str]:
    """The lines of the log's table, without its head."""
    return [line for line in text.splitlines() if line.startswith("|")][2:]


def test_a_drill_is_one_line_with_dates_verdict_rows_and_time() -> None:
    assert lines_of(log_text("hackorda", History((results.sound(),), ()))) == [
        r"| 2026-11-22 04:00:07 UTC | 2026-Q4 | PASS | 2026-11-21 21:00:03 UTC | 20261121T210000Z-0a1b2c "
        r"| public.users 12,004, public.issues 20,466, public.issue\_payouts 0 | 2 min 14 s "
        r"| 20261122T040007Z-4c5d6e |"
    ]


def test_a_drill_that_found_nothing_is_logged_as_well() -> None:
    drill = results.unjudged(artifact=None)

    assert "| ERROR |" in lines_of(log_text("hackorda", History((drill,), ())))[0]
    assert "none found" in lines_of(log_text("hackorda", History((drill,), ())))[0]


def test_without_key_tables_the_rows_of_all_are_logged() -> None:
    drill = results.sound(key_tables=())

    assert "101,033 in all tables of the backup" in log_text("hackorda", History((drill,), ()))


def test_a_report_that_cannot_be_read_keeps_its_line() -> None:
    unread = UnreadReport("20260801T000000Z-aaaaaa", "It has version 9.")
    text = log_text("hackorda", History((results.history(2)[0], results.sound()), (unread,)))

    assert [line.split("|")[-2].strip()[:6] for line in lines_of(text)] == ["202605", "202608", "202611"]
    assert "| unreadable |" in lines_of(text)[1]


def test_a_lost_log_is_made_anew_from_the_reports(store: FolderStore) -> None:
    for drill in (*results.history(4), results.sound()):
        store_report([store], drill, ())
    path = store.root / "hackorda" / "operations-log.md"
    before = path.read_text()
    path.unlink()

    assert write_log(store, "hackorda") == str(path)

    assert path.read_text() == before
    assert len(lines_of(before)) == 5
