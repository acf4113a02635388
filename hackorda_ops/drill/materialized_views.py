"""Whether the restored copy's materialized views can be refreshed."""

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from hackorda_ops.findings import Finding
from hackorda_ops.postgres.inventory import Table

_REMEDY = "Try REFRESH MATERIALIZED VIEW on the source too: if it fails there as well, mend the view's query."


def refresh_findings(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> Iterator[Finding]:
    """Refreshes every materialized view of a restored copy; each for itself, and taken back.

    Args:
        connection: a session on the copy.
        tables: what the copy holds.

    Raises:
        psycopg.Error: the connection broke.
    """
    for view in tables:
        if view.kind != "materialized view":
            continue
        try:
            with connection.transaction(force_rollback=True):
                # As the team's own sessions would run it: its functions may rely on the usual search path.
                connection.execute("SET LOCAL search_path TO DEFAULT")
                connection.execute(
                    sql.SQL("REFRESH MATERIALIZED VIEW {}").format(
                        sql.Identifier(view.name.schema, view.name.name)
                    )
                )
        except psycopg.Error as error:
            if connection.broken:
                raise
            # The primary message alone: details may quote rows.
            said = error.diag.message_primary or type(error).__name__
            yield Finding("refresh fails", str(view.name), "REFRESH MATERIALIZED VIEW works", said, _REMEDY)
