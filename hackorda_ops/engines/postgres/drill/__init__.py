"""What a drill of a Postgres database compares."""
