"""Folders that are gone when their process is, also where it was killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hackorda_ops.errors import DiskFull, LocalTrouble
from hackorda_ops.own_folders import abandoned_bytes, new_folder, private_folder, remove_abandoned

WORKING = """
import sys, time
from pathlib import Path
from hackorda_ops.own_folders import new_folder
with new_folder(Path(sys.argv[1]), "restore-") as folder:
    (folder / "rows").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    time.sleep(60)
"""


def working(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKING, parent], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_folder_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with new_folder(tmp_path / "work", "restore-") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "rows").write_text("rows")
    assert list((tmp_path / "work").iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process, left = working(tmp_path)
    end(process)
    assert (left / "rows").exists()
    assert abandoned_bytes(tmp_path) == 1000
    with new_folder(tmp_path, "restore-") as folder:
        assert not left.exists()
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [folder.name]
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_removed_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(shutil, "rmtree", lambda *_, **__: None)  # as where the disk fails
        with new_folder(tmp_path, "restore-") as left:
            (left / "rows").write_text("rows")
        assert remove_abandoned(tmp_path) == ()
    assert (left / "rows").exists()

    with new_folder(tmp_path, "restore-"):
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_process_that_still_works_stays(tmp_path: Path) -> None:
    process, theirs = working(tmp_path)
    try:
        with new_folder(tmp_path, "restore-"):
            pass
        assert (theirs / "rows").exists()
        assert abandoned_bytes(tmp_path) == 0
    finally:
        end(process)


def test_folders_of_another_kind_and_those_without_a_lock_stay(tmp_path: Path) -> None:
    (tmp_path / "restore-of-mine").mkdir()
    (tmp_path / "other-kind").mkdir()
    (tmp_path / "other-kind.lock").touch(0o600)
    with new_folder(tmp_path, "restore-"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "other-kind",
        "other-kind.lock",
        "restore-of-mine",
    ]


def test_a_link_that_somebody_planted_leads_nowhere(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "restore-planted").symlink_to(precious)
    (shared / "restore-planted.lock").touch()
    (shared / "restore-linked.lock").symlink_to(precious / "file")
    with new_folder(shared, "restore-"):
        pass
    assert (precious / "file").read_text() == "precious"


def test_another_users_lock_is_left_alone(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's file")
    theirs = tmp_path / "restore-theirs"
    theirs.mkdir()
    lock = tmp_path / "restore-theirs.lock"
    lock.touch(0o666)
    os.chown(lock, 65534, 65534)
    with new_folder(tmp_path, "restore-"):
        pass
    assert theirs.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_another_user_left_where_all_write_blocks_nobody_and_stays(tmp_path: Path) -> None:
    # pytest's own folders, of which there is one more where several workers run.
    for folder in (
        tmp_path,
        *(each for each in tmp_path.parents if each.name.startswith(("pytest-", "popen-"))),
    ):
        folder.chmod(0o711)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    users = (0, 65534)
    left = {user: _as(user, shared, killed=True) for user in users}
    for user in users:
        assert _as(user, shared, killed=False) != ""
    # Each removed its own, and the other's wasn't touched before that.
    assert [path.name for path in shared.iterdir()] == []
    assert set(left) == set(users)
    for user, other in (users, users[::-1]):
        folder = Path(_as(user, shared, killed=True))
        assert _as(other, shared, killed=False) != ""
        assert folder.exists()
        _as(user, shared, killed=False)
        assert not folder.exists()


def _as(user: int, parent: Path, *, killed: bool) -> str:
    """Works in a folder as another user; the folder's path."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            with new_folder(parent, "restore-") as folder:
                (folder / "rows").write_bytes(b"x")
                os.write(writing, str(folder).encode())
                if killed:
                    os.kill(os.getpid(), signal.SIGKILL)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as said:
        folder_path = said.read()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (-signal.SIGKILL if killed else 0)
    return folder_path


def test_a_full_disk_for_temporary_files_says_what_to_free(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small_disk.is_mount():
        pytest.skip("only root can mount a small disk")
    with pytest.raises(OSError, match="No space left"), (small_disk / "filler").open("wb") as filler:
        while True:
            filler.write(b"x" * 4096)
            filler.flush()
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    # A folder takes no block of a small disk; a file in it does.
    with pytest.raises(OSError, match="No space left") as caught, private_folder() as folder:
        (folder / "list").write_text("x" * 100)
    assert caught.value.filename is None or "list" in caught.value.filename
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_folder_that_can_not_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalTrouble) as caught, new_folder(tmp_path / "file" / "below", "restore-"):
        pass
    assert not isinstance(caught.value, DiskFull)
    assert "can be made in" in caught.value.what
