"""Restoring a Postgres artifact: what a restore and a drill both run."""
