"""databases.yaml, parsed and checked."""
