"""What keeps things in order: old runs, retention, what killed runs left behind, readiness."""
