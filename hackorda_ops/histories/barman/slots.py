"""Whether what Barman receives by could fill the source's disk."""

from collections.abc import Iterator
from typing import Final

from hackorda_ops.concerns import Concern
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

_UNBOUNDED: Final = """
SELECT slot_name FROM pg_catalog.pg_replication_slots
 WHERE slot_type = 'physical' AND NOT temporary AND pg_catalog.current_setting('max_slot_wal_keep_size') = '-1'
 ORDER BY slot_name
"""
_LOST: Final = """
SELECT slot_name FROM pg_catalog.pg_replication_slots
 WHERE slot_type = 'physical' AND wal_status IN ('unreserved', 'lost') ORDER BY slot_name
"""


def slot_concerns(source: ConnectionTarget) -> Iterator[Concern]:
    """Physical replication slots that hold WAL without end, or that have lost some.

    Args:
        source: the live database.

    Raises:
        OpsError: it can't be reached.
    """
    with (
        translated_errors(source, "Looking at the source's replication slots"),
        connect(source, application_name="hackorda_ops preflight", settings=SHORT_SETTINGS) as connection,
    ):
        unbounded = [name for (name,) in connection.execute(_UNBOUNDED)]
        lost = [name for (name,) in connection.execute(_LOST)]
    if unbounded:
        yield Concern(
            "worth knowing",
            f"The replication slot(s) {', '.join(unbounded)} may hold WAL without end: max_slot_wal_keep_size is -1.",
            "If Barman stops receiving, the source's disk fills up, and the source stops.",
            "Set max_slot_wal_keep_size on the source to what its disk can spare, for example 20GB.",
        )
    if lost:
        yield Concern(
            "worth knowing",
            f"The replication slot(s) {', '.join(lost)} lost WAL, or are about to.",
            "Barman's history has a gap, or will have one: no older base backup leads beyond it.",
            "Let Barman receive again, then take a new base backup.",
        )
