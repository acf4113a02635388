"""Retention: what is kept of the artifacts in the store and off-site, why, and how the rest is deleted."""
