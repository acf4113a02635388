"""A night: where it reads, the dump, its evidence, the artifact."""
