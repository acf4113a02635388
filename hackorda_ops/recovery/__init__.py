"""Restoring an artifact: what a restore and a drill both run."""
