"""A source that is reached without TLS: what came over that connection isn't believed because it came."""

from datetime import datetime

from hackorda_ops.evidence.source_values import SourceValues
from hackorda_ops.findings import Finding
from hackorda_ops.words import counted, named


def not_encrypted(host: str, values: SourceValues, captured_at: datetime) -> Finding:
    """What every night over such a connection says: how much of it was read twice, by two connections. Pure.

    Args:
        host: the source's.
        values: which tables' values were compared with the source's.
        captured_at: tonight's snapshot.
    """
    twice = values.compared_in(captured_at)
    once = [each.table for each in values.tables if each.table not in twice]
    observed = (
        f"none; {len(twice)} of {counted(len(values.tables), 'table')} read twice in one snapshot, by two connections, "
        "and equal"
    )
    return Finding(
        "connection not encrypted",
        host,
        "TLS",
        observed + (f"; read once: {named(once)}" if once else ""),
        "Set DB_SSL_MODE to verify, and take tls: disable out of the source's section of databases.yaml.",
    )
