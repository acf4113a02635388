"""Dagster's own folder and settings, without Dagster: what a team has to give it before it can run anything."""
