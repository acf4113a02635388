"""Scratch on this machine: a Postgres server of our own, started for one restore and gone afterwards."""
