"""The session settings under which rows become text that can be compared.

A row digest compares COPY text, so the dump, the inventory, the restore and the comparison must all
speak in the same time zone, date style and number format, whatever `ALTER DATABASE … SET` or
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
        # How the server writes names and SQL down, and reads ours.
        "quote_all_identifiers": "off",
        "standard_conforming_strings": "on",
        # Which rows are seen, and in which order: an error is better than rows hidden by a policy.
        "row_security": "off",
        "synchronize_seqscans": "off",
        # How the server reads arrays, XML and comparisons with NULL.
        "array_nulls": "on",
        "transform_null_equals": "off",
        "xmloption": "content",
        # Every name is written with its schema, so that no function or table can slip in between.
        "search_path": "",
        # A database's own time limits are meant for its application, not for an hour of dumping.
        # (transaction_timeout cannot stand here: servers before 17 refuse the whole connection.)
        "statement_timeout": "0",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
)

RESTORE_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **COMPARABLE_SETTINGS,
        # Whatever role and database of the target say, the session may write, waits for nobody, and puts everything
        # into the database's own tablespace.
        "default_transaction_read_only": "off",
        "default_transaction_isolation": "read committed",
        "default_transaction_deferrable": "off",
        "default_tablespace": "",
        # What makes a restore quicker and costs nothing: should the server crash, the restore starts afresh anyway.
        "maintenance_work_mem": "256MB",
        "synchronous_commit": "off",
    }
)
"""For sessions that restore, and that work on what was restored."""

SHORT_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **COMPARABLE_SETTINGS,
        "statement_timeout": "60s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "60s",
    }
)
"""For sessions that ask a live database something short: they keep nobody waiting, whatever happens to them."""


def client_encoding(encoding: str) -> str:
    """The encoding in which to talk with a database.

    Args:
        encoding: the database's own.

    Returns:
        UTF8; where the database knows no encoding, one in which every byte is a character: the server hands out
        bytes as they are there, and refuses what is not of the client's encoding.
    """
    return "LATIN1" if encoding == "SQL_ASCII" else COMPARABLE_SETTINGS["client_encoding"]


def options(settings: Mapping[str, str], existing: str = "") -> str:
    """Writes settings in the form of libpq's `options` keyword and of PGOPTIONS.

    Args:
        settings: names and values, e.g. `COMPARABLE_SETTINGS`.
        existing: what the connection string's own `options` say. It is kept (Neon's `endpoint=…`
            travels there), but stands first: the server lets the last word on a setting count.

    Returns:
        `existing -c name=value -c name=value …`, blanks and backslashes in values escaped.
    """
    words = [f"-c {name}={_escaped(value)}" for name, value in settings.items()]
    return " ".join(filter(None, [existing.strip(), *words]))


def _escaped(value: str) -> str:
    return "".join(
        f"\\{character}" if character.isspace() or character == "\\" else character for character in value
    )
