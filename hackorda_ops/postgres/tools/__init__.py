"""The right client programs, pg_dump, and what they print."""
