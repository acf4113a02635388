"""The migration tools that are known, each in a file: its table, its files, and what it would apply next."""
