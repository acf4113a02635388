"""Artifacts: manifest, store, off-site copy, catalog; takes a nightly, ships a weekly."""
