"""Connection strings, TLS, sessions, locks, snapshots."""
