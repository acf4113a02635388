"""Postgres's evidence: its manifest, and the comparisons of the source, the archive and a restored copy with it."""
