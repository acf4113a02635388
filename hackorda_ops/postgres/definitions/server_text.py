"""What the source's own catalogs say of each object's definition, to be found in the archive again.

pg_dump asks the server for most definitions and writes the answers down as they are. So the same question, asked
in the same snapshot, gives a text that the archive's entry of this object has to hold: not a word of it is parsed.
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
    """What has to stand in an archive of one object.

    Attributes:
        subject: the object in the server's words ("index public.users_pkey").
        places: (OID of a catalog, OID in it) of the entries it stands in: its own, or its table's.
        parts: all of these have to stand there; without any, one of the entries has to be there.
        alternatives: one of these as well, unless there are none.
    """

    subject: str
    places: tuple[tuple[int, int], ...]
    parts: tuple[bytes, ...]
    alternatives: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class SourceDefinitions:
    """Everything that the catalogs of a source say, of which an archive has to hold every word.

    Attributes:
        definitions: by object.
        comments: what every COMMENT says, as a literal; as often as it is said.
        labels: the same of SECURITY LABEL.
    """

    definitions: tuple[SourceDefinition, ...] = ()
    comments: tuple[bytes, ...] = ()
    labels: tuple[bytes, ...] = ()


class _AsBytes(Loader):
    """Texts as the server sends them: a database without an encoding has some that are none."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def read_source_definitions(connection: psycopg.Connection[Any]) -> SourceDefinitions:
    """Reads what an archive of this database has to say.

    Args:
        connection: with the comparable settings of `session.connect`, in the dump's snapshot. What these
            functions of the server lock on their way, the caller lets go of (`session.letting_go`).

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
    """The same of a database as it is now, on a session of its own.

    Raises:
        OpsError: the database can't be reached or read.
    """
    with (
        translated_errors(target, "Looking whether the schema has changed"),
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
