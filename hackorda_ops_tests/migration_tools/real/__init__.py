"""The migration tools themselves, installed from their registries, on a real database."""
