"""Keeping artifacts from being deleted: their locks read back and extended, and artifacts that people pin."""
