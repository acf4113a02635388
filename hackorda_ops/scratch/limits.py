"""What a scratch server allows, checked early: connections, writing, and extensions bound to one database.

A restore that hits one of these ends in ERROR, a quarter later. A preflight finds it beforehand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg

from hackorda_ops.concerns import Concern
from hackorda_ops.errors import TargetRefused
from hackorda_ops.postgres.catalogs.inventory import Inventory

# The session that holds the drill's place, the one that looks and tests, pg_restore's own, and one to spare.
_BESIDE_THE_JOBS: Final = 4
_LIMITS: Final = """
SELECT nullif(role.rolconnlimit, -1),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
       (SELECT count(*) FROM pg_stat_activity
         WHERE usesysid = role.oid AND backend_type = 'client backend' AND pid <> pg_backend_pid()),
       role.rolsuper,
       (SELECT option.setting FROM pg_db_role_setting s, unnest(s.setconfig) AS option (setting)
         WHERE s.setrole = role.oid AND s.setdatabase = 0
           AND option.setting ~ '^default_transaction_read_only=(on|true|yes|1)$'),
       current_setting('cron.database_name', true)
  FROM pg_roles role WHERE role.rolname = current_user
"""


@dataclass(frozen=True)
class ScratchLimits:
    """What a role may use of a server.

    Attributes:
        role_connections: how many more sessions its own limit allows; None where it has none.
        server_connections: how many more the server has.
        writes: whether its sessions write by default.
        cron_database: the one database that pg_cron works in; None where it is not preloaded.
    """

    role_connections: int | None
    server_connections: int
    writes: bool
    cron_database: str | None

    @property
    def connections(self) -> int:
        """How many more sessions it may open."""
        if self.role_connections is None:
            return self.server_connections
        return min(self.role_connections, self.server_connections)

    @property
    def of_another_role(self) -> "ScratchLimits":
        """Those of a new role on the same server."""
        return replace(self, role_connections=None, writes=True)


def read_limits(connection: psycopg.Connection[Any]) -> ScratchLimits:
    """Reads what the connection's role may use.

    Raises:
        psycopg.Error: the caller translates.
    """
    [(limit, free, in_use, is_superuser, read_only, cron)] = connection.execute(_LIMITS.encode()).fetchall()
    # A superuser is not bound by its limit.
    own = None if limit is None or is_superuser else limit - in_use
    return ScratchLimits(own, free, read_only is None, cron)


def limit_concerns(limits: ScratchLimits, *, jobs: int, inventory: Inventory) -> Iterator[Concern]:
    """Whether a restore fits within these limits. Pure.

    Args:
        limits: of the scratch server's role.
        jobs: of pg_restore, and of the comparison.
        inventory: of what is restored.
    """
    needed = jobs + _BESIDE_THE_JOBS
    if limits.connections < needed:
        whose = "role" if limits.connections == limits.role_connections else "server"
        yield Concern(
            "stops the drill",
            f"The scratch's {whose} allows {max(limits.connections, 0)} more connections, and a drill with "
            f"{jobs} jobs needs {needed}.",
            "The restore would end in an ERROR, however good the backup is.",
            "Raise the role's CONNECTION LIMIT or the server's max_connections, or lower dump.jobs.",
            TargetRefused,
        )
    if not limits.writes:
        yield Concern(
            "worth knowing",
            "The scratch's role has default_transaction_read_only = on.",
            "A drill restores anyway, but the team's migrate command, in sessions of its own, could not write.",
            "ALTER ROLE … RESET default_transaction_read_only on the scratch server.",
        )
    yield from _extension_concerns(limits, [each.name for each in inventory.extensions])


def _extension_concerns(limits: ScratchLimits, extensions: Sequence[str]) -> Iterator[Concern]:
    if "pg_cron" not in extensions:
        return
    if limits.cron_database is None:
        seen = "and the scratch server does not preload it"
        remedy = "Add pg_cron to shared_preload_libraries there"
    else:
        seen = f"and on the scratch server it works in the database {limits.cron_database} only"
        remedy = "Restore by hand into that database"
    yield Concern(
        "stops the drill",
        f"The database has the extension pg_cron, {seen}.",
        "CREATE EXTENSION would be refused in a drill's own database, so the drill would end in an ERROR.",
        f"{remedy}, or keep the jobs in a database other than the one that is backed up (cron.schedule_in_database).",
        TargetRefused,
    )
