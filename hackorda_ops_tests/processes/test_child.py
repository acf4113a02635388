"""A child ends as it should, says what it should, and leaves nothing behind."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hackorda_ops.errors import Stalled, ToolFailed, UsageError
from hackorda_ops.processes import child
from hackorda_ops_tests.processes import process_watch
from hackorda_ops_tests.processes.process_watch import (
    ENVIRONMENT,
    FORKS_WORKERS,
    all_gone,
    pids_written_to,
    shell,
)


def test_the_return_code_and_both_outputs_are_the_childs_own() -> None:
    finished = child.run(
        shell("echo to stdout; echo to stderr >&2; exit 3"),
        environment=ENVIRONMENT,
        deadline_seconds=30,
        capture_stdout=True,
    )

    assert finished.returncode == 3
    assert finished.stdout == b"to stdout\n"
    assert finished.stderr_tail == "to stderr"
    assert finished.seconds > 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGPIPE, signal.SIGINT])
def test_a_child_killed_by_a_signal_says_which(number: signal.Signals) -> None:
    finished = child.run(shell(f"kill -{int(number)} $$"), environment=ENVIRONMENT, deadline_seconds=30)

    assert finished.returncode == -number


def test_the_environment_arrives_exactly_and_nothing_else_does() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PGPASSWORD": "p ä'\"\n=\\ß\U0001f600",
        "NOT_UTF8": os.fsdecode(b"\xff\xfe"),
        "EMPTY": "",
    }

    finished = child.run(["env", "-0"], environment=environment, deadline_seconds=30, capture_stdout=True)

    variables = dict(entry.split(b"=", 1) for entry in finished.stdout.split(b"\0") if entry)
    assert variables == {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}


def test_an_environment_larger_than_a_pipe_arrives_whole() -> None:
    environment = ENVIRONMENT | {f"LARGE_{number}": "x" * 100_000 for number in range(5)}

    finished = child.run(["env"], environment=environment, deadline_seconds=30, capture_stdout=True)

    assert finished.stdout.count(b"x" * 100_000) == 5


def test_a_secret_file_is_for_the_child_alone_and_gone_after_it(tmp_path: Path) -> None:
    finished = child.run(
        shell('stat -c %a "$SECRET"; cat "$SECRET"; printf "\\n$SECRET"'),
        environment=ENVIRONMENT,
        secret_files={"SECRET": "p ä'\"\\ß\U0001f600\n"},
        deadline_seconds=30,
        capture_stdout=True,
    )

    mode, text, _, path = finished.stdout.decode().split("\n")
    assert (mode, text) == ("600", "p ä'\"\\ß\U0001f600")
    assert not Path(path).exists()


def test_a_secret_file_is_gone_when_our_process_was_killed(tmp_path: Path) -> None:
    ours = process_watch.python(
        "import os, sys\n"
        "from hackorda_ops.processes import child\n"
        "child.run(['sh', '-c', sys.argv[1], 'sh', sys.argv[2]], environment=dict(os.environ),"
        " secret_files={'SECRET': 'hush'}, deadline_seconds=120)",
        'cd "$1"; echo "$SECRET" > path; echo $$ > child.pid; sleep 60',
        tmp_path,
    )
    pids = process_watch.pids_written_to(tmp_path, 1)
    secret = Path((tmp_path / "path").read_text().strip())
    assert secret.read_text() == "hush"

    ours.kill()
    ours.communicate(timeout=60)

    process_watch.until(lambda: all_gone(pids), "the child is gone")
    process_watch.until(lambda: not secret.exists(), "its secret is gone")


def test_a_secret_file_is_gone_when_the_supervisor_was_killed(tmp_path: Path) -> None:
    running = child.start(
        shell('echo "$SECRET" > path; echo "$PPID" > supervisor.pid; echo $$ > child.pid; sleep 60'),
        environment=ENVIRONMENT,
        secret_files={"SECRET": "hush"},
        working_directory=tmp_path,
    )
    process_watch.pids_written_to(tmp_path, 2)
    secret = Path((tmp_path / "path").read_text().strip())
    assert secret.read_text() == "hush"

    os.kill(int((tmp_path / "supervisor.pid").read_text()), signal.SIGKILL)

    with pytest.raises(ToolFailed, match="supervises"):
        running.wait(60)
    assert not secret.exists()


def test_a_child_whose_secret_cannot_be_written_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/no/such/folder")

    with pytest.raises(ToolFailed, match="could not be written to a private file") as caught:
        child.run(["true"], environment=ENVIRONMENT, secret_files={"SECRET": "hush"}, deadline_seconds=30)

    assert "TMPDIR" in caught.value.next_step


def test_the_supervisor_is_given_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://app:hush@db/app")
    running = child.start(["sleep", "60"], environment=ENVIRONMENT)
    try:
        status = Path(f"/proc/{running.pid}/status").read_text()
        [supervisor] = [line.split()[1] for line in status.splitlines() if line.startswith("PPid:")]
        given = Path(f"/proc/{supervisor}/environ").read_bytes()
    finally:
        running.stop()

    assert b"PATH=" in given
    assert b"hush" not in given


def test_a_secret_in_the_environment_is_on_no_command_line() -> None:
    secret = "hunter2-on-no-command-line"
    running = child.start(["sleep", "60"], environment=ENVIRONMENT | {"PGPASSWORD": secret})
    try:
        listed = child.run(
            ["ps", "-eo", "args"], environment=ENVIRONMENT, deadline_seconds=30, capture_stdout=True
        )
    finally:
        running.stop()

    assert b"supervisor.py" in listed.stdout
    assert secret.encode() not in listed.stdout


@pytest.mark.parametrize(
    ("arguments", "folder", "reason"),
    [
        (["no-such-program"], None, "no-such-program could not be started: No such file or directory"),
        (["/no/such/program"], None, "program could not be started: No such file or directory"),
        (["/etc/passwd"], None, "passwd could not be started: Permission denied"),
        (["true", "with\0nul"], None, "true could not be started: Invalid argument"),
        (
            ["true"],
            Path("/no/such/folder"),
            "true could not be started in its working directory: No such file",
        ),
    ],
)
def test_a_program_that_cannot_be_started_says_why(
    arguments: list[str], folder: Path | None, reason: str
) -> None:
    with pytest.raises(ToolFailed, match=reason) as caught:
        child.run(arguments, environment=ENVIRONMENT, deadline_seconds=30, working_directory=folder)

    assert caught.value.next_step


def test_files_that_a_child_makes_are_for_their_owner_only(tmp_path: Path) -> None:
    finished = child.run(
        shell("touch file; mkdir folder"),
        environment=ENVIRONMENT,
        deadline_seconds=30,
        working_directory=tmp_path,
    )

    assert finished.returncode == 0
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a child as somebody else")
def test_root_can_run_a_child_as_an_unprivileged_user_without_roots_groups() -> None:
    # As servers in containers do; there root may be in groups of every kind.
    ours = process_watch.python(
        "import os\nfrom hackorda_ops.processes import child\nos.setgroups([0, 1, 2])\n"
        "child.run(['id'], environment=dict(os.environ), deadline_seconds=30, run_as='nobody',"
        " on_stdout_line=print)"
    )

    stdout, _ = ours.communicate(timeout=60)

    user, group, groups = stdout.decode().split()
    assert user.endswith("(nobody)")
    assert groups.removeprefix("groups=") == group.removeprefix("gid=")


def test_a_user_that_nobody_can_become_is_a_clear_error() -> None:
    reason = "no user no-such-user" if os.geteuid() == 0 else "Only root can start a program as the user"
    with pytest.raises(UsageError, match=reason):
        child.run(["id"], environment=ENVIRONMENT, deadline_seconds=30, run_as="no-such-user")


def test_many_runs_leave_no_zombie_no_descriptor_and_no_thread() -> None:
    # In a process of its own: what other tests keep running is a child of this one.
    ours = process_watch.python(
        """
import os, pathlib, threading, time
from hackorda_ops.errors import OpsError
from hackorda_ops.processes import child

ENVIRONMENT = {"PATH": os.environ["PATH"]}

def held():
    return len(list(pathlib.Path("/dev/fd").iterdir())), threading.active_count()

def run_some():
    for _ in range(5):
        child.run(["true"], environment=ENVIRONMENT, deadline_seconds=30, stdin=b"x", capture_stdout=True)
        try:
            child.run(["no-such-program"], environment=ENVIRONMENT, deadline_seconds=30)
        except OpsError:
            pass
        child.start(["sleep", "60"], environment=ENVIRONMENT).stop()

run_some()
before = held()
run_some()
give_up = time.monotonic() + 30
while held() != before and time.monotonic() < give_up:
    time.sleep(0.02)
print(held() == before or f"{before} became {held()}")
try:
    print(os.waitpid(-1, os.WNOHANG))  # a zombie would be told here
except ChildProcessError:
    print("no child")
"""
    )

    stdout, _ = ours.communicate(timeout=60)

    assert stdout.decode().splitlines() == ["True", "no child"]


def test_children_can_be_started_from_several_threads_at_once() -> None:
    answers: dict[int, bytes] = {}

    def run_one(number: int) -> None:
        finished = child.run(
            ["echo", str(number)], environment=ENVIRONMENT, deadline_seconds=60, capture_stdout=True
        )
        answers[number] = finished.stdout

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert answers == {number: f"{number}\n".encode() for number in range(8)}


def raises(problem: BaseException) -> Callable[[], None]:
    def raise_it() -> None:
        raise problem

    return raise_it


@pytest.mark.parametrize("problem", [ValueError("lock lost"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_poll_raises_ends_the_whole_group_before_it_propagates(
    tmp_path: Path, problem: BaseException
) -> None:
    with pytest.raises(type(problem)):
        child.run(
            shell(FORKS_WORKERS, tmp_path),
            environment=ENVIRONMENT,
            deadline_seconds=60,
            poll=raises(problem),
            grace_seconds=0.5,
        )

    assert all_gone(pids_written_to(tmp_path, 3))


def test_a_child_past_its_deadline_is_ended_with_its_group_and_its_last_words_are_told(
    tmp_path: Path,
) -> None:
    with pytest.raises(Stalled, match="did not finish within 2 seconds") as caught:
        child.run(
            shell("echo waiting for a lock >&2;" + FORKS_WORKERS, tmp_path),
            environment=ENVIRONMENT,
            deadline_seconds=2,
            grace_seconds=0.5,
        )

    assert "waiting for a lock" in caught.value.meaning
    assert all_gone(pids_written_to(tmp_path, 3))


def test_what_a_line_callback_raises_ends_the_child_and_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        child.run(
            shell("echo line >&2;" + FORKS_WORKERS, tmp_path),
            environment=ENVIRONMENT,
            deadline_seconds=60,
            on_stderr_line=lambda line: print(len(pids_written_to(tmp_path, 3)) // 0),
            grace_seconds=0.5,
        )

    assert all_gone(pids_written_to(tmp_path, 3))


def test_stopping_ends_the_group_with_the_signal_asked_for_and_may_be_repeated(tmp_path: Path) -> None:
    running = child.start(
        shell("trap 'echo interrupted; exit 7' INT; echo $$ > leader.pid; while :; do sleep 0.1; done"),
        environment=ENVIRONMENT,
        working_directory=tmp_path,
        stop_signal=signal.SIGINT,
        capture_stdout=True,
    )
    assert pids_written_to(tmp_path, 1) == [running.pid]

    with pytest.raises(Stalled, match="has not ended"):
        running.wait(0)
    assert running.running
    running.stop()
    running.stop()

    assert not running.running
    assert running.wait().returncode == 7
    assert running.wait().stdout == b"interrupted\n"


def test_workers_that_outlive_their_tool_are_ended(tmp_path: Path) -> None:
    finished = child.run(
        shell("cd $1; sleep 60 & echo $! > worker.pid; exit 5", tmp_path),
        environment=ENVIRONMENT,
        deadline_seconds=60,
        capture_stdout=True,
    )

    assert finished.returncode == 5
    assert all_gone(pids_written_to(tmp_path, 1))
