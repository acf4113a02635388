"""The demo as somebody runs it who has just cloned the repository: what it shows, how it ends, what it leaves."""

import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hackorda_ops_tests.e2e.processes import ENVIRONMENT, PATIENCE_SECONDS, descendants, is_alive, until

pytestmark = [pytest.mark.server, pytest.mark.e2e]

PROGRAM = Path(sys.executable).with_name("hackorda-ops")


@dataclass(frozen=True)
class Ended:
    """A demo that has ended.

    Attributes:
        code: its exit code.
        text: all that it printed.
        here: the folder that it was run in.
    """

    code: int
    text: str
    here: Path


@dataclass(frozen=True)
class Place:
    """Where a demo runs, with a folder for temporary files that only it uses."""

    here: Path
    temporary: Path

    def demo(self, *options: str, interrupt_at: str | None = None) -> Ended:
        """Runs the demo to its end, and insists that nothing of it stays.

        Args:
            options: of the command.
            interrupt_at: Ctrl-C is pressed when a line with this text has come.
        """
        said: list[str] = []
        family: dict[int, str] = {}
        with subprocess.Popen(
            [PROGRAM, "demo", *options],
            cwd=self.here,
            env={**ENVIRONMENT, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A process group of its own, as a shell gives it: Ctrl-C goes to all of the group.
            start_new_session=True,
        ) as process:
            deadline = threading.Timer(PATIENCE_SECONDS, process.kill)
            deadline.start()
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                family |= descendants(process.pid)
                if interrupt_at is not None and interrupt_at in line:
                    os.killpg(process.pid, signal.SIGINT)
            process.wait()
            deadline.cancel()
        text = "".join(said)
        assert any("postgres" in arguments for arguments in family.values()), text
        until(lambda: not any(map(is_alive, family)), "the demo and all below it have ended")
        assert list(self.temporary.iterdir()) == []
        sockets = {Path(found) for found in re.findall(r"/tmp/hackorda-ops-\w+", " ".join(family.values()))}
        assert [folder for folder in sockets if folder.exists()] == []
        return Ended(process.returncode, text, self.here)


@pytest.fixture
def place(server_folder: Path, tmp_path: Path) -> Iterator[Place]:
    # One for each test, and of a short name: Dagster's sockets lie below it, and a socket's path has 103 bytes at most.
    temporary = Path(tempfile.mkdtemp(prefix="t", dir=server_folder))
    # As with /tmp, the server's unprivileged user can get through.
    temporary.chmod(0o711)
    yield Place(tmp_path, temporary)
    temporary.rmdir()


def test_the_demo_passes_shows_its_proofs_keeps_the_report_and_leaves_nothing_else(place: Place) -> None:
    ended = place.demo()

    assert ended.code == 0, ended.text
    for proof in (
        "public.issue_payouts",  # among the tables, with rows and digest
        "rows_equal_snapshot",
        "offsite_equals_manifest",
        "branch_equals_manifest",
        "migrations_apply",
        "scratch_gone",
    ):
        assert proof in ended.text
    assert "not measured" not in ended.text
    assert re.search(r"^PASS ", ended.text, re.MULTILINE)
    [report] = ended.here.iterdir()
    assert re.fullmatch(r"restore-drill-\d{4}-Q[1-4]\.html", report.name)
    assert str(report) in ended.text
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert re.search(r"<title>PASS: restore drill .* of hackorda</title>", report.read_text())


def test_the_demo_of_a_damaged_copy_fails_and_names_the_table(place: Place) -> None:
    ended = place.demo("--damage")

    assert ended.code == 1, ended.text
    assert re.search(r"^FAIL: the copy is damaged  Do not rely on this backup", ended.text, re.MULTILINE)
    assert not re.search(r"^PASS ", ended.text, re.MULTILINE)
    assert re.search(r"^  .*public\.issue_payouts$", ended.text, re.MULTILINE), ended.text
    assert [path.suffix for path in ended.here.iterdir()] == [".html"]


def test_a_demo_interrupted_in_mid_drill_leaves_nothing(place: Place) -> None:
    ended = place.demo(interrupt_at="restore: ")

    assert ended.code == 128 + signal.SIGINT, ended.text
    assert "Traceback" not in ended.text
    assert list(ended.here.iterdir()) == []
