"""A night of Postgres: where it reads, the dump, its evidence."""
