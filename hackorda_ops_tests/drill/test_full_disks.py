"""A full disk of this machine is not the backup's fault: ERROR that says what to free, and never FAIL."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hackorda_ops.artifacts.verifications import verification_keys
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.errors import DiskFull
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.recovery.verify import verify
from hackorda_ops_tests.drill.fixtures import Shipped

pytestmark = pytest.mark.server


@pytest.fixture
def full_disk(small_disk: Path) -> Path:
    """A disk on which nothing fits any more."""
    if not small_disk.is_mount():
        pytest.skip("only root can mount a small disk")
    with (
        pytest.raises(OSError, match="No space left"),
        (small_disk / "filler").open("wb", buffering=0) as filler,
    ):
        while filler.write(b"x" * 4096):
            pass
    return small_disk


@pytest.fixture
def full_tmpdir(full_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(full_disk))
    monkeypatch.setenv("TMPDIR", str(full_disk))
    return full_disk


def require_error_that_says_what_to_free(result: DrillResult) -> None:
    assert result.verdict == "ERROR", (result.findings, result.error)
    assert result.findings == ()
    assert result.error is not None
    assert "Make room on that disk" in result.error.next_step
    assert "bug" not in result.error.meaning


@pytest.mark.usefixtures("full_tmpdir")
def test_a_drill_with_a_full_folder_of_temporary_files_is_an_error(protected: Shipped) -> None:
    require_error_that_says_what_to_free(protected.drill())


def test_a_drill_with_a_full_work_folder_is_an_error(protected: Shipped, full_disk: Path) -> None:
    require_error_that_says_what_to_free(protected.changed(dump={"work_folder": str(full_disk)}).drill())


@pytest.mark.usefixtures("full_tmpdir")
def test_a_night_with_a_full_folder_of_temporary_files_says_what_to_free(protected: Shipped) -> None:
    with pytest.raises(DiskFull, match="No space left"):
        take_night(protected)


def test_what_could_not_be_read_for_want_of_room_is_not_remembered_as_damage(
    protected: Shipped,
    full_disk: Path,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
) -> None:
    full = protected.changed(dump={"work_folder": str(full_disk)})
    before = verification_keys(full.store, full.name)
    manifest = choose(read_judged({"store": full.store}, full.name), None).candidates[0].manifest
    with pytest.raises(DiskFull):
        verify(full, full.store, manifest, on_progress=ignore)
    with pytest.raises(DiskFull):
        bring_back(
            full,
            full.store,
            manifest,
            connection.parse(database_on(postgres_server), origin="test"),
            source=None,
            on_progress=ignore,
        )
    assert verification_keys(full.store, full.name) == before
    # A receipt finds no room either; its folder may be there.
    assert [path.name for path in full_disk.rglob("*") if path.is_file()] == ["filler"]
