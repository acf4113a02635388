"""Child processes that end when we do: pg_dump, pg_restore, psql, migration commands, local servers.

Each child runs below a small supervisor process (`supervisor.py`, which says how), because nothing else ends a
pg_dump and its forked workers when this process is killed with SIGKILL, on Linux and on macOS alike.

Secrets belong in `secret_files`: every user of the machine can read `arguments`, and every process of the same
user `environment`. (A team's migrate command takes its URL from the environment; it is the only one.)
"""

import marshal
import os
import pwd
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from io import FileIO
from math import inf
from pathlib import Path
from typing import Required, TypedDict, Unpack

from hackorda_ops.errors import Stalled, UsageError
from hackorda_ops.processes.child_handle import Child, Finished
from hackorda_ops.processes.child_output import Output
from hackorda_ops.redaction.tool_lines import without_rows

__all__ = ["Child", "Finished", "StartOptions", "run", "start"]

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_POLL_SECONDS = 1.0
# What a Python may need to start, and where secret files go; it gets nothing else of our environment.
_SUPERVISOR_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


class StartOptions(TypedDict, total=False):
    """The keyword arguments of `start`, which documents them, as `run` takes them too."""

    environment: Required[Mapping[str, str]]
    secret_files: Mapping[str, str]
    working_directory: Path | None
    stdin: bytes | None
    on_stdout_line: Callable[[str], None] | None
    on_stderr_line: Callable[[str], None] | None
    on_stdout_block: Callable[[bytes], None] | None
    capture_stdout: bool
    redact: Callable[[str], str]
    stop_signal: signal.Signals
    run_as: str | None
    grace_seconds: float


def _unchanged(text: str) -> str:
    return text


def _not_noted(_child: Child) -> None:
    pass


def run(
    arguments: Sequence[str | Path],
    *,
    deadline_seconds: float | None,
    poll: Callable[[], None] | None = None,
    on_start: Callable[[Child], None] = _not_noted,
    **options: Unpack[StartOptions],
) -> Finished:
    """Run a child to its end.

    If anything is raised meanwhile (by `poll`, by a line callback, by Ctrl-C, by Dagster ending the run), the child's
    whole process group is stopped before it propagates.

    Args:
        arguments: the program and its arguments, none of them secret.
        deadline_seconds: how long it may take; None for a child whose end is watched by `poll`.
        poll: called every second while the child runs.
        on_start: called once it runs.
        options: as for `start`.

    Returns:
        How it ended; a return code other than 0 is not an error here.

    Raises:
        Stalled: the deadline passed.
        ToolFailed: it could not be started.
    """
    child = start(arguments, **options)
    try:
        on_start(child)
        return _watch_over(child, deadline_seconds=deadline_seconds, poll=poll)
    except BaseException:
        child.stop()
        raise


def _watch_over(child: Child, *, deadline_seconds: float | None, poll: Callable[[], None] | None) -> Finished:
    began = time.monotonic()
    while True:
        left_seconds = inf if deadline_seconds is None else deadline_seconds - (time.monotonic() - began)
        if child.ended_within(max(0.0, min(_POLL_SECONDS, left_seconds))):
            return child.wait()
        if left_seconds <= 0:
            child.stop()
            raise Stalled(
                f"{child.name} did not finish within {deadline_seconds:g} seconds and was stopped.",
                meaning=f"Its work is not done. Its last output:\n{without_rows(child.stderr_tail) or '(nothing)'}",
                next_step="Look for a lock, a slow network or a full disk; then try again or raise the limit.",
            )
        if poll is not None:
            poll()


def start(
    arguments: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    secret_files: Mapping[str, str] | None = None,
    working_directory: Path | None = None,
    stdin: bytes | None = None,
    on_stdout_line: Callable[[str], None] | None = None,
    on_stderr_line: Callable[[str], None] | None = None,
    on_stdout_block: Callable[[bytes], None] | None = None,
    capture_stdout: bool = False,
    redact: Callable[[str], str] = _unchanged,
    stop_signal: signal.Signals = signal.SIGTERM,
    run_as: str | None = None,
    grace_seconds: float = 10,
) -> Child:
    """Start a child that ends when this process does, or when `Child.stop` is called.

    The files that it creates are for their owner only (umask 077).

    Args:
        arguments: the program (a path, or a name to look for on the PATH of `environment`) and its arguments.
        environment: the child's whole environment.
        secret_files: variable to text: each is written to a file only its owner can read, which the variable names in
            the child's environment and which is removed when the child ends.
        working_directory: where it runs; this process's own if None.
        stdin: what it reads on standard input; nothing if None.
        on_stdout_line: called from another thread with each line of standard output, redacted and without its
            line end. What it raises stops the child and is raised again by `wait`.
        on_stderr_line: the same for standard error.
        on_stdout_block: called like that with the bytes of standard output as they come, which nobody redacts.
        capture_stdout: keep standard output for `Finished.stdout`, up to 64 MiB.
        redact: removes secrets from a line before anyone sees it.
        stop_signal: what asks the child to end.
        run_as: the name of the user it runs as; only root may ask for it.
        grace_seconds: the time that its process group gets between the stop signal and SIGKILL.

    Raises:
        ToolFailed: the program could not be started.
        UsageError: `run_as` is not a user, or we are not root.
    """
    # Another user can't reach a TMPDIR that is our own. /tmp is safe with O_EXCL and a random name.
    folder = "/tmp" if run_as is not None else os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
    secret_paths = {name: f"{folder}/hackorda-ops-{secrets.token_hex(8)}" for name in secret_files or {}}
    order = {
        "arguments": [_as_text(argument) for argument in arguments],
        "environment": {_as_text(name): _as_text(value) for name, value in environment.items()},
        "secret_files": {name: _as_text(text) for name, text in (secret_files or {}).items()},
        "secret_paths": secret_paths,
        "working_directory": None if working_directory is None else _as_text(working_directory),
        "user": None if run_as is None else _user(run_as),
        "stop_signal": int(stop_signal),
        "grace_seconds": grace_seconds,
    }
    wants_stdout = capture_stdout or on_stdout_line is not None or on_stdout_block is not None
    life_read, life_write = os.pipe()
    report_read, report_write = os.pipe()
    life, report = FileIO(life_write, "wb"), FileIO(report_read)
    try:
        supervisor = subprocess.Popen(
            # -I and -S: none of the caller's Python settings or site-packages, so it starts fast and isolated.
            [sys.executable, "-I", "-S", "-X", "utf8", str(_SUPERVISOR), str(life_read), str(report_write)],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE if wants_stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
            pass_fds=(life_read, report_write),
            env={name: os.environ[name] for name in _SUPERVISOR_VARIABLES if name in os.environ},
            start_new_session=True,
        )
    except BaseException:
        life.close()
        report.close()
        raise
    finally:
        os.close(life_read)
        os.close(report_write)
    return Child(
        Path(arguments[0]).name,
        supervisor,
        life,
        report,
        # Both ends are the same Python; the supervisor would take twice as long to start if it had to import json.
        order=b"%d\n%b" % (len(written := marshal.dumps(order)), written),
        stdin=stdin or b"",
        stdout=Output(
            on_line=on_stdout_line,
            on_block=on_stdout_block,
            redact=redact,
            capture=capture_stdout,
            keep_tail=False,
        ),
        stderr=Output(on_line=on_stderr_line, redact=redact, capture=False, keep_tail=True),
        secret_paths=tuple(secret_paths.values()),
        grace_seconds=grace_seconds,
    )


def _as_text(value: str | Path) -> str:
    # The supervisor runs in UTF-8 mode, so this passes any bytes through unchanged, whatever the locale here.
    return os.fsencode(value).decode("utf-8", "surrogateescape")


def _user(name: str) -> tuple[str, int, int]:
    if os.geteuid() != 0:
        raise UsageError(
            f"Only root can start a program as the user {name}.",
            meaning="Nothing was started.",
            next_step="Run this as root, or without another user.",
        )
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise UsageError(
            f"This machine has no user {name}.",
            meaning="Nothing was started.",
            next_step=f"Create the user {name}, or name another one.",
        ) from None
    return (name, entry.pw_uid, entry.pw_gid)
