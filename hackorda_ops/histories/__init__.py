"""The histories there are, and which one is a database's own."""
