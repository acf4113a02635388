"""Trouble of this machine is told from everything else, whoever reports it."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hackorda_ops import local_trouble
from hackorda_ops.errors import DiskFull, LocalTrouble, PermanentError
from hackorda_ops.unforeseen import as_error


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, DiskFull, "Make room"),
        (errno.EDQUOT, DiskFull, "Make room"),
        (errno.EMFILE, LocalTrouble, "ulimit -n"),
        (errno.ENOMEM, LocalTrouble, "memory"),
        (errno.EROFS, LocalTrouble, "remount"),
        (errno.EIO, LocalTrouble, "replace the disk"),
    ],
)
def test_what_the_operating_system_refuses_says_what_to_free(
    number: int, kind: type[LocalTrouble], advice: str
) -> None:
    trouble = local_trouble.of_exception(OSError(number, os.strerror(number), "/srv/file"))
    assert type(trouble) is kind
    assert "at /srv/file" in trouble.what
    assert advice in trouble.next_step
    assert "not at fault" in trouble.meaning


MANY_FILES = """
import resource, sys
from hackorda_ops import local_trouble
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
held = []
try:
    while True:
        held.append(open(sys.argv[1], "w"))
except OSError as error:
    held.clear()
    print(local_trouble.of_exception(error))
"""


def test_a_real_limit_on_open_files_is_recognized(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", MANY_FILES, tmp_path / "file"], capture_output=True, text=True, check=True
    )
    assert "ulimit -n" in said.stdout


def test_no_memory_is_trouble_of_this_machine() -> None:
    assert "ran out of memory" in str(local_trouble.of_exception(MemoryError()))


def test_a_missing_file_and_a_socket_that_needs_a_right_are_something_else() -> None:
    assert local_trouble.of_exception(FileNotFoundError(errno.ENOENT, "No such file", "x")) is None
    assert local_trouble.of_exception(PermissionError(errno.EACCES, "Permission denied")) is None
    assert local_trouble.of_exception(ValueError("No space left on device")) is None


@pytest.mark.parametrize(
    ("returncode", "said", "what"),
    [
        (1, "pg_restore: error: could not write: No space left on device", "No space left on device"),
        (1, "pg_restore: error: could not open file: Too many open files", "Too many open files"),
        (1, "out of memory", "out of memory"),
        (-9, "", "killed by signal 9"),
    ],
)
def test_a_child_that_this_machine_failed_is_told_from_one_that_found_damage(
    returncode: int, said: str, what: str
) -> None:
    assert what in str(local_trouble.of_child("pg_restore", returncode, said))


def test_a_child_that_found_damage_is_none_of_it() -> None:
    said = "pg_restore: error: did not find magic string in file header"
    assert local_trouble.of_child("pg_restore", 1, said) is None


def test_an_unexpected_error_is_a_bug_only_where_the_machine_is_not_to_blame() -> None:
    full = as_error(
        OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), meaning="It ended.", next_step="Report."
    )
    assert isinstance(full, DiskFull)
    bug = as_error(ValueError("secret"), meaning="It ended.", next_step="Report.")
    assert type(bug) is PermanentError
    assert "bug" in bug.meaning
