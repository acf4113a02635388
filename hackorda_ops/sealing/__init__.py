"""Encrypted artifacts: how a night's files are sealed, and how they are opened again."""
