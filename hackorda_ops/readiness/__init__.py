"""Readiness: how far a database is from a proven recovery, by the clock and by what the stores hold."""
