"""Servers in front of the real ones, which do to calls what is planned."""
