"""What the source's own catalogs say about each object's definition, to be found again in the archive.

pg_dump asks the server for most definitions and writes the answers unchanged. So the same query, run
in the same snapshot, returns text that the archive's entry for this object must contain: nothing is parsed.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from hackorda_ops.postgres.definitions.queries import definition_queries
from hackorda_ops.postgres.definitions.remarks import COMMENTS, LABELS
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, letting_go, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS


@dataclass(frozen=True, order=True)
class SourceDefinition:
    """What an archive must contain about one object.

    Attributes:
        subject: the object as the server names it ("index public.users_pkey").
        places: (OID of a catalog, OID in it) of the entries it can be in: its own, or its table's.
        parts: all of these must be there; if there are none, one of the entries must exist.
        alternatives: one of these too, unless there are none.
    """

    subject: str
    places: tuple[tuple[int, int], ...]
    parts: tuple[bytes, ...]
    alternatives: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class SourceDefinitions:
    """Everything that a source's catalogs say, which an archive must contain word for word.

    Attributes:
        definitions: by object.
        comments: every COMMENT's text, as a literal, as often as it occurs.
        labels: the same for SECURITY LABEL.
    """

    definitions: tuple[SourceDefinition, ...] = ()
    comments: tuple[bytes, ...] = ()
    labels: tuple[bytes, ...] = ()


class _AsBytes(Loader):
    """Text as the server sends it: in a database without an encoding some of it isn't valid."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def read_source_definitions(connection: psycopg.Connection[Any]) -> SourceDefinitions:
    """Reads what an archive of this database must contain.

    Args:
        connection: with the comparable settings of `session.connect`, in the dump's snapshot. What these
            functions of the server lock in passing, the caller releases (`session.letting_go`).

    Raises:
        psycopg.Error: the caller translates.
    """
    with connection.cursor() as cursor:
        cursor.adapters.register_loader("text", _AsBytes)
        definitions: list[SourceDefinition] = []
        for query in definition_queries(connection.info.server_version // 10_000):
            cursor.execute(query.encode())
            definitions += sorted(_definition(row) for row in cursor.fetchall())
        told = []
        for query in (COMMENTS, LABELS):
            cursor.execute(query.encode())
            told.append(tuple(sorted(text for (text,) in cursor.fetchall())))
    return SourceDefinitions(tuple(definitions), *told)


def read_source_definitions_of(target: ConnectionTarget) -> SourceDefinitions:
    """The same for a database as it is now, on a session of its own.

    Raises:
        OpsError: the database can't be reached or read.
    """
    with (
        translated_errors(target, "Checking whether the schema has changed"),
        connect(target, application_name="hackorda_ops schema", settings=SHORT_SETTINGS) as connection,
        letting_go(connection),
    ):
        return read_source_definitions(connection)


def _definition(row: tuple[Any, ...]) -> SourceDefinition:
    subject, catalog, oid, other_catalog, other_oid, parts, alternatives = row
    places = ((catalog, oid), *([(other_catalog, other_oid)] if other_oid else []))
    return SourceDefinition(
        subject.decode("utf-8", "backslashreplace"), places, tuple(parts), tuple(alternatives)
    )
