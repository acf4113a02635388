"""Readiness: how far a database is from a recovery that is proven, told by the clock and by the stores."""
