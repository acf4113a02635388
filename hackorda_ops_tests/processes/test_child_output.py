"""What goes into a child and what comes out of it: whole, redacted, bounded, and without a deadlock."""

import os
import signal
import sys
from pathlib import Path

import pytest

from hackorda_ops.errors import ToolFailed
from hackorda_ops.processes import child
from hackorda_ops_tests.processes.process_watch import (
    ENVIRONMENT,
    is_alive,
    pids_written_to,
    shell,
    until,
)


def python(script: str) -> list[str | Path]:
    return [sys.executable, "-c", script]


def test_standard_input_reaches_the_child_whole() -> None:
    text = b"0123456789abcdef" * 300_000

    finished = child.run(
        ["cat"], environment=ENVIRONMENT, deadline_seconds=60, stdin=text, capture_stdout=True
    )

    assert finished.stdout == text


def test_a_child_that_does_not_read_its_input_still_ends() -> None:
    finished = child.run(["true"], environment=ENVIRONMENT, deadline_seconds=30, stdin=b"x" * 5_000_000)

    assert finished.returncode == 0


def test_a_child_without_input_reads_its_end() -> None:
    finished = child.run(["cat"], environment=ENVIRONMENT, deadline_seconds=30, capture_stdout=True)

    assert finished == child.Finished(0, b"", "", finished.seconds)


def test_megabytes_on_both_outputs_cause_no_deadlock() -> None:
    writes = "import sys\nfor _ in range(60_000):\n print('o' * 99)\n print('e' * 99, file=sys.stderr)"
    lines: list[str] = []

    finished = child.run(
        python(writes),
        environment=ENVIRONMENT,
        deadline_seconds=60,
        capture_stdout=True,
        on_stderr_line=lines.append,
    )

    assert len(finished.stdout) == 60_000 * 100
    assert len(lines) == 60_000
    assert finished.stderr_tail == "\n".join(["e" * 99] * 50)


def test_output_that_nobody_wants_holds_nobody_up() -> None:
    finished = child.run(
        shell("head -c 3000000 /dev/zero; echo done >&2"), environment=ENVIRONMENT, deadline_seconds=30
    )

    assert finished.stdout == b""
    assert finished.stderr_tail == "done"


def test_more_output_than_can_be_kept_is_an_error_and_not_a_silent_cut() -> None:
    with pytest.raises(ToolFailed, match="67108864 bytes"):
        child.run(
            shell("head -c 70000000 /dev/zero; sleep 60"),
            environment=ENVIRONMENT,
            deadline_seconds=60,
            capture_stdout=True,
        )


def test_lines_are_handed_on_redacted_and_whole_while_the_child_runs() -> None:
    lines: list[str] = []
    running = child.start(
        shell("printf 'one\\r\\ntwo '; printf 'hunter2\\nth'; printf 'ree'; sleep 60 & wait"),
        environment=ENVIRONMENT,
        on_stdout_line=lines.append,
        redact=lambda text: text.replace("hunter2", "***"),
    )
    try:
        until(lambda: len(lines) == 2, "two lines have come")
        assert running.running
    finally:
        running.stop()

    assert lines == ["one", "two ***", "three"]


def test_the_tail_of_standard_error_is_redacted() -> None:
    finished = child.run(
        shell('echo "connecting with $PGPASSWORD" >&2'),
        environment=ENVIRONMENT | {"PGPASSWORD": "hunter2"},
        deadline_seconds=30,
        redact=lambda text: text.replace("hunter2", "***"),
    )

    assert finished.stderr_tail == "connecting with ***"


def test_a_line_without_end_is_cut_and_no_half_of_a_secret_is_left_at_the_cut() -> None:
    secret = "s3cret" * 100
    # The secret begins 10 bytes before the limit of one mebibyte.
    script = f"import sys; sys.stderr.write('x' * (1048576 - 10) + {secret!r} + 'y' * 5_000_000)"
    lines: list[str] = []

    child.run(
        python(script),
        environment=ENVIRONMENT,
        deadline_seconds=60,
        on_stderr_line=lines.append,
        redact=lambda text: text.replace(secret, "***"),
    )

    assert len(lines) == 1
    assert lines[0].endswith("xxx [...]")
    assert "s3" not in lines[0]


def test_a_daemon_that_holds_the_output_open_does_not_hold_us_up(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\nprint('started', flush=True)\nif os.fork() == 0:\n os.setsid()\n"
        f" open({str(tmp_path / 'daemon.pid')!r}, 'w').write(f'{{os.getpid()}}\\n')\n time.sleep(60)\n"
        f"while not os.path.exists({str(tmp_path / 'daemon.pid')!r}): time.sleep(0.01)"
    )
    finished = child.run(python(script), environment=ENVIRONMENT, deadline_seconds=30, capture_stdout=True)
    (daemon,) = pids_written_to(tmp_path, 1)
    try:
        assert finished.stdout == b"started\n"
        assert is_alive(daemon)
    finally:
        os.kill(daemon, signal.SIGKILL)
