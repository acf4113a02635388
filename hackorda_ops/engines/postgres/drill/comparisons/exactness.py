"""Whether a branch at an artifact's WAL position holds exactly what the artifact's snapshot saw.

A transaction can be in the WAL before the position and not yet visible to the snapshot (every commit
on Neon waits for replication so). The snapshot's text names all it could not see; the branch knows
how each of those ended. If none committed, the two are the same moment.

A dump from a branch is simpler: the drill's branch and the night's left their parent at one position, and
hold the same from then on, unless something wrote to the night's.
"""

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from hackorda_ops.evidence.manifest import PostgresManifest

_SNAPSHOT = re.compile(r"(\d+):(\d+):((?:\d+(?:,\d+)*)?)")


@dataclass(frozen=True)
class Unseen:
    """The transactions that a snapshot did not see.

    Attributes:
        in_progress: ids of those that were under way.
        next_id: the first id that was not given out yet.
    """

    in_progress: tuple[int, ...]
    next_id: int


def unseen_by(snapshot: str) -> Unseen:
    """Reads the text of `pg_current_snapshot()`: "xmin:xmax:xip,xip".

    Raises:
        ValueError: it is not a snapshot's text.
    """
    match = _SNAPSHOT.fullmatch(snapshot)
    if match is None:
        raise ValueError(f"{snapshot!r} is not the text of a snapshot")
    return Unseen(
        in_progress=tuple(int(number) for number in match[3].split(",") if number), next_id=int(match[2])
    )


def apart(manifest: PostgresManifest, branch_lsn: str | None) -> str:
    """Why a branch is not the moment of an artifact that was dumped from a branch; "" where it is. Pure.

    Args:
        manifest: the artifact's.
        branch_lsn: where the drill's branch left its parent.
    """
    if branch_lsn != manifest.lsn:
        return f"the branch is at {branch_lsn}, and the artifact was dumped from one at {manifest.lsn}"
    inventory = manifest.inventory
    if inventory.subscriptions or any(extension.name == "pg_cron" for extension in inventory.extensions):
        return (
            "the artifact was dumped from a branch that carried pg_cron jobs or subscriptions, which may have "
            "written to it"
        )
    return ""


def committed_unseen(connection: psycopg.Connection[Any], unseen: Unseen) -> int:
    """Counts the transactions that the snapshot did not see and that the branch has, or may have.

    Args:
        connection: a session on the branch.
        unseen: of the artifact's snapshot.

    Returns:
        0 where the branch is exactly the snapshot. A transaction whose end the branch no longer
        knows counts as well.

    Raises:
        psycopg.Error: the connection broke.
    """
    # Ids that the branch never heard of can't have committed there; asking for them is an error.
    row = connection.execute(
        "WITH branch AS ("
        "  SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint AS next_id)"
        " SELECT count(*) FROM branch, LATERAL ("
        "  SELECT pg_catalog.unnest(%s::bigint[]) AS id"
        "  UNION ALL SELECT pg_catalog.generate_series(%s::bigint, next_id - 1)) AS unseen"
        " WHERE CASE WHEN id < next_id THEN"
        "  coalesce(pg_catalog.pg_xact_status(id::text::xid8), 'unknown') IN ('committed', 'unknown') END",
        (list(unseen.in_progress), unseen.next_id),
    ).fetchone()
    return int(row[0]) if row is not None else 0
