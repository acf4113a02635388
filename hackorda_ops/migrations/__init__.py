"""The team's own migration command, and its results."""
