"""Whether the restored copy's materialized views can be refreshed."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.findings import Finding
from hackorda_ops.postgres.catalogs.inventory import Table
from hackorda_ops.postgres.sessions.sqlstates import is_of_the_server
from hackorda_ops.redaction.server_words import shown_error

_REMEDY = "Try REFRESH MATERIALIZED VIEW on the source too: if it fails there as well, fix the view's query."

# How many materialized views each one reads, directly or through others: more than any of those it reads does.
_READ_BY_VIEW: Final = """
WITH RECURSIVE reads AS (
    SELECT rule.ev_class AS reader, needed.refobjid AS source
      FROM pg_catalog.pg_rewrite rule
      JOIN pg_catalog.pg_depend needed
        ON needed.classid = 'pg_catalog.pg_rewrite'::regclass AND needed.objid = rule.oid
       AND needed.refclassid = 'pg_catalog.pg_class'::regclass AND needed.refobjid <> rule.ev_class
), sources AS (
    SELECT view.oid AS view, reads.source FROM pg_catalog.pg_class view JOIN reads ON reads.reader = view.oid
     WHERE view.relkind = 'm'
    UNION
    SELECT sources.view, reads.source FROM sources JOIN reads ON reads.reader = sources.source
)
SELECT sources.view::bigint, count(*)
  FROM sources JOIN pg_catalog.pg_class source ON source.oid = sources.source AND source.relkind = 'm'
 GROUP BY sources.view
"""


def refresh_findings(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> Iterator[Finding]:
    """Refreshes every materialized view of a restored copy, those first that others read; then rolls it all back.

    Args:
        connection: a session on the copy.
        tables: what the copy holds.

    Returns:
        A finding for each view that can't be refreshed; a mere warning where it was empty, as then the
        source may not be able to fill it either.

    Raises:
        psycopg.Error: the connection broke, or the error is about the server and not about the view.
    """
    views = [table for table in tables if table.kind == "materialized view"]
    read_by: dict[int, int] = dict(connection.execute(_READ_BY_VIEW).fetchall()) if views else {}
    with connection.transaction(force_rollback=True):
        # As the team's own sessions would run it: its functions may rely on the usual search path.
        connection.execute("SET LOCAL search_path TO DEFAULT")
        for view in sorted(views, key=lambda each: (read_by.get(each.oid, 0), each.name)):
            if said := _complaint(connection, view):
                code = "refresh fails" if view.populated else "refresh of an empty view fails"
                yield Finding(code, str(view.name), "REFRESH MATERIALIZED VIEW works", said, _REMEDY)


def _complaint(connection: psycopg.Connection[Any], view: Table) -> str:
    """The server's error on a refresh; "" where it works."""
    refresh = sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(view.name.schema, view.name.name))
    try:
        # One that was empty stays filled until the end, or no view that reads it could be tried.
        with connection.transaction(force_rollback=bool(view.populated)):
            connection.execute(refresh)
    except psycopg.Error as error:
        if connection.broken or is_of_the_server(error.sqlstate or ""):
            raise
        return f"{shown_error(error)} (SQLSTATE {error.sqlstate})"
    return ""
