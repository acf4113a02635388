"""Which schemas are a database's own: the same choice as pg_dump's."""

from typing import Final

OWN_SCHEMA: Final = r"n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
"""A condition on the row `n` of pg_namespace: "pg_" is reserved for the server, temporary schemas included."""
