"""Functions of a dump that reach beyond their database: code of the source's, which a restore and a comparison run."""

from typing import Any, Final

import psycopg

from hackorda_ops.words import named

# What a body has to say to reach files, programs, other servers, settings of the server or other roles. Text that is
# put together at run time isn't found: the rights of the role that restores stop it, this only tells of it.
_REACHES: Final = {
    "a program of the server's machine": r"\mprogram\M\s*(\$|'|''|e')",
    "files of the server's machine": r"\mpg_(read|write|stat)_(binary_)?file\M|\mpg_ls_\w*dir\M|\mlo_(im|ex)port\M"
    r"|\mcopy\M[^;]*\m(from|to)\M\s*''?/",
    "settings of the server": r"\malter\s+system\M",
    "other servers": r"\mdblink\w*\M",
    "other roles": r"\m(re)?set\s+(session\s+authorization|role)\M|\mreset\s+role\M"
    r"|\m(create|alter)\s+(role|user)\M(?!\s+mapping)",
}
_FOUND: Final = """
SELECT found.reach, pg_catalog.array_agg(DISTINCT pg_catalog.concat(n.nspname, '.', p.proname))
  FROM pg_catalog.unnest(%s::text[]) WITH ORDINALITY AS found (reach, number)
  JOIN pg_catalog.unnest(%s::text[]) WITH ORDINALITY AS pattern (text, number) ON pattern.number = found.number
  JOIN pg_catalog.pg_proc p ON p.oid >= 16384 AND p.prosrc ~* pattern.text
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                      AND d.objid = p.oid AND d.deptype = 'e')
 GROUP BY found.reach, found.number ORDER BY found.number
"""


def reaching_out(connection: psycopg.Connection[Any]) -> list[str]:
    """What functions of a restored database name beyond it, in a sentence for each kind.

    Args:
        connection: a session on the restored database.

    Raises:
        psycopg.Error: the caller translates.
    """
    found = connection.execute(_FOUND.encode(), (list(_REACHES), list(_REACHES.values()))).fetchall()
    return [
        f"Code in the dump names {reach}: {named([f'{name}()' for name in functions])}. A restore runs such code "
        "wherever an index, a constraint, a trigger or a view calls it: see whose it is, and whether it is meant."
        for reach, functions in found
    ]
