"""Finding the right client programs, running pg_dump, and reading what they print."""
