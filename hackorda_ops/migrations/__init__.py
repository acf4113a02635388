"""The team's own migration command, and what it left."""
