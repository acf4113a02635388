"""Room on a disk, held against what was measured: only that may stop a night."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.room import drill_concerns, free_bytes, night_concerns
from hackorda_ops.stores.staging import abandoned_bytes, staged_folder
from hackorda_ops_tests.builders import manifest

FOLDER = Path("/backups")
MEGABYTE = 1_000_000


@pytest.fixture
def previous() -> Manifest:
    """An artifact of 2 MB, of a database of 10 MB."""
    made = manifest()
    assert (made.size_bytes, made.inventory.size_bytes) == (2 * MEGABYTE, 10 * MEGABYTE)
    return made


@pytest.mark.parametrize(
    ("free", "database", "severities"),
    [
        (3 * MEGABYTE, 10 * MEGABYTE, []),
        (2 * MEGABYTE, 10 * MEGABYTE, ["worth knowing"]),
        (2 * MEGABYTE - 1, 10 * MEGABYTE, ["stops the night"]),
        # It may have grown by an index: no more than worth knowing.
        (3 * MEGABYTE, 20 * MEGABYTE, ["worth knowing"]),
        (MEGABYTE, 5 * MEGABYTE, ["worth knowing"]),
        (MEGABYTE - 1, 5 * MEGABYTE, ["stops the night"]),
    ],
)
def test_a_night_is_stopped_where_even_the_last_dump_would_not_fit(
    previous: Manifest, free: int, database: int, severities: list[str]
) -> None:
    assert [each.severity for each in night_concerns(free, database, previous, FOLDER)] == severities


def test_a_first_night_is_never_stopped_by_a_guess() -> None:
    assert [each.severity for each in night_concerns(1, 10**12, None, FOLDER)] == ["worth knowing"]
    assert list(night_concerns(10**12, 10**12, None, FOLDER)) == []


def test_a_drill_needs_room_for_the_artifact_that_it_fetches(previous: Manifest) -> None:
    assert list(drill_concerns(2 * MEGABYTE, previous, FOLDER)) == []
    [concern] = drill_concerns(2 * MEGABYTE - 1, previous, FOLDER)
    assert concern.severity == "stops the drill"
    assert "2.0 MB" in concern.what


def test_the_room_of_a_folder_still_to_be_made_is_that_of_its_disk(tmp_path: Path) -> None:
    there = os.statvfs(tmp_path)
    free = free_bytes(tmp_path / "not" / "yet")
    assert abs(free - there.f_bavail * there.f_frsize) < 2**30
    assert list(tmp_path.iterdir()) == []


def test_what_killed_processes_left_counts_as_room_and_what_is_in_use_does_not(tmp_path: Path) -> None:
    with staged_folder(tmp_path, "hackorda", "in-use") as folder:
        (folder / "file").write_bytes(b"x" * 5000)
        assert abandoned_bytes(tmp_path, "hackorda") == 0
    dead = tmp_path / "hackorda" / "dead"
    dead.mkdir()
    (dead / "file").write_bytes(b"x" * 7000)
    dead.with_name("dead.lock").touch()
    assert abandoned_bytes(tmp_path, "hackorda") == 7000
    assert abandoned_bytes(tmp_path, "honeydue") == 0
    # It was only looked at: the next run still knows whose it is.
    with staged_folder(tmp_path, "hackorda", "next"):
        assert not dead.exists()


def test_a_database_of_unknown_growth_divides_by_nothing() -> None:
    empty = manifest()
    empty = replace(empty, inventory=replace(empty.inventory, size_bytes=0))
    assert list(night_concerns(10**12, 0, empty, FOLDER)) == []
