"""Whether what Barman receives by could fill the source's disk, or has lost WAL."""

from collections.abc import Iterator
from typing import Final, LiteralString

from hackorda_ops.concerns import Concern
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

_UNBOUNDED: Final[LiteralString] = """
SELECT slot_name FROM pg_catalog.pg_replication_slots
 WHERE slot_type = 'physical' AND NOT temporary AND pg_catalog.current_setting('max_slot_wal_keep_size') = '-1'
 ORDER BY slot_name
"""
_LOST: Final[LiteralString] = """
SELECT slot_name FROM pg_catalog.pg_replication_slots
 WHERE slot_type = 'physical' AND wal_status IN ('unreserved', 'lost') ORDER BY slot_name
"""


def slot_concerns(source: ConnectionTarget) -> Iterator[Concern]:
    """Physical replication slots that hold WAL without end.

    Args:
        source: the live database.

    Raises:
        OpsError: it can't be reached.
    """
    unbounded = _names(source, _UNBOUNDED)
    if unbounded:
        yield Concern(
            "worth knowing",
            f"The replication slot(s) {', '.join(unbounded)} may hold WAL without end: max_slot_wal_keep_size is -1.",
            "If Barman stops receiving, the source's disk fills up, and the source stops.",
            "Set max_slot_wal_keep_size on the source to what its disk can spare, for example 20GB.",
        )


def lost(source: ConnectionTarget) -> Iterator[str]:
    """Physical replication slots that have lost WAL, or are about to, as a sentence.

    Args:
        source: the live database.

    Raises:
        OpsError: it can't be reached.
    """
    names = _names(source, _LOST)
    if names:
        yield (
            f"The replication slot(s) {', '.join(names)} lost WAL, or are about to: the history has a gap, or will "
            "have one, and no older base backup leads beyond it."
        )


def _names(source: ConnectionTarget, query: LiteralString) -> list[str]:
    with (
        translated_errors(source, "Looking at the source's replication slots"),
        connect(source, application_name="hackorda_ops preflight", settings=SHORT_SETTINGS) as connection,
    ):
        return [name for (name,) in connection.execute(query)]
