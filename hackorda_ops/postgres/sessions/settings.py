"""The session settings under which rows become text that can be compared.

A row digest compares COPY text, so dump, inventory, restore and comparison must all
use the same time zone, date style and number format, whatever `ALTER DATABASE … SET` or
`ALTER ROLE … SET` says on either side. They travel in the start-up option `options` (or by `SET`):
Neon's proxy forwards that one and drops every other start-up setting, `PGTZ` among them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

COMPARABLE_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # How values are written.
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "IntervalStyle": "postgres",
        "bytea_output": "hex",
        "extra_float_digits": "3",
        "lc_monetary": "C",
        "client_encoding": "UTF8",
        # How the server writes names and SQL, and reads ours.
        "quote_all_identifiers": "off",
        "standard_conforming_strings": "on",
        # Which rows are seen, and in which order: an error is better than rows hidden by a policy.
        "row_security": "off",
        "synchronize_seqscans": "off",
        # How the server reads arrays, XML and comparisons with NULL.
        "array_nulls": "on",
        "transform_null_equals": "off",
        "xmloption": "content",
        # Every name is schema-qualified, so that no other function or table can be picked up.
        "search_path": "",
        # A database's own time limits are meant for its application, not for an hour of dumping.
        # (transaction_timeout can't be here: servers before 17 refuse the whole connection.)
        "statement_timeout": "0",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
)

RESTORE_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **COMPARABLE_SETTINGS,
        # Whatever role and database of the target say, the session may write, waits for no locks, and puts everything
        # into the database's own tablespace.
        "default_transaction_read_only": "off",
        "default_transaction_isolation": "read committed",
        "default_transaction_deferrable": "off",
        "default_tablespace": "",
        # This speeds up a restore at no cost: if the server crashes, the restore starts over anyway.
        "maintenance_work_mem": "256MB",
        "synchronous_commit": "off",
    }
)
"""For sessions that restore, or work on what was restored."""

SHORT_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **COMPARABLE_SETTINGS,
        "statement_timeout": "60s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "60s",
    }
)
"""For short queries on a live database: they keep nobody waiting, whatever happens to them."""


def client_encoding(encoding: str) -> str:
    """The client encoding for a database.

    Args:
        encoding: the database's own.

    Returns:
        UTF8; if the database has no encoding, one in which every byte is a character: the server returns
        bytes unchanged then, and refuses what is invalid in the client's encoding.
    """
    return "LATIN1" if encoding == "SQL_ASCII" else COMPARABLE_SETTINGS["client_encoding"]


def options(settings: Mapping[str, str], existing: str = "") -> str:
    """Writes settings in the form of libpq's `options` keyword and of PGOPTIONS.

    Args:
        settings: names and values, e.g. `COMPARABLE_SETTINGS`.
        existing: what the connection string's own `options` say. It is kept (Neon's `endpoint=…`
            is passed there), but comes first: the last value of a setting wins.

    Returns:
        `existing -c name=value -c name=value …`, blanks and backslashes in values escaped.
    """
    words = [f"-c {name}={_escaped(value)}" for name, value in settings.items()]
    return " ".join(filter(None, [existing.strip(), *words]))


def _escaped(value: str) -> str:
    return "".join(
        f"\\{character}" if character.isspace() or character == "\\" else character for character in value
    )
