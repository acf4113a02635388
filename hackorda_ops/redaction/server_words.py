"""What may be shown of a message from a Postgres server: object names, and never a value from a row.

Besides DETAIL and CONTEXT, which are never shown, a message's first line can quote values too: `invalid input
syntax for type integer: "…"`.
"""

import re
from typing import Final

import psycopg

from hackorda_ops.redaction.known_words import is_known

# Errors that functions of the database raise: their text is the author's, and can be anything.
_RAISED: Final = ("P0", "38", "39")
NOT_SHOWN: Final = "(a message that may quote rows, so it is only in the server's log)"

# Words before the name of an object.
_NAMED: Final = [
    "aggregate",
    "cast",
    "class",
    "collation",
    "column",
    "configuration",
    "constraint",
    "database",
    "dictionary",
    "directory",
    "domain",
    "encoding",
    "enum",
    "extension",
    "family",
    "file",
    "function",
    "index",
    "language",
    "library",
    "mapping",
    "method",
    "module",
    "operator",
    "option",
    "parameter",
    "parser",
    "policy",
    "procedure",
    "provider",
    "publication",
    "relation",
    "role",
    "routine",
    "rule",
    "schema",
    "segment",
    "sequence",
    "server",
    "setting",
    "statistics",
    "subscription",
    "table",
    "tablespace",
    "template",
    "trigger",
    "type",
    "user",
    "variable",
    "view",
    "wrapper",
    "at",
]
# From the first quotation that isn't an object name to the end of the last one: a value may contain quotes. If it
# doesn't end, it continues in a line that is left out.
_VALUES: Final = re.compile(
    "".join(rf"(?<!\b{word} )" for word in _NAMED) + r'(?<![\w"])"(?:.*"|.*\Z)',
    re.DOTALL | re.IGNORECASE,
)
# In other languages a name can't be distinguished from a value.
_QUOTE: Final = r"(?:[\xab\xbb\u2018-\u201f\u300a-\u300f]|<<|>>)"
_FOREIGN: Final = re.compile(rf"{_QUOTE}.*(?:{_QUOTE}|\Z)", re.DOTALL)
_BYTES: Final = re.compile(r"0x[0-9a-f]{2}\b( 0x[0-9a-f]{2}\b)*")

# In these classes the server's own messages name objects, but nothing of a row: connections, features, logins, names,
# resources, limits, states, I/O.
_ABOUT_NAMES: Final = ("08", "0A", "25", "28", "2B", "3D", "3F", "40", "42", "53", "54", "55", "57", "58")
# Functions of the server that pass on what a function of the database raises, under any SQLSTATE.
_HANDS_ON: Final = frozenset({"exec_stmt_raise", "exec_stmt_assert", "PLy_output", "do_util_elog"})
# The severity, in the server's language, before its message; a tool's own text may come before that.
_SEVERITY: Final = re.compile(r"(?P<head>.*?[^\s:\"]+:  )(?P<message>.*)", re.DOTALL)


def is_raised(sqlstate: str | None) -> bool:
    """Whether an error's text comes from a function's author, and can be anything."""
    return sqlstate is not None and sqlstate.startswith(_RAISED)


def shown(message: str, sqlstate: str | None = None) -> str:
    """A server's message without the values that it might quote.

    Args:
        message: its primary text; details and context don't belong here.
        sqlstate: its SQLSTATE, where that is known.
    """
    safe = masked(message.strip())
    if sqlstate is not None and sqlstate.startswith(_ABOUT_NAMES):
        return safe
    return safe if not is_raised(sqlstate) and is_known(safe) else NOT_SHOWN


def shown_line(line: str) -> str:
    """A line of a client tool, whose own text has object names, without what a server may say in it about rows."""
    said = _SEVERITY.fullmatch(line)
    if said is None:
        return masked(line)
    # Before login, no message can contain a row.
    before_login = "connection to server " in said["head"]
    return masked(said["head"]) + shown(said["message"], "28" if before_login else None)


def shown_error(error: psycopg.Error) -> str:
    """What may be shown of an error of psycopg, on one line."""
    message, state = error.diag.message_primary, error.sqlstate
    if message is None:
        # libpq's own messages, which contain no rows, or psycopg's about a value that it can't convert.
        said = type(error).__name__ if isinstance(error, psycopg.DataError) else str(error)
    elif error.diag.source_function in _HANDS_ON:
        said = NOT_SHOWN
    else:
        said = shown(message, state)
    return " ".join(said.split())


def masked(text: str) -> str:
    """A text without any quoted value that isn't an object name."""
    return _BYTES.sub("0x…", _FOREIGN.sub("…", _VALUES.sub('"…"', text)))
