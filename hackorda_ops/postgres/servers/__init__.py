"""Postgres servers of our own: their programs, a new cluster, and running it."""
