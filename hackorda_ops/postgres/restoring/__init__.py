"""pg_restore: the run, its failures, what it left out, the database it writes to."""
