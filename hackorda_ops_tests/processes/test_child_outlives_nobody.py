"""However the process that started it ends, a child and the workers it forked end too."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from hackorda_ops.errors import ToolFailed
from hackorda_ops.processes import child
from hackorda_ops_tests.processes.process_watch import (
    ENVIRONMENT,
    FORKS_WORKERS,
    all_gone,
    pids_written_to,
    python,
    shell,
    until,
)

# A process of ours that runs the tool given as its first argument, in the folder given as its second.
RUNS_THE_TOOL = """
import os, sys, time
from pathlib import Path
from hackorda_ops.processes import child
options = dict(environment=dict(os.environ), deadline_seconds=120, grace_seconds=1)
arguments = ["sh", "-c", sys.argv[1], "sh", sys.argv[2]]
"""
PLAINLY = RUNS_THE_TOOL + "child.run(arguments, **options)"
WITH_A_FORKED_COPY = (
    """
import os, time
from pathlib import Path
"""
    + RUNS_THE_TOOL
    + """
def fork_a_copy():
    if not Path(sys.argv[2], "copy.pid").exists() and os.fork() == 0:
        Path(sys.argv[2], "copy.pid").write_text(f"{os.getpid()}\\n")
        time.sleep(120)
child.run(arguments, poll=fork_a_copy, **options)
"""
)
FROM_A_THREAD_THAT_ENDS = (
    RUNS_THE_TOOL
    + """
import threading
del options["deadline_seconds"]
thread = threading.Thread(target=lambda: child.start(arguments, **options))
thread.start()
thread.join()
time.sleep(120)
"""
)
EXITS_WITHOUT_STOPPING = (
    RUNS_THE_TOOL
    + """
del options["deadline_seconds"]
child.start(arguments, **options)
while len(list(Path(sys.argv[2]).glob("*.pid"))) < 3: time.sleep(0.02)
"""
)


def finish(process: subprocess.Popen[bytes]) -> bytes:
    """Reap a process; returns what it wrote to standard error."""
    _, stderr = process.communicate(timeout=60)
    return stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT])
def test_a_signal_that_ends_our_process_ends_the_child_and_its_workers(
    tmp_path: Path, number: signal.Signals
) -> None:
    ours = python(PLAINLY, FORKS_WORKERS, tmp_path)
    workers = pids_written_to(tmp_path, 3)

    ours.send_signal(number)
    finish(ours)

    assert ours.returncode == -number
    until(lambda: all_gone(workers), "the child and its workers are gone")


def test_a_kill_of_our_whole_process_group_ends_the_child_too(tmp_path: Path) -> None:
    ours = python(PLAINLY, FORKS_WORKERS, tmp_path)
    workers = pids_written_to(tmp_path, 3)

    os.killpg(ours.pid, signal.SIGKILL)
    finish(ours)

    until(lambda: all_gone(workers), "the child and its workers are gone")


def test_ctrl_c_at_the_terminal_ends_the_child_before_our_process_ends(tmp_path: Path) -> None:
    ours = python(PLAINLY, FORKS_WORKERS, tmp_path)
    workers = pids_written_to(tmp_path, 3)

    os.killpg(ours.pid, signal.SIGINT)

    assert b"KeyboardInterrupt" in finish(ours)
    assert all_gone(workers)


def test_a_second_ctrl_c_while_the_child_is_being_stopped_still_ends_it(tmp_path: Path) -> None:
    ours = python(PLAINLY, FORKS_WORKERS, tmp_path)
    workers = pids_written_to(tmp_path, 3)

    os.killpg(ours.pid, signal.SIGINT)
    until(lambda: all_gone(workers[-1:]), "the stop has begun")
    os.killpg(ours.pid, signal.SIGINT)

    assert b"KeyboardInterrupt" in finish(ours)
    until(lambda: all_gone(workers), "the child and its workers are gone")


def test_a_process_that_exits_without_stopping_its_child_takes_it_along(tmp_path: Path) -> None:
    ours = python(EXITS_WITHOUT_STOPPING, FORKS_WORKERS, tmp_path)
    workers = pids_written_to(tmp_path, 3)

    assert finish(ours) == b""
    until(lambda: all_gone(workers), "the child and its workers are gone")


def test_the_end_of_the_thread_that_started_a_child_does_not_end_it(tmp_path: Path) -> None:
    ours = python(FROM_A_THREAD_THAT_ENDS, FORKS_WORKERS, tmp_path)
    try:
        workers = pids_written_to(tmp_path, 3)
        assert not any(all_gone([worker]) for worker in workers)
    finally:
        ours.kill()
        finish(ours)

    until(lambda: all_gone(workers), "the child and its workers are gone")


def test_a_forked_copy_of_our_process_does_not_keep_the_child_alive(tmp_path: Path) -> None:
    ours = python(WITH_A_FORKED_COPY, FORKS_WORKERS, tmp_path)
    copy, *workers = pids_written_to(tmp_path, 4)
    try:
        ours.kill()
        ours.wait(60)
        until(lambda: all_gone(workers), "the child and its workers are gone")
    finally:
        os.kill(copy, signal.SIGKILL)
        finish(ours)


STOPS_BESIDE_A_FORKED_COPY = """
import os, time
from hackorda_ops.processes import child
running = child.start(["sleep", "120"], environment=dict(os.environ))
copy = os.fork()
if copy == 0:
    time.sleep(120)
running.stop()
os.kill(copy, 9)
print(running.wait().returncode)
"""


def test_a_forked_copy_of_our_process_does_not_keep_the_child_from_being_stopped() -> None:
    ours = python(STOPS_BESIDE_A_FORKED_COPY)

    stdout, _ = ours.communicate(timeout=90)

    assert int(stdout) == -signal.SIGTERM


# As in a container whose first process is a program that never waits for what is not its own.
UNDER_A_FIRST_PROCESS_THAT_REAPS_NOBODY = """
import ctypes, os, sys
from hackorda_ops.processes import child
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
finished = child.run(["sh", "-c", "sleep 120 & sleep 120 & exit 5"], environment=dict(os.environ), deadline_seconds=60)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print(finished.returncode)
"""


def test_workers_leave_no_zombies_where_the_first_process_reaps_nobody() -> None:
    ours = python(UNDER_A_FIRST_PROCESS_THAT_REAPS_NOBODY)

    stdout, _ = ours.communicate(timeout=90)

    assert int(stdout) == 5


def supervisor_of(running: child.Child) -> int:
    answer = subprocess.run(["ps", "-o", "ppid=", "-p", str(running.pid)], capture_output=True, check=True)
    return int(answer.stdout)


def test_a_killed_supervisor_takes_the_child_along_and_is_told(tmp_path: Path) -> None:
    running = child.start(shell(FORKS_WORKERS, tmp_path), environment=ENVIRONMENT)
    workers = pids_written_to(tmp_path, 3)

    os.kill(supervisor_of(running), signal.SIGKILL)

    with pytest.raises(ToolFailed, match="supervises sh ended before it did"):
        running.wait(60)
    until(lambda: all_gone(workers), "the child and its workers are gone")


def test_a_supervisor_told_to_end_ends_its_child_first(tmp_path: Path) -> None:
    running = child.start(shell(FORKS_WORKERS, tmp_path), environment=ENVIRONMENT, grace_seconds=0.5)
    workers = pids_written_to(tmp_path, 3)

    os.kill(supervisor_of(running), signal.SIGTERM)

    assert running.wait(60).returncode == -signal.SIGTERM
    assert all_gone(workers)
