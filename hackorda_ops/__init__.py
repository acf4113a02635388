"""Keeps Postgres databases recoverable, and proves it."""
