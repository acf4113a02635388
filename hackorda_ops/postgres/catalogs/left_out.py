"""What surrounds a database but isn't in its dump: read by name, so that it can be reported."""

from typing import Any, Final

import psycopg

from hackorda_ops.postgres.access.roles import OWN_ROLE, settings
from hackorda_ops.postgres.catalogs.inventory import LeftOut

_NAMES: Final = {
    "login_roles": f"SELECT rolname FROM pg_roles WHERE rolcanlogin AND {OWN_ROLE.format('')}",
    "required_roles": """
        SELECT r.rolname FROM pg_policy p JOIN pg_roles r ON r.oid = ANY (p.polroles)
          JOIN pg_class c ON c.oid = p.polrelid AND c.relpersistence <> 't'
         UNION
        SELECT usename FROM pg_user_mappings WHERE umuser <> 0""",
    "publications": "SELECT pubname FROM pg_publication",
    "replication_slots": "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()",
    "user_mappings": """
        SELECT CASE WHEN umuser = 0 THEN 'PUBLIC' ELSE usename END || ' on ' || srvname FROM pg_user_mappings""",
    # A table in the database's own tablespace has none of its own, so pg_default never appears.
    "tablespaces": """
        SELECT t.spcname FROM pg_tablespace t
         WHERE t.spcname !~ '^pg_'
           AND (EXISTS (SELECT FROM pg_class c WHERE c.reltablespace = t.oid AND c.relpersistence <> 't')
               OR t.oid = (SELECT dattablespace FROM pg_database WHERE datname = current_database()))""",
    "event_triggers": """
        SELECT e.evtname FROM pg_event_trigger e
         WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass
                              AND d.objid = e.oid AND d.deptype = 'e')""",
}


def read_left_out(connection: psycopg.Connection[Any]) -> LeftOut:
    """Reads what a dump of the connection's database leaves out. Needs no right of its own.

    Raises:
        psycopg.Error: the caller translates.
    """
    names = {
        field: tuple(sorted({name for (name,) in connection.execute(query.encode())}))
        for field, query in _NAMES.items()
    }
    _, _, to_complete = settings(connection)
    return LeftOut(**names, settings=to_complete)
