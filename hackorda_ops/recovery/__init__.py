"""Bringing an artifact back: what a restore and a drill both run."""
