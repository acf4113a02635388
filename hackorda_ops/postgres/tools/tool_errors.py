"""Turns what pg_dump and pg_restore print into the error that it means.

Their return code is 1 for everything, so the messages must be parsed. They are in English, because
`connection.environment` sets LC_ALL=C. An unrecognized message becomes a `ToolFailed` that shows the tail.
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
    PermanentError,
    RestoreRefused,
    RetryableError,
    RightsMissing,
    ServerUnreachable,
    SourceBusy,
    TargetRefused,
    ToolFailed,
)
from hackorda_ops.redaction.server_words import shown_line


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    kind: type[OpsError]
    meaning: str
    next_step: str


def _rule(pattern: str, kind: type[OpsError], meaning: str, next_step: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), kind, meaning, next_step)


# The first that fits wins, so causes come before their consequences.
_RULES: Final = (
    _rule(
        r"could not resize shared memory segment|could not (open|map) shared memory segment",
        RetryableError,
        "The server's shared memory (/dev/shm) is too small for this work; its disk and the backup are not at fault.",
        "Give the server's container more shared memory (docker run --shm-size=1g), or lower maintenance_work_mem "
        "and max_parallel_maintenance_workers there; then try again.",
    ),
    _rule(
        r"out of shared memory|You might need to increase .*max_locks_per_transaction",
        PermanentError,
        "The server's lock table is too small for this many objects; the backup is not at fault.",
        "Raise max_locks_per_transaction on that server (256 is a good start; it needs a restart), then try again.",
    ),
    _rule(
        r"remaining connection slots|too many (connections|clients)|sorry, too many",
        RetryableError,
        "The server, the database or the role has no connection left; the backup is not at fault.",
        "Raise the role's or the database's CONNECTION LIMIT or the server's max_connections, lower dump.jobs, or end "
        "other sessions; then try again.",
    ),
    _rule(
        r"project size limit|neon\.max_cluster_size",
        DiskFull,
        "The Neon project's size limit is reached, so the server could not continue; the backup is not at fault.",
        "Delete unneeded branches or choose a larger plan, then try again.",
    ),
    _rule(
        r"out of memory|Cannot allocate memory|could not fork|Too many open files|Resource temporarily unavailable",
        RetryableError,
        "A machine ran out of memory, processes or open files; the backup is not at fault.",
        "Give that machine more, or lower dump.jobs and the server's maintenance_work_mem; then try again.",
    ),
    _rule(
        r"read-only transaction|Read-only file system|the database system is in recovery mode",
        TargetRefused,
        "The server accepts no changes, so nothing can be restored there; the backup is not at fault.",
        "Restore on a primary, and check for default_transaction_read_only on its role and database.",
    ),
    _rule(
        r"shared_preload_libraries|must be (pre)?loaded|can only create extension in database",
        TargetRefused,
        "An extension works only if the server preloads it, or only in one database of a server.",
        "Preload it on that server (shared_preload_libraries), or restore on a server that is set up for it.",
    ),
    _rule(
        r"could not open (extension control|dictionary|stop-word|thesaurus|affix) file|extension \"\" is not available"
        r"|could not (access|load|find) (file|library|function)|incompatible library|could not create locale"
        r"|collation \"\" for encoding|tablespace \"\" does not exist|has no installation script",
        TargetRefused,
        "The server lacks something that the source's machine has: an extension, a library, a locale or a file.",
        "Install it on that server, or restore on one that has it.",
    ),
    _rule(
        r"(?-i:ERROR: ).*(No space left on device|Disk quota exceeded)|HINT: +Check free disk space",
        DiskFull,
        "The server's own disk is full, so it could not continue.",
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
        "The role lacks a right to read or create something, so the work can't be complete.",
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
        "Try again; if it happens again, check the server's log for what ended the session.",
    ),
    _rule(
        r"(lock|statement) timeout|deadlock detected|could not obtain lock on relation"
        # Dropped after pg_dump had listed it. (A restore that says so is another matter.)
        r"|pg_dump: (error|detail): (query failed|Error message from server): ERROR: +"
        r'(relation "" does not exist|could not open relation with OID|cache lookup failed)',
        SourceBusy,
        "Another session holds a lock that this work needs (usually a schema change).",
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
        "The connection to the server broke halfway, so the work is not complete.",
        "Try again; if it happens again, check the server's log and the network in between.",
    ),
)
# Errors caused by the dump itself: its data, or its definitions. All others have another cause, or an unknown one.
_THE_DUMP = re.compile(
    r"invalid input (syntax|value)|duplicate key value|could not create unique index|violates|violated by some row"
    r"|missing data for column|extra data after last expected column|unexpected message type|end-of-copy marker"
    r"|literal (newline|carriage return) found in data|invalid byte sequence|value too long|out of range|malformed "
    r"|syntax error|does not exist|already exists|could not open input file|could not (uncompress|decompress)",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"from TOC entry (\d+); \d+ \d+ (.+)")
_ERROR = re.compile(r"(?:error|FATAL|ERROR|PANIC): +(.+)")
_SERVER_SAID = re.compile(r"Error message from server: +(.+)")
_OWN_LINE = re.compile(r"pg_(?:dump|restore): (?:(warning|error|fatal|detail|hint|from TOC entry|while)\b)?")
# The SQL that failed can be as long as a function, and contain anything.
_SQL_FOLLOWS = re.compile(r"(?:Command|Query) was: ")
# A line without any of these beginnings continues the one before, which may be a value from a row: some are
# of several lines, and a server's messages may be in another language.
_BEGINS = re.compile(r"pg_(?:dump|restore): |psql:|(?:WARNING|ERROR|FATAL|PANIC|HINT): |\t")
_KEPT_LINES: Final = 100


class ToolOutput:
    """Reads the standard error of pg_dump or pg_restore, and keeps what matters.

    Attributes:
        warnings: each with its detail and hint, as one text.
        complaints: messages about a failure, without the failing SQL and without anything that quotes rows.
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
                return  # output of --verbose
        elif line.startswith("WARNING: "):
            self._in_warning = True
        if _SQL_FOLLOWS.search(line):
            self._in_sql = True
        if self._in_sql or not _BEGINS.match(line):
            return
        if not self._in_warning:
            _append(self.complaints, line)
        elif (own is not None and own[1] == "warning") or line.startswith("WARNING: "):
            _append(self.warnings, shown_line(line))
        elif self.warnings:
            self.warnings[-1] += f" {shown_line(line)}"


def require_success(tool: str, doing: str, *, returncode: int, complaints: Sequence[str]) -> None:
    """Raises the error that a failed pg_dump or pg_restore means; does nothing if it succeeded.

    Args:
        tool: "pg_dump" or "pg_restore".
        doing: what it was doing and to which database, for example "dumping app@host:5432/hackorda".
        returncode: 0 for success, or minus the number of the signal that ended it.
        complaints: of its `ToolOutput`.
    """
    if returncode == 0:
        return
    said = "\n".join(complaints)
    what = f"{tool} failed {doing}{object_of(complaints)}: {_first_error(said, returncode)}"
    # Names are quoted, and can be anything.
    unnamed = re.sub(r'"[^"\n]*"', '""', said)
    for rule in _RULES:
        if rule.pattern.search(unnamed):
            raise rule.kind(what, meaning=rule.meaning, next_step=rule.next_step)
    if tool == "pg_restore" and _THE_DUMP.search(unnamed):
        raise refused(what)
    if not complaints:
        raise ToolFailed(
            what,
            meaning=f"{tool} ended without a message, like a killed program; the backup is not at fault.",
            next_step="Check this machine's log for what killed it (usually the kernel, when memory ran out); "
            "then try again.",
        )
    raise ToolFailed(
        "\n".join([what, *map(shown_line, complaints)]),
        meaning="The work is not complete; nothing of it counts. The cause is unknown.",
        next_step="Fix what the message names (the server's log has the details), then try again.",
    )


def refused(what: str) -> RestoreRefused:
    """The error for a restore that fails because of the dump's content, on any server."""
    return RestoreRefused(
        what,
        meaning="The server rejects the dump's data or definitions, so the dump can't be restored completely.",
        next_step="Check the named object, on the source too: what is wrong there is in every backup of it "
        "until it is fixed. Until then, `hackorda-ops restore --keep-going` restores everything else.",
    )


def object_of(complaints: Sequence[str]) -> str:
    """The entry of the archive at which a restore failed, as " at TABLE public.users app"; "" where none is named."""
    match = _ENTRY.search("\n".join(complaints))
    return "" if match is None else f" at {match[2]}"


def entry_of(complaints: Sequence[str]) -> int | None:
    """The number of the archive's entry at which a restore failed; None where none is named."""
    match = _ENTRY.search("\n".join(complaints))
    return None if match is None else int(match[1])


def _append(lines: list[str], line: str) -> None:
    if len(lines) < _KEPT_LINES:
        lines.append(line)


def _first_error(said: str, returncode: int) -> str:
    match = _ERROR.search(said)
    if match is None:
        if returncode < 0:
            return f"it was killed by signal {-returncode} (9 is often the kernel, when memory ran out)."
        return f"return code {returncode}."
    # "Dumping the contents of table … failed" has the reason in a line of its own.
    reason = _SERVER_SAID.search(said)
    said_safely = shown_line(f"{match[0]} {'' if reason is None else reason[1]}").removeprefix("error: ")
    return " ".join(said_safely.split()).rstrip(".") + "."
