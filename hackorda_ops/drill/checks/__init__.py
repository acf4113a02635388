"""What a drill proves: each check declared once, in `registry`."""
