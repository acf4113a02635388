"""Runs a team's own command, and keeps the end of what it printed, without secrets and rows."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from hackorda_ops.processes import child
from hackorda_ops.redaction.passwords import without_secrets
from hackorda_ops.redaction.tool_lines import RowFilter

_KEPT_LINES: Final = 40
# What a program needs to start and to find its files; everything else must be named.
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
# Variables whose value is a secret, by what such are called; and passwords in the URLs of all others.
_SECRET_NAME: Final = re.compile(
    r"PASS(?:WORD|WD|PHRASE)?(?:$|_)|SECRET|TOKEN|CREDENTIAL|(?:^|_)(?:API|ACCESS|PRIVATE|SIGNING)?_?KEY$",
    re.IGNORECASE,
)
_URL_PASSWORD: Final = re.compile(r"\w://[^\s:/@]*:(\S+)@")


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
    """Runs a command to its end. What its environment holds of secrets is removed from its output.

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
    secrets = tuple(_secrets_in(environment))

    def without(text: str) -> str:
        return redact(without_secrets(text, secrets))

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
        redact=without,
        deadline_seconds=deadline_seconds,
    )
    # Once more in one piece: a secret may be folded over lines.
    return CommandRun(finished.returncode, finished.seconds, without("\n".join(said)))


def _secrets_in(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if _SECRET_NAME.search(name):
            yield value
        elif (found := _URL_PASSWORD.search(value)) is not None:
            yield found[1]
            yield unquote(found[1])
