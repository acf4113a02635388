"""What a drill of a Postgres database proves: each check declared once."""
