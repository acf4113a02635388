"""What an SQLSTATE blames, by the classes of the SQL standard and of Postgres (appendix "Error codes")."""

from typing import Final

# Cardinality, data, integrity, what functions raise, names and syntax, a view's check. 54000 is a value too large
# for its index.
_OF_THE_DUMP: Final = ("21", "22", "23", "2F", "38", "39", "3F", "42", "44", "P0", "54000")
# Connections, states of a transaction, conflicts, resources, limits, locks, an administrator, I/O, defects. 55000 is
# about an object: a view that was never populated.
_OF_THE_SERVER: Final = ("08", "25", "40", "53", "54001", "55006", "55P", "57", "58", "XX")
_PASSING: Final = ("08", "40", "53", "55", "57", "58")


def is_of_the_dump(sqlstate: str) -> bool:
    """Whether an error is caused by the data or definitions in a dump, on any server."""
    return sqlstate.startswith(_OF_THE_DUMP)


def is_of_the_server(sqlstate: str) -> bool:
    """Whether an error is about the server or the session, and not about the statement."""
    return sqlstate.startswith(_OF_THE_SERVER)


def is_passing(sqlstate: str) -> bool:
    """Whether a retry may succeed later."""
    return sqlstate.startswith(_PASSING)
