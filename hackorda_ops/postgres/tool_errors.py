"""What pg_dump and pg_restore print, turned into the error that it means.

Their return code is 1 for everything, so the messages have to be read. They are in English, because
`connection.environment` sets LC_ALL=C. What is not recognised becomes a `ToolFailed` that shows the tail.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hackorda_ops.errors import (
    ClientMissing,
    ConnectionLost,
    DiskFull,
    LoginRefused,
    OpsError,
    RightsMissing,
    ServerUnreachable,
    SourceBusy,
    ToolFailed,
)


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    kind: type[OpsError]
    meaning: str
    next_step: str


def _rule(pattern: str, kind: type[OpsError], meaning: str, next_step: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), kind, meaning, next_step)


# The first that fits wins, so causes stand before what they entail.
_RULES: Final = (
    _rule(
        r"(?-i:ERROR: ).*(No space left on device|Disk quota exceeded)|HINT: +Check free disk space",
        DiskFull,
        "The server's own disk is full, so it could not go on.",
        "Give the server more disk, or remove what it does not need; then try again.",
    ),
    _rule(
        r"No space left on device|Disk quota exceeded|File too large",
        DiskFull,
        "What was written so far is incomplete; it was not kept.",
        "Make room on the disk that the dump is written to (or lift its limit), then try again.",
    ),
    _rule(
        r"permission denied (for|to)|must be (super)?(user|owner)|must be superuser|row-level security policy"
        r"|must be member of role|Only roles with",
        RightsMissing,
        "The role may not read, or create, what it must, so the work can't be complete.",
        "Grant the role what the message names (for a dump: GRANT pg_read_all_data TO it, and BYPASSRLS where "
        "policies hide rows), or use the owner.",
    ),
    _rule(
        r"server version mismatch|unsupported version \(.*\) in file header"
        r'|unrecognized configuration parameter ""',
        ClientMissing,
        "The client tools are of another Postgres version than the server, or than the archive.",
        "Install the client tools of the server's major version, and name their folder in the configuration.",
    ),
    _rule(
        r"password authentication failed|no pg_hba.conf entry|no password supplied|role \"\" does not exist"
        r"|database \"\" does not exist|is not permitted to log in|certificate verify failed"
        r"|server does not support SSL|authentication failed",
        LoginRefused,
        "The server answered and refused the login, so nothing was done.",
        "Check user, password, database and TLS mode.",
    ),
    _rule(
        r"invalid snapshot identifier|could not import the requested snapshot|snapshot \"\" does not exist"
        r"|source process .* is not running",
        ConnectionLost,
        "The session that held the snapshot is gone, and the snapshot with it.",
        "Try again; if it repeats, look in the server's log for what ended the session.",
    ),
    _rule(
        r"(lock|statement) timeout|deadlock detected|could not obtain lock on relation",
        SourceBusy,
        "Another session holds a lock that this work needs (a schema change, as a rule).",
        "Let that session finish, or end it; then try again.",
    ),
    _rule(
        r"Connection refused|could not translate host name|timeout expired|the database system is"
        r"|No route to host|Network is unreachable|No such file or directory\n.*Is the server running",
        ServerUnreachable,
        "No server answered, so nothing was done.",
        "Check that the server is up, and its host, port and firewall.",
    ),
    _rule(
        r"server closed the connection|connection to server was lost|terminating connection"
        r"|connection has been closed|could not receive data from server|could not send data to server"
        r"|no connection to the server|SSL SYSCALL error|Connection (reset|timed out)|Broken pipe",
        ConnectionLost,
        "The connection to the server broke in the middle, so the work is not complete.",
        "Try again; if it repeats, look in the server's log and at the network in between.",
    ),
)
_ENTRY = re.compile(r"from TOC entry \d+; \d+ \d+ (.+)")
_ERROR = re.compile(r"(?:error|FATAL|ERROR|PANIC): +(.+)")
_SERVER_SAID = re.compile(r"Error message from server: +(.+)")
_OWN_LINE = re.compile(r"pg_(?:dump|restore): (?:(warning|error|fatal|detail|hint|from TOC entry|while)\b)?")
# The SQL that failed can be as long as a function, and hold any words.
_SQL_FOLLOWS = re.compile(r"(?:Command|Query) was: ")
# These quote rows, which are nobody's business here. The server's log has them.
_QUOTES_ROWS = re.compile(r"(?:DETAIL|CONTEXT): ")
_KEPT_LINES: Final = 100


class ToolOutput:
    """Listens to the standard error of pg_dump or pg_restore, and keeps what matters of it.

    Attributes:
        warnings: each with its detail and hint, as one text.
        complaints: what is said about a failure, without the failing SQL and without anything that quotes rows.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.complaints: list[str] = []
        self._in_sql = False
        self._in_warning = False

    def hear(self, line: str) -> None:
        """Takes the next line, redacted."""
        own = _OWN_LINE.match(line)
        if own is not None:
            self._in_sql = False
            if own[1] not in ("detail", "hint"):
                self._in_warning = own[1] == "warning"
            if own[1] is None:
                return  # what --verbose says
        elif line.startswith("WARNING: "):
            self._in_warning = True
        if self._in_sql or _QUOTES_ROWS.match(line):
            return
        if _SQL_FOLLOWS.search(line):
            self._in_sql = True
            return
        if not self._in_warning:
            _append(self.complaints, line)
        elif (own is not None and own[1] == "warning") or line.startswith("WARNING: "):
            _append(self.warnings, line)
        elif self.warnings:
            self.warnings[-1] += f" {line.strip()}"


def require_success(tool: str, doing: str, *, returncode: int, complaints: Sequence[str]) -> None:
    """Raises the error that a failed pg_dump or pg_restore means; does nothing where it succeeded.

    Args:
        tool: "pg_dump" or "pg_restore".
        doing: what it was doing and to which database, for example "dumping app@host:5432/hackorda".
        returncode: 0 for success, or minus the number of the signal that ended it.
        complaints: of its `ToolOutput`.
    """
    if returncode == 0:
        return
    said = "\n".join(complaints)
    what = f"{tool} failed {doing}{_object(said)}: {_first_error(said, returncode)}"
    # Names are quoted, and may be anything.
    unnamed = re.sub(r'"[^"\n]*"', '""', said)
    for rule in _RULES:
        if rule.pattern.search(unnamed):
            raise rule.kind(what, meaning=rule.meaning, next_step=rule.next_step)
    raise ToolFailed(
        f"{what}\n{said}".strip(),
        meaning="The work is not complete; nothing of it counts.",
        next_step="Mend what the message names (the server's log has its details), then try again.",
    )


def _append(lines: list[str], line: str) -> None:
    if len(lines) < _KEPT_LINES:
        lines.append(line)


def _object(said: str) -> str:
    match = _ENTRY.search(said)
    return "" if match is None else f" at {match[1]}"


def _first_error(said: str, returncode: int) -> str:
    match = _ERROR.search(said)
    if match is None:
        if returncode < 0:
            return f"it was ended by signal {-returncode} (9 is often the kernel, for want of memory)."
        return f"return code {returncode}."
    # "Dumping the contents of table … failed" has the reason in a line of its own.
    reason = _SERVER_SAID.search(said)
    return " ".join(f"{match[1]} {'' if reason is None else reason[1]}".split()).rstrip(".") + "."
