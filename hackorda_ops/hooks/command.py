"""Runs a team's own command, and keeps the end of what it printed, without secrets and rows."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops.processes import child
from hackorda_ops.redaction.tool_lines import RowFilter

_KEPT_LINES: Final = 40
# What a program needs to start and to find its files; everything else must be named.
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class CommandRun:
    """How a command ended.

    Attributes:
        returncode: 0 is success.
        seconds: wall-clock time.
        output_tail: its last lines of both streams, redacted.
    """

    returncode: int
    seconds: float
    output_tail: str


def passed_on(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What a team's command gets of this process's environment: what every program needs, and what is named."""
    return {name: environ[name] for name in (*_KEPT_VARIABLES, *names) if name in environ}


def run_command(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    working_directory: Path,
    deadline_seconds: float,
    redact: Callable[[str], str],
    on_line: Callable[[str], None] | None = None,
) -> CommandRun:
    """Runs a command to its end.

    Args:
        arguments: the program and its arguments.
        environment: its whole environment.
        working_directory: where it runs.
        deadline_seconds: after which it is stopped, with all its children.
        redact: removes secrets from a line.
        on_line: called from another thread with each line that may be shown.

    Raises:
        Stalled: it did not finish in time and was stopped.
        ToolFailed: it could not be started.
    """
    said: deque[str] = deque(maxlen=_KEPT_LINES)
    rows = RowFilter()

    def hear(line: str) -> None:
        if (kept := rows(line)) is not None:
            said.append(kept)
            if on_line is not None:
                on_line(kept)

    finished = child.run(
        arguments,
        environment=environment,
        working_directory=working_directory,
        on_stdout_line=hear,
        on_stderr_line=hear,
        redact=redact,
        deadline_seconds=deadline_seconds,
    )
    return CommandRun(finished.returncode, finished.seconds, "\n".join(said))
