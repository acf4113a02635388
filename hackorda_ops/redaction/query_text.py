"""The text of queries without the values in them: only what a developer wrote."""

import re
from typing import Final

NOT_SHOWN: Final = "(not shown: it may hold a value)"

# pg_stat_statements replaces values with $1, $2, …, but keeps the text of what it can't parse again, of utility
# statements (a password in CREATE ROLE) and of comments (which some frameworks fill with a user's id).
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)|--[^\n]*", re.DOTALL)
# Where a literal ends depends on settings of the session that wrote it.
_QUOTED: Final = re.compile(r"'|\$(?:[^\W\d]\w*)?\$")
_NUMBER: Final = re.compile(
    r"(?<![\w$\"])(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?)(?![\w\"])"
)
_ORDINARY: Final = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b", re.IGNORECASE)


def without_values(query: str) -> str:
    """A query's text on one line, without numbers and comments.

    Args:
        query: as pg_stat_statements has it.

    Returns:
        The text; only `NOT_SHOWN` if it has a literal, or is anything but a query on tables.
    """
    text = _COMMENT.sub(" ", query)
    if _QUOTED.search(query) or not _ORDINARY.match(text):
        return NOT_SHOWN
    return " ".join(_NUMBER.sub("…", text).split())
