"""What may be shown of a message from a Postgres server: names of objects, and never a value out of a row.

Besides DETAIL and CONTEXT, which are never shown, the first line of a message quotes values too: `invalid input
syntax for type integer: "…"`.
"""

import re
from typing import Final

# Errors that functions of the database raise: their words are their author's, and may be anything.
_RAISED: Final = ("P0", "38", "39")
NOT_SHOWN: Final = "(a message that may quote rows, so it is only in the server's log)"

# What stands before the name of an object.
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
# From the first quotation that names no object to the end of the last one: a value may hold quotes itself.
_VALUES: Final = re.compile(
    "".join(rf"(?<!\b{word} )" for word in _NAMED) + r'(?<![\w"])".*"',
    re.DOTALL | re.IGNORECASE,
)
_BYTES: Final = re.compile(r"0x[0-9a-f]{2}\b( 0x[0-9a-f]{2}\b)*")


def is_raised(sqlstate: str | None) -> bool:
    """Whether an error's words are those of a function's author, and may be anything."""
    return sqlstate is not None and sqlstate.startswith(_RAISED)


def shown(message: str, sqlstate: str | None = None) -> str:
    """A server's message without the values that it may quote.

    Args:
        message: its primary text; details and context don't belong here.
        sqlstate: its SQLSTATE, where that is known.
    """
    if is_raised(sqlstate):
        return NOT_SHOWN
    without_values = _VALUES.sub('"…"', message)
    return _BYTES.sub("0x…", without_values)
