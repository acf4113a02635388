"""Which files a child has open, as Linux says it."""

import subprocess
import sys
from pathlib import Path

import pytest

from hackorda_ops.processes.open_files import open_below

only_on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux says what is open"
)

# A process with a child; each has one file open and has closed another.
HOLDS_TWO = """
import os, sys, time
folder, who = sys.argv[1], "child" if os.fork() == 0 else "parent"
open(f"{folder}/closed by {who}", "w").close()
held = open(f"{folder}/held by {who}", "w")
elsewhere = open(f"{folder}/below/held too", "a")
os.write(1, f"{who}\\n".encode())
time.sleep(60)
"""


@only_on_linux
def test_what_a_process_or_its_child_has_open_is_told_from_what_it_has_closed(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_TWO, tmp_path], stdout=subprocess.PIPE, process_group=0
    ) as process:
        try:
            assert process.stdout is not None
            assert {process.stdout.readline() for _ in range(2)} == {b"child\n", b"parent\n"}
            for folder in (tmp_path, tmp_path / "link"):
                assert open_below(folder, process.pid) == {"held by parent", "held by child"}
        finally:
            subprocess.run(["kill", "-9", "--", f"-{process.pid}"], check=True)


def test_nothing_is_known_of_a_process_that_has_ended(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    assert open_below(tmp_path, process.pid) is None
