"""Other programs' output, without what a server's messages in it say of rows.

The text of a team's migration command, and of its database driver, stays; what they repeat of a server's details
and context is removed, and so are the values that its errors quote.
"""

import re
from typing import Final

from hackorda_ops.redaction.server_words import masked, shown

# DETAIL, CONTEXT and the like, as Postgres and drivers write them.
_FIELD: Final = re.compile(
    r"""^[\s│|>]*\[?["']?(?:detail|context|kontext|contexte|contesto|contexto|hint|tipp|where|query|anfrage|internalquery"""
    r"""|statement|anweisung|parameters?|params|bindings|values?|row|detalle|dettaglio)["'\]]*\s*[:=]""",
    re.IGNORECASE,
)
# A server's fields in every language: capitals and a colon, but for its severities.
_CAPITALS: Final = re.compile(r"(?P<word>[^\W\d_a-z]{3,}) ?:\s")
_SQL_FOLLOWS: Final = re.compile(r"(?:Command|Query) was: |\[SQL: |\[parameters: ", re.IGNORECASE)
# The same in the middle of a line.
_ROW: Final = re.compile(
    r"(?:\(\s*[\w, \"]+\s*\)\s*=\s*\(|Failing row contains|\b(?:DETAIL|CONTEXT|detail):|\bdetail\s*="
    r"|COPY \S+, line \d+).*",
    re.DOTALL,
)
_ERROR_WORD: Final = re.compile(r"(?:ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|LOG|DEBUG\\d?)\\b")
_ERROR: Final = re.compile(
    r"(?P<head>.*?\w*(?:error|fatal|exception|panic|notice|warning|violation)\w*(?:\([^)]*\))?:\s+|[^\s:]+:  )"
    r"(?P<message>.*)",
    re.IGNORECASE,
)
# How drivers introduce a server's message: node's, Python's, Java's, Ruby's, Go's, PHP's.
_OF_A_DRIVER: Final = re.compile(
    r"^\s*error: |psycopg|asyncpg|PostgresError|DatabaseError|sqlalchemy|PSQLException|PG::|\bpq: |SQLSTATE"
    r"|QueryError|QueryFailed"
)
# A stack trace, a log's line, a package manager's, a blank line: no value continues there.
_BEGINS_ANEW: Final = re.compile(
    r"""\s*(?:$|at |File "|Traceback |\[|\d{4}-\d\d-\d\d|> |npm |command |pg_\w+: |psql:|\w*(?:Error|ERROR|FATAL)\b)"""
)


class RowFilter:
    """Takes the lines of a program's output one by one, and returns what may be kept of each."""

    def __init__(self) -> None:
        self._in_value = False

    def __call__(self, line: str) -> str | None:
        """The line as far as it may be kept; None if it must be dropped."""
        if _FIELD.match(line) or _is_a_servers_field(line) or _SQL_FOLLOWS.search(line):
            self._in_value = True
            return None
        if self._in_value and not _BEGINS_ANEW.match(line):
            return None
        self._in_value = False
        found = _ROW.search(line)
        if found is not None:
            self._in_value = True
            line = line[: found.start()] + "…"
        said = _ERROR.match(line)
        if said is None:
            return line
        if said["head"].endswith(":  ") or _OF_A_DRIVER.search(said["head"]):
            # A server's message, which may be a function's own text, on several lines.
            self._in_value = True
            return said["head"] + shown(said["message"])
        # The program's or its driver's own text. A value that doesn't end here continues below.
        self._in_value = self._in_value or said["message"].count('"') % 2 == 1
        return said["head"] + masked(said["message"])


def _is_a_servers_field(line: str) -> bool:
    found = _CAPITALS.match(line)
    # In other languages a message can't be distinguished from its details, so neither is kept.
    return found is not None and found["word"] == found["word"].upper() and _ERROR_WORD.match(line) is None


def without_rows(text: str) -> str:
    """Several lines of a program's output, as far as they may be kept."""
    keep = RowFilter()
    return "\n".join(kept for line in text.splitlines() if (kept := keep(line)) is not None)
