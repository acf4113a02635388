"""What a check of a Postgres drill is given to work with."""

from dataclasses import dataclass
from typing import Any

import psycopg

from hackorda_ops.drilling.declaration import Drilling
from hackorda_ops.evidence.comparing import Comparison
from hackorda_ops.evidence.manifest import PostgresManifest, of_postgres
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.scratch.place import Place


@dataclass
class Copy:
    """The artifact, restored on scratch.

    Attributes:
        drilling: the drill.
        place: the scratch, for another database on it.
        target: the restored database.
        connection: a session on it, in autocommit: whoever opens a transaction also ends it.
        tools: the client tools of its server.
        compared: the copy, held against the manifest; None until that was done.
    """

    drilling: Drilling
    place: Place
    target: ConnectionTarget
    connection: psycopg.Connection[Any]
    tools: Clients
    compared: Comparison | None = None

    @property
    def manifest(self) -> PostgresManifest:
        """The artifact's."""
        return of_postgres(self.drilling.manifest)
