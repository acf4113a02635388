"""What a database contains, according to its catalogs."""
