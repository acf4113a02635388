"""What a database holds, by its catalogs."""
