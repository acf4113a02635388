"""Engines: what a night, a proof and a restore are for one kind of database."""
