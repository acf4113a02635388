"""Artifacts: the manifest, the catalog of them, copying and fetching, the recovery sheet, the operations log."""
