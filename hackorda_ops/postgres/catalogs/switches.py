"""Triggers, rules and foreign keys that aren't simply on: off, on for replicas only, or always on.

A dump records this for user-made triggers and rules. For the triggers that enforce a foreign key or a deferrable
constraint it doesn't: a restore switches all of them on.
"""

from typing import Any, Final

import psycopg

from hackorda_ops.postgres.catalogs.inventory import Switch
from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA

_STATES: Final = {"D": "off", "R": "on for replicas only", "A": "always on"}

# A partition's constraint has a name that its server generated, so the topmost one's is shown.
_SWITCHED: Final = rf"""
WITH RECURSIVE top (oid, root) AS (
    SELECT oid, oid FROM pg_constraint WHERE conparentid = 0
    UNION ALL SELECT k.oid, top.root FROM pg_constraint k JOIN top ON k.conparentid = top.oid
), dumped_table AS (
    SELECT c.oid, NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                 AND d.deptype = 'e') AS carried
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE {OWN_SCHEMA}
)
SELECT format('trigger %I on %s', t.tgname, r.oid::regclass), t.tgenabled::text, r.carried
  FROM pg_trigger t JOIN dumped_table r ON r.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND t.tgenabled <> 'O'
UNION
SELECT format('constraint %I of %s (%s on %s)', k.conname, k.conrelid::regclass, p.proname, r.oid::regclass),
       t.tgenabled::text, false
  FROM pg_trigger t JOIN dumped_table r ON r.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
  JOIN top ON top.oid = t.tgconstraint JOIN pg_constraint k ON k.oid = top.root
 WHERE t.tgisinternal AND t.tgenabled <> 'O'
UNION
SELECT format('rule %I on %s', w.rulename, r.oid::regclass), w.ev_enabled::text, r.carried
  FROM pg_rewrite w JOIN dumped_table r ON r.oid = w.ev_class
 WHERE w.ev_enabled <> 'O'
UNION
SELECT format('event trigger %I', e.evtname), e.evtenabled::text,
       NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid
                      AND d.deptype = 'e')
  FROM pg_event_trigger e WHERE e.evtenabled <> 'O'
"""


def read_switches(connection: psycopg.Connection[Any]) -> tuple[Switch, ...]:
    """Reads what is switched differently from a new object.

    Args:
        connection: with the comparable settings of `session.connect`. It needs no right on anything.

    Raises:
        psycopg.Error: the caller translates.
    """
    return tuple(
        sorted(
            Switch(subject, _STATES.get(state, state), carried)
            for subject, state, carried in connection.execute(_SWITCHED.encode())
        )
    )
