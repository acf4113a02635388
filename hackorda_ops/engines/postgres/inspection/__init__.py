"""Looking into artifacts and at the live database, without restoring or writing anything."""
