"""Speaking Postgres: sessions, catalogs, definitions, access, tools, archives, restoring."""
